"""Runs of a one-shot search in several processes."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from nasbench_lab.child_processes import Child, check_may_start_processes, end_children, start_child
from nasbench_lab.errors import OutputError
from nasbench_lab.simulation.sent_errors import SentError, received_error, sent_error
from nasbench_lab.simulation.sent_objects import packed, packed_with_code
from nasbench_lab.train.one_shot.run_tasks import RunOutcome, RunTask, do_run

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

Report = Callable[[int, int], None]
"""Called with the number of a run and its finished epochs."""


def do_runs(tasks: Sequence[RunTask], processes: int, report: Report) -> Iterator[RunOutcome]:
    """Do runs, and yield their outcomes in the order in which they end.

    Args:
        tasks: the runs.
        processes: number of processes; with one, this process does everything.
        report: called after every epoch.

    Raises:
        OutputError: a process died.
        Exception: whatever a run raised.
    """
    if processes == 1 or len(tasks) == 1:
        for task in tasks:
            yield do_run(task, lambda epoch, run=task.run: report(run, epoch))  # type: ignore[misc]
        return
    check_may_start_processes("use processes=1")
    children: list[Child] = []
    try:
        yield from _shared(list(tasks), processes, report, children)
    finally:
        end_children(children)


def _shared(left: list[RunTask], processes: int, report: Report, children: list[Child]) -> Iterator[RunOutcome]:
    from multiprocessing.connection import wait

    busy: dict[Connection, tuple[Child, RunTask]] = {}
    left = left[::-1]
    for _ in range(min(processes, len(left))):
        child = start_child(_serve)
        children.append(child)
        _give(child, left.pop(), busy)
    while busy:
        for line in wait(list(busy)):
            child, task = busy[line]  # type: ignore[index] # one of the connections
            try:
                answer = pickle.loads(child.line.recv_bytes())  # noqa: S301 - of a process that this one started
            except (EOFError, OSError):
                child.end()
                raise OutputError(
                    f"the process of run {task.run} of {task.method.label} died ({child.how_it_died})"
                ) from None
            if isinstance(answer, int):
                report(task.run, answer)
                continue
            if isinstance(answer, SentError):
                raise received_error(answer)
            del busy[child.line]
            if left:
                _give(child, left.pop(), busy)
            yield answer


def _give(child: Child, task: RunTask, busy: dict[Connection, tuple[Child, RunTask]]) -> None:
    busy[child.line] = child, task
    child.send(packed_with_code(task, type(task.method)))


def _serve(line: Connection) -> None:
    """Do the runs that arrive over the connection until it closes."""
    while True:
        try:
            task = pickle.loads(line.recv())  # noqa: S301 - of the parent
            line.send_bytes(_answer(task, line))
        except (EOFError, OSError):
            return


def _answer(task: RunTask, line: Connection) -> bytes:
    try:
        return packed(do_run(task, lambda epoch: line.send_bytes(packed(epoch))))
    except BaseException as error:  # a method may raise anything
        return packed(sent_error(error))
