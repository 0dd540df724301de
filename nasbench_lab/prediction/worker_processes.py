"""Tasks in several processes, in any order."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from nasbench_lab.arrays import FloatArray
from nasbench_lab.child_processes import Child, check_may_start_processes, end_children, start_child
from nasbench_lab.errors import OutputError
from nasbench_lab.prediction.trainings import TableTrainings
from nasbench_lab.prediction.trial_runs import TrialTask, run_task
from nasbench_lab.simulation.sent_errors import SentError, received_error, sent_error
from nasbench_lab.simulation.sent_objects import packed
from nasbench_lab.simulation.threads import one_thread

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


class Tables(NamedTuple):
    """The trainings of the table and of the other table, if any."""

    trainings: TableTrainings
    source: TableTrainings | None


def run_tasks(tasks: Sequence[TrialTask], tables: Tables, processes: int) -> Iterator[tuple[TrialTask, FloatArray]]:
    """Run tasks, and yield each with its result (see `run_task`) when it ends.

    Args:
        tasks: what to run.
        tables: the tables.
        processes: number of processes; with one, this process does everything.

    Raises:
        OutputError: a process died.
        Exception: whatever a predictor raised.
    """
    if processes == 1 or len(tasks) == 1:
        for task in tasks:
            with one_thread():
                found = run_task(task, *tables)
            yield task, found
        return
    check_may_start_processes("use processes=1")
    children: list[Child] = []
    try:
        yield from _shared(list(tasks), tables, processes, children)
    finally:
        end_children(children)


def _shared(
    tasks: list[TrialTask], tables: Tables, processes: int, children: list[Child]
) -> Iterator[tuple[TrialTask, FloatArray]]:
    from multiprocessing.connection import wait

    busy: dict[Connection, tuple[Child, TrialTask]] = {}
    left = tasks[::-1]
    for _ in range(min(processes, len(left))):
        child = start_child(_serve)
        children.append(child)
        child.send(packed(tables))
        _give(child, left.pop(), busy)
    while busy:
        for line in wait(list(busy)):
            child, task = busy.pop(line)  # type: ignore[call-overload] # one of the connections
            try:
                answer = pickle.loads(child.line.recv_bytes())  # noqa: S301 - of a process that this one started
            except (EOFError, OSError):
                child.end()
                raise OutputError(f"a process died on {task.predictor.label} ({child.how_it_died})") from None
            if isinstance(answer, SentError):
                raise received_error(answer)
            if left:
                _give(child, left.pop(), busy)
            yield task, answer


def _give(child: Child, task: TrialTask, busy: dict[Connection, tuple[Child, TrialTask]]) -> None:
    busy[child.line] = child, task
    child.send(packed(task))


def _serve(line: Connection) -> None:
    """Receive the tables, then run the tasks that arrive over the connection until it closes."""
    try:
        tables = pickle.loads(line.recv())  # noqa: S301 - of the parent
        while True:
            line.send_bytes(_answer(line.recv(), tables))
    except (EOFError, OSError):
        return


def _answer(task: bytes, tables: Tables) -> bytes:
    try:
        with one_thread():
            return packed(run_task(pickle.loads(task), *tables))  # noqa: S301 - of the parent
    except BaseException as error:  # a predictor may raise anything
        return packed(sent_error(error))
