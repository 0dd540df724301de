"""Whether scores rank architectures, or only count their convolutions.

Many scores grow with the number of convolutions, and so does the accuracy. A score that does nothing but count them has
a high rank correlation over the whole space, and none among architectures with equally many. So three rank correlations
stand side by side: over all architectures, among the best fifth, and within equal numbers of convolutions.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_lab.analysis.score_rankings import best_share, spearman
from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import ParameterError

if TYPE_CHECKING:
    from nasbench_lab.tables import Table

TOP = 0.2
"""The share of best architectures among which scores are compared."""

FEWEST = 10
"""Groups with fewer architectures are left out."""

CONVOLUTIONS = "equal numbers of convolutions"
PARAMETERS = "tenths by parameters"

_CONVOLUTION = "conv"
_PARAMETERS = ("parameters", "params")
_TENTHS = 10


@dataclasses.dataclass(frozen=True, eq=False)
class ArchitectureGroups:
    """Architectures of about the same size.

    Attributes:
        number: of the group of every architecture, shape (architectures,); -1 in none.
        words: what the architectures of a group have in common; empty if there are no groups.
    """

    number: NDArray[np.int64]
    words: str


@dataclasses.dataclass(frozen=True)
class ScoreAgreement:
    """Spearman's rank correlation of scores with true values; NaN where too few are known or all are equal.

    Attributes:
        spearman: over all architectures with a score.
        top_fifth: over the best fifth of them by true value.
        within: mean over groups of architectures of about the same size, weighted by their numbers of architectures.
        groups: what the architectures of a group have in common; empty if there are no groups.
        without_score: number of architectures with a true value, but no score.
    """

    spearman: float
    top_fifth: float
    within: float
    groups: str
    without_score: int


def architecture_groups(table: Table, architectures: IntArray | None = None) -> ArchitectureGroups:
    """Return groups of architectures with equal numbers of convolutions.

    Convolutions are the operations with "conv" in their names. Where no operation is one, or all architectures have
    equally many, the groups are tenths by number of parameters; without that metric, there are none.

    Args:
        table: the table.
        architectures: indices in its space, shape (architectures,); by default all.

    >>> from nasbench_lab.spaces import TopologySpace
    >>> import nasbench_lab as nl
    >>> groups = architecture_groups(nl.load("digits/topology"))
    >>> groups.words, groups.number[TopologySpace().parse("|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|")]
    ('equal numbers of convolutions', np.int64(1))
    """
    space = table.space
    chosen = np.arange(space.size) if architectures is None else np.asarray(architectures)
    counts = np.array(
        [sum(_CONVOLUTION in label.lower() for label in space.labels(index)) for index in chosen.tolist()]
    )
    if len(np.unique(counts)) > 1:
        return ArchitectureGroups(counts, CONVOLUTIONS)
    for name in _PARAMETERS:
        if name in table.metrics and table.description.metric(name).direction != "maximize":
            return ArchitectureGroups(_tenths(table.mean_values(name)[chosen]), PARAMETERS)
    return ArchitectureGroups(np.full(len(chosen), -1), "")


def score_agreement(scores: ArrayLike, truth: ArrayLike, groups: ArchitectureGroups) -> ScoreAgreement:
    """Return how scores agree with true values.

    Args:
        scores: higher is better; NaN for a failed score. Shape (architectures,), or (architectures, repeats): the
            result is then the mean over repeats.
        truth: true values, which are maximised, shape (architectures,).
        groups: of the architectures.

    Raises:
        ParameterError: the arrays have different lengths.

    >>> truth = np.arange(40.0)
    >>> groups = ArchitectureGroups((truth // 10).astype(int), "equal tens")
    >>> counting = score_agreement(truth // 10, truth, groups)
    >>> round(counting.spearman, 2), counting.within
    (0.97, nan)
    """
    given, true = np.asarray(scores, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    columns = given[:, None] if given.ndim == 1 else given
    if columns.ndim != 2 or true.shape != columns.shape[:1] or groups.number.shape != true.shape:
        raise ParameterError(
            f"scores, true values and groups must have one length, got {given.shape}, {true.shape}, "
            f"{groups.number.shape}"
        )
    found = [_of_column(column, true, groups.number) for column in columns.T]
    known = ~np.isnan(true)
    everywhere, top_fifth, within = (_mean([each[place] for each in found]) for place in range(3))
    return ScoreAgreement(
        spearman=everywhere,
        top_fifth=top_fifth,
        within=within,
        groups=groups.words,
        without_score=int(np.isnan(columns[known]).any(axis=1).sum()),
    )


def _of_column(score: FloatArray, truth: FloatArray, group: NDArray[np.int64]) -> tuple[float, float, float]:
    both = ~np.isnan(score) & ~np.isnan(truth)
    if not both.any():
        return (float("nan"),) * 3
    score, truth, group = score[both], truth[both], group[both]
    top = best_share(truth, TOP)
    total, weight = 0.0, 0
    for number in np.unique(group[group >= 0]):
        own = group == number
        correlation = spearman(score[own], truth[own]) if own.sum() >= FEWEST else float("nan")
        if not np.isnan(correlation):
            total, weight = total + own.sum() * correlation, weight + int(own.sum())
    return (
        spearman(score, truth),
        spearman(score[top], truth[top]),
        total / weight if weight else float("nan"),
    )


def _tenths(values: FloatArray) -> NDArray[np.int64]:
    """Return the tenth of every value, from 0; -1 where there is none.

    >>> _tenths(np.array([5.0, np.nan, *range(10, 28)]))[:4].tolist()
    [0, -1, 0, 1]
    """
    known = ~np.isnan(values)
    bounds = np.quantile(values[known], np.linspace(0, 1, _TENTHS + 1)[1:-1]) if known.any() else np.empty(0)
    return np.where(known, np.searchsorted(bounds, values, side="left"), -1).astype(np.int64)


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
