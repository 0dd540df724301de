"""Anytime curves of several strategies on one task: quartiles, mean and interquartile mean on a common grid."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from nasbench_lab.analysis.bootstrap import RESAMPLES, Resampler, Statistic, average_of_sorted, resampler
from nasbench_lab.analysis.intervals import LEVEL, Intervals
from nasbench_lab.analysis.quantiles import QUARTILES, position
from nasbench_lab.analysis.trajectories import TimeAxis, Trajectories, counted_on, incumbent_trajectories
from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import AtLeast, whole
from nasbench_lab.simulation.trace import REGRETS, RegretKind, Trace, row_blocks

POINTS = 128
"""Default limit for the points of a grid, besides the ends of the curves."""

_STATISTICS: tuple[Statistic, ...] = ("mean", "iqm")


@dataclasses.dataclass(frozen=True, eq=False)
class AnytimeCurves:
    """The anytime regret of S strategies on one task, in the metric's unit, on a common grid of P points.

    Right-continuous: the value at a grid point counts all evaluations that ended at or before it, and lasts until the
    next point (draw steps, ``steps-post``). Nothing is extrapolated: the entries of a strategy are NaN after its first
    run has ended, and everywhere if it did not run on the task. A run without a value counts as infinitely bad.

    Attributes:
        kind: which regret.
        axis: what the grid counts.
        task: position of the task.
        grid: ascending, whole numbers for evaluations, shape (P,).
        ends: where the first run of each strategy ended; NaN if it did not run here, shape (S,).
        quartiles: lower quartile, median, upper quartile over runs, shape (3, S, P); inf where too many runs have no
            value.
        mean: mean over runs with bootstrap intervals, shape (S, P); inf until every run has a value.
        iqm: interquartile mean over runs with bootstrap intervals, shape (S, P).
    """

    kind: RegretKind
    axis: TimeAxis
    task: int
    grid: FloatArray
    ends: FloatArray
    quartiles: FloatArray
    mean: Intervals
    iqm: Intervals


def anytime_curves(
    runs: Sequence[Trace | Trajectories | None],
    axis: TimeAxis = "evaluations",
    kinds: Sequence[RegretKind] | None = None,
    *,
    task: int = 0,
    points: int = POINTS,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[RegretKind, AnytimeCurves]:
    """Return the anytime curves of one or several strategies on one task, one entry per kind of regret.

    The regret of a run is that of its incumbent, from the moment when the incumbent's evaluation ended. The curve of a
    strategy ends where its first run ends; a run that a budget in seconds ended, ends with the budget. The intervals of
    mean and interquartile mean are bootstrapped over runs. Each interval holds for one grid point, not for the curve.

    Args:
        runs: the trace or the trajectories of each strategy; None for a strategy that did not run. Over evaluations, a
            search that trains networks itself is left out.
        axis: ``"evaluations"``, or ``"seconds"`` of simulated time.
        kinds: which regrets; by default all that the table has.
        task: number to give to the curves.
        points: limit for the points of the grid; the ends of the curves come in addition.
        level: confidence of the intervals.
        resamples: number of bootstrap resamples; 0 leaves out the intervals (NaN), which is much faster.
        seed: of the bootstrap.

    Returns:
        Curves per kind. Empty if no run has a value before the longest curve ends.

    Raises:
        ParameterError: ``points`` is less than 2.
        UnknownNameError: there is no such axis.
        MissingDataError: the table has no times, or no search has evaluations.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.testing import synthetic_table
    >>> trace = nl.simulate(synthetic_table(), "random-search", runs=9, budget=nl.Budget(evaluations=20))
    >>> curves = anytime_curves([trace])["test"]
    >>> curves.grid.shape, curves.quartiles.shape, curves.iqm.estimate.shape
    ((20,), (3, 1, 20), (1, 20))
    >>> bool((curves.quartiles[1, 0] == np.sort(trace.regret("test"), axis=0)[4]).all())  # the median of 9 runs
    True
    """
    points = whole("points", points, AtLeast(2))
    given = [incumbent_trajectories(each) if isinstance(each, Trace) else each for each in runs]
    found = counted_on(axis, given)
    ran = [each for each in found if each is not None]
    if kinds is None:
        kinds = [kind for kind in REGRETS if all(kind in each.regrets for each in ran)]
    ends = np.array([np.nan if each is None else each.end(axis) for each in found])
    grid = common_grid(ran, axis, points)
    if not len(grid):
        return {}
    shape = (len(found), len(grid))
    quartiles = {kind: np.full((len(QUARTILES), *shape), np.nan) for kind in kinds}
    bands = {kind: {name: Intervals.empty(shape) for name in _STATISTICS} for kind in kinds}
    for place, each in enumerate(found):
        if each is None:
            continue
        shown = slice(0, int(np.count_nonzero(grid <= ends[place])))
        draws = resampler((each.runs,), resamples=resamples, seed=seed)
        distinct = {kind: _Distinct(draws) for kind in kinds}
        for part in row_blocks(shown.stop, each.runs):
            entries = each.at(axis, grid[part])
            for kind in kinds:
                ordered = np.sort(each.regret_at(kind, entries), axis=1)
                quartiles[kind][:, place, part] = [ordered[:, position(share, each.runs)] for share in QUARTILES]
                distinct[kind].add(ordered)
        for kind in kinds if shown.stop else ():
            groups, which = [np.concatenate(distinct[kind].groups)], np.concatenate(distinct[kind].which)
            for name in _STATISTICS:
                band = bands[kind][name]
                low, high = draws.interval(groups, name, level)
                band.estimate[place, shown] = np.concatenate(distinct[kind].estimates[name])[which]
                band.low[place, shown], band.high[place, shown] = low[which], high[which]
    return {
        kind: AnytimeCurves(kind, axis, task, grid, ends, quartiles[kind], bands[kind]["mean"], bands[kind]["iqm"])
        for kind in kinds
    }


class _Distinct:
    """Statistics at the points of a grid at which they differ: between two points often no run has changed.

    Points are added in groups, so that the regrets of all runs are in memory for some points only.
    """

    def __init__(self, draws: Resampler) -> None:
        self._draws = draws
        self._last: FloatArray | None = None
        self._count = 0
        self.groups: list[FloatArray] = []
        self.which: list[IntArray] = []
        self.estimates: dict[Statistic, list[FloatArray]] = {name: [] for name in _STATISTICS}

    def add(self, ordered: FloatArray) -> None:
        """Add the sorted regrets at the next points, shape (points, R)."""
        new = np.ones(len(ordered), dtype=bool)
        new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
        if self._last is not None:
            new[0] = (ordered[0] != self._last).any()
        self._last = ordered[-1].copy()
        distinct = ordered[new]
        self.which.append(np.cumsum(new) - 1 + self._count)
        self._count += len(distinct)
        self.groups.append(self._draws.group_sorted(distinct))
        for name, estimates in self.estimates.items():
            estimates.append(average_of_sorted(distinct, name))


def common_grid(found: Sequence[Trajectories], axis: TimeAxis, points: int) -> FloatArray:
    """Return an ascending grid for the curves of several strategies; empty if none has a value.

    One half of the points are in equal ratios and the other half at equal distances, so that curves have enough points
    on a logarithmic and on a linear axis. The grid begins with the first evaluation, or on the axis of seconds with the
    first value after 0 seconds in any run. It ends with the longest curve and contains the ends of all others, so that
    each curve is drawn to its end.
    """
    ends = np.unique([each.end(axis) for each in found])
    times = np.concatenate([each.times[axis] for each in found])
    times = times[times > 0]
    start = 1.0 if axis == "evaluations" else float(times.min(initial=np.inf))
    if not len(times) or ends[-1] < start:
        return np.empty(0)
    if axis == "evaluations" and ends[-1] <= points:
        return np.arange(1.0, ends[-1] + 1)
    even = points // 2
    spaced = [np.geomspace(start, ends[-1], points - even), np.linspace(start, ends[-1], even + 1)[1:]]
    grid = np.concatenate([each[:-1] for each in spaced])
    if axis == "evaluations":
        grid = np.rint(grid)
    return np.unique(np.concatenate([grid, ends[ends >= start]]))
