"""Running a suite: an executor simulates the shards, and finished shards are stored."""

from __future__ import annotations

import collections
import contextlib
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol, final

import filelock

from nasbench_lab.errors import StrategyError
from nasbench_lab.progress_bars import progress_bar
from nasbench_lab.simulation.results import Results
from nasbench_lab.simulation.search_progress import check_progress
from nasbench_lab.suites.folder import SuiteFolder
from nasbench_lab.suites.forecast import Forecast, Measured, SuiteEstimate, trial_shards
from nasbench_lab.suites.planned_simulations import Shard
from nasbench_lab.suites.shards import Done, Failed, ShardJob, Unable, attempt
from nasbench_lab.suites.spec import Suite
from nasbench_lab.suites.stored_results import open_results

MOST_DEATHS = 3
"""Number of deaths of the process that simulates a shard after which the shard has failed."""

_GROWTH = 1.02
"""The time left is estimated again when this many times as many shards are finished as at the last estimate."""

_PATIENCE = 0.2  # seconds between two checks for shards that other processes finished


class Died(NamedTuple):
    """The outcome of a shard whose process died.

    Attributes:
        how: how it died, such as its exit code.
        alone: whether the process had no other shard. If it had, it may have died of the other one.
    """

    how: str
    alone: bool = True


class Answer(NamedTuple):
    """The end of a task.

    Attributes:
        name: name of the shard.
        outcome: its outcome.
    """

    name: str
    outcome: Done | Failed | Unable | Died


Told = Callable[[str, float], None]
"""Called with the name of a shard that is being simulated, and the share of it that is finished."""


class Executor(Protocol):
    """Simulates shards. It never accesses the suite's folder."""

    @property
    def slots(self) -> int:
        """Number of tasks to submit ahead."""

    def submit(self, task: ShardJob) -> None:
        """Accept a task."""

    def next(self, told: Told) -> Answer:
        """Wait until any task ends. There is at least one task. Where it is known, tell what is done of the others."""

    def close(self) -> None:
        """Stop all work at once."""


@final
class InThisProcess:
    """Simulates one shard after the other in the current process."""

    slots = 1

    def __init__(self) -> None:
        self._tasks: collections.deque[ShardJob] = collections.deque()

    def submit(self, task: ShardJob) -> None:
        """Accept a task."""
        self._tasks.append(task)

    def next(self, told: Told) -> Answer:
        """Simulate the oldest task."""
        task = self._tasks.popleft()
        return Answer(task.name, attempt(task, lambda share: told(task.name, share)))

    def close(self) -> None:
        """Do nothing, as no task is running."""


class SuiteProgress(NamedTuple):
    """The progress of a suite.

    Attributes:
        finished: number of finished shards.
        shards: number of all shards.
        seconds: estimated processor time of what is finished.
        total: estimated processor time of all shards. Estimates are corrected by what finished shards took.
        failed: number of shards that raised an error.
        is_measured: whether a shard of every strategy is finished, so that the estimate rests on measurements.
        size: estimated bytes of all traces; 0 if nothing is finished.
    """

    finished: int
    shards: int
    seconds: float
    total: float
    failed: int
    is_measured: bool = False
    size: float = 0.0

    @property
    def in_words(self) -> str:
        """The progress as text."""
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{self.finished} of {self.shards} shards{failed}"


Report = Callable[[SuiteProgress], None]


def run_suite(
    suite: Suite,
    out: str | os.PathLike[str],
    *,
    executor: Executor | None = None,
    progress: bool | Report = False,
) -> Results:
    """Run a suite, or the rest of a suite, and store the results in a folder.

    If the process is killed, only the unfinished shards are lost. The same call continues the suite, and the traces
    have the same bytes as without the interruption. Several processes may run the same suite in the same folder at
    once, also on several machines that share the folder.

    The suite may have changed since it was started: only what is new is simulated, see `SuiteFolder.begin`.

    Args:
        suite: the suite.
        out: the folder: new, empty, or the folder in which the suite was started.
        executor: simulates the shards; by default, this process. See `LocalProcesses` and `DaskExecutor`. It is closed
            at the end.
        progress: whether to show a bar with the time left, on a terminal or in a notebook; or a function that is called
            with a `SuiteProgress` at the start, whenever a shard ends, and while shards are
            simulated that take long.

    Returns:
        The results, as `open_results` returns them.

    Raises:
        StrategyError: some simulations raised errors; all others are finished.
        OutputError: the folder contains something else, or cannot be written; finished shards are kept.
        NasbenchLabError: the suite cannot be planned, or a table cannot be opened.

    >>> import tempfile
    >>> from nasbench_lab.simulation import Budget
    >>> suite = Suite(["random-search", "local-search"], ["digits/chain"], Budget(evaluations=20), runs=10)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [setting.label for setting in run_suite(suite, folder).settings]
    ['random-search', 'local-search']
    """
    _work(suite, Path(out), executor, progress)
    return open_results(out)


