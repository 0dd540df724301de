"""Time to target: how long runs take to reach a regret.

A run reaches a target when its incumbent first has at most that regret (test regret may rise again later; the target
stays reached). A run that never does is censored at its end: its time is infinite here, and what one knows is that it
is longer than the run.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from nasbench_lab.analysis.trajectories import TimeAxis, Trajectories
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation.trace import RegretKind

TARGETS: FloatArray = np.append(np.geomspace(1.0, 0.01, 21), 0.0)
"""Normalised regrets: that of the average random architecture, down to a hundredth in equal ratios, and the optimum."""

_ROUNDING = 1e-12


def times_to_target(found: Trajectories, kind: RegretKind, axis: TimeAxis, targets: ArrayLike) -> FloatArray:
    """Return when every run first had at most a regret, shape (runs, targets); inf where it never had.

    Args:
        found: the runs.
        kind: which regret.
        axis: what time is counted in.
        targets: regrets in the metric's unit, shape (targets,).

    Raises:
        MissingDataError: the table has no times.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.analysis.trajectories import incumbent_trajectories
    >>> from nasbench_lab.testing import synthetic_table
    >>> trace = nl.simulate(synthetic_table(), "exhaustive", runs=1, budget=nl.Budget(evaluations=243))
    >>> times_to_target(incumbent_trajectories(trace), "observed", "evaluations", [1.0, -1.0]).tolist()
    [[1.0, inf]]
    """
    found.end(axis)  # raises where there are no times
    levels = np.asarray(targets, dtype=np.float64)
    times = np.append(found.times[axis], np.inf)
    reached = np.full((found.runs, len(levels)), len(found.run))
    for place, level in enumerate(levels):
        hits = np.flatnonzero(found.regrets[kind] <= level * (1 + _ROUNDING))[::-1]
        reached[found.run[hits], place] = hits  # of several hits of a run the first is assigned last
    return times[reached]


def expected_times(times: FloatArray, ends: FloatArray) -> FloatArray:
    """Return the expected time of a search that is started again until it reaches the target, shape (targets,).

    The time spent by all runs, until they reached the target or ended, over the number of those that reached it: the
    average running time (aRT) of COCO (Hansen et al. 2021). Infinite where no run reached it.

    Args:
        times: when each run reached each target, inf for never, shape (runs, targets).
        ends: when each run ended, shape (runs,).

    >>> expected_times(np.array([[3.0], [np.inf]]), np.array([10.0, 10.0])).tolist()
    [13.0]
    """
    spent = np.where(np.isinf(times), ends[:, None], times).sum(axis=0)
    successes = np.isfinite(times).sum(axis=0)
    return np.where(successes > 0, spent / np.maximum(successes, 1), np.inf)


def ecdf(times: FloatArray, grid: FloatArray) -> FloatArray:
    """Return the share of times that are at most each point of a grid, shape (points,).

    Over runs and targets together this is the runtime distribution of COCO (Hansen et al. 2021): pairs of a run and a
    target that were not reached before the run's end count as never reached.

    Args:
        times: any shape, inf for never.
        grid: ascending.

    Raises:
        ParameterError: there are no times.

    >>> ecdf(np.array([1.0, 5.0, np.inf]), np.array([0.5, 1.0, 10.0])).round(2).tolist()
    [0.0, 0.33, 0.67]
    """
    if not times.size:
        raise ParameterError("a distribution needs at least one time")
    return np.searchsorted(np.sort(times, axis=None), grid * (1 + _ROUNDING), side="right") / times.size


def complete_until(times: FloatArray, ends: FloatArray) -> float:
    """Return until when no run had ended before it reached all targets; infinite if all reached all.

    Args:
        times: when each run reached each target, inf for never, shape (runs, targets).
        ends: when each run ended, shape (runs,).
    """
    return float(ends[np.isinf(times).any(axis=1)].min(initial=np.inf))
