"""Running a suite: shards are handed to an executor, and kept as they are finished."""

from __future__ import annotations

import collections
import contextlib
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol, final

import filelock

from nasbench_lab.errors import StrategyError
from nasbench_lab.simulation.results import Results
from nasbench_lab.suites.folder import SuiteFolder
from nasbench_lab.suites.plan import Shard
from nasbench_lab.suites.shards import Done, Failed, ShardJob, Unable, attempt
from nasbench_lab.suites.spec import Suite
from nasbench_lab.suites.stored_results import open_results

MOST_DEATHS = 3
"""How often the process that has a shard in work may die before the shard is given up."""

_PATIENCE = 0.2  # seconds between two looks at what other processes do


class Died(NamedTuple):
    """The process that had a shard in work is gone.

    Attributes:
        how: what is known about it.
    """

    how: str


class Answer(NamedTuple):
    """What became of a task.

    Attributes:
        name: of the shard.
        outcome: what came of it.
    """

    name: str
    outcome: Done | Failed | Unable | Died


class Executor(Protocol):
    """Simulates shards, somewhere. It never touches the suite's folder."""

    @property
    def slots(self) -> int:
        """How many tasks to submit ahead."""

    def submit(self, task: ShardJob) -> None:
        """Accept a task."""

    def next(self) -> Answer:
        """Wait for a task to end, whichever; there is at least one."""

    def close(self) -> None:
        """Stop all work at once."""


@final
class InThisProcess:
    """Simulates one shard after the other, in the process that asks."""

    slots = 1

    def __init__(self) -> None:
        self._tasks: collections.deque[ShardJob] = collections.deque()

    def submit(self, task: ShardJob) -> None:
        """Accept a task."""
        self._tasks.append(task)

    def next(self) -> Answer:
        """Simulate the task that waits longest."""
        task = self._tasks.popleft()
        return Answer(task.name, attempt(task))

    def close(self) -> None:
        """Do nothing: no work goes on."""


class SuiteProgress(NamedTuple):
    """How far a suite is.

    Attributes:
        finished: number of shards that are there.
        shards: number of all shards.
        seconds: estimate, made before, of the processor time of those that are there; of use in comparison with
        total: the same of all.
        failed: number of shards that raised an error.
    """

    finished: int
    shards: int
    seconds: float
    total: float
    failed: int


Report = Callable[[SuiteProgress], None]


def run_suite(
    suite: Suite,
    out: str | os.PathLike[str],
    *,
    executor: Executor | None = None,
    report: Report = lambda _progress: None,
) -> Results:
    """Run a suite, or what is left of it, and keep the results in a folder.

    Killed at any moment it loses the shards in work only; the same call goes on, and the folder's traces are the same
    bytes as if nothing had happened. Several processes may run the same suite in the same folder at once, also on
    several machines that share it.

    Args:
        suite: what to simulate.
        out: the folder; new, empty, or one in which the suite was begun.
        executor: what simulates shards; by default this process. See `LocalProcesses` and `DaskExecutor`. It is closed
            at the end.
        report: called at the beginning and whenever a shard is finished.

    Returns:
        The results, as `open_results` gives them.

    Raises:
        StrategyError: some simulations raised errors; all others are there.
        OutputError: the folder holds something else, or cannot be written; what is finished is kept.
        NasbenchLabError: the suite cannot be planned, or a table cannot be opened.

    >>> import tempfile
    >>> from nasbench_lab.simulation import Budget
    >>> suite = Suite(["random-search", "local-search"], ["digits/chain"], Budget(evaluations=20), runs=10)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [setting.label for setting in run_suite(suite, folder).settings]
    ['random-search', 'local-search']
    """
    executor = executor or InThisProcess()
    with contextlib.closing(executor):
        folder = SuiteFolder.begin(Path(out), suite)
        _Run(folder, executor, report).work()
    return open_results(out)


class _Run:
    """One pass over what is left of a suite."""

    def __init__(self, folder: SuiteFolder, executor: Executor, report: Report) -> None:
        self._folder, self._executor, self._report = folder, executor, report
        self._shards = {shard.name: shard for shard in folder.plan.shards}
        self._finished = {shard.name for shard in folder.plan.shards if folder.is_finished(shard)}
        self._left = collections.deque(shard for name, shard in self._shards.items() if name not in self._finished)
        self._claims: dict[str, filelock.BaseFileLock] = {}
        self._deaths: collections.Counter[str] = collections.Counter()
        self._failures: dict[str, str] = {}

    def work(self) -> None:
        """Simulate all shards that nobody has finished."""
        self._tell()
        try:
            while self._left or self._claims:
                self._submit()
                if self._claims:
                    self._take(self._executor.next())
                else:
                    time.sleep(_PATIENCE)  # all that is left is in work elsewhere
        finally:
            for claim in self._claims.values():
                self._folder.release(claim)
        if self._failures:
            raise StrategyError(self._failure_message())

    def _submit(self) -> None:
        """Keep the executor busy with shards that nobody has; those that others have come later."""
        slots = self._executor.slots
        for _ in range(len(self._left)):
            if len(self._claims) >= slots:
                return
            shard = self._left.popleft()
            claim = self._folder.claim(shard)
            if claim is not None:
                self._claims[shard.name] = claim
                self._executor.submit(self._folder.task(shard))
            elif self._folder.is_finished(shard):
                self._finished.add(shard.name)
                self._tell()
            else:
                self._left.append(shard)

    def _take(self, answer: Answer) -> None:
        """Keep what came of a shard."""
        shard, outcome = self._shards[answer.name], answer.outcome
        if isinstance(outcome, Unable):
            raise outcome.error
        if isinstance(outcome, Done):
            self._folder.store(shard, outcome)
            self._finished.add(shard.name)
        elif isinstance(outcome, Failed):
            self._give_up(shard, outcome)
        else:
            self._try_again(shard, outcome)
        self._folder.release(self._claims.pop(shard.name))
        self._tell()

    def _give_up(self, shard: Shard, failed: Failed) -> None:
        """Keep why a shard could not be simulated."""
        self._folder.fail(shard, failed)
        self._failures[shard.name] = failed.error

    def _try_again(self, shard: Shard, died: Died) -> None:
        """Do a shard again whose process died, but not for ever."""
        self._deaths[shard.name] += 1
        if self._deaths[shard.name] < MOST_DEATHS:
            self._left.appendleft(shard)
        else:
            self._give_up(shard, Failed(f"the process that simulated it died {MOST_DEATHS} times ({died.how})", ""))

    def _tell(self) -> None:
        seconds = math.fsum(self._shards[name].seconds for name in self._finished)
        total = math.fsum(shard.seconds for shard in self._shards.values())
        self._report(SuiteProgress(len(self._finished), len(self._shards), seconds, total, len(self._failures)))

    def _failure_message(self) -> str:
        name, error = next(iter(self._failures.items()))
        simulation = self._folder.plan.simulations[self._shards[name].simulation]
        table = self._folder.plan.tables[simulation.table].name
        count = f"{len(self._failures)} of {len(self._shards)} shards"
        return f"{count} failed, the first of {simulation.label!r} on {table!r}: {error}"
