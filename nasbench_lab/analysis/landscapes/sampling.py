"""Confidence intervals of shares, means and correlations that come from a sample of architectures."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from nasbench_lab.analysis.intervals import LEVEL, Interval
from nasbench_lab.arrays import FloatArray

Correlation = Literal["pearson", "spearman", "kendall"]
CORRELATIONS: tuple[Correlation, ...] = ("pearson", "spearman", "kendall")


def exact(value: float) -> Interval:
    """Return a value that was computed from all architectures, without an interval."""
    return Interval(float(value), math.nan, math.nan)


UNKNOWN = exact(math.nan)
"""A value that cannot be computed."""


def normal_quantile(level: float = LEVEL) -> float:
    """Return how many standard errors an interval reaches to either side."""
    from scipy.special import ndtri

    return float(ndtri(0.5 + level / 2))


def share(successes: int, trials: int, *, times: float = 1.0, level: float = LEVEL) -> Interval:
    """Return a share of a sample with Wilson's interval (Wilson, JASA 1927), all multiplied by a number.

    >>> print(share(5, 50))
    0.1 [0.04348, 0.2136]
    """
    if not trials:
        return UNKNOWN
    z, p = normal_quantile(level), successes / trials
    middle = (p + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * math.sqrt(p * (1 - p) / trials + z * z / (4 * trials * trials)) / (1 + z * z / trials)
    low, high = min(p, max(0.0, middle - half)), max(p, min(1.0, middle + half))  # without rounding errors at 0 and 1
    return Interval(times * p, times * low, times * high)


def mean(values: FloatArray, *, level: float = LEVEL) -> Interval:
    """Return a mean with the interval of the normal approximation; NaN values are left out.

    >>> print(mean(np.array([1.0, 2.0, 3.0, np.nan])))
    2 [0.8684, 3.132]
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return UNKNOWN
    estimate = float(known.mean())
    if len(known) < 2:
        return exact(estimate)
    half = normal_quantile(level) * float(known.std(ddof=1)) / math.sqrt(len(known))
    return Interval(estimate, estimate - half, estimate + half)


def correlate(one: FloatArray, other: FloatArray, kind: Correlation) -> float:
    """Return a correlation over the positions where both have values; NaN where there are too few, or all are equal.

    >>> correlate(np.array([1.0, 2.0, np.nan]), np.array([2.0, 5.0, 1.0]), "kendall")
    1.0
    """
    from scipy.stats import kendalltau, rankdata

    both = ~np.isnan(one) & ~np.isnan(other)
    x, y = one[both], other[both]
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return math.nan
    if kind == "kendall":
        return float(kendalltau(x, y).statistic)
    if kind == "spearman":
        x, y = rankdata(x), rankdata(y)
    return float(np.clip(np.corrcoef(x, y)[0, 1], -1.0, 1.0))


def correlation_interval(estimate: float, count: int, kind: Correlation, level: float = LEVEL) -> Interval:
    """Return a correlation of a sample with its interval.

    Fisher's z with the variance of Pearson's correlation, 1 / (n - 3); of Spearman's, (1 + r^2 / 2) / (n - 3) (Bonett
    and Wright, Psychometrika 2000); of Kendall's, 0.437 / (n - 4) (Fieller, Hartley and Pearson, Biometrika 1957).

    >>> print(correlation_interval(0.5, 103, "pearson"))
    0.5 [0.3393, 0.6323]
    """
    if math.isnan(estimate) or count <= 4 or abs(estimate) >= 1:
        return exact(estimate)
    variance = {
        "pearson": 1 / (count - 3),
        "spearman": (1 + estimate**2 / 2) / (count - 3),
        "kendall": 0.437 / (count - 4),
    }
    middle, half = math.atanh(estimate), normal_quantile(level) * math.sqrt(variance[kind])
    return Interval(estimate, math.tanh(middle - half), math.tanh(middle + half))
