"""Charts as plain data: what the page's script draws, and what stands in their place where no script runs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.report.layout.log_axis import place_of_zero

Scale = Literal["linear", "log"]

MOST_POINTS = 200
"""Points of a curve that a page keeps at most: more than can be told apart on a screen."""

LEAST_POINTS = 25
MOST_NUMBERS = 1_000_000
"""Numbers that the curves of a page keep at most, if they can with `LEAST_POINTS` each: about six megabytes."""

DIGITS = 4
"""Significant digits that are kept of a number."""


@dataclasses.dataclass(frozen=True)
class Choice:
    """What a reader can choose.

    Attributes:
        name: in keys of views, and in the page.
        label: of the control.
        options: key and text of each.
        start: key of the one that is chosen at first.
    """

    name: str
    label: str
    options: tuple[tuple[str, str], ...]
    start: str


@dataclasses.dataclass(frozen=True, eq=False)
class Line:
    """The curve of one strategy; what is not finite is a gap.

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
    """What a chart shows for one combination of choices.

    Attributes:
        grid: ascending, shape (points,); a value lasts until the next point.
        lines: of those strategies that have one.
        x_label: unit of the grid, as in "at 100 evaluations".
        y_label: what the values are.
        middle: what line and band are, e.g. "median, quartiles".
        best: whether low or high values are the good ones.
        zero: what a value of zero means, where a logarithm cannot show it.
        limits: of the linear vertical axis, where they are known beforehand.
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
    """A chart with everything that it can show.

    Attributes:
        name: unique in the page.
        title: what it shows.
        choices: what a reader can choose.
        views: by the keys of the choices, joined by ``|``.
        missing: for combinations without a view, why.
        x_scale, y_scale: at first.
    """

    name: str
    title: str
    choices: tuple[Choice, ...]
    views: Mapping[str, ChartView]
    missing: Mapping[str, str]
    x_scale: Scale
    y_scale: Scale

    @property
    def start(self) -> ChartView | None:
        """What is shown at first."""
        return self.views.get("|".join(choice.start for choice in self.choices))

    @property
    def numbers(self) -> int:
        """How many numbers all views have for each point of a grid."""
        return sum(1 if line.low is None else 3 for view in self.views.values() for line in view.lines)


def points_for(charts: Sequence[Chart]) -> int:
    """Return how many points a curve keeps, so that all curves together stay small."""
    numbers = sum(chart.numbers for chart in charts)
    return max(LEAST_POINTS, min(MOST_POINTS, MOST_NUMBERS // max(1, numbers)))


def chart_data(chart: Chart, points: int) -> dict[str, Any]:
    """Return a chart as plain data for JSON, with curves of at most so many points."""
    grids: list[list[Any]] = []
    views = {key: _view_data(view, points, grids) for key, view in chart.views.items()}
    return {
        "title": chart.title,
        "choices": [dataclasses.asdict(choice) for choice in chart.choices],
        "scales": {"x": chart.x_scale, "y": chart.y_scale},
        "grids": grids,
        "views": views,
        "missing": dict(chart.missing),
    }


def _view_data(view: ChartView, points: int, grids: list[list[Any]]) -> dict[str, Any]:
    kept = thinned(len(view.grid), points)
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


def thinned(count: int, most: int) -> list[int]:
    """Return at most so many of the places 0 .. count-1, evenly, the first and the last among them.

    >>> thinned(5, 3), thinned(3, 200), thinned(0, 3)
    ([0, 2, 4], [0, 1, 2], [])
    """
    if count <= most:
        return list(range(count))
    return [int(place) for place in np.unique(np.rint(np.linspace(0, count - 1, most)).astype(np.int64))]


def plain_number(value: float, digits: int = DIGITS) -> float | int | None:
    """Return a number with few digits, as short as JSON can have it; None for what is not finite.

    >>> plain_number(12.0), plain_number(0.123456), plain_number(float("inf"))
    (12, 0.1235, None)
    """
    if not math.isfinite(value):
        return None
    few = float(f"{value:.{digits}g}")
    return int(few) if few.is_integer() and abs(few) < 2**53 else few


def packed(values: Sequence[float | int | None]) -> list[Any]:
    """Return a list in which three and more equal neighbours are a pair of the value and how many there are.

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
