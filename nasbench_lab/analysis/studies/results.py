"""The results of a study: frozen dataclasses of small arrays, from which all figures, tables and pages are made.

Axes of arrays: S strategies (as in `Study.labels`), T tasks (as in `Study.tasks`), R runs, P points of a grid. All
regrets are losses: lower is better. NaN marks a missing number: the strategy did not run on the task, its curve has
ended, or the table lacks the measurement. Infinity means "infinitely bad": a run without a value (yet), or a quantile
or mean over too many such runs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from nasbench_lab.analysis.anytime import AnytimeCurves
from nasbench_lab.analysis.intervals import Intervals
from nasbench_lab.analysis.pairwise import Pairwise
from nasbench_lab.analysis.run_summary import Summary
from nasbench_lab.analysis.studies.standings import Leaderboard, Standing
from nasbench_lab.analysis.studies.study_records import curve_records, final_records, pair_records, records_of
from nasbench_lab.analysis.trajectories import TimeAxis
from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.displays import counted, html_card, html_notes
from nasbench_lab.errors import MissingDataError
from nasbench_lab.messages import unknown
from nasbench_lab.records import Records
from nasbench_lab.simulation.conditions import Conditions
from nasbench_lab.simulation.trace import RegretKind
from nasbench_lab.tables.description import Direction, Metric

if TYPE_CHECKING:
    import pandas as pd

StudyPart = Literal["leaderboard", "pairs", "curves", "runs", "summaries"]
"""The parts of a study that can be had as records."""

_PARTS: tuple[StudyPart, ...] = get_args(StudyPart)


@dataclasses.dataclass(frozen=True)
class Task:
    """A task on which strategies are compared: a table, searched under the same conditions, except for the seed.

    The mappings by kind of regret have an entry for each of `kinds`.

    Attributes:
        name: unique in the study: the table, and in parentheses the differences from other tasks on the same table.
        table: name of the table.
        checksum: digest of its content; empty for a table made in memory.
        conditions: of the search; the seed is 0, as seeds may differ between strategies.
        objective: the metric that the search observes.
        kinds: the kinds of regret that exist for the task; ``"observed"`` does unless some strategy observed nothing.
        axes: what curves can be drawn against; ``"seconds"`` only where the table has times.
        clock: the axis on which the budget is spent; tasks are compared on this axis (see `ProgressCurves`).
        horizon: where the longest curve ends on the clock: the budget, unless all strategies ended earlier.
        searched_on_test: whether the search observes test measurements, as the table has no other.
        metric: per kind, the metric of the regret.
        optimum: per kind, the value with a regret of 0.
        random_value: per kind except ``"observed"``, the mean value of all architectures, called that of the average
            random architecture.
        scale: per kind, the regret of `random_value`; normalised regrets are divided by it. NaN for ``"observed"``
            (traces do not contain the value of a random evaluation), and where it is 0.
        architectures: number of architectures in the space.
        space: plain data from which `nasbench_lab.spaces.make_space` makes the space; empty if the traces lack it.
        table_kind: kind of the table, see `nasbench_lab.tables.Description`.
        without_optimum: the kinds whose optimum is not known. Their regrets are from the best value that any run found,
            which is their ``optimum`` here, and reports show values instead.
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
    table_kind: str = "measured"
    without_optimum: tuple[RegretKind, ...] = ()

    def value(self, kind: RegretKind, regret: ArrayLike) -> FloatArray:
        """Return the values that have these regrets."""
        gap = np.asarray(regret, dtype=np.float64)
        return self.optimum[kind] + gap if self.direction(kind) == "minimize" else self.optimum[kind] - gap

    def unit(self, kind: RegretKind) -> str:
        """Return the unit of a regret."""
        return self.metric[kind].unit

    def direction(self, kind: RegretKind) -> Direction:
        """Return whether the metric of a kind is maximised or minimised."""
        return self.metric[kind].direction


@dataclasses.dataclass(frozen=True, eq=False)
class ProgressCurves:
    """Performance over all tasks while the budget is spent.

    Attributes:
        kind: which regret.
        fractions: of each task's budget (its `Task.horizon` on its `Task.clock`), ascending to 1, shape (P,).
        tasks: positions of the tasks that count: those with this regret on which all strategies ran.
        normalised_tasks: the tasks among them whose regret can be normalised.
        mean: mean normalised regret over tasks and runs, with stratified bootstrap intervals, shape (S, P). NaN
            after the first run on any task has ended, and everywhere for ``"observed"``.
        iqm: the same with the interquartile mean.
        run_rank: average run rank over tasks (see `Standing`), shape (S, P); NaN after the first run has ended.
    """

    kind: RegretKind
    fractions: FloatArray
    tasks: tuple[int, ...]
    normalised_tasks: tuple[int, ...]
    mean: Intervals
    iqm: Intervals
    run_rank: FloatArray


