"""Performance profiles of two kinds.

*Score distributions* (Agarwal et al. 2021, there called performance profiles) show for every regret the share of runs,
over all tasks, that end with at most that. *Performance profiles* of Dolan and Moré (2002) compare costs: for every
factor, the share of problems that a strategy solves at no more than that factor times the cost of the best strategy.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from nasbench_lab.analysis.bootstrap import RESAMPLES, resampler
from nasbench_lab.analysis.intervals import LEVEL, Intervals
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import ParameterError

_ROUNDING = 1e-12


def score_distribution(
    losses: Sequence[ArrayLike],
    levels: ArrayLike,
    *,
    confidence: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Intervals:
    """Return the share of runs that end with at most a loss, averaged over tasks, with stratified bootstrap intervals.

    Args:
        losses: per task, shape (runs,); NaN is never at most anything.
        levels: losses, shape (P,).
        confidence: of the intervals. Each interval holds for one level, not for the whole curve.
        resamples: number of resamples; with 0 there are no intervals (NaN).
        seed: of the resamples.

    Returns:
        Intervals of shape (P,).

    Raises:
        ParameterError: there are no tasks or no runs, or a number is out of range.

    >>> score_distribution([[0.0, 1.0], [0.0, 0.5]], [0.0, 0.7, 1.0]).estimate.tolist()
    [0.5, 0.75, 1.0]
    """
    tasks = [np.asarray(task, dtype=np.float64) for task in losses]
    points = np.asarray(levels, dtype=np.float64)[:, None]
    # A share is a mean of zeros and ones.
    above = [(~(task[None, :] <= points * (1 + _ROUNDING))).astype(np.float64) for task in tasks]
    draws = resampler(tuple(len(task) for task in tasks), resamples=resamples, seed=seed)
    low, high = draws.interval([draws.group(each) for each in above], "mean", confidence)
    # Rounding: shares may add up to slightly less or more than one.
    ends = [np.clip((1 - end).round(12), 0.0, 1.0) for end in (high, low)]
    return Intervals(1 - np.mean([each.mean(axis=1) for each in above], axis=0), *ends)


def performance_profile(costs: ArrayLike, ratios: ArrayLike) -> tuple[FloatArray, int]:
    """Return the share of problems solved at no more than a factor times the least cost (Dolan and Moré 2002, eq. 2).

    Args:
        costs: of each strategy on each problem, inf where it is not solved, shape (S, problems). Problems that no
            strategy solves are left out.
        ratios: factors of at least 1, shape (Q,).

    Returns:
        Shares, shape (S, Q), NaN without problems; and the number of problems that some strategy solves.

    Raises:
        ParameterError: a cost is negative or NaN, or a ratio is below 1.

    >>> shares, problems = performance_profile([[1.0, 4.0, np.inf], [2.0, 2.0, np.inf]], [1.0, 2.0])
    >>> shares.tolist(), problems
    ([[0.5, 1.0], [0.5, 1.0]], 2)
    """
    cost, factors = np.asarray(costs, dtype=np.float64), np.asarray(ratios, dtype=np.float64)
    if cost.ndim != 2 or not (cost >= 0).all() or not (factors >= 1).all():
        raise ParameterError("a profile needs costs (strategies, problems) of at least 0, and ratios of at least 1")
    best = cost.min(axis=0)
    cost, best = cost[:, np.isfinite(best)], best[np.isfinite(best)]
    problems = len(best)
    if not problems:
        return np.full((len(cost), len(factors)), np.nan), 0
    within = cost[:, :, None] <= best[:, None] * factors * (1 + _ROUNDING)
    return within.mean(axis=1), problems
