"""What a study says: frozen dataclasses of small arrays, from which every figure, table and page is made.

Axes of arrays: S strategies (as in `Study.labels`), T tasks (as in `Study.tasks`), R runs, P points of a grid. All
regrets are losses: lower is better. NaN is "there is none": the strategy did not run on the task, its curve has ended,
the table lacks the measurement. Infinity is "infinitely bad": a run that has no value (yet), or a quantile or mean over
too many of them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from nasbench_lab.analysis.anytime import AnytimeCurves
from nasbench_lab.analysis.intervals import Interval, Intervals
from nasbench_lab.analysis.pairwise import Pairwise
from nasbench_lab.analysis.run_summary import Summary
from nasbench_lab.analysis.trajectories import TimeAxis
from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.simulation.conditions import Conditions
from nasbench_lab.simulation.trace import RegretKind
from nasbench_lab.tables.description import Direction, Metric


@dataclasses.dataclass(frozen=True)
class Task:
    """What strategies are compared on: a table, searched in one way. Everything but strategy and seeds.

    The mappings by kind of regret have an entry for each of `kinds`.

    Attributes:
        name: unique in the study: the table, and in parentheses what tells it from other tasks on the same table.
        table: name of the table.
        checksum: digest of its content; empty for a table made in memory.
        conditions: of the search; its seed has no meaning here, as seeds may differ between strategies.
        objective: the metric that is searched on.
        kinds: the kinds of regret that exist here; ``"observed"`` always does.
        axes: what curves can be drawn against; ``"seconds"`` only where the table has times.
        clock: the axis on which the budget is spent: on it, tasks are put side by side (see `ProgressCurves`).
        horizon: where the last curve ends on the clock: the budget, unless every strategy ended before it was spent.
        searched_on_test: whether the search observes test measurements, as the table has no other.
        metric: per kind, the metric that the regret is of.
        optimum: per kind, the value that has no regret.
        random_value: per kind but ``"observed"``, the mean value of all architectures: that of the average random one.
        scale: per kind, the regret of that value, by which regrets are divided to be comparable between tasks. NaN for
            ``"observed"`` (traces do not say what a random evaluation shows), and where it is 0.
        architectures: how many the space has.
        space: plain data from which `nasbench_lab.spaces.make_space` makes the space; empty where the traces lack it.
    """

    name: str
    table: str
    checksum: str
    conditions: Conditions
    objective: Metric
    kinds: tuple[RegretKind, ...]
    axes: tuple[TimeAxis, ...]
    clock: TimeAxis
    horizon: float
    searched_on_test: bool
    metric: Mapping[RegretKind, Metric]
    optimum: Mapping[RegretKind, float]
    random_value: Mapping[RegretKind, float]
    scale: Mapping[RegretKind, float]
    architectures: int
    space: Mapping[str, Any]

    def unit(self, kind: RegretKind) -> str:
        """Return the unit of a regret."""
        return self.metric[kind].unit

    def direction(self, kind: RegretKind) -> Direction:
        """Return whether more of a kind's metric is better."""
        return self.metric[kind].direction


@dataclasses.dataclass(frozen=True, eq=False)
class ProgressCurves:
    """How strategies do on all tasks together, while the budget is spent.

    Attributes:
        kind: which regret.
        fractions: of each task's budget (its `Task.horizon` on its `Task.clock`), ascending to 1, shape (P,).
        tasks: positions of the tasks that count: those with this regret on which every strategy ran.
        normalised_tasks: of those, the ones whose regret can be normalised.
        mean: mean normalised regret over tasks and runs, with stratified bootstrap intervals, shape (S, P). NaN from
            where the first run on any task has ended, and everywhere for ``"observed"``.
        iqm: the same with the interquartile mean.
        rank: average rank over tasks, 1 is best, shape (S, P); NaN from where the first run has ended.
    """

    kind: RegretKind
    fractions: FloatArray
    tasks: tuple[int, ...]
    normalised_tasks: tuple[int, ...]
    mean: Intervals
    iqm: Intervals
    rank: FloatArray


