"""Zero-cost scores of a table, which need no training but cost simulated seconds."""

from __future__ import annotations

from typing import final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import unknown
from nasbench_lab.strategies.problem import Scores
from nasbench_lab.tables.table import Table

_PRICE = "{}_seconds"
"""Name of the metric with the seconds of a score. A metric without such a companion is not a score."""


@final
class TableScores(Scores):
    """The zero-cost scores of a table: metrics without a split that have a companion metric with their seconds.

    Args:
        table: the table.
        runs: number of runs.
    """

    def __init__(self, table: Table, runs: int) -> None:
        self._table = table
        self._names = tuple(
            metric.name
            for metric in table.description.metrics
            if metric.split == "none" and metric.direction != "none" and _PRICE.format(metric.name) in table.metrics
        )
        self._runs = runs
        self._due: FloatArray | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the available scores."""
        return self._names

    def score(self, name: str, architecture: IntArray) -> FloatArray:
        """Return the scores of architectures, higher is better, and charge the runs for them.

        Architecture -1 costs nothing and has the score NaN.
        """
        if name not in self._names:
            raise unknown("score", name, self._names)
        where, asked = np.maximum(architecture, 0), architecture >= 0
        price = np.where(asked, self._table.lookup(where, metric=_PRICE.format(name)), 0.0).sum(axis=1)
        self._due = price if self._due is None else self._due + price
        score = self._table.lookup(where, metric=name)
        if self._table.description.metric(name).direction == "minimize":
            score = -score
        return np.where(asked, score, np.nan)

    def due(self) -> FloatArray | None:
        """Return the seconds that every run owes, shape (runs,), and reset them; None if no score was requested."""
        due, self._due = self._due, None
        return due
