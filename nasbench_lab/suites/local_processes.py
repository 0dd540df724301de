"""Shards in processes on this machine, any of which may be killed."""

from __future__ import annotations

import collections
import contextlib
import multiprocessing
import os
import signal
from collections.abc import Iterator
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import NamedTuple, final

from nasbench_lab.errors import ParameterError
from nasbench_lab.suites.runner import Answer, Died
from nasbench_lab.suites.shards import ShardJob, attempt

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class _Worker(NamedTuple):
    """A process and the connection to it."""

    process: SpawnProcess
    line: Connection


@final
class LocalProcesses:
    """Simulates shards in processes on this machine. A process that dies is replaced, and its shard is reported.

    The pools of the standard library do not report which task a process died on, and leave processes behind when the
    parent is killed. Here, every process has its own connection, and ends when the connection closes, for any reason.

    Processes are spawned, not forked, so a script that uses this class needs ``if __name__ == "__main__":``.

    Args:
        processes: number of processes; by default the number of processors that this process may use.

    Raises:
        ParameterError: the number is invalid, or this process may not start processes.
    """

    def __init__(self, processes: int | None = None) -> None:
        wanted = _processors() if processes is None else processes
        if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1:
            raise ParameterError(f"processes must be a whole number from 1, got {processes!r}")
        check_may_start_processes()
        self.slots = wanted
        self._idle: list[_Worker] = []
        self._busy: dict[str, _Worker] = {}
        self._answers: collections.deque[Answer] = collections.deque()

    def submit(self, task: ShardJob) -> None:
        """Give a task to an idle process; start one if there is none."""
        while self._idle:
            worker = self._idle.pop()
            if _sent(worker, task):
                self._busy[task.name] = worker
                return
            _end(worker)
        worker = _start()
        self._busy[task.name] = worker
        if not _sent(worker, task):
            self._answers.append(self._died(task.name))

    def next(self) -> Answer:
        """Wait until a task or its process ends."""
        if self._answers:
            return self._answers.popleft()
        names = {worker.line: name for name, worker in self._busy.items()}
        line = wait(list(names))[0]
        name = names[line]  # type: ignore[index] # one of the connections above
        worker = self._busy[name]
        try:
            outcome = worker.line.recv()
        except (EOFError, OSError):
            return self._died(name)
        self._idle.append(self._busy.pop(name))
        return Answer(name, outcome)

    def close(self) -> None:
        """End all processes, including the busy ones."""
        for worker in (*self._idle, *self._busy.values()):
            worker.process.terminate()
        for worker in (*self._idle, *self._busy.values()):
            _end(worker)
        self._idle, self._busy = [], {}

    @property
    def pids(self) -> list[int]:
        """The ids of the processes, the busy ones first."""
        return [worker.process.pid or 0 for worker in (*self._busy.values(), *self._idle)]

    def _died(self, name: str) -> Answer:
        worker = self._busy.pop(name)
        _end(worker)
        code = worker.process.exitcode
        how = f"signal {-code}; out of memory?" if code is not None and code < 0 else f"exit code {code}"
        return Answer(name, Died(how))


def check_may_start_processes() -> None:
    """Raise ParameterError in a daemon process, such as that of a pool, which may not start processes."""
    if multiprocessing.current_process().daemon:
        raise ParameterError(
            "this process is a daemon of multiprocessing and may not start processes; "
            "omit the executor to simulate in this process"
        )


def _serve(line: Connection) -> None:
    """Simulate the tasks that arrive over the connection until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C and ends this process
    while True:
        try:
            line.send(attempt(line.recv()))
        except (EOFError, OSError):
            return


def _start() -> _Worker:
    """Start a process."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    with _one_thread(), _interrupts_held():
        process.start()
    theirs.close()
    return _Worker(process, ours)


def _sent(worker: _Worker, task: ShardJob) -> bool:
    try:
        worker.line.send(task)
    except OSError:
        return False
    return True


def _end(worker: _Worker) -> None:
    """Wait for a process that is dead or dying."""
    worker.line.close()
    worker.process.join(5)
    if worker.process.exitcode is None:
        worker.process.kill()
        worker.process.join()


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Let processes started inside the block use one thread each, as there is one process per processor."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Block Ctrl-C inside the block; processes started there never receive it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    # Otherwise, the first spawned process would start the resource tracker, which unblocks Ctrl-C after its start.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
