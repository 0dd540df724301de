"""Statistics over all tasks, from the evidence on each task: progress, profiles, ranks, leaderboard."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from nasbench_lab.analysis.bootstrap import (
    Statistic,
    average,
    bootstrap_interval,
    ignored_tasks,
    most_groups,
    resampler,
)
from nasbench_lab.analysis.effect_sizes import probability_of_improvement
from nasbench_lab.analysis.friedman import friedman_test
from nasbench_lab.analysis.intervals import Interval, Intervals
from nasbench_lab.analysis.pairwise import Pairwise, can_differ
from nasbench_lab.analysis.profiles import performance_profile, score_distribution
from nasbench_lab.analysis.random_baseline import relative_improvement
from nasbench_lab.analysis.ranks import expected_ranks, mean_ranks
from nasbench_lab.analysis.significance import holm_of_pairs, wilcoxon
from nasbench_lab.analysis.studies.per_task import FRACTIONS, TIME_GRID, StudyOptions, TaskEvidence
from nasbench_lab.analysis.studies.results import (
    Profiles,
    ProgressCurves,
    RankComparison,
    TargetTimes,
)
from nasbench_lab.analysis.studies.standings import Leaderboard, Standing
from nasbench_lab.analysis.targets import TARGETS
from nasbench_lab.analysis.trajectories import TimeAxis
from nasbench_lab.arrays import FloatArray
from nasbench_lab.simulation.trace import RegretKind

_STATISTICS: tuple[Statistic, ...] = ("mean", "iqm")
_NONE = Interval(float("nan"), float("nan"), float("nan"))
_RANK_DIGITS = 9  # decimals; smaller differences are rounding, as ranks may be added in another order
_SCORES: FloatArray = np.append(0.0, np.geomspace(1e-3, 1.0, 61))
_RATIOS: FloatArray = np.geomspace(1.0, 100.0, 61)


@dataclasses.dataclass(frozen=True, eq=False)
class CommonTasks:
    """The tasks on which all strategies ran, by one kind of regret: only these count in statistics over tasks.

    Attributes:
        kind: which regret.
        labels: of the strategies.
        evidence: per task, for all tasks.
        options: of the study.
    """

    kind: RegretKind
    labels: tuple[str, ...]
    evidence: Sequence[TaskEvidence]
    options: StudyOptions

    @property
    def tasks(self) -> tuple[int, ...]:
        """Positions of the tasks that count."""
        return tuple(n for n, each in enumerate(self.evidence) if each.complete and self.kind in each.final)

    @property
    def normalised(self) -> tuple[int, ...]:
        """Positions of the tasks that count and whose regret can be normalised."""
        return tuple(task for task in self.tasks if self.kind in self.evidence[task].groups)

    def final(self, strategy: int, tasks: Sequence[int], *, normalised: bool) -> list[FloatArray]:
        """Return the regrets of a strategy at the end, one array per task, shape (runs,)."""
        found = []
        for task in tasks:
            losses = self.evidence[task].final[self.kind][strategy]
            if losses is not None:
                found.append(losses / self.evidence[task].task.scale[self.kind] if normalised else losses)
        return found

    def ranks(self) -> FloatArray:
        """Return expected ranks at the end on each task, shape (tasks, S)."""
        rows = [[self.final(s, [task], normalised=False)[0] for s in range(len(self.labels))] for task in self.tasks]
        return np.array([expected_ranks(row) for row in rows]).round(_RANK_DIGITS)

    def interval(self, losses: Sequence[FloatArray], statistic: Statistic) -> Interval:
        """Return a statistic over tasks with its interval; NaN without tasks."""
        if not losses:
            return _NONE
        options = self.options
        found = bootstrap_interval(
            losses, statistic, level=options.level, resamples=options.resamples, seed=options.seed
        )
        return found.at()


def progress(field: CommonTasks) -> ProgressCurves:
    """Return the performance over all tasks while the budgets are spent."""
    tasks, normalised = field.tasks, field.normalised
    ranks = np.mean([field.evidence[task].ranks[field.kind] for task in tasks], axis=0)
    bands = {name: Intervals.empty((len(field.labels), len(FRACTIONS))) for name in _STATISTICS}
    for strategy in range(len(field.labels)):
        _fill_bands(field, strategy, bands)
    return ProgressCurves(field.kind, FRACTIONS, tasks, normalised, bands["mean"], bands["iqm"], ranks)


def _fill_bands(field: CommonTasks, strategy: int, bands: dict[Statistic, Intervals]) -> None:
    """Fill in the rows of one strategy, up to the first end of any of its runs."""
    options = field.options
    groups, runs = [], []
    for task in field.normalised:
        each, losses = (of[field.kind][strategy] for of in (field.evidence[task].groups, field.evidence[task].final))
        if each is not None and losses is not None:
            groups.append(each)
            runs.append(len(losses))
    if not groups:
        return
    shown = ~np.any([np.isnan(each).any(axis=1) for each in groups], axis=0)
    if not shown.any():
        return
    known = [each[shown] for each in groups]
    size = most_groups(len(field.evidence))
    draws = resampler(tuple(runs), resamples=options.resamples, seed=options.seed, groups=size)
    for name, band in bands.items():
        band.estimate[strategy, shown] = draws.estimate(known, name)
        band.low[strategy, shown], band.high[strategy, shown] = draws.interval(known, name, options.level)


def compare_ranks(field: CommonTasks) -> RankComparison:
    """Return Friedman's and Nemenyi's tests, and Wilcoxon's test for all pairs, over tasks."""
    found = friedman_test(field.ranks(), field.options.level)
    count = len(field.labels)
    p = np.full((count, count), np.nan)
    np.fill_diagonal(p, 1.0)
    if len(field.normalised) > 1:
        means = [
            np.array([average(losses) for losses in field.final(s, field.normalised, normalised=True)])
            for s in range(count)
        ]
        for one, other in zip(*np.triu_indices(count, k=1), strict=True):
            p[one, other] = p[other, one] = wilcoxon(means[one], means[other])
    return RankComparison(
        kind=field.kind,
        tasks=field.tasks,
        task_ranks=found.task_ranks,
        ranks=found.ranks,
        statistic=found.statistic,
        p=found.p,
        critical_difference=found.critical_difference,
        nemenyi=found.nemenyi,
        wilcoxon=holm_of_pairs(p),
        cliques=found.cliques,
        level=found.level,
        iman_davenport=found.iman_davenport,
        iman_davenport_p=found.iman_davenport_p,
        exact=found.exact,
    )


