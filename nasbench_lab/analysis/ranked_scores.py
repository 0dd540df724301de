"""Scores of architectures beside the true values of a table, and how well the scores rank them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from nasbench_lab.analysis.score_rankings import (
    PICKS,
    TOPS,
    RankingQuality,
    Truth,
    ranking_quality,
    regret_of_choice,
)
from nasbench_lab.analysis.table_quality import reported_metric
from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.displays import html_card, html_table, short_number
from nasbench_lab.errors import ParameterError
from nasbench_lab.records import Categories, Records
from nasbench_lab.tables import Metric, Table

if TYPE_CHECKING:
    import pandas as pd

TOP_NAMES: Mapping[float, str] = {1.0: "all", 0.5: "top half", 0.2: "top fifth", 0.1: "top tenth"}
"""What the shares of `TOPS` are called."""


@dataclasses.dataclass(frozen=True, eq=False)
class RankedScores:
    """Architectures with a score each, and what a table says of them.

    Attributes:
        label: what the scores are of, e.g. the name of a one-shot method.
        table: name of the table.
        architectures: indices in the space of the table, shape (architectures,).
        scores: one per architecture, higher is better; NaN for a failed score. Shape (architectures,).
        truth: mean values of the table at its highest fidelity, each of shape (architectures,): those that a search
            observes (``"valid"``), and those that are reported (``"test"``), if these are others.
        metrics: the metric of each.
        picks: numbers of architectures that are picked by score.
        seconds: that the scores took; NaN if it is not known.
    """

    label: str
    table: str
    architectures: IntArray
    scores: FloatArray
    truth: Mapping[Truth, FloatArray]
    metrics: Mapping[Truth, Metric]
    picks: tuple[int, ...] = PICKS
    seconds: float = float("nan")

    @cached_property
    def qualities(self) -> Mapping[Truth, RankingQuality]:
        """How well the scores rank the architectures, by true values.

        With test values, the correlations and the precision are those with test values. The regret is that of the
        architecture that is chosen by its validation value.
        """
        valid, test = self.truth["valid"], self.truth.get("test")
        direction = {name: metric.direction for name, metric in self.metrics.items()}
        found: dict[Truth, RankingQuality] = {
            "valid": ranking_quality(self.scores, valid, direction=direction["valid"], picks=self.picks)
        }
        if test is not None:
            regret = regret_of_choice(
                self.scores, valid, test, directions=(direction["valid"], direction["test"]), picks=self.picks
            )
            quality = ranking_quality(self.scores, test, direction=direction["test"], picks=self.picks)
            found["test"] = dataclasses.replace(quality, regret=regret)
        return found

    @property
    def valid(self) -> RankingQuality:
        """How well the scores rank the architectures by the values that a search observes."""
        return self.qualities["valid"]

    @property
    def test(self) -> RankingQuality | None:
        """How well the scores rank the architectures by test values; None without them."""
        return self.qualities.get("test")

    def records(self) -> Records:
        """Return the quality of the ranking, one row per measure.

        ``measure`` is ``kendall`` or ``spearman``, within the share of best architectures ``at``; or ``precision`` or
        ``regret``, with ``at`` architectures picked by score.
        """
        rows = [
            (measure, float(at), truth, value)
            for truth, quality in self.qualities.items()
            for measure in ("kendall", "spearman", "precision", "regret")
            for at, value in getattr(quality, measure).items()
        ]
        measures, at, truths, values = zip(*rows, strict=True)
        return Records(
            {
                "measure": Categories.of(measures),
                "at": np.array(at),
                "truth": Categories.of(truths),
                "value": np.array(values),
            }
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the quality of the ranking as a pandas data frame; see `records`."""
        return self.records().to_frame()

    def scores_records(self) -> Records:
        """Return the scores with the true values, one row per architecture."""
        columns = {self.metrics[name].name: values for name, values in self.truth.items()}
        units = {metric.name: metric.unit for metric in self.metrics.values()}
        return Records({"architecture": self.architectures, "score": self.scores, **columns}, units)

    def __repr__(self) -> str:
        quality = self.valid
        size = f"{len(self.architectures):,} architectures of {self.table}"
        return f"<RankedScores: {size}, Kendall {quality.kendall[1.0]:.2f}, top fifth {quality.kendall[0.2]:.2f}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: correlations, and what picking by score gives."""
        truths = list(self.qualities)
        facts = {
            "architectures": f"{len(self.architectures):,}",
            "without a score": str(self.valid.without_score or ""),
            "seconds": short_number(self.seconds),
        }
        shares = [
            [TOP_NAMES[share], *(f"{getattr(self.qualities[t], m)[share]:.3f}" for t in truths for m in _CORRELATIONS)]
            for share in TOPS
        ]
        picked = [[str(k), *(text for t in truths for text in self._picked(t, k))] for k in self.valid.regret]
        return html_card(
            f"{self.label or 'scores'} on {self.table}",
            facts,
            html_table(["", *(f"{m} ({t})" for t in truths for m in ("Kendall", "Spearman"))], shares),
            html_table(["best by score", *(text for t in truths for text in self._picked_names(t))], picked),
        )

    def _picked(self, truth: Truth, k: int) -> tuple[str, str]:
        quality = self.qualities[truth]
        return f"{quality.precision[k]:.0%}", short_number(quality.regret[k])

    def _picked_names(self, truth: Truth) -> tuple[str, str]:
        return f"precision ({truth})", f"regret ({truth}, {self.metrics[truth].unit})"


_CORRELATIONS = ("kendall", "spearman")


def rank_scores(
    table: Table,
    architectures: ArrayLike,
    scores: ArrayLike,
    *,
    picks: Sequence[int] = PICKS,
    label: str = "",
    seconds: float = float("nan"),
) -> RankedScores:
    """Compare scores of architectures with the values of a table at its highest fidelity.

    Regrets and the best shares refer to the given architectures, not to the whole table.

    Args:
        table: knows the true values.
        architectures: indices in the space of the table, shape (architectures,).
        scores: of a supernet, a zero-cost proxy or a predictor; higher is better, NaN for a failed score. Shape
            (architectures,).
        picks: numbers of architectures that are picked by score.
        label: what the scores are of.
        seconds: that the scores took.

    Raises:
        ParameterError: the arrays have different shapes, or no architecture has a score and a true value.
        OutOfSpaceError: there is no such architecture.

    >>> from nasbench_lab.testing import synthetic_table
    >>> table = synthetic_table()
    >>> some = np.arange(0, 243, 2)
    >>> rank_scores(table, some, -table.mean_values(table.objective.name)[some])
    <RankedScores: 122 architectures of synthetic/chain, Kendall -1.00, top fifth -1.00>
    """
    index = table.space.check_index(architectures)
    given = np.asarray(scores, dtype=np.float64)
    if index.ndim != 1 or given.shape != index.shape:
        raise ParameterError(f"scores and architectures must have one length, got {given.shape}, {index.shape}")
    metrics: dict[Truth, Metric] = {"valid": table.objective, "test": reported_metric(table)}
    truth: dict[Truth, FloatArray] = {name: table.mean_values(metric.name)[index] for name, metric in metrics.items()}
    if metrics["test"].name == metrics["valid"].name or np.isnan(truth["valid"] + truth["test"] + given).all():
        del metrics["test"], truth["test"]
    return RankedScores(label, table.name, index, given, truth, metrics, tuple(picks), seconds)
