"""Time to target: how long runs take to reach a regret.

A run reaches a target when its incumbent first has at most that regret (test regret may rise again later; the target
stays reached). A run that never reaches it is censored at its end: its time is infinite here, and known only to be
longer than the run.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from nasbench_lab.analysis.trajectories import TimeAxis, Trajectories
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation.trace import RegretKind

TARGETS: FloatArray = np.append(np.geomspace(1.0, 0.01, 21), 0.0)
"""Normalised regrets in equal ratios, from 1 (the average random architecture) to 0.01, and 0 (the optimum)."""

_ROUNDING = 1e-12


def times_to_target(found: Trajectories, kind: RegretKind, axis: TimeAxis, targets: ArrayLike) -> FloatArray:
    """Return when each run first reached each target, shape (runs, targets); inf where it never did.

    A target stays reached, also if the regret rises again: the incumbent is chosen on observed values, so its mean
    validation or test regret can grow. This favours strategies that change their incumbent often.

    Args:
        found: the runs.
        kind: which regret.
        axis: unit of the times.
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
    found.end(axis)  # raises an error where the table has no times
    levels = np.asarray(targets, dtype=np.float64)
    times = np.append(found.times[axis], np.inf)
    reached = np.full((found.runs, len(levels)), len(found.run))
    for place, level in enumerate(levels):
        hits = np.flatnonzero(found.regrets[kind] <= level * (1 + _ROUNDING))[::-1]
        reached[found.run[hits], place] = hits  # of several hits of a run, the first is assigned last
    return times[reached]


def expected_times(times: FloatArray, ends: FloatArray) -> FloatArray:
    """Return the expected time of a search that restarts until it reaches the target, shape (targets,).

    This is the average running time (aRT) of COCO (Hansen et al. 2021): the total time of all runs, each until it
    reached the target or ended, divided by the number of runs that reached it. Infinite where no run did.

    Args:
        times: when each run reached each target, inf where it never did, shape (runs, targets).
        ends: when each run ended, shape (runs,).

    >>> expected_times(np.array([[3.0], [np.inf]]), np.array([10.0, 10.0])).tolist()
    [13.0]
    """
    spent = np.where(np.isinf(times), ends[:, None], times).sum(axis=0)
    successes = np.isfinite(times).sum(axis=0)
    return np.where(successes > 0, spent / np.maximum(successes, 1), np.inf)


def ecdf(times: FloatArray, grid: FloatArray) -> FloatArray:
    """Return the share of times that are at most each point of a grid, shape (points,).

    Over runs and targets together this is the runtime distribution of COCO (Hansen et al. 2021): a target that a run
    had not reached at its end counts as never reached.

    Args:
        times: any shape, inf for a target that was never reached.
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
    """Return the time until which no run had ended without reaching all targets; infinite if all runs reached all.

    Args:
        times: when each run reached each target, inf where it never did, shape (runs, targets).
        ends: when each run ended, shape (runs,).
    """
    return float(ends[np.isinf(times).any(axis=1)].min(initial=np.inf))