def profiles(field: CommonTasks) -> Profiles:
    """Return both kinds of performance profiles."""
    options, normalised, count = field.options, field.normalised, len(field.labels)
    scores = Intervals.empty((count, len(_SCORES)))
    for strategy in range(count):
        losses = field.final(strategy, normalised, normalised=True)
        found = score_distribution(
            losses, _SCORES, confidence=options.level, resamples=options.resamples, seed=options.seed
        )
        scores.estimate[strategy], scores.low[strategy], scores.high[strategy] = found.estimate, found.low, found.high
    costs = [field.evidence[t].times[field.kind, field.evidence[t].task.clock].expected for t in normalised]
    shares, problems = performance_profile(np.concatenate(costs, axis=1), _RATIOS)
    return Profiles(field.kind, normalised, _SCORES, scores, _RATIOS, shares, problems)


def target_times(field: CommonTasks, axis: TimeAxis) -> TargetTimes:
    """Return the times to targets on all tasks that have the axis and the regret."""
    evidence, key = field.evidence, (field.kind, axis)
    shape = (len(field.labels), len(evidence), len(TARGETS))
    reached, median, expected = (np.full(shape, np.nan) for _ in range(3))
    for task, each in enumerate(evidence):
        if key in each.times:
            times = each.times[key]
            reached[:, task], median[:, task], expected[:, task] = times.reached, times.median, times.expected
    counted = tuple(task for task in field.normalised if key in evidence[task].times)
    ecdf, until = np.full((shape[0], len(TIME_GRID)), np.nan), np.full(shape[0], np.nan)
    if counted:
        ecdf = np.mean([evidence[task].times[key].ecdf for task in counted], axis=0)
        until = np.min([evidence[task].times[key].complete_until for task in counted], axis=0)
    ends = [float(curves.grid[-1]) for each in evidence for place, curves in each.curves.items() if place == key]
    end = max(ends, default=float("inf"))
    shown = _used_part(ecdf, end)
    return TargetTimes(
        kind=field.kind,
        axis=axis,
        targets=TARGETS,
        reached=reached,
        median=median,
        expected=expected,
        grid=np.minimum(TIME_GRID[shown], end),  # no target is reached after the end
        ecdf=ecdf[:, shown],
        complete_until=until,
        tasks=counted,
    )


