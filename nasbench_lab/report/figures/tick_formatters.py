"""Formatters of matplotlib that write the numbers at ticks with sensible digits, see `digits`."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.ticker import Formatter

from nasbench_lab.report.figures.digits import evenly_spaced, power_of_ten, significant


class EvenFormatter(Formatter):
    """Writes the numbers of equally spaced ticks, all with the same number of decimals."""

    def __call__(self, value: float, pos: int | None = None) -> str:
        """Return the label of a single number."""
        return significant(value)

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Return the labels of all ticks."""
        return evenly_spaced([float(value) for value in values])


class LogFormatter(Formatter):
    """Writes the numbers of a logarithmic axis: plain ones, or powers of ten if some would have many digits."""

    def __call__(self, value: float, pos: int | None = None) -> str:
        """Return the label of a single number."""
        return significant(value)

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Return the labels of all ticks."""
        low, high = sorted(self.axis.get_view_interval()) if self.axis else (0.0, float("inf"))
        shown = [value for value in values if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]
        plain = all(1e-3 * (1 - 1e-9) <= value < 1e6 for value in shown)
        below = 1e3 if max(shown, default=0.0) >= 1e4 else 1e4  # so that 1k stands beside 10k
        return [significant(value, below) if plain else power_of_ten(value) for value in values]
