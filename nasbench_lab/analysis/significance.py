"""Tests of whether two samples differ by more than chance, and Holm's correction for many tests.

Use `mann_whitney` for the runs of two strategies on one task, which are unpaired (a shared seed does not make a pair).
Use `wilcoxon` for two strategies on many tasks, which are paired by task, with one number per task. Both tests use the
order of values only, so a missing value (NaN) counts as worse than any other and needs no number.

If the samples do not differ at all, p is 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from nasbench_lab.analysis.effect_sizes import PairCounts, count_pairs
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import ParameterError

_SMALL = 8
"""Largest sample without ties for which the exact distribution of the rank sum is used (as in scipy)."""

_MOST_EXACT = 50
"""Largest number of pairs without ties and zeros for which the exact distribution is used (as in scipy)."""


def mann_whitney(samples: Sequence[ArrayLike]) -> FloatArray:
    """Return two-sided p-values of the Mann-Whitney test (Wilcoxon's rank sum) for all pairs of samples.

    They use the normal approximation with corrections for ties and continuity, and the exact distribution where one of
    the samples has at most 8 runs and there are no ties.

    Args:
        samples: losses, shape (runs,) each; the numbers of runs may differ. NaN is worse than all others, and ties with
            NaN.

    Returns:
        Shape (S, S), symmetric; 1 on the diagonal.

    Raises:
        ParameterError: there are no samples, or one is empty.

    >>> mann_whitney([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 7.0, 7.0]]).round(3).tolist()
    [[1.0, 0.1, 0.064], [0.1, 1.0, 0.064], [0.064, 0.064, 1.0]]
    """
    return rank_sum_p(count_pairs(samples), samples)


def rank_sum_p(pairs: PairCounts, samples: Sequence[ArrayLike]) -> FloatArray:
    """Return what `mann_whitney` returns, from pairs that are counted already."""
    from scipy.special import ndtr

    product = np.multiply.outer(pairs.runs, pairs.runs).astype(np.float64)
    total = np.add.outer(pairs.runs, pairs.runs).astype(np.float64)
    variance = product / 12 * (total + 1 - pairs.ties / (total * (total - 1)))
    distance = np.maximum(np.abs(pairs.better - product / 2) - 0.5, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.where(variance > 0, 2 * ndtr(-distance / np.sqrt(variance)), 1.0)
    small = (np.minimum.outer(pairs.runs, pairs.runs) <= _SMALL) & (pairs.ties == 0)
    for first, second in np.argwhere(np.triu(small, k=1)):
        p[first, second] = p[second, first] = _exact_rank_sum(samples[first], samples[second])
    np.fill_diagonal(p, 1.0)
    return p


def wilcoxon(first: ArrayLike, second: ArrayLike) -> float:
    """Return the two-sided p-value of Wilcoxon's signed-rank test for paired losses.

    Differences of 0 are ranked with the others and then left out (Pratt 1959); equal distances share the mean of their
    ranks. A pair with one missing value has a larger difference than any other pair, one with two missing values has
    the difference 0.

    Args:
        first: losses, shape (pairs,).
        second: losses, in the same order.

    Raises:
        ParameterError: there are no pairs, or the samples differ in length.

    >>> wilcoxon([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.5, 3.0, 4.5, 6.0, 7.5, 9.0])
    0.03125
    >>> wilcoxon([1.0, 2.0], [1.0, 2.0])
    1.0
    """
    import scipy.stats

    losses = [np.asarray(values, dtype=np.float64) for values in (first, second)]
    if losses[0].ndim != 1 or losses[0].shape != losses[1].shape or not losses[0].size:
        raise ParameterError(f"pairs need two samples of equal length, got shapes {losses[0].shape}, {losses[1].shape}")
    one, other = (np.where(np.isnan(values), np.inf, values) for values in losses)
    with np.errstate(invalid="ignore"):
        gaps = np.where(one == other, 0.0, one - other)
    if not gaps.any():
        return 1.0
    # Ranks have the same order as the distances, and are finite.
    signed = np.sign(gaps) * np.where(gaps == 0, 0.0, scipy.stats.rankdata(np.abs(gaps)))
    exact = len(signed) <= _MOST_EXACT and len(np.unique(np.abs(signed))) == len(signed) and bool((signed != 0).all())
    method = "exact" if exact else "approx"
    return min(
        1.0, float(scipy.stats.wilcoxon(signed, zero_method="pratt", correction=not exact, method=method).pvalue)
    )


def holm(p: ArrayLike) -> FloatArray:
    """Return Holm's (1979) adjusted p-values of a family of tests; NaN stands for no test and stays NaN.

    The smallest of m p-values is multiplied by m, the next by m - 1, and so on; none may become smaller than the one
    before, or larger than 1. If all tests below a level are rejected, the probability of any false rejection is at most
    that level.

    Args:
        p: p-values, shape (tests,).

    >>> holm([0.01, 0.04, 0.03, float("nan")]).round(6).tolist()
    [0.03, 0.06, 0.06, nan]
    """
    values = np.asarray(p, dtype=np.float64)
    adjusted = np.full(values.shape, np.nan)
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(values[order] * factors), 1.0)
    return adjusted


def holm_of_pairs(p: FloatArray) -> FloatArray:
    """Return Holm's adjusted p-values of a symmetric matrix of p-values; its diagonal does not count as tests."""
    above = np.triu_indices(len(p), k=1)
    adjusted = np.ones(p.shape)
    adjusted[above] = holm(p[above])
    adjusted.T[above] = adjusted[above]
    return adjusted


def _exact_rank_sum(first: ArrayLike, second: ArrayLike) -> float:
    from scipy.stats import mannwhitneyu, rankdata

    count = len(np.asarray(first))
    # Ranks are finite where losses may not be.
    ranks = rankdata(np.nan_to_num(np.concatenate([first, second]), nan=np.inf, posinf=np.inf))
    return float(mannwhitneyu(ranks[:count], ranks[count:], method="exact").pvalue)
