"""Estimates with their confidence intervals: one, or arrays of them."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from nasbench_lab.arrays import FloatArray

LEVEL = 0.95
"""Confidence of intervals, tests and verdicts unless an argument says otherwise."""


@dataclasses.dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval; NaN where it cannot be computed.

    >>> print(Interval(0.5, 0.25, 0.75))
    0.5 [0.25, 0.75]
    >>> print(Interval(0.5, float("nan"), float("nan")))
    0.5
    """

    estimate: float
    low: float
    high: float

    def __str__(self) -> str:
        if math.isnan(self.low):
            return f"{self.estimate:.4g}"
        return f"{self.estimate:.4g} [{self.low:.4g}, {self.high:.4g}]"


@dataclasses.dataclass(frozen=True, eq=False)
class Intervals:
    """Estimates with their confidence intervals as three arrays of one shape; NaN where there is none.

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
        """Return arrays of NaN, to be filled in."""
        return cls(*(np.full(shape, np.nan) for _ in range(3)))

    def __getitem__(self, where: Any) -> Intervals:
        """Return a part, indexed as an array is."""
        return Intervals(self.estimate[where], self.low[where], self.high[where])

    def at(self, *where: int) -> Interval:
        """Return the interval at one position."""
        return Interval(float(self.estimate[where]), float(self.low[where]), float(self.high[where]))
