"""How far measurements agree: between fidelities, data sets and repeats, and how much of a ranking is seed noise."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence

import numpy as np

from nasbench_lab.analysis.landscapes.sampling import Correlation, correlate
from nasbench_lab.analysis.score_rankings import ranking_quality
from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.records import Categories, Records

_TOP = 0.01


@dataclasses.dataclass(frozen=True, eq=False)
class Agreement:
    """Rank correlations between several measurements of the same architectures.

    Attributes:
        labels: what was measured, e.g. ``"12 epochs"``.
        spearman, kendall: rank correlations of every pair over the architectures that have both values, shape
            (labels, labels); NaN where one is constant. Values that are minimised count with their sign changed.
        architectures: number of architectures that have both values, shape (labels, labels).
    """

    labels: tuple[str, ...]
    spearman: FloatArray
    kendall: FloatArray
    architectures: IntArray

    def records(self) -> Records:
        """Return one row per pair: ``one``, ``other``, ``architectures``, ``spearman``, ``kendall``."""
        pairs = list(itertools.combinations(range(len(self.labels)), 2))
        one, other = (np.array([pair[place] for pair in pairs], dtype=np.int64) for place in (0, 1))
        return Records(
            {
                "one": Categories(one, self.labels),
                "other": Categories(other, self.labels),
                "architectures": self.architectures[one, other],
                "spearman": self.spearman[one, other],
                "kendall": self.kendall[one, other],
            }
        )


def agreement(labels: Sequence[str], columns: Sequence[FloatArray]) -> Agreement:
    """Return the rank correlations between measurements, each of shape (architectures,) with NaN where missing.

    >>> found = agreement(["a", "b"], [np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])])
    >>> found.spearman[0, 1].round(6).item(), found.kendall[0, 1].round(6).item()
    (0.5, 0.333333)
    """
    count = len(labels)
    kinds: tuple[Correlation, ...] = ("spearman", "kendall")
    found = {kind: np.full((count, count), math.nan) for kind in kinds}
    both = np.zeros((count, count), dtype=np.int64)
    for i, j in itertools.combinations_with_replacement(range(count), 2):
        both[i, j] = both[j, i] = (~np.isnan(columns[i]) & ~np.isnan(columns[j])).sum()
        for kind, matrix in found.items():
            same = 1.0 if i == j and np.nanmin(columns[i]) < np.nanmax(columns[i]) else math.nan
            matrix[i, j] = matrix[j, i] = same if i == j else correlate(columns[i], columns[j], kind)
    return Agreement(tuple(labels), found["spearman"], found["kendall"], both)


@dataclasses.dataclass(frozen=True)
class Noise:
    """How much of a ranking is noise of the training seed: repeats of the same architectures against each other.

    Attributes:
        repeats: number of repeats that architectures have on average.
        architectures: number of architectures with at least two repeats.
        within: standard deviation of the repeats of one architecture, pooled over architectures.
        between: standard deviation of the true means of architectures, without the noise.
        reliability: share of the variance of a single repeat that lies between architectures, between^2 / (between^2 +
            within^2): the intraclass correlation ICC(1) of Shrout and Fleiss 1979.
        reliability_of_mean: the same for the mean over the repeats, between^2 / (between^2 + within^2 / repeats).
        spearman, kendall: rank correlation of two repeats, averaged over pairs of repeats.
        swapped: share of pairs of architectures that two repeats put into opposite order; averaged likewise.
        top: share of the best hundredth by one repeat that are in the best hundredth by another.
        optima: number of strict local optima of the landscape of one repeat, averaged over repeats; NaN if unknown.
    """

    repeats: float
    architectures: int
    within: float
    between: float
    reliability: float
    reliability_of_mean: float
    spearman: float
    kendall: float
    swapped: float
    top: float
    optima: float = math.nan


def noise(quality: FloatArray) -> Noise | None:
    """Return how much of a ranking is noise, or None where no architecture has two repeats.

    Args:
        quality: values of repeats, the higher the better, shape (architectures, repeats); NaN where missing.

    >>> noise(np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])).reliability
    1.0
    """
    counts = (~np.isnan(quality)).sum(axis=1)
    values, counts = quality[counts > 1], counts[counts > 1]
    if not len(values):
        return None
    within, between, typical = _variances(values, counts)
    total, of_mean = between + within, between + within / typical
    pairs = list(itertools.combinations(range(values.shape[1]), 2))
    each = [_compared(values[:, one], values[:, other]) for one, other in pairs]
    spearman, kendall, swapped, top = (_mean([pair[place] for pair in each]) for place in range(4))
    return Noise(
        repeats=float(counts.mean()),
        architectures=len(values),
        within=math.sqrt(within),
        between=math.sqrt(between),
        reliability=between / total if total else math.nan,
        reliability_of_mean=between / of_mean if of_mean else math.nan,
        spearman=spearman,
        kendall=kendall,
        swapped=swapped,
        top=top,
    )


def _variances(values: FloatArray, counts: IntArray) -> tuple[float, float, float]:
    """Return the variances within and between architectures (one-way analysis of variance), and a typical count."""
    means = np.nanmean(values, axis=1)
    total, groups = counts.sum(), len(values)
    squares = float(np.nansum((values - means[:, None]) ** 2))
    within = squares / float(total - groups)
    if groups < 2:
        return within, 0.0, float(counts.mean())
    grand = float((means * counts).sum() / total)
    typical = float(total - (counts**2).sum() / total) / (groups - 1)
    mean_square = float((counts * (means - grand) ** 2).sum()) / (groups - 1)
    return within, max(0.0, (mean_square - within) / typical), typical


def _compared(one: FloatArray, other: FloatArray) -> tuple[float, float, float, float]:
    both = ~np.isnan(one) & ~np.isnan(other)
    x, y = one[both], other[both]
    if len(x) < 2:
        return (math.nan,) * 4
    kendall = correlate(x, y, "kendall")
    picks = max(1, math.ceil(_TOP * len(x)))
    top = (
        ranking_quality(x, y, picks=[picks]).precision[picks] + ranking_quality(y, x, picks=[picks]).precision[picks]
    ) / 2
    return correlate(x, y, "spearman"), kendall, _swapped(x, y, kendall), top


def _swapped(x: FloatArray, y: FloatArray, kendall: float) -> float:
    """Return the share of pairs in opposite order, from tau-b and the numbers of ties."""
    pairs = len(x) * (len(x) - 1) / 2
    tied_x, tied_y = _tied(x), _tied(y)
    tied_both = _tied(np.unique(np.column_stack([x, y]), axis=0, return_inverse=True)[1].ravel())
    ordered = pairs - tied_x - tied_y + tied_both
    if math.isnan(kendall):
        return 0.0
    difference = kendall * math.sqrt((pairs - tied_x) * (pairs - tied_y))
    return max(0.0, (ordered - difference) / 2 / pairs)


def _tied(values: FloatArray | IntArray) -> float:
    counts = np.unique(values, return_counts=True)[1].astype(np.float64)
    return float((counts * (counts - 1) / 2).sum())


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return float(np.mean(known)) if known else math.nan
