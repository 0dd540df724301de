"""Tests of whether two samples differ by more than chance, and Holm's correction for many tests.

Use `mann_whitney` for the runs of two strategies on one task, which are unpaired (a shared seed does not make a pair),
and `median_test` for their medians. Use `wilcoxon` for two strategies on many tasks, which are paired by task, with one
number per task, and `sign_flip` for the mean of such differences. All but `sign_flip` use the order of values only, so
a missing value (NaN) counts as worse than any other and needs no number.

The tests of few values are exact, also with ties and zeros: they compare with all ways to assign the same values. A
two-sided p-value is twice the smaller tail, at most 1. If the samples do not differ at all, p is 1.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from nasbench_lab.analysis.effect_sizes import PairCounts, count_pairs
from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import ParameterError

_SMALL = 8
"""Largest sample without ties for which the exact distribution of the rank sum is used in any case (as in scipy)."""

_MOST_STEPS = 2_000_000
"""Most additions for an exact distribution. Enough for 30 runs against 30, and for 120 pairs."""

_MOST_ENUMERATED = 14
"""Largest number of differences of which all signs are tried; with more, signs are drawn."""

_DRAWN_SIGNS = 99_999
_ROUNDING = 1e-9


def mann_whitney(samples: Sequence[ArrayLike]) -> FloatArray:
    """Return two-sided p-values of the Mann-Whitney test (Wilcoxon's rank sum) for all pairs of samples.

    The distribution is exact, conditional on the ties, where that is cheap: up to about 30 runs against 30, for more
    runs if all but a few have the same value, and for at most 8 runs against any number without ties. Elsewhere it is
    the normal approximation with corrections for ties and continuity.

    Args:
        samples: losses, shape (runs,) each; the numbers of runs may differ. NaN is worse than all others, and ties with
            NaN.

    Returns:
        Shape (S, S), symmetric; 1 on the diagonal.

    Raises:
        ParameterError: there are no samples, or one is empty.

    >>> mann_whitney([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 7.0, 7.0]]).round(3).tolist()
    [[1.0, 0.1, 0.1], [0.1, 1.0, 0.1], [0.1, 0.1, 1.0]]
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
    losses = [np.nan_to_num(np.asarray(each, dtype=np.float64), nan=np.inf, posinf=np.inf) for each in samples]
    for first, second in itertools.combinations(range(len(losses)), 2):
        exact = _exact_rank_sum(losses[first], losses[second], pairs.ties[first, second] > 0)
        if exact is not None:
            p[first, second] = p[second, first] = exact
    np.fill_diagonal(p, 1.0)
    return p


def median_test(samples: Sequence[ArrayLike]) -> FloatArray:
    """Return two-sided p-values of Mood's median test for all pairs of samples.

    The test compares how many runs of either sample are above the median of both together. Given this median the number
    has a hypergeometric distribution, so the test is exact.

    Args:
        samples: losses, shape (runs,) each; the numbers of runs may differ. NaN is worse than all others.

    Returns:
        Shape (S, S), symmetric; 1 on the diagonal.

    Raises:
        ParameterError: there are no samples, or one is empty.

    >>> median_test([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).round(3).tolist()
    [[1.0, 0.1], [0.1, 1.0]]
    """
    from scipy.stats import hypergeom

    losses = [np.nan_to_num(np.asarray(each, dtype=np.float64), nan=np.inf, posinf=np.inf) for each in samples]
    if not losses or any(each.ndim != 1 or not len(each) for each in losses):
        raise ParameterError("samples must be one-dimensional and not empty")
    p = np.ones((len(losses), len(losses)))
    places = list(itertools.combinations(range(len(losses)), 2))
    if not places:
        return p
    counts = np.array([_above_median(losses[first], losses[second]) for first, second in places]).T
    total, above, runs, found = counts
    tails = hypergeom.cdf(found, total, above, runs), hypergeom.sf(found - 1, total, above, runs)
    for (first, second), value in zip(places, np.minimum(1.0, 2 * np.minimum(*tails)).tolist(), strict=True):
        p[first, second] = p[second, first] = value
    return p


