"""Charts as plain data, for the page's script and for the pictures that replace them without a script."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.report.layout.log_axis import place_of_zero
from nasbench_lab.report.page.figure_commands import figure_options, option, plot_command

Scale = Literal["linear", "log"]

MOST_POINTS = 200
"""Largest number of points per curve: more than a screen can show."""

LEAST_POINTS = 25
MOST_NUMBERS = 1_000_000
"""Largest number of numbers in the curves of a page, unless `LEAST_POINTS` need more: about six megabytes."""

DIGITS = 4
"""Significant digits of numbers."""


@dataclasses.dataclass(frozen=True)
class Choice:
    """A choice for the reader.

    Attributes:
        name: in keys of views, and in the page.
        label: of the control.
        options: key and text of each.
        start: key of the first choice.
        arguments: what each option adds to the command that draws the chart, in the same order; empty for nothing.
    """

    name: str
    label: str
    options: tuple[tuple[str, str], ...]
    start: str
    arguments: tuple[str, ...] = ()

    @property
    def start_argument(self) -> str:
        """What the first choice adds to the command."""
        added = dict(zip((key for key, _ in self.options), self.arguments, strict=False))
        return added.get(self.start, "")


@dataclasses.dataclass(frozen=True, eq=False)
class Line:
    """The curve of one strategy; values that are not finite are gaps.

    Attributes:
        strategy: its position in the study.
        middle: shape (points,).
        low, high: the band around it, if there is one.
    """

    strategy: int
    middle: FloatArray
    low: FloatArray | None = None
    high: FloatArray | None = None

    @property
    def arrays(self) -> list[FloatArray]:
        """The middle and, where there is a band, its lower and upper end."""
        if self.low is None or self.high is None:
            return [self.middle]
        return [self.middle, self.low, self.high]


@dataclasses.dataclass(frozen=True, eq=False)
class ChartView:
    """The content of a chart for one combination of choices.

    Attributes:
        grid: ascending, shape (points,); a value lasts until the next point.
        lines: of the strategies that have a curve.
        x_label: unit of the grid, as in "at 100 evaluations".
        y_label: name of the values.
        middle: meaning of line and band, e.g. "median, quartiles".
        best: whether low or high values are good.
        zero: label of zero on a logarithmic axis, which cannot show it.
        limits: of the linear vertical axis, if they are fixed.
    """

    grid: FloatArray
    lines: tuple[Line, ...]
    x_label: str
    y_label: str
    middle: str
    best: Literal["low", "high"] = "low"
    zero: str | None = None
    limits: tuple[float, float] | None = None

    @property
    def zero_at(self) -> float:
        """The number at which a logarithmic vertical axis shows zero, see `place_of_zero`."""
        return place_of_zero(np.concatenate([values for line in self.lines for values in line.arrays] or [np.empty(0)]))


@dataclasses.dataclass(frozen=True, eq=False)
class Chart:
    """A chart with all its views.

    Attributes:
        name: unique in the page.
        title: of the chart.
        choices: of the reader.
        views: by the keys of the choices, joined by ``|``.
        missing: reasons for combinations without a view.
        x_scale, y_scale: the first scales.
        figure: name of the figure of ``nasbench-lab plot``; empty if a choice names it.
        even: whether grids have points at equal distances, so that a linear horizontal axis can be chosen.
        scaled: axes whose scale the figure of ``nasbench-lab plot`` takes as an option, ``"x"`` and ``"y"``.
    """

    name: str
    title: str
    choices: tuple[Choice, ...]
    views: Mapping[str, ChartView]
    missing: Mapping[str, str]
    x_scale: Scale
    y_scale: Scale
    figure: str = ""
    even: bool = True
    scaled: tuple[str, ...] = ()

    def command(self, source: str) -> str:
        """Return the command that draws the chart with its first choices."""
        scales = {"x": self.x_scale, "y": self.y_scale}
        chosen = [choice.start_argument for choice in self.choices]
        return plot_command(
            source, self.figure, *chosen, *(option(f"{axis}-scale", scales[axis]) for axis in self.scaled)
        )

    @property
    def start(self) -> ChartView | None:
        """The first view."""
        return self.views.get("|".join(choice.start for choice in self.choices))

    @property
    def numbers(self) -> int:
        """Number of numbers in all views per grid point."""
        return sum(1 if line.low is None else 3 for view in self.views.values() for line in view.lines)


def points_for(charts: Sequence[Chart]) -> int:
    """Return the number of points per curve that keeps all curves together small."""
    numbers = sum(chart.numbers for chart in charts)
    return max(LEAST_POINTS, min(MOST_POINTS, MOST_NUMBERS // max(1, numbers)))


def chart_data(chart: Chart, points: int) -> dict[str, Any]:
    """Return a chart as plain data for JSON, with a limit for the points of a curve."""
    grids: list[list[Any]] = []
    views = {key: _view_data(view, points, grids) for key, view in chart.views.items()}
    return {
        "title": chart.title,
        "choices": [dataclasses.asdict(choice) for choice in chart.choices],
        "scales": {"x": chart.x_scale, "y": chart.y_scale},
        "even": chart.even,
        "scaled": list(chart.scaled),
        "figure": figure_options(chart.figure) if chart.figure else "",
        "grids": grids,
        "views": views,
        "missing": dict(chart.missing),
    }


def _view_data(view: ChartView, points: int, grids: list[list[Any]]) -> dict[str, Any]:
    kept = thinned(view.grid, points)
    grid = [plain_number(value, 6 if float(value).is_integer() else DIGITS) for value in view.grid[kept].tolist()]
    if grid not in grids:
        grids.append(grid)
    return {
        "grid": grids.index(grid),
        "xLabel": view.x_label,
        "yLabel": view.y_label,
        "middle": view.middle,
        "best": view.best,
        "zero": view.zero,
        "zeroAt": plain_number(view.zero_at),
        "range": view.limits,
        "lines": [_line_data(line, kept) for line in view.lines],
    }


def _line_data(line: Line, kept: Sequence[int]) -> list[Any]:
    return [line.strategy, *(packed([plain_number(value) for value in each[kept].tolist()]) for each in line.arrays)]


def thinned(grid: FloatArray, most: int, scale: Scale | None = None) -> list[int]:
    """Return the places of at most ``most`` points of a grid, with the first and the last.

    Args:
        grid: ascending, shape (points,).
        most: at least 2.
        scale: of the axis on which the points are spread evenly; by default a half of them on each kind of axis.

    >>> thinned(np.arange(1.0, 101.0), 5, "linear"), thinned(np.arange(1.0, 101.0), 5, "log")
    ([0, 25, 50, 74, 99], [0, 2, 9, 31, 99])
    """
    if len(grid) <= most:
        return list(range(len(grid)))
    if scale is None:
        half = most // 2
        return sorted({*thinned(grid, half, "log"), *thinned(grid, most - half, "linear")})
    if scale == "linear":
        wanted = np.linspace(grid[0], grid[-1], most)
    else:
        start = grid[grid > 0][0]
        wanted = np.append(grid[0], np.geomspace(start, grid[-1], most)[1:])
    after = np.clip(np.searchsorted(grid, wanted), 1, len(grid) - 1)
    nearest = np.where(wanted - grid[after - 1] < grid[after] - wanted, after - 1, after)
    return [int(place) for place in np.unique(nearest)]


def plain_number(value: float, digits: int = DIGITS) -> float | int | None:
    """Return a number with few digits, in the shortest form for JSON; None if it is not finite.

    >>> plain_number(12.0), plain_number(0.123456), plain_number(float("inf"))
    (12, 0.1235, None)
    """
    if not math.isfinite(value):
        return None
    few = float(f"{value:.{digits}g}")
    return int(few) if few.is_integer() and abs(few) < 2**53 else few


def packed(values: Sequence[float | int | None]) -> list[Any]:
    """Return a list in which three or more equal neighbours become a pair of the value and their number.

    >>> packed([1, 2, 2, 2, None])
    [1, [2, 3], None]
    """
    found: list[Any] = []
    start = 0
    for place in range(1, len(values) + 1):
        if place == len(values) or values[place] != values[start]:
            count = place - start
            found += [[values[start], count]] if count > 2 else list(values[start:place])
            start = place
    return found