@dataclasses.dataclass(frozen=True)
class Standing:
    """One row of a leaderboard: a strategy on all tasks that every strategy ran on, at the end of its runs.

    Attributes:
        place: 1 is the best average rank; equal ones share a place.
        strategy: its label.
        rank: average over tasks of its rank among the strategies (see `ranks`).
        iqm: interquartile mean of the normalised regret over tasks and runs, with stratified bootstrap interval.
        mean: the same with the mean.
        improvement: probability that a run of it ends better than one of the reference strategy on the same task,
            averaged over tasks, with stratified bootstrap interval. Ties count half; 0.5 for the reference itself.
        relative_improvement: by how many percent the value of its final incumbents is better than the average random
            architecture's, averaged over runs and tasks, with stratified bootstrap interval (Yang et al. 2020).
        auc: area under the curve of the normalised regret over the budget, averaged over tasks and runs, with
            stratified bootstrap interval.
        solved: share of runs, averaged over tasks, whose regret at the end is 0.
        wins: number of tasks on which no other strategy is significantly better (Holm-adjusted p below 1 - level).
        without_value: number of runs without any value, over the tasks that count.
    """

    place: int
    strategy: str
    rank: float
    iqm: Interval
    mean: Interval
    improvement: Interval
    relative_improvement: Interval
    auc: Interval
    solved: float
    wins: int
    without_value: int


@dataclasses.dataclass(frozen=True, eq=False)
class RankComparison:
    """Friedman's test over tasks, and Nemenyi's for each pair: what a critical-difference diagram shows.

    The unit is the task, never the run.

    Attributes:
        kind: which regret.
        tasks: positions of the tasks.
        task_ranks: ranks of the strategies on every task, by the average rank of their runs there (see `ranks`),
            ties sharing the mean of their ranks, shape (tasks, S).
        ranks: their average over tasks, shape (S,).
        statistic: Friedman's chi square, corrected for ties; NaN with fewer than three strategies or two tasks.
        p: its p-value.
        critical_difference: average ranks that differ by less are not significantly different (Nemenyi).
        nemenyi: p-values of all pairs, shape (S, S).
        wilcoxon: p-values of Wilcoxon's signed-rank test over tasks for all pairs, Holm-adjusted, shape (S, S).
        cliques: largest groups of strategies, by position, whose average ranks differ by less than the critical
            difference; only those of two and more, best first.
        level: one less the significance level of critical difference and cliques.
    """

    kind: RegretKind
    tasks: tuple[int, ...]
    task_ranks: FloatArray
    ranks: FloatArray
    statistic: float
    p: float
    critical_difference: float
    nemenyi: FloatArray
    wilcoxon: FloatArray
    cliques: tuple[tuple[int, ...], ...]
    level: float