def wilcoxon(first: ArrayLike, second: ArrayLike) -> float:
    """Return the two-sided p-value of Wilcoxon's signed-rank test for paired losses.

    Differences of 0 are ranked with the others and then left out (Pratt 1959); equal distances share the mean of their
    ranks. A pair with one missing value has a larger difference than any other pair, one with two missing values has
    the difference 0. Up to about 120 pairs the distribution is exact, over all signs of the ranks; with more pairs it
    is the normal approximation with corrections for ties and continuity.

    Args:
        first: losses, shape (pairs,).
        second: losses, in the same order.

    Raises:
        ParameterError: there are no pairs, or the samples differ in length.

    >>> wilcoxon([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.5, 3.0, 4.5, 6.0, 7.5, 9.0])
    0.03125
    >>> wilcoxon([0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [0.0] * 8)
    0.0625
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
    ranks = scipy.stats.rankdata(np.abs(gaps))
    scores = np.rint(2 * ranks[gaps != 0]).astype(np.int64)  # twice the rank is a whole number
    if len(scores) * int(scores.sum()) <= _MOST_STEPS:
        return _exact_signed_rank(scores, int(scores[gaps[gaps != 0] > 0].sum()))
    # Ranks have the same order as the distances, and are finite.
    signed = np.sign(gaps) * np.where(gaps == 0, 0.0, ranks)
    return min(1.0, float(scipy.stats.wilcoxon(signed, zero_method="pratt", correction=True, method="approx").pvalue))


def sign_flip(differences: ArrayLike) -> FloatArray:
    """Return two-sided p-values of the hypothesis that differences are as likely positive as negative.

    This is the permutation test of Fisher and Pitman: it compares the mean of the differences with the means for all
    signs (up to 14 differences), or for 99,999 random ones, the same for all tests and always the same.

    Args:
        differences: shape (tests, n).

    Returns:
        Shape (tests,).

    Raises:
        ParameterError: there are no differences, or one is not finite.

    >>> sign_flip([[0.1, 0.2, 0.3, 0.1, 0.2, 0.1], [0.1, -0.1, 0.2, -0.2, 0.1, -0.1]]).tolist()
    [0.03125, 1.0]
    """
    gaps = np.asarray(differences, dtype=np.float64)
    if gaps.ndim != 2 or not gaps.shape[1] or not np.isfinite(gaps).all():
        raise ParameterError(f"differences must be finite and have the shape (tests, n), got {gaps.shape}")
    count = gaps.shape[1]
    least = np.abs(gaps.sum(axis=1)) * (1 - _ROUNDING) - _ROUNDING * np.abs(gaps).max(axis=1, initial=0.0)
    if count <= _MOST_ENUMERATED:
        signs = 1.0 - 2.0 * ((np.arange(2**count)[:, None] >> np.arange(count)) & 1)
        return (np.abs(signs @ gaps.T) >= least).mean(axis=0)
    random = np.random.default_rng(count)
    beyond = np.ones(len(gaps))  # the observed signs are one of the ways
    for _ in range(_DRAWN_SIGNS // 9_999):
        signs = 1.0 - 2.0 * random.integers(0, 2, (9_999, count))
        beyond += (np.abs(signs @ gaps.T) >= least).sum(axis=0)
    return beyond / (1 + _DRAWN_SIGNS // 9_999 * 9_999)


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


def least_p(runs: int, others: int) -> float:
    """Return the smallest one-sided p-value that any test of the order of two samples can reach.

    It is the probability that all runs of the one are better than all runs of the other if there is no difference.

    >>> least_p(3, 3), least_p(1, 4)
    (0.05, 0.2)
    """
    if runs + others <= 64:
        return 1 / math.comb(runs + others, runs)
    return math.exp(math.lgamma(runs + 1) + math.lgamma(others + 1) - math.lgamma(runs + others + 1))


def _exact_rank_sum(first: FloatArray, second: FloatArray, ties: bool) -> float | None:
    """Return the exact p-value of two samples; None where it would take too long."""
    from scipy.stats import mannwhitneyu, rankdata

    runs, total = len(first), len(first) + len(second)
    if not ties and min(runs, total - runs) <= _SMALL:
        ranks = rankdata(np.concatenate([first, second]))  # ranks are finite where losses may not be
        return float(mannwhitneyu(ranks[:runs], ranks[runs:], method="exact").pvalue)
    values, often = np.unique(np.concatenate([first, second]), return_counts=True)
    if len(values) == 1:
        return 1.0
    # A run counts by how much its rank exceeds that of the commonest value. Twice a mean rank is a whole number.
    ranks = 2 * np.cumsum(often) - often + 1
    ranks -= ranks[often.argmax()]
    scores = ranks // np.gcd.reduce(ranks)
    steps = np.repeat(scores, often)
    steps = steps[steps != 0]
    most = min(runs, len(steps))
    below, above = -int(steps[steps < 0].sum()), int(steps[steps > 0].sum())
    if len(steps) * (most + 1) * (below + above + 1) > _MOST_STEPS:
        return None
    ways = _ways_to_draw(steps, most, below, above)
    found = int(scores[np.searchsorted(values, first)].sum()) + below
    drawn = np.arange(most + 1)
    log = _log_binomial(total - len(steps), runs - drawn) - _log_binomial(total, np.array(runs))
    # The number of ways is at most 2^steps, and there are too few steps to exceed the range of a float.
    share = np.exp(log) @ ways
    return float(min(1.0, 2 * min(share[: found + 1].sum(), share[found:].sum())))


def _ways_to_draw(steps: IntArray, most: int, below: int, above: int) -> FloatArray:
    """Return in how many ways some of the steps add up to each sum from -below to above, shape (drawn, sums)."""
    ways = np.zeros((most + 1, below + above + 1))
    ways[0, below] = 1
    for step in steps.tolist():
        new = ways.copy()
        if step > 0:
            new[1:, step:] += ways[:-1, :-step]
        else:
            new[1:, :step] += ways[:-1, -step:]
        ways = new
    return ways


def _log_binomial(total: int, drawn: IntArray) -> FloatArray:
    """Return the logarithm of the number of ways to draw; -inf where there are too few to draw from."""
    from scipy.special import gammaln

    rest = total - drawn
    return np.where(rest < 0, -np.inf, gammaln(total + 1) - gammaln(drawn + 1) - gammaln(np.maximum(rest, 0) + 1))


def _exact_signed_rank(scores: IntArray, positive: int) -> float:
    """Return the exact p-value of a sum of positive scores, over all signs."""
    share = np.zeros(int(scores.sum()) + 1)
    share[0] = 1
    for score in scores.tolist():
        share[score:] = (share[score:] + share[:-score]) / 2
        share[:score] /= 2
    return float(min(1.0, 2 * min(share[: positive + 1].sum(), share[positive:].sum())))


def _above_median(first: FloatArray, second: FloatArray) -> tuple[int, int, int, int]:
    """Return the number of all runs, of runs above the common median, of runs of the first, and of both.

    Where many runs have the median itself, they count as above it if that divides the runs more evenly.
    """
    together = np.concatenate([first, second])
    place = (len(together) - 1) // 2
    median = np.partition(together, place)[place]
    above, least = int((together > median).sum()), int((together >= median).sum())
    if abs(2 * least - len(together)) < abs(2 * above - len(together)):
        return len(together), least, len(first), int((first >= median).sum())
    return len(together), above, len(first), int((first > median).sum())
