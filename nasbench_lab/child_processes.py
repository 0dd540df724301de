"""Child processes that do one task after the other, and end when this process ends.

The pools of the standard library do not report which task a process died on, and leave processes behind when the parent
is killed. Here, every process has its own connection, and ends when the connection closes, for any reason.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from nasbench_lab.errors import ParameterError

if TYPE_CHECKING:  # imported where it is used, as most simulations need one process
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")

_STARTING = threading.Lock()


class Child(NamedTuple):
    """A process and the connection to it."""

    process: SpawnProcess
    line: Connection

    def send(self, task: Any) -> bool:
        """Send a task, and return whether the process is still there to receive it."""
        try:
            self.line.send(task)
        except OSError:
            return False
        return True

    def end(self) -> None:
        """Wait for a process that is dead or dying; kill it if it does not end."""
        self.line.close()
        self.process.join(5)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()

    @property
    def how_it_died(self) -> str:
        """Why the process ended, in words."""
        code = self.process.exitcode
        return f"signal {-code}; out of memory?" if code is not None and code < 0 else f"exit code {code}"


def start_child(serve: Callable[[Connection], None]) -> Child:
    """Start a process.

    It is spawned, not forked. It does not run the script of this process again: that script needs no
    ``if __name__ == "__main__":``, and the process does not see what the script defines. Linear algebra uses one
    thread, as there is one process per processor.

    Args:
        serve: function of a module that the process calls with its connection. Ctrl-C does not reach the process.
    """
    import multiprocessing

    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_called, args=(serve, theirs), daemon=True)
    with _STARTING, _one_thread(), _interrupts_held(), _script_hidden():
        process.start()
    theirs.close()
    return Child(process, ours)


def end_children(children: list[Child]) -> None:
    """End processes, including busy ones."""
    for child in children:
        child.process.terminate()
    for child in children:
        child.end()


def number_of_processes(processes: int | None) -> int:
    """Return a checked number of processes; for None, the number of processors that this process may use.

    Raises:
        ParameterError: it is no whole number from 1.

    >>> number_of_processes(3)
    3
    >>> number_of_processes(0)
    Traceback (most recent call last):
    nasbench_lab.errors.ParameterError: processes must be a whole number from 1, got 0
    """
    if processes is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if isinstance(processes, bool) or not isinstance(processes, int) or processes < 1:
        raise ParameterError(f"processes must be a whole number from 1, got {processes!r}")
    return processes


def check_may_start_processes(remedy: str) -> None:
    """Raise ParameterError in a daemon process, such as that of a pool, which may not start processes.

    Args:
        remedy: end of the message.
    """
    import multiprocessing

    if multiprocessing.current_process().daemon:
        raise ParameterError(f"this process is a daemon of multiprocessing and may not start processes; {remedy}")


def _called(serve: Callable[[Connection], None], line: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C and ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()
    serve(line)


def _end_with_parent() -> None:
    """End this process when its parent is gone. A long task would not notice that its connection is closed."""
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextlib.contextmanager
def _script_hidden() -> Iterator[None]:
    """Hide the script of this process inside the block. Otherwise, a spawned process would run it first."""
    main = sys.modules["__main__"]
    before: dict[str, Any] = {name: vars(main)[name] for name in ("__spec__", "__file__") if name in vars(main)}
    main.__spec__ = None
    vars(main).pop("__file__", None)
    try:
        yield
    finally:
        vars(main).pop("__spec__", None)
        vars(main).update(before)


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Let processes started inside the block use one thread each."""
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
    from multiprocessing import resource_tracker

    # Otherwise, the first spawned process would start the resource tracker, which unblocks Ctrl-C after its start.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