def _used_part(ecdf: FloatArray, end: float) -> slice:
    """Return the part of the grid from just before the first reached target to the end of all curves."""
    started = np.flatnonzero((ecdf > 0).any(axis=0))
    if not len(started):
        return slice(0, 0)
    return slice(max(int(started[0]) - 1, 0), min(int(np.searchsorted(TIME_GRID, end)) + 1, len(TIME_GRID)))


def leaderboard(field: CommonTasks, pairs: Pairwise, reference: int) -> Leaderboard:
    """Return the rows of the leaderboard, by place."""
    run_ranks = field.ranks()
    averages = (mean_ranks(run_ranks), run_ranks)
    ranks = [each.mean(axis=0).round(_RANK_DIGITS) for each in averages]
    rows = [_standing(field, pairs, strategy, reference, *ranks) for strategy in range(len(field.labels))]
    return Leaderboard(sorted(rows, key=lambda row: (row.place, row.run_rank)), field.labels[reference])


def _standing(
    field: CommonTasks, pairs: Pairwise, strategy: int, reference: int, task_ranks: FloatArray, run_ranks: FloatArray
) -> Standing:
    options, raw = field.options, field.final(strategy, field.tasks, normalised=False)
    losses = field.final(strategy, field.normalised, normalised=True)
    gains = field.interval([-gain for gain in _gains(field, strategy)], "mean")
    return Standing(
        place=1 + int((task_ranks < task_ranks[strategy]).sum()),
        strategy=field.labels[strategy],
        task_rank=float(task_ranks[strategy]),
        run_rank=float(run_ranks[strategy]),
        iqm=field.interval(losses, "iqm"),
        mean=field.interval(losses, "mean"),
        improvement=Interval(0.5, float("nan"), float("nan"))
        if strategy == reference
        else probability_of_improvement(
            raw,
            field.final(reference, field.tasks, normalised=False),
            level=options.level,
            resamples=options.resamples,
            seed=options.seed,
        ),
        relative_improvement=Interval(-gains.estimate, -gains.high, -gains.low),
        auc=field.interval(list(_areas(field, strategy)), "mean"),
        solved=_solved(field, strategy),
        unbeaten=_unbeaten(field, pairs, strategy),
        without_value=int(sum(np.isinf(each).sum() for each in raw)),
        ignored=tuple(field.normalised[place] for place in ignored_tasks(losses)) if losses else (),
    )


def _solved(field: CommonTasks, strategy: int) -> float:
    """Return the share of runs that found the optimum, averaged over the tasks where it is known; NaN without any."""
    known = [task for task in field.tasks if field.kind not in field.evidence[task].task.without_optimum]
    shares = [(losses == 0).mean() for losses in field.final(strategy, known, normalised=False)]
    return float(np.mean(shares)) if shares else float("nan")


def _gains(field: CommonTasks, strategy: int) -> Iterator[FloatArray]:
    """Yield the relative improvement of each run over the average random architecture, in percent, task by task."""
    for task in field.normalised:
        about = field.evidence[task].task
        value, scale = about.random_value[field.kind], about.scale[field.kind]
        (losses,) = field.final(strategy, [task], normalised=False)
        if value:
            # The run's value is better by the regret of the average random architecture minus that of the run.
            yield relative_improvement(value + (scale - losses), value)


def _areas(field: CommonTasks, strategy: int) -> Iterator[FloatArray]:
    for task in field.normalised:
        area = field.evidence[task].areas[field.kind][strategy]
        if area is not None:
            yield area


def _unbeaten(field: CommonTasks, pairs: Pairwise, strategy: int) -> float:
    """Return the number of tasks on which no other strategy is significantly better; NaN if none can ever be."""
    tasks = list(field.tasks)
    if not all(can_differ(_runs(field, task), field.options.level) for task in tasks):
        return float("nan")
    better = pairs.a12[:, strategy, tasks] > 0.5
    significant = pairs.adjusted[:, strategy, tasks] < 1 - field.options.level
    return float((~(better & significant).any(axis=0)).sum())


def _runs(field: CommonTasks, task: int) -> list[int]:
    """Return the number of runs of each strategy on a task."""
    return [len(losses) for losses in field.evidence[task].final[field.kind] if losses is not None]
