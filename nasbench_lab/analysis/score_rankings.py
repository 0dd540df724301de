"""How well scores rank architectures: scores of a supernet, a zero-cost proxy or a predictor, against true values.

A rank correlation over a whole space says little about the best architectures, between which a search has to decide. So
it stands beside the same correlation within the best half, fifth and tenth, the precision of the best k, and the regret
of choosing by score. Where scores are tied, precision and regrets are means over all ways to break the ties.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import AtLeast, whole
from nasbench_lab.errors import ParameterError
from nasbench_lab.tables.description import Direction

Truth = Literal["valid", "test"]
"""The true values of architectures: those that a search observes, or those that are reported."""

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
    score, value = given[both], _signed(true[both], direction)
    best = float(_signed(true[known], direction).max())
    counts = [k for k in (whole("picks", k, AtLeast(1)) for k in picks) if k <= len(score)]
    kendall, spearman = {}, {}
    for share in TOPS:
        top = best_share(value, share)
        kendall[share], spearman[share] = _correlations(score[top], value[top])
    return RankingQuality(
        architectures=len(score),
        without_score=int((known & ~both).sum()),
        kendall=kendall,
        spearman=spearman,
        precision={k: _precision(score, value, k) for k in counts},
        regret={k: best - _reported_of(score, value, value, k) for k in counts},
    )


def regret_of_choice(
    scores: ArrayLike,
    truth: ArrayLike,
    outcome: ArrayLike,
    *,
    directions: tuple[Direction, Direction] = ("maximize", "maximize"),
    picks: Sequence[int] = PICKS,
) -> dict[int, float]:
    """Return by k the regret in another quantity: train the k best by score, and choose the best of them by true value.

    With validation values as the truth and test values as the outcome, this is the test regret of a search that never
    sees test values. If true values are tied, the one with the higher score is chosen.

    Args:
        scores: one score per architecture, higher is better; NaN for a failed score. Shape (architectures,).
        truth: values by which one of the picked is chosen, shape (architectures,).
        outcome: values whose regret is returned, shape (architectures,). Architectures without a true value or an
            outcome (NaN) are not picked.
        directions: of ``truth`` and of ``outcome``.
        picks: numbers of architectures that are picked by score; those above the number of scores are left out.

    Raises:
        ParameterError: the arrays have different shapes, or no architecture has all values.

    >>> regret_of_choice([3, 2, 1], [90.0, 91.0, 92.0], [80.0, 75.0, 90.0], picks=[1, 2, 3])
    {1: 10.0, 2: 15.0, 3: 0.0}
    """
    given, true, end = (np.asarray(values, dtype=np.float64) for values in (scores, truth, outcome))
    if given.ndim != 1 or not given.shape == true.shape == end.shape:
        raise ParameterError(
            f"scores, true values and outcomes must have one length, got {given.shape}, {true.shape}, {end.shape}"
        )
    known = ~np.isnan(given) & ~np.isnan(true) & ~np.isnan(end)
    if not known.any():
        raise ParameterError("no architecture has a score, a true value and an outcome")
    value, reported = (_signed(each, direction) for each, direction in zip((true, end), directions, strict=True))
    best = float(reported[~np.isnan(end)].max())
    counts = [k for k in (whole("picks", k, AtLeast(1)) for k in picks) if k <= known.sum()]
    return {k: best - _reported_of(given[known], value[known], reported[known], k) for k in counts}


def _signed(values: FloatArray, direction: Direction) -> FloatArray:
    return -values if direction == "minimize" else values


def best_share(value: FloatArray, share: float) -> NDArray[np.bool_]:
    """Return which values are among the best share, with all that are tied with the last of them; no NaN.

    >>> best_share(np.array([1.0, 5.0, 3.0, 3.0]), 0.5).tolist()
    [False, True, True, True]
    """
    count = max(1, int(np.ceil(share * len(value))))
    return np.asarray(value >= np.partition(value, len(value) - count)[len(value) - count])


def _correlations(score: FloatArray, value: FloatArray) -> tuple[float, float]:
    from scipy.stats import kendalltau

    if not _can_be_ranked(score, value):
        return float("nan"), float("nan")
    return float(kendalltau(score, value).statistic), spearman(score, value)


def spearman(score: FloatArray, value: FloatArray) -> float:
    """Return Spearman's rank correlation; NaN of fewer than three, or where all are tied.

    >>> spearman(np.array([1.0, 2.0, 9.0]), np.array([1.0, 4.0, 5.0])), spearman(np.zeros(3), np.arange(3.0))
    (1.0, nan)
    """
    from scipy.stats import spearmanr

    return float(spearmanr(score, value).statistic) if _can_be_ranked(score, value) else float("nan")


def _can_be_ranked(score: FloatArray, value: FloatArray) -> bool:
    return len(score) >= _FEWEST and len(np.unique(score)) > 1 and len(np.unique(value)) > 1


def _picked(score: FloatArray, k: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Return which scores are surely among the k best, which are tied for the other places, and their number."""
    bound = np.partition(score, len(score) - k)[len(score) - k]
    surely, tied = score > bound, score == bound
    return surely, tied, k - int(surely.sum())


def _precision(score: FloatArray, value: FloatArray, k: int) -> float:
    surely, tied, places = _picked(score, k)
    good = value >= np.partition(value, len(value) - k)[len(value) - k]
    return float((good[surely].sum() + places * good[tied].mean()) / k)


def _reported_of(score: FloatArray, value: FloatArray, reported: FloatArray, k: int) -> float:
    """Return what is reported of the one with the best value of the k best by score.

    It is the mean over all ways to break ties of scores. If values are tied, the one with the higher score is taken,
    and the mean where the scores are tied, too.
    """
    surely, tied, places = _picked(score, k)
    left, found, none_better = int(tied.sum()), 0.0, 1.0
    for level in np.unique(value[surely | tied])[::-1]:
        if (same := surely & (value == level)).any():
            highest = score[same].max()
            return found + none_better * float(reported[same & (score == highest)].mean())
        same = tied & (value == level)
        # The numbers of ways to draw the places without these, and without the better ones.
        number = int(same.sum())
        none_here = math.prod(max(0, 1 - places / (left - place)) for place in range(number))
        found += none_better * (1 - none_here) * float(reported[same].mean())
        left, none_better = left - number, none_better * none_here
        if not none_better:
            break
    return found
