"""Scales and ticks of charts that are drawn without a script."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

from nasbench_lab.report.page.numbers import short


@dataclasses.dataclass(frozen=True)
class AxisScale:
    """From numbers to pixels.

    Attributes:
        kind: ``"linear"`` or ``"log"``; on a logarithmic scale, numbers below ``low`` have the place of ``low``.
        low, high: the numbers at the ends.
        start, end: the pixels at the ends.
    """

    kind: Literal["linear", "log"]
    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the pixel of a number.

        >>> AxisScale("log", 1.0, 100.0, 0.0, 200.0).at(10.0), AxisScale("linear", 0.0, 2.0, 100.0, 0.0).at(0.5)
        (100.0, 75.0)
        """
        if self.kind == "log":
            share = 0.0 if value <= self.low else math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / ((self.high - self.low) or 1.0)
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int) -> list[float]:
        """Return round numbers between the ends, roughly at most ``most``.

        >>> AxisScale("linear", 0.0, 1.0, 0.0, 1.0).ticks(5), AxisScale("log", 0.01, 20.0, 0.0, 1.0).ticks(5)
        ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.01, 0.1, 1.0, 10.0])
        """
        if self.kind == "linear" or self.high < 8 * self.low:
            return _linear_ticks(self.low, self.high, most)
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        every = max(1, -(-(last - first + 1) // max(1, most)))
        return [float(f"1e{power}") for power in range(first, last + 1, every)]


def _linear_ticks(low: float, high: float, most: int) -> list[float]:
    rough = ((high - low) or 1.0) / max(1, most)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(size for factor in (1, 2, 5, 10) if (size := factor * power) >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{number * step:.12g}") for number in range(first, last + 1)]


def tick_text(value: float) -> str:
    """Return the label of a tick."""
    return short(value, 4)