def estimate_suite(
    suite: Suite,
    out: str | os.PathLike[str],
    *,
    executor: Executor | None = None,
    progress: bool | Report = False,
) -> SuiteEstimate:
    """Simulate one shard per strategy, and return how long the rest of the suite takes.

    The shards are stored: `run_suite` with the same folder continues with the others. Strategies of which a shard is
    finished are not simulated again. What a shard takes is measured while all processes of the executor work.

    Args:
        suite: the suite.
        out: the folder, see `run_suite`.
        executor: simulates the shards, see `run_suite`.
        progress: see `run_suite`.

    Raises:
        NasbenchLabError: see `run_suite`.

    >>> import tempfile
    >>> from nasbench_lab.simulation import Budget
    >>> suite = Suite(["random-search", "local-search"], ["digits/chain"], Budget(evaluations=20), runs=10_000)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     estimate = estimate_suite(suite, folder)
    >>> estimate.unmeasured, estimate.seconds > 0, list(estimate.left)
    ((), True, ['random-search', 'local-search'])
    """
    return _work(suite, Path(out), executor, progress, only_trials=True).estimate()


def _work(
    suite: Suite, out: Path, executor: Executor | None, progress: bool | Report, *, only_trials: bool = False
) -> Forecast:
    """Simulate what is not finished, or one shard per strategy; return what is known of the seconds of shards."""
    executor = executor or InThisProcess()
    check_progress(progress)
    with contextlib.closing(executor):
        folder = SuiteFolder.begin(out, suite)
        with _reported(progress, str(out)) as report:
            run = _Run(folder, executor, report, only_trials=only_trials)
            run.work()
    return run.forecast


@contextlib.contextmanager
def _reported(progress: bool | Report, title: str) -> Iterator[Report]:
    """Give a function to call with the progress."""
    if progress is True:
        with progress_bar(title) as update:
            yield lambda now: update(now.in_words, now.seconds, now.total)
    else:
        yield progress or (lambda _progress: None)


def _measured(folder: SuiteFolder) -> Iterator[tuple[str, Measured]]:
    """Yield the names of the finished shards of a suite, and what they took."""
    for shard in folder.plan.shards:
        manifest = folder.finished_manifest(shard)
        if manifest is not None:
            yield shard.name, _of_manifest(manifest)


def _of_manifest(manifest: Mapping[str, Any]) -> Measured:
    return Measured(manifest["wall_seconds"], manifest["bytes"])


