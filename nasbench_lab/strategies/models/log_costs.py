"""Logarithms of scaled costs: the scale on which SMAC learns where the best architectures differ little."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.strategies.parts.elementary import exp, log

_SMALL = 1e-10  # smallest cost, as a fraction of the range of the values
_BEST_SHARE = 0.05  # share of the values that are better than the percentile


@dataclass(frozen=True)
class LogCosts:
    """Values of every run as negative logarithms of costs, so that higher is better.

    With the best value b of a run, its worst value w, and the value q that 5 percent of its values exceed, the value v
    has the cost ``(l - v) / (l - w)`` in (0, 1], where ``l = b + (b - q)`` is a guess of what can be reached. This is
    `RunHistoryLogScaledEncoder` of SMAC3 (2.4.0). The percentile is linear between values, as in NumPy. Costs do not
    change when all values are shifted, or multiplied by a positive number.

    Attributes:
        value: shape (runs, n); 0 in runs whose values are all equal.
        limit: l, shape (runs,).
        span: l - w, shape (runs,); 0 where all values are equal.
    """

    value: FloatArray
    limit: FloatArray
    span: FloatArray

    @classmethod
    def of(cls, value: FloatArray) -> LogCosts:
        """Return the logarithms for values without NaN, shape (runs, n).

        >>> LogCosts.of(np.array([[0.0, 2.0, 1.0]])).value.round(2).tolist()
        [[-0.0, 3.04, 0.65]]
        """
        ascending = np.sort(value, axis=1)
        place = (1 - _BEST_SHARE) * (value.shape[1] - 1)
        below = int(place)
        above = min(below + 1, value.shape[1] - 1)
        quantile = ascending[:, below] + (place - below) * (ascending[:, above] - ascending[:, below])
        worst, best = ascending[:, 0], ascending[:, -1]
        limit = best + (best - quantile) + _SMALL * (best - worst)
        span = limit - worst
        cost = (limit[:, None] - value) / np.where(span > 0, span, 1.0)[:, None]
        return cls(np.where(span[:, None] > 0, -log(np.maximum(cost, _SMALL)), 0.0), limit, span)

    def values(self, logarithm: FloatArray) -> FloatArray:
        """Return the values that have these negative logarithms of costs, both of shape (runs,)."""
        return self.limit - self.span * exp(-logarithm)
