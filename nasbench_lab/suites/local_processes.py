"""Shards in processes on this machine, any of which may be killed."""

from __future__ import annotations

import collections
from multiprocessing.connection import Connection, wait
from typing import final

from nasbench_lab.child_processes import (
    Child,
    check_may_start_processes,
    end_children,
    number_of_processes,
    start_child,
)
from nasbench_lab.suites.runner import Answer, Died, Told
from nasbench_lab.suites.shards import ShardJob, attempt

IN_THIS_PROCESS = "omit the executor to simulate in this process"
"""What to do where processes cannot be started."""


@final
class LocalProcesses:
    """Simulates shards in processes on this machine. A process that dies is replaced, and its shard is reported.

    Args:
        processes: number of processes; by default the number of processors that this process may use.

    Raises:
        ParameterError: the number is invalid, or this process may not start processes.
    """

    def __init__(self, processes: int | None = None) -> None:
        self.slots = number_of_processes(processes)
        check_may_start_processes(IN_THIS_PROCESS)
        self._idle: list[Child] = []
        self._busy: dict[str, Child] = {}
        self._answers: collections.deque[Answer] = collections.deque()

    def submit(self, task: ShardJob) -> None:
        """Give a task to an idle process; start one if there is none."""
        while self._idle:
            worker = self._idle.pop()
            if worker.send(task):
                self._busy[task.name] = worker
                return
            worker.end()
        worker = start_child(_serve)
        self._busy[task.name] = worker
        if not worker.send(task):
            self._answers.append(self._died(task.name))

    def next(self, told: Told) -> Answer:
        """Wait until a task or its process ends."""
        while not self._answers:
            names = {worker.line: name for name, worker in self._busy.items()}
            line = wait(list(names))[0]
            name = names[line]  # type: ignore[index] # one of the connections above
            try:
                outcome = self._busy[name].line.recv()
            except (EOFError, OSError):
                return self._died(name)
            if not isinstance(outcome, float):
                self._idle.append(self._busy.pop(name))
                return Answer(name, outcome)
            told(name, outcome)
        return self._answers.popleft()

    def close(self) -> None:
        """End all processes, including the busy ones."""
        end_children([*self._idle, *self._busy.values()])
        self._idle, self._busy = [], {}

    @property
    def pids(self) -> list[int]:
        """The ids of the processes, the busy ones first."""
        return [worker.process.pid or 0 for worker in (*self._busy.values(), *self._idle)]

    def _died(self, name: str) -> Answer:
        worker = self._busy.pop(name)
        worker.end()
        return Answer(name, Died(worker.how_it_died))


def _serve(line: Connection) -> None:
    """Simulate the tasks that arrive over the connection until it closes; send shares of them, and then outcomes."""
    while True:
        try:
            line.send(attempt(line.recv(), lambda share: line.send(float(share))))
        except (EOFError, OSError):
            return