@dataclasses.dataclass(frozen=True, eq=False)
class TargetTimes:
    """When runs reached targets: normalised regrets. A run that did not is censored at its end.

    Attributes:
        kind: which regret.
        axis: what time is counted in.
        targets: normalised regrets, descending, shape (K,).
        reached: share of runs that reached a target, shape (S, T, K).
        median: median time over runs, inf where fewer than half of them reached it, shape (S, T, K).
        expected: expected time of a search that is started again until it reaches the target: the time spent by all
            runs over the number of those that reached it (aRT of COCO), shape (S, T, K); inf where none did.
        grid: times of the distribution, ascending in equal ratios, shape (P,).
        ecdf: share of all pairs of a run and a target that were reached by then, averaged over tasks, shape (S, P). As
            in COCO what was not reached before the end of a run never is.
        complete_until: until here no run had ended before all targets; later shares are lower bounds, shape (S,).
        tasks: positions of the tasks that count for the distribution.
    """

    kind: RegretKind
    axis: TimeAxis
    targets: FloatArray
    reached: FloatArray
    median: FloatArray
    expected: FloatArray
    grid: FloatArray
    ecdf: FloatArray
    complete_until: FloatArray
    tasks: tuple[int, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class Profiles:
    """Performance profiles of two kinds.

    Attributes:
        kind: which regret.
        tasks: positions of the tasks that count.
        regrets: ascending normalised regrets, shape (P,).
        scores: share of runs, averaged over tasks, that end with at most that regret, with stratified bootstrap
            intervals, shape (S, P): the score distributions of Agarwal et al. 2021.
        ratios: ascending from 1, shape (Q,).
        costs: share of problems (a task and a target, reached by at least one strategy) on which the expected time to
            the target on the task's clock is at most that many times the best strategy's, shape (S, Q): the performance
            profiles of Dolan and Moré 2002.
        problems: how many problems there are.
    """

    kind: RegretKind
    tasks: tuple[int, ...]
    regrets: FloatArray
    scores: Intervals
    ratios: FloatArray
    costs: FloatArray
    problems: int


@dataclasses.dataclass(frozen=True)
class Found:
    """The architecture with which most runs of a strategy on a task ended; of equals, the one of the smallest index.

    Attributes:
        task: position of the task.
        strategy: position of the strategy.
        architecture: its index.
        runs: how many runs ended with it.
        share: of all runs of the strategy on the task.
        valid, test: its mean at the highest fidelity, in the metric's unit; NaN where the table has no such split.
        regret: of it, per kind but ``"observed"``.
    """

    task: int
    strategy: int
    architecture: int
    runs: int
    share: float
    valid: float
    test: float
    regret: Mapping[RegretKind, float]


@dataclasses.dataclass(frozen=True, eq=False)
class Study:
    """Everything that a report shows of a comparison.

    Attributes:
        labels: the strategies, as in `Setting.label`, in order of appearance.
        strategies: their names in the registry, without parameters.
        tasks: what they were compared on, in order of appearance.
        kinds: kinds of regret that some task has; the last of them is the most telling one ("test" where it exists).
        reference: position of the strategy that others are compared with.
        level: confidence level of all intervals.
        resamples: number of bootstrap resamples.
        seed: of the bootstrap.
        runs: number of runs, 0 where a strategy did not run on a task, shape (S, T).
        summaries: one per strategy and task that there is, task by task.
        final: per kind, regret of every run's last incumbent, shape (S, T, R) with R the most runs; NaN where a run has
            no value, or there is no such run (see `runs`).
        auc: per kind, the mean over runs of the area under the curve of normalised regret on the task's clock (see
            `area_under_curve`), shape (S, T); NaN for ``"observed"``.
        curves: per (kind, axis, position of the task).
        progress: per kind for which there is a task that every strategy ran on.
        leaderboard: the same, by place.
        pairwise: per kind.
        ranks: as progress.
        times: per (kind, axis), for kinds that can be normalised on some task.
        profiles: as progress, for kinds that can be normalised.
        found: per strategy and task with a value, task by task.
        warnings: what a reader must know before believing the rest, one sentence each.
        provenance: of the results, see `Results`; empty for traces in memory.
    """

    labels: tuple[str, ...]
    strategies: tuple[str, ...]
    tasks: tuple[Task, ...]
    kinds: tuple[RegretKind, ...]
    reference: int
    level: float
    resamples: int
    seed: int
    runs: IntArray
    summaries: tuple[Summary, ...]
    final: Mapping[RegretKind, FloatArray]
    auc: Mapping[RegretKind, FloatArray]
    curves: Mapping[tuple[RegretKind, TimeAxis, int], AnytimeCurves]
    progress: Mapping[RegretKind, ProgressCurves]
    leaderboard: Mapping[RegretKind, tuple[Standing, ...]]
    pairwise: Mapping[RegretKind, Pairwise]
    ranks: Mapping[RegretKind, RankComparison]
    times: Mapping[tuple[RegretKind, TimeAxis], TargetTimes]
    profiles: Mapping[RegretKind, Profiles]
    found: tuple[Found, ...]
    warnings: tuple[str, ...]
    provenance: Mapping[str, Any]

    @property
    def kind(self) -> RegretKind:
        """The most telling kind of regret that there is: test, else mean validation."""
        return self.kinds[-1]

    def to_dict(self, *, with_runs: bool = False) -> dict[str, Any]:
        """Return everything as plain data for JSON.

        NaN is None, infinity "inf", and a key of several parts has them joined by "/".

        Args:
            with_runs: also `final`, which has an entry per run.
        """
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        if not with_runs:
            del fields["final"]
        return {name: plain(value) for name, value in fields.items()}


def plain(value: Any) -> Any:
    """Return a value as what JSON has; see `Study.to_dict`.

    >>> plain({("test", 0): np.array([1.0, np.nan, np.inf])})
    {'test/0': [1.0, None, 'inf']}
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {_key(key): plain(each) for key, each in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None if np.isnan(value) else ("inf" if value > 0 else "-inf")
    return value


def _key(key: Any) -> str:
    return "/".join(map(str, key)) if isinstance(key, tuple) else str(key)
