"""Scores of a table that need no training, given out for their price in seconds."""

from __future__ import annotations

from typing import final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import unknown
from nasbench_lab.strategies.problem import Scores
from nasbench_lab.tables.table import Table

_PRICE = "{}_seconds"
"""The metric with the seconds that a score takes is called like this; a metric without one is no score."""


@final
class TableScores(Scores):
    """The scores of a table: metrics of no split, for each of which another has the seconds that it takes.

    Args:
        table: the table.
        runs: number of runs that ask.
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
        """Which scores there are."""
        return self._names

    def score(self, name: str, architecture: IntArray) -> FloatArray:
        """Return the scores of architectures, higher is better, and charge the runs for them; -1 is free and NaN."""
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
        """Return the seconds that every run owes, shape (runs,), and forget them; None where none asked."""
        due, self._due = self._due, None
        return due
