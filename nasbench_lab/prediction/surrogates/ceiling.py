"""The noise ceiling: how well a perfect model would rank measured architectures, given how much repeats differ.

A model can predict the expected value of an architecture, not the luck of its trainings. If the means over k repeats
are ranked, a perfect model is not at 1 either. With ranks of a normal distribution, Kendall's correlation is
``2 / pi * arcsin(r)`` for Pearson's correlation r (Greiner's relation). So the agreement of two repeats gives the
reliability of one, the formula of Spearman and Brown that of the mean over k, and its square root is the correlation of
this mean with the expected value. Only ranks enter, so the distribution of the values does not matter.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from nasbench_lab.arrays import FloatArray


def two_repeats(values: FloatArray) -> FloatArray:
    """Return the first two repeats of all architectures that have two, shape (n, repeats) to (m, 2).

    >>> two_repeats(np.array([[1.0, np.nan, 2.0], [3.0, np.nan, np.nan]])).tolist()
    [[1.0, 2.0]]
    """
    there = np.isfinite(values)
    several = there.sum(axis=1) >= 2
    first = np.argsort(~there[several], axis=1, kind="stable")[:, :2]
    return np.take_along_axis(values[several], first, axis=1).reshape(-1, 2)


def noise_ceiling(agreement: float, repeats: ArrayLike) -> float:
    """Return the rank correlation of a perfect model with the means over repeats; NaN if it is not known.

    Args:
        agreement: Kendall's rank correlation of two repeats.
        repeats: numbers of repeats of the architectures, shape (n,).

    >>> round(noise_ceiling(0.5, [1, 1]), 3), round(noise_ceiling(0.5, [3, 3]), 3)
    (0.636, 0.774)
    """
    if math.isnan(agreement):
        return math.nan
    single, count = _reliability(agreement), np.maximum(np.asarray(repeats, dtype=np.float64), 1.0)
    of_mean = count * single / (1.0 + (count - 1.0) * single)
    return float(np.mean(2.0 / np.pi * np.arcsin(np.sqrt(of_mean))))


def repeats_needed(agreement: float, ceiling: float) -> int | None:
    """Return how many repeats of each architecture give a ceiling; None if no number does.

    Args:
        agreement: Kendall's rank correlation of two repeats.
        ceiling: a rank correlation, below 1.

    >>> repeats_needed(0.5, 0.7), repeats_needed(0.2, 0.7), repeats_needed(-0.1, 0.7)
    (2, 9, None)
    """
    single = _reliability(agreement)
    if not single > 0.0:
        return None
    wanted = math.sin(math.pi / 2 * ceiling) ** 2
    return max(1, math.ceil(wanted * (1.0 - single) / (single * (1.0 - wanted))))


def _reliability(agreement: float) -> float:
    """Return the correlation of two repeats: the share of the variance of one that is not noise."""
    return max(0.0, math.sin(math.pi / 2 * agreement))
