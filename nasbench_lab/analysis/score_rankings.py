"""How well scores rank architectures: scores of a supernet, a zero-cost proxy or a predictor, against true values.

A rank correlation over a whole space says little about the best architectures, between which a search has to decide. So
it stands beside the same correlation within the best half, fifth and tenth, the precision of the best k, and the regret
of choosing by score. Where scores are tied, precision and regrets are means over all ways to break the ties.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import AtLeast, whole
from nasbench_lab.errors import ParameterError
from nasbench_lab.tables.description import Direction

TOPS = (1.0, 0.5, 0.2, 0.1)
"""The shares of best architectures in which ranks are correlated."""

PICKS = (1, 5, 10, 50, 100)
"""The default numbers of architectures that are picked by score."""

_FEWEST = 3  # correlations of fewer architectures say nothing


@dataclasses.dataclass(frozen=True, eq=False)
class RankingQuality:
    """The agreement of scores with true values.

    Attributes:
        architectures: number of architectures with a score and a true value.
        without_score: number of architectures with a true value, but no score (NaN).
        kendall: Kendall's tau-b, by the share of best architectures among which it is computed (see `TOPS`); NaN where
            there are fewer than three, or all are tied.
        spearman: Spearman's rank correlation, likewise.
        precision: by k, the share of the k best by score that are among the k best by true value. If the k-th best true
            value is tied, all architectures with this value are among the best.
        regret: by k, how far the best true value of the k best by score is from the best of all: the regret after
            training them and choosing the best. For k = 1, it is the regret of choosing by score.
    """

    architectures: int
    without_score: int
    kendall: Mapping[float, float]
    spearman: Mapping[float, float]
    precision: Mapping[int, float]
    regret: Mapping[int, float]


def ranking_quality(
    scores: ArrayLike, truth: ArrayLike, *, direction: Direction = "maximize", picks: Sequence[int] = PICKS
) -> RankingQuality:
    """Return how well scores rank architectures.

    Args:
        scores: one score per architecture, higher is better; NaN for a failed score. Shape (architectures,).
        truth: true values, shape (architectures,); architectures without a value (NaN) are ignored.
        direction: whether true values are maximised or minimised. Scores are always better if they are higher.
        picks: numbers of architectures that are picked by score; those above the number of scores are left out.

    Raises:
        ParameterError: the arrays have different shapes, or no architecture has both values.

    >>> truth = np.arange(10.0)
    >>> found = ranking_quality(-truth, truth, picks=[1, 5])
    >>> round(found.kendall[1.0], 9), found.regret
    (-1.0, {1: 9.0, 5: 5.0})
    >>> ranking_quality(truth, truth, picks=[1, 5]).precision
    {1: 1.0, 5: 1.0}
    """
    given, true = np.asarray(scores, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if given.ndim != 1 or given.shape != true.shape:
        raise ParameterError(f"scores and true values must be arrays of one length, got {given.shape}, {true.shape}")
    known = ~np.isnan(true)
    both = known & ~np.isnan(given)
    if not both.any():
        raise ParameterError("no architecture has a score and a true value")
    sign = -1.0 if direction == "minimize" else 1.0
    score, value = given[both], sign * true[both]
    best = float((sign * true[known]).max())
    counts = [k for k in (whole("picks", k, AtLeast(1)) for k in picks) if k <= len(score)]
    kendall, spearman = {}, {}
    for share in TOPS:
        top = _top(value, share)
        kendall[share], spearman[share] = _correlations(score[top], value[top])
    return RankingQuality(
        architectures=len(score),
        without_score=int((known & ~both).sum()),
        kendall=kendall,
        spearman=spearman,
        precision={k: _precision(score, value, k) for k in counts},
        regret={k: best - _best_of(score, value, k) for k in counts},
    )


def _top(value: FloatArray, share: float) -> np.ndarray:
    """Return which values are among the best share, with all that are tied with the last of them."""
    count = max(1, int(np.ceil(share * len(value))))
    return np.asarray(value >= np.partition(value, len(value) - count)[len(value) - count])


def _correlations(score: FloatArray, value: FloatArray) -> tuple[float, float]:
    from scipy.stats import kendalltau, spearmanr

    if len(score) < _FEWEST or len(np.unique(score)) == 1 or len(np.unique(value)) == 1:
        return float("nan"), float("nan")
    return float(kendalltau(score, value).statistic), float(spearmanr(score, value).statistic)


def _picked(score: FloatArray, k: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Return which scores are surely among the k best, which are tied for the other places, and their number."""
    bound = np.partition(score, len(score) - k)[len(score) - k]
    surely, tied = score > bound, score == bound
    return surely, tied, k - int(surely.sum())


def _precision(score: FloatArray, value: FloatArray, k: int) -> float:
    surely, tied, places = _picked(score, k)
    good = value >= np.partition(value, len(value) - k)[len(value) - k]
    return float((good[surely].sum() + places * good[tied].mean()) / k)


def _best_of(score: FloatArray, value: FloatArray, k: int) -> float:
    """Return the mean of the best value of the k best by score, over all ways to break ties."""
    surely, tied, places = _picked(score, k)
    known = value[surely].max(initial=-np.inf)
    group = np.sort(value[tied])[::-1]
    # The best of the drawn ones is the i-th best of the group if the better ones are not drawn, and it is.
    best, none_better = 0.0, 1.0
    for place in range(len(group) - places + 1):
        drawn = places / (len(group) - place)
        best += none_better * drawn * max(known, group[place])
        none_better *= 1 - drawn
    return float(best)
