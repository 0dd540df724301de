"""Estimates with their intervals, many at once."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from nasbench_lab.analysis.retraining import Interval
from nasbench_lab.arrays import FloatArray


@dataclasses.dataclass(frozen=True, eq=False)
class Intervals:
    """Estimates with their confidence intervals; three arrays of one shape. NaN where there is none.

    Attributes:
        estimate: the estimates.
        low: lower ends.
        high: upper ends.
    """

    estimate: FloatArray
    low: FloatArray
    high: FloatArray

    @classmethod
    def empty(cls, shape: tuple[int, ...]) -> Intervals:
        """Return arrays to be filled, of NaN."""
        return cls(*(np.full(shape, np.nan) for _ in range(3)))

    def __getitem__(self, where: Any) -> Intervals:
        """Return a part, as of an array."""
        return Intervals(self.estimate[where], self.low[where], self.high[where])

    def at(self, *where: int) -> Interval:
        """Return one of them."""
        return Interval(float(self.estimate[where]), float(self.low[where]), float(self.high[where]))
