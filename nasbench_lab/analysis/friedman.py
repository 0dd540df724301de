"""Friedman's test over tasks, with Nemenyi's test for each pair of strategies.

After Demšar (2006), "Statistical comparisons of classifiers over multiple data sets", JMLR 7. The unit is the task,
never the run: a thousand runs on three tasks are three observations. Runs only enter through one number per strategy
and task. With few tasks the tests have hardly any power. With related tasks (three data sets of one search space) they
have less power than it seems, as they assume independent tasks.

With few strategies and tasks the p-value is exact: Friedman's statistic is compared with its values for all ways to
assign the ranks of each task. Chi square is a poor approximation there, and conservative also with more tasks. That is
why Demšar recommends the F statistic of Iman and Davenport (1980), which is given beside it. For two strategies the
exact test is the sign test, and a test of pairs would add nothing.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from nasbench_lab.analysis.intervals import LEVEL
from nasbench_lab.analysis.ranks import mean_ranks
from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Above, Below, number
from nasbench_lab.errors import ParameterError

_MOST_PERMUTED = 6
"""Most strategies of which all orders are tried."""

_MOST_STATES = 200_000
"""Most sums of ranks, before equal ones are counted together."""


@dataclass(frozen=True, eq=False)
class FriedmanTest:
    """Strategies compared over tasks by their ranks.

    Attributes:
        task_ranks: ranks on each task, ties sharing the mean of their ranks, shape (tasks, S).
        ranks: their average over tasks, shape (S,).
        statistic: chi square, corrected for ties; 0 where everything ties, NaN with fewer than three strategies or two
            tasks.
        p: its p-value, `exact` or with S - 1 degrees of freedom; that of the sign test for two strategies; 1 where
            everything ties; NaN with fewer than two strategies or tasks.
        critical_difference: the least significant difference of average ranks; NaN with fewer than three strategies or
            two tasks.
        nemenyi: p-values of all pairs, shape (S, S); 1 on the diagonal. For two strategies that of the sign test.
        cliques: largest groups of two or more strategies, by position, within which no two differ significantly; best
            first.
        level: 1 minus the level of significance.
        iman_davenport: F statistic; infinite where all tasks have the same ranks, NaN where `statistic` is.
        iman_davenport_p: its p-value with S - 1 and (S - 1) (tasks - 1) degrees of freedom, but at least that of all
            tasks having the same ranks by chance.
        exact: whether `p` is exact.
    """

    task_ranks: FloatArray
    ranks: FloatArray
    statistic: float
    p: float
    critical_difference: float
    nemenyi: FloatArray
    cliques: tuple[tuple[int, ...], ...]
    level: float
    iman_davenport: float
    iman_davenport_p: float
    exact: bool

    @property
    def rejects(self) -> bool:
        """Whether any difference is significant: by `p` where it is exact, else by `iman_davenport_p`."""
        return (self.p if self.exact else self.iman_davenport_p) < 1 - self.level


def friedman_test(scores: ArrayLike, level: float = LEVEL) -> FriedmanTest:
    """Compare strategies over tasks.

    Args:
        scores: one loss per task and strategy, shape (tasks, S); NaN counts as infinitely bad.
        level: 1 minus the level of significance.

    Raises:
        ParameterError: there is no task or strategy, or ``level`` is not between 0 and 1.

    >>> found = friedman_test([[0.1, 0.2, 0.3], [0.2, 0.3, 0.4], [0.0, 0.2, 0.1], [0.1, 0.3, 0.2]])
    >>> found.ranks.tolist(), round(found.p, 4), found.cliques
    ([1.0, 2.5, 2.5], 0.0694, ((0, 1, 2),))
    """
    from scipy.stats import friedmanchisquare

    losses = np.asarray(scores, dtype=np.float64)
    if losses.ndim != 2 or not losses.size:
        raise ParameterError(f"scores must have the shape (tasks, strategies), got {losses.shape}")
    number("level", level, Above(0), Below(1))
    tasks, strategies = losses.shape
    by_task = mean_ranks(losses)
    ranks = by_task.mean(axis=0)
    statistic = p = difference = ratio = ratio_p = float("nan")
    nemenyi = np.where(np.eye(strategies, dtype=bool), 1.0, np.nan)
    groups: tuple[tuple[int, ...], ...] = ()
    exact = exact_friedman(by_task) if tasks > 1 and strategies > 1 else None
    if tasks > 1 and strategies > 2:
        statistic, p = 0.0, 1.0
        if np.ptp(by_task, axis=1).any():
            statistic, p = map(float, friedmanchisquare(*by_task.T))
        ratio, ratio_p = _iman_davenport(statistic, tasks, strategies)
        difference = critical_difference(strategies, tasks, level)
        nemenyi, groups = _nemenyi(ranks, tasks), cliques(ranks, difference)
    if exact is not None:
        p = exact
    if tasks > 1 and strategies == 2:
        nemenyi = np.where(np.eye(2, dtype=bool), 1.0, p)
        groups = (tuple(int(each) for each in np.argsort(ranks, kind="stable")),) if p >= 1 - level else ()
    return FriedmanTest(
        by_task, ranks, statistic, p, difference, nemenyi, groups, level, ratio, ratio_p, exact is not None
    )


def exact_friedman(task_ranks: FloatArray) -> float | None:
    """Return the exact p-value of Friedman's test; None where it would take too long.

    If the strategies do not differ, all assignments of a task's ranks to them are equally likely. The sums of ranks
    over tasks are counted task by task. Their order is ignored, as it does not change the statistic.

    Args:
        task_ranks: ranks on each task, shape (tasks, S).

    >>> exact_friedman(np.array([[1.0, 2.0]] * 6))  # two strategies: the sign test
    0.03125
    """
    tasks, strategies = task_ranks.shape
    if strategies > _MOST_PERMUTED and np.ptp(task_ranks, axis=1).any():
        return None
    # A sum of ranks is at most tasks * strategies from the middle, so a row of sums can be written as one number.
    base = 2 * tasks * strategies + 1
    if base**strategies >= 2**63:
        return None
    centered = np.rint(2 * task_ranks).astype(np.int64) - (strategies + 1)  # ties have halves
    sums: IntArray = np.zeros((1, strategies), dtype=np.int64)
    share: FloatArray = np.ones(1)
    ways: dict[bytes, IntArray] = {}
    for row in np.sort(centered, axis=1):
        if row.tobytes() not in ways:
            ways[row.tobytes()] = np.unique(
                list(itertools.permutations(row.tolist())) if row.any() else row[None], axis=0
            )
        orders = ways[row.tobytes()]
        if len(sums) * len(orders) > _MOST_STATES:
            return None
        added = np.sort((sums[:, None] + orders[None]).reshape(-1, strategies), axis=1)
        keys = (added + tasks * strategies) @ base ** np.arange(strategies)
        _, first, which = np.unique(keys, return_index=True, return_inverse=True)
        share = np.asarray(np.bincount(which, np.repeat(share / len(orders), len(orders))), dtype=np.float64)
        sums = added[first]
    spread = (sums**2).sum(axis=1)
    return float(min(1.0, share[spread >= (centered.sum(axis=0) ** 2).sum()].sum()))


def _orders(row: IntArray) -> IntArray:
    """Return all different orders of a row, shape (orders, S)."""
    if not row.any():  # everything ties
        return row[None]
    return np.unique(np.array(list(itertools.permutations(row.tolist()))), axis=0)


def _iman_davenport(statistic: float, tasks: int, strategies: int) -> tuple[float, float]:
    """Return the F statistic of Iman and Davenport, and its p-value."""
    from scipy.stats import f

    rest = tasks * (strategies - 1) - statistic
    ratio = (tasks - 1) * statistic / rest if rest > 1e-9 * tasks else math.inf
    p = float(f.sf(ratio, strategies - 1, (strategies - 1) * (tasks - 1)))
    return ratio, max(p, math.exp(-(tasks - 1) * math.lgamma(strategies + 1)))


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
