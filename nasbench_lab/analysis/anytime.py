"""Anytime curves of several strategies on one task: quartiles, mean and interquartile mean on a common grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nasbench_lab.analysis.bootstrap import RESAMPLES, Statistic, average_of_sorted, resampler
from nasbench_lab.analysis.curves import Axis
from nasbench_lab.analysis.intervals import Intervals
from nasbench_lab.analysis.quantiles import QUARTILES, position
from nasbench_lab.analysis.studies.results import AnytimeCurves
from nasbench_lab.analysis.trajectories import Trajectories
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation.trace import RegretKind

POINTS = 64
"""Points of a grid, at most, besides the ends of the curves."""

_STATISTICS: tuple[Statistic, ...] = ("mean", "iqm")


def anytime_curves(
    found: Sequence[Trajectories | None],
    axis: Axis,
    kinds: Sequence[RegretKind],
    *,
    task: int = 0,
    points: int = POINTS,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[RegretKind, AnytimeCurves]:
    """Return the curves of several strategies on one task, per kind of regret; none where there is nothing to draw.

    The intervals of mean and interquartile mean are bootstrapped over runs; each is for one point of the grid alone.

    Args:
        found: per strategy; None for one that did not run.
        axis: what the grid counts.
        kinds: which regrets.
        task: number to give to the curves.
        points: of the grid, at most; the ends of the curves come in addition.
        level: confidence of the intervals.
        resamples: bootstrap resamples.
        seed: of the bootstrap.

    Raises:
        ParameterError: ``points`` is less than 2.
        MissingDataError: the table has no times.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.analysis.trajectories import trajectories
    >>> from nasbench_lab.testing import synthetic_table
    >>> trace = nl.simulate(synthetic_table(), "random-search", runs=9, budget=nl.Budget(evaluations=20))
    >>> curves = anytime_curves([trajectories(trace)], "evaluations", ["test"])
    >>> curves["test"].iqm.estimate.shape
    (1, 20)
    """
    if points < 2:
        raise ParameterError(f"a grid needs at least 2 points, got {points}")
    ends = np.array([np.nan if each is None else each.end(axis) for each in found])
    grid = common_grid([each for each in found if each is not None], axis, points)
    if not len(grid):
        return {}
    shape = (len(found), len(grid))
    quartiles = {kind: np.full((len(QUARTILES), *shape), np.nan) for kind in kinds}
    bands = {kind: {name: Intervals.empty(shape) for name in _STATISTICS} for kind in kinds}
    for place, each in enumerate(found):
        if each is None:
            continue
        shown = grid <= ends[place]
        entries = each.at(axis, grid[shown])
        draws = resampler((each.runs,), resamples=resamples, seed=seed)
        for kind in kinds:
            ordered = np.sort(each.regret_at(kind, entries), axis=1)
            quartiles[kind][:, place, shown] = [ordered[:, position(share, each.runs)] for share in QUARTILES]
            # Between two points of the grid often no run has changed, and so no statistic has.
            new = np.ones(len(ordered), dtype=bool)
            new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
            distinct, which = ordered[new], np.cumsum(new) - 1
            groups = [draws.group_sorted(distinct)]
            for name in _STATISTICS:
                band = bands[kind][name]
                low, high = draws.interval(groups, name, level)
                band.estimate[place, shown] = average_of_sorted(distinct, name)[which]
                band.low[place, shown], band.high[place, shown] = low[which], high[which]
    return {
        kind: AnytimeCurves(kind, axis, task, grid, ends, quartiles[kind], bands[kind]["mean"], bands[kind]["iqm"])
        for kind in kinds
    }


def common_grid(found: Sequence[Trajectories], axis: Axis, points: int) -> FloatArray:
    """Return a grid for the curves of several strategies, ascending in about equal ratios; empty if none has a value.

    It begins with the first evaluation, or with the first value after 0 seconds of any run, ends with the last curve,
    and has the ends of all others, so that each is drawn to its very end.
    """
    ends = np.unique([each.end(axis) for each in found])
    times = np.concatenate([each.times[axis] for each in found])
    times = times[times > 0]
    start = 1.0 if axis == "evaluations" else float(times.min(initial=np.inf))
    if not len(times) or ends[-1] < start:
        return np.empty(0)
    if axis == "evaluations" and ends[-1] <= points:
        return np.arange(1.0, ends[-1] + 1)
    grid = np.geomspace(start, ends[-1], points)
    if axis == "evaluations":
        grid = np.rint(grid)
    return np.unique(np.concatenate([grid[:-1], ends[ends >= start]]))
