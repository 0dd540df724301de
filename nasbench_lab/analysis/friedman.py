"""Friedman's test over tasks, with Nemenyi's test for each pair of strategies.

After Demšar (2006), "Statistical comparisons of classifiers over multiple data sets", JMLR 7. The unit is the task,
never the run: a thousand runs on three tasks are three observations. Runs only enter through one number per strategy
and task. With few tasks the tests have hardly any power. With related tasks (three data sets of one search space) they
have less power than it seems, as they assume independent tasks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from nasbench_lab.analysis.intervals import LEVEL
from nasbench_lab.analysis.ranks import mean_ranks
from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import Above, Below, number
from nasbench_lab.errors import ParameterError


@dataclass(frozen=True, eq=False)
class FriedmanTest:
    """Strategies compared over tasks by their ranks.

    Attributes:
        task_ranks: ranks on each task, ties sharing the mean of their ranks, shape (tasks, S).
        ranks: their average over tasks, shape (S,).
        statistic: chi square, corrected for ties; 0 where everything ties, NaN with fewer than three strategies or two
            tasks.
        p: its p-value with S - 1 degrees of freedom; 1 where everything ties.
        critical_difference: the least significant difference of average ranks; NaN with fewer than two strategies or
            tasks.
        nemenyi: p-values of all pairs, shape (S, S); 1 on the diagonal.
        cliques: largest groups of two or more strategies, by position, within which no two differ significantly; best
            first.
        level: 1 minus the level of significance.
    """

    task_ranks: FloatArray
    ranks: FloatArray
    statistic: float
    p: float
    critical_difference: float
    nemenyi: FloatArray
    cliques: tuple[tuple[int, ...], ...]
    level: float


def friedman_test(scores: ArrayLike, level: float = LEVEL) -> FriedmanTest:
    """Compare strategies over tasks.

    Args:
        scores: one loss per task and strategy, shape (tasks, S); NaN counts as infinitely bad.
        level: 1 minus the level of significance.

    Raises:
        ParameterError: there is no task or strategy, or ``level`` is not between 0 and 1.

    >>> found = friedman_test([[0.1, 0.2, 0.3], [0.2, 0.3, 0.4], [0.0, 0.2, 0.1], [0.1, 0.3, 0.2]])
    >>> found.ranks.tolist(), round(found.p, 4), found.cliques
    ([1.0, 2.5, 2.5], 0.0498, ((0, 1, 2),))
    """
    from scipy.stats import friedmanchisquare

    losses = np.asarray(scores, dtype=np.float64)
    if losses.ndim != 2 or not losses.size:
        raise ParameterError(f"scores must have the shape (tasks, strategies), got {losses.shape}")
    number("level", level, Above(0), Below(1))
    tasks, strategies = losses.shape
    by_task = mean_ranks(losses)
    ranks = by_task.mean(axis=0)
    statistic = p = float("nan")
    if tasks > 1 and strategies > 2:
        statistic, p = 0.0, 1.0
        if np.ptp(by_task, axis=1).any():
            statistic, p = map(float, friedmanchisquare(*by_task.T))
    difference = critical_difference(strategies, tasks, level)
    return FriedmanTest(
        by_task, ranks, statistic, p, difference, _nemenyi(ranks, tasks), cliques(ranks, difference), level
    )


def critical_difference(strategies: int, tasks: int, level: float = LEVEL) -> float:
    """Return the least significant difference of average ranks (Nemenyi 1963).

    CD = q sqrt(S (S + 1) / (6 N)) for S strategies on N tasks, with q the quantile of the studentized range of S normal
    variables, over the square root of 2. NaN with fewer than two strategies or tasks.

    >>> round(critical_difference(4, 14, 0.95), 2)  # Demšar 2006, section 3.2.2 with table 5: 2.569 sqrt(20 / 84)
    1.25
    """
    if strategies < 2 or tasks < 2:
        return float("nan")
    return float(_range_quantile(strategies, level) * _rank_error(strategies, tasks))


def cliques(ranks: FloatArray, difference: float) -> tuple[tuple[int, ...], ...]:
    """Return the largest groups of strategies whose average ranks differ by less than a critical difference.

    Args:
        ranks: average ranks, shape (S,).
        difference: the critical difference; with NaN there are no groups.

    >>> cliques(np.array([3.0, 1.0, 1.8, 3.1]), 1.5)
    ((1, 2), (2, 0, 3))
    """
    order = np.argsort(ranks, kind="stable")
    ends = [int((ranks[order] - ranks[first] < difference).sum()) for first in order]
    found, covered = [], 0
    for start, end in enumerate(ends):
        if end > covered and end - start > 1:
            found.append(tuple(int(each) for each in order[start:end]))
        covered = max(covered, end)
    return tuple(found)


def _nemenyi(ranks: FloatArray, tasks: int) -> FloatArray:
    """Return the p-values of all pairs, shape (S, S)."""
    from scipy.stats import studentized_range

    strategies = len(ranks)
    p = np.ones((strategies, strategies))
    if strategies < 2 or tasks < 2:
        return np.where(np.eye(strategies, dtype=bool), 1.0, np.nan)
    above = np.triu_indices(strategies, k=1)
    distance = np.abs(ranks[above[0]] - ranks[above[1]]) / _rank_error(strategies, tasks)
    # The integrals are slow, and many pairs have the same distance.
    different, where = np.unique(distance.round(12), return_inverse=True)
    p[above] = np.clip(studentized_range.sf(different * np.sqrt(2), strategies, np.inf), 0.0, 1.0)[where]
    p.T[above] = p[above]
    return p


def _rank_error(strategies: int, tasks: int) -> float:
    """Return the standard error of the difference of two average ranks."""
    return float(np.sqrt(strategies * (strategies + 1) / (6 * tasks)))


@lru_cache(maxsize=64)
def _range_quantile(strategies: int, level: float) -> float:
    from scipy.stats import studentized_range

    return float(studentized_range.ppf(level, strategies, np.inf)) / np.sqrt(2)