@dataclasses.dataclass(frozen=True, eq=False)
class RankComparison:
    """Friedman's test over tasks, and Nemenyi's test for each pair, as shown by a critical-difference diagram.

    The unit is the task, never the run.

    Attributes:
        kind: which regret.
        tasks: positions of the tasks.
        task_ranks: task ranks: the strategies of a task ranked by their run ranks there (see `Standing`); ties share
            the mean of their ranks, shape (tasks, S).
        ranks: average task ranks, shape (S,).
        statistic: Friedman's chi square, corrected for ties; NaN with fewer than three strategies or two tasks.
        p: its p-value; that of the sign test for two strategies.
        critical_difference: the least significant difference of average task ranks (Nemenyi); NaN where `statistic` is.
        nemenyi: p-values of all pairs, shape (S, S); that of the sign test for two strategies.
        wilcoxon: p-values of Wilcoxon's signed-rank test over tasks for all pairs, Holm-adjusted, shape (S, S).
        cliques: largest groups of two or more strategies, by position, whose average task ranks differ by less than
            the critical difference; best first.
        level: 1 minus the significance level of critical difference and cliques.
        iman_davenport: the F statistic of Iman and Davenport.
        iman_davenport_p: its p-value.
        exact: whether `p` is exact.
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
    iman_davenport: float = float("nan")
    iman_davenport_p: float = float("nan")
    exact: bool = False

    @property
    def rejects(self) -> bool:
        """Whether any difference is significant: by `p` where it is exact, else by `iman_davenport_p`."""
        return (self.p if self.exact else self.iman_davenport_p) < 1 - self.level


@dataclasses.dataclass(frozen=True, eq=False)
class TargetTimes:
    """When runs first reached targets, which are normalised regrets. A run that misses a target is censored at its end.

    The incumbent is chosen on observed values, so the regret of its mean can rise again. A target stays reached. So
    strategies that change their incumbent often have more chances, and these times say less than the regret at the end.

    Attributes:
        kind: which regret.
        axis: unit of the times.
        targets: normalised regrets, descending, shape (K,).
        reached: share of runs that reached a target, shape (S, T, K).
        median: median time over runs, inf where fewer than half of them reached it, shape (S, T, K).
        expected: expected time of a search that restarts until it reaches the target: the total time of all runs
            divided by the number of runs that reached it (aRT of COCO), shape (S, T, K); inf where none did.
        grid: times of the distribution, ascending in equal ratios, shape (P,).
        ecdf: share of the pairs of a run and a target that were reached by then, averaged over tasks, shape (S, P). As
            in COCO, a target that a run had not reached at its end counts as never reached.
        complete_until: time until which no run had ended without reaching all targets; later shares are lower bounds,
            shape (S,).
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
        scores: share of runs that end with at most that regret, averaged over tasks, with stratified bootstrap
            intervals, shape (S, P): the score distributions of Agarwal et al. 2021.
        ratios: ascending from 1, shape (Q,).
        costs: share of problems (a task with a target that at least one strategy reached) on which the expected time to
            the target on the task's clock is at most this ratio times the best strategy's, shape (S, Q): the
            performance profiles of Dolan and Moré 2002.
        problems: number of problems.
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
    """The architecture with which most runs of a strategy on a task ended; ties: the smallest index.

    Attributes:
        task: position of the task.
        strategy: position of the strategy.
        architecture: its index.
        runs: number of runs that ended with it.
        share: of these runs among all runs of the strategy on the task.
        valid, test: its mean at the highest fidelity, in the metric's unit; NaN where the table has no such split.
        regret: its regret, per kind except ``"observed"``.
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
    """All results of a comparison that a report shows.

    Attributes:
        labels: the strategies, as in `Setting.label`, in order of appearance.
        strategies: their names in the registry, without parameters.
        tasks: the tasks on which they were compared, in order of appearance.
        kinds: kinds of regret that some task has; the last one is the most informative ("test" where it exists).
        reference: position of the strategy that others are compared with.
        level: confidence level of all intervals.
        resamples: number of bootstrap resamples.
        seed: of the bootstrap.
        runs: number of runs, 0 where a strategy did not run on a task, shape (S, T).
        summaries: one per simulation, task by task.
        final: per kind, regret of each run's last incumbent, shape (S, T, R) with R the largest number of runs; NaN
            where a run has no value, or there is no such run (see `runs`).
        auc: per kind, the mean over runs of the area under the curve of normalised regret on the task's clock (see
            `area_under_curve`), shape (S, T); NaN for ``"observed"``.
        curves: per (kind, axis, position of the task).
        progress: per kind with a task on which all strategies ran.
        leaderboard: rows by place, for the same kinds.
        pairwise: per kind.
        ranks: for the kinds of `progress`.
        times: per (kind, axis), for kinds that can be normalised on some task.
        profiles: for the kinds of `progress` that can be normalised.
        found: per strategy and task with a value, task by task.
        warnings: limits of the results that a reader must know, one sentence each.
        provenance: of the results, see `Results`; empty for traces in memory.
        among: labels of all strategies of the results, if the study is of only some of them; figures give each strategy
            the look of its position there.
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
    among: tuple[str, ...] = ()

    @property
    def recommending(self) -> tuple[bool, ...]:
        """Whether the regret of each strategy is that of architectures it recommends, by position, shape (S,)."""
        labels = {row.strategy for row in self.summaries if row.incumbents == "recommended"}
        return tuple(label in labels for label in self.labels)

    @property
    def kind(self) -> RegretKind:
        """The most informative kind of regret in the study: test if it exists, else mean validation."""
        return self.kinds[-1]

    def records(
        self, part: StudyPart = "leaderboard", kind: RegretKind | None = None, axis: TimeAxis | None = None
    ) -> Records:
        """Return a part of the study as records, for data frames and files.

        Args:
            part: ``"leaderboard"``: one row per strategy, see `Standing`. ``"pairs"``: one row per task and ordered
                pair of strategies, see `Pairwise`. ``"curves"``: one row per task, strategy, axis and point, see
                `AnytimeCurves`. ``"runs"``: the regret at the end of every run. ``"summaries"``: one row per strategy
                and table, see `Summary`.
            kind: kind of regret; by default `Study.kind`. Ignored for ``"summaries"``.
            axis: of the curves; by default all.

        Raises:
            UnknownNameError: no such part, kind or axis.
            MissingDataError: the study does not have the part, for example because no task has all strategies.

        >>> import nasbench_lab as nl
        >>> from nasbench_lab.analysis import study
        >>> from nasbench_lab.testing import synthetic_table
        >>> trace = nl.simulate(synthetic_table(), "random-search", runs=5, budget=nl.Budget(evaluations=9))
        >>> study([trace]).records("runs")
        <Records: 5 rows of task, strategy, run, regret>
        """
        chosen = self._check_kind(kind)
        if part not in _PARTS:
            raise unknown("part of a study", part, _PARTS)
        tasks = [task.name for task in self.tasks]
        if part == "summaries":
            return records_of(self.summaries)
        if part == "runs":
            return final_records(self.final[chosen], self.runs, self.labels, tasks, self._unit(chosen))
        if part == "curves":
            curves = [each for (of, on, _), each in self.curves.items() if of == chosen and axis in (None, on)]
            if not curves:
                raise unknown("axis", str(axis), sorted({on for _, on, _ in self.curves}))
            unit = self._unit(chosen)
            statistics = ("lower_quartile", "median", "upper_quartile", "mean", "iqm")
            return curve_records(curves, self.labels, tasks, dict.fromkeys(statistics, unit) if unit else {})
        if part == "pairs" and chosen in self.pairwise:
            return pair_records(self.pairwise[chosen], self.labels, tasks)
        if part == "leaderboard" and chosen in self.leaderboard:
            return records_of(self.leaderboard[chosen])
        raise MissingDataError(f"this study has no {part} by {chosen} regret: no task has all strategies")

    def to_frame(
        self, part: StudyPart = "leaderboard", kind: RegretKind | None = None, axis: TimeAxis | None = None
    ) -> pd.DataFrame:
        """Return a part of the study as a pandas data frame; see `records`."""
        return self.records(part, kind, axis).to_frame()

    def _check_kind(self, kind: RegretKind | None) -> RegretKind:
        if kind is not None and kind not in self.kinds:
            raise unknown("regret", kind, self.kinds)
        return kind or self.kind

    def _unit(self, kind: RegretKind) -> str:
        """Return the unit of a regret; empty where it differs between tasks."""
        units = {task.unit(kind) for task in self.tasks if kind in task.kinds}
        return units.pop() if len(units) == 1 else ""

    def __repr__(self) -> str:
        runs = self.runs[self.runs > 0]
        least = f"{runs.min():,} to " if runs.min() < runs.max() else ""
        size = f"{counted(len(self.labels), 'strategy', 'strategies')}, {counted(len(self.tasks), 'task')}"
        return f"<Study: {size}, {least}{counted(runs.max(), 'run')} each>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the leaderboard and the warnings."""
        facts = {
            "tasks": ", ".join(task.name for task in self.tasks),
            "regret": f"{self.kind}; {100 * self.level:g} % intervals in brackets",
        }
        rows = Leaderboard(self.leaderboard.get(self.kind, ()), self.labels[self.reference])
        table = rows._repr_html_() if rows else ""
        return html_card(repr(self)[1:-1], facts, table, html_notes(self.warnings))

    def to_dict(self, *, with_runs: bool = False) -> dict[str, Any]:
        """Return all results as plain data for JSON.

        NaN becomes None, infinity becomes "inf", and the parts of a tuple key are joined by "/".

        Args:
            with_runs: include `final`, which has an entry per run.
        """
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        if not with_runs:
            del fields["final"]
        return {name: plain(value) for name, value in fields.items()}


def plain(value: Any) -> Any:
    """Return a value as plain data for JSON; see `Study.to_dict`.

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