class _Run:
    """One pass over the unfinished shards of a suite: first one of every strategy, then the others.

    So an error of a strategy shows at once, and the estimate of the time soon rests on measurements.

    Args:
        folder: the folder of the suite.
        executor: simulates the shards.
        report: called with the progress.
        only_trials: whether to end after the first shard of every strategy.
    """

    def __init__(self, folder: SuiteFolder, executor: Executor, report: Report, *, only_trials: bool = False) -> None:
        self._folder, self._executor, self._report = folder, executor, report
        self._shards = {shard.name: shard for shard in folder.plan.shards}
        measured = dict(_measured(folder))
        self._finished = set(measured)
        self.forecast = Forecast(folder.plan, measured)
        self._estimate_again()
        trials = {shard.name: shard for shard in trial_shards(folder.plan, self._finished)}
        self._left = collections.deque(trials.values())
        if not only_trials:
            known = self._finished | trials.keys()
            self._left.extend(shard for name, shard in self._shards.items() if name not in known)
        self._suspects: collections.deque[Shard] = collections.deque()  # each is tried again without others
        self._isolated = False
        self._claims: dict[str, filelock.BaseFileLock] = {}
        self._deaths: collections.Counter[str] = collections.Counter()
        self._failures: dict[str, str] = {}
        self._share = 0.0  # of the whole suite, as it was told last
        self._shares: dict[str, float] = {}  # of the shards that are being simulated

    def work(self) -> None:
        """Simulate all unfinished shards."""
        self._tell()
        try:
            while self._left or self._suspects or self._claims:
                self._submit()
                if self._claims:
                    self._take(self._executor.next(self._hear))
                else:
                    time.sleep(_PATIENCE)  # other processes are simulating all remaining shards
        finally:
            for claim in self._claims.values():
                self._folder.release(claim)
        if self._failures:
            raise StrategyError(self._failure_message())

    def _submit(self) -> None:
        """Submit unclaimed shards to the executor; shards that others have claimed are tried again later."""
        if self._claims and (self._suspects or self._isolated):
            return
        self._isolated = bool(self._suspects)
        if self._isolated:
            self._claim_and_submit(self._suspects.popleft())
            return
        slots = self._executor.slots
        for _ in range(len(self._left)):
            if len(self._claims) >= slots:
                return
            self._claim_and_submit(self._left.popleft())

    def _claim_and_submit(self, shard: Shard) -> None:
        claim = self._folder.claim(shard)
        if claim is not None:
            self._claims[shard.name] = claim
            self._executor.submit(self._folder.task(shard))
        elif self._folder.is_finished(shard):
            self._finish(shard)
            self._tell()
        else:
            self._left.append(shard)

    def _hear(self, name: str, share: float) -> None:
        """Report how much of a shard is finished."""
        self._shares[name] = share
        self._tell()

    def _take(self, answer: Answer) -> None:
        """Store the outcome of a shard."""
        shard, outcome = self._shards[answer.name], answer.outcome
        self._shares.pop(answer.name, None)
        if isinstance(outcome, Unable):
            raise outcome.error
        if isinstance(outcome, Done):
            self._folder.store(shard, outcome)
            self._finish(shard)
        elif isinstance(outcome, Failed):
            self._give_up(shard, outcome)
        else:
            self._try_again(shard, outcome)
        self._folder.release(self._claims.pop(shard.name))
        self._tell()

    def _finish(self, shard: Shard) -> None:
        """Note that a shard is finished, and estimate the rest again if that can change much."""
        self._finished.add(shard.name)
        manifest = self._folder.manifest(shard)
        if manifest is not None:
            self.forecast.learn(shard, _of_manifest(manifest))
        self._done += self.forecast.expected(shard)
        if self._estimate.unmeasured or len(self._finished) >= _GROWTH * self._estimated:
            self._estimate_again()

    def _estimate_again(self) -> None:
        self._estimate, self._estimated = self.forecast.estimate(), len(self._finished)
        self._done = self._estimate.done

    def _give_up(self, shard: Shard, failed: Failed) -> None:
        """Store why a shard could not be simulated."""
        self._folder.fail(shard, failed)
        self._failures[shard.name] = failed.error

    def _try_again(self, shard: Shard, died: Died) -> None:
        """Simulate a shard again if its process died, until `MOST_DEATHS` deaths without another shard."""
        if not died.alone:
            self._suspects.append(shard)
            return
        self._deaths[shard.name] += 1
        if self._deaths[shard.name] < MOST_DEATHS:
            (self._suspects if self._isolated else self._left).appendleft(shard)
        else:
            self._give_up(shard, Failed(f"the process that simulated it died {MOST_DEATHS} times ({died.how})", ""))

    def _tell(self) -> None:
        parts = [share * self.forecast.expected(self._shards[name]) for name, share in self._shares.items()]
        estimate = self._estimate
        seconds = math.fsum([*parts, self._done])
        total = max(estimate.done + estimate.seconds, seconds)
        self._share = max(self._share, seconds / total if total else 0.0)  # a new estimate does not go backwards
        seconds = self._share * total
        counts = len(self._finished), len(self._shards)
        measured = not estimate.unmeasured
        self._report(SuiteProgress(*counts, seconds, total, len(self._failures), measured, estimate.size))

    def _failure_message(self) -> str:
        name, error = next(iter(self._failures.items()))
        simulation = self._folder.plan.simulations[self._shards[name].simulation]
        table = self._folder.plan.tables[simulation.table].label
        count = f"{len(self._failures)} of {len(self._shards)} shards"
        return f"{count} failed, the first of {simulation.label!r} on {table!r}: {error}"
