"""The first view of a chart as SVG, for readers whose browsers run no script."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from markupsafe import Markup

from nasbench_lab.report.page import scales
from nasbench_lab.report.page.charts import Chart, ChartView, Line, thinned
from nasbench_lab.report.page.scales import AxisScale
from nasbench_lab.report.page.svg import look, marker_path, number, tag

_WIDTH, _HEIGHT = 760, 400
_TOP, _RIGHT, _BOTTOM, _LEFT = 30, 744, 356, 70
_POINTS = 60
_EVERY = 9  # points from marker to marker
_FEW = 5  # bands; more would cover each other


def draw_chart(chart: Chart, view: ChartView, strategies: int) -> Markup:
    """Return a view of a chart of a study with some strategies as SVG, with a text for readers who cannot see it."""
    values = _values(view)
    if not len(values):
        return tag("p", "Too few runs have a value.", class_="note")
    y, zeros = _vertical(chart, view, values)
    x = _horizontal(chart, view)
    kept = thinned(view.grid, _POINTS, chart.x_scale)
    parts = [*_axes(view, x, y, zeros=zeros)]
    if len(view.lines) <= _FEW:
        parts += [_band(line, view, kept, x, y) for line in view.lines if line.low is not None]
    for line in view.lines:
        parts += [
            _curve(line, view, kept, x, y),
            *_markers(line, marker_path(line.strategy, strategies), view, kept, x, y),
        ]
    label = f"{chart.title}: {view.y_label} against {view.x_label}, {view.middle}"
    return tag("svg", *parts, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", aria_label=label)


def _values(view: ChartView) -> np.ndarray:
    """Return all numbers that are drawn: of the curves, and of the bands where they are drawn."""
    banded = len(view.lines) <= _FEW
    drawn = [each for line in view.lines for each in (line.arrays if banded else [line.middle])]
    every = np.concatenate(drawn or [np.empty(0)])
    return every[np.isfinite(every)]


def _vertical(chart: Chart, view: ChartView, values: np.ndarray) -> tuple[AxisScale, bool]:
    """Return the vertical scale, and whether it has to show zeros that have no logarithm."""
    if chart.y_scale == "linear":
        low, high = view.limits or (min(0.0, float(values.min())), float(values.max()) or 1.0)
        room = 0.04 * (high - low) if view.limits else 0.0
        return AxisScale("linear", low - room, high + room, _BOTTOM, _TOP), False
    positive = values[values > 0]
    least, most = (float(positive.min()), float(positive.max())) if len(positive) else (view.zero_at, view.zero_at)
    zeros = len(positive) < len(values)
    low = view.zero_at if zeros else least / 1.1
    return AxisScale(
        "log", low, max(most * 1.1, low * 10) if zeros else max(most * 1.1, low * 1.2), _BOTTOM, _TOP
    ), zeros


def _horizontal(chart: Chart, view: ChartView) -> AxisScale:
    first, last = float(view.grid[0]), float(view.grid[-1])
    positive = view.grid[view.grid > 0]
    if chart.x_scale == "log" and len(positive):
        start = float(positive[0])
        return AxisScale("log", start, max(last, start * 1.001), _LEFT, _RIGHT)
    return AxisScale("linear", min(first, 0.0), last, _LEFT, _RIGHT)


def _axes(view: ChartView, x: AxisScale, y: AxisScale, *, zeros: bool) -> list[Markup]:
    parts = []
    only_zeros = zeros and not (_values(view) > 0).any()  # no scale without a positive number
    for tick in [] if only_zeros else y.ticks(7):
        place = y.at(tick)
        if zeros and place > _BOTTOM - 14:
            continue
        parts.append(tag("line", class_="grid", x1=_LEFT, x2=_RIGHT, y1=place, y2=place))
        parts.append(tag("text", scales.tick_text(tick), x=_LEFT - 8, y=place + 4, text_anchor="end"))
    if zeros:
        parts.append(tag("text", view.zero or "0", x=_LEFT - 8, y=_BOTTOM + 4, text_anchor="end"))
    for tick in x.ticks(8):
        place = x.at(tick)
        parts.append(tag("line", class_="axis", x1=place, x2=place, y1=_BOTTOM, y2=_BOTTOM + 5))
        parts.append(tag("text", scales.tick_text(tick), x=place, y=_BOTTOM + 19, text_anchor="middle"))
    parts.append(tag("path", class_="axis", d=f"M{_LEFT},{_TOP}V{_BOTTOM}H{_RIGHT}"))
    parts.append(tag("text", view.y_label, class_="strong", x=2, y=14))
    middle = (_LEFT + _RIGHT) / 2
    parts.append(tag("text", view.x_label, class_="strong", x=middle, y=_HEIGHT - 6, text_anchor="middle"))
    return parts


def _curve(line: Line, view: ChartView, kept: Sequence[int], x: AxisScale, y: AxisScale) -> Markup:
    pieces = _pieces(kept, line.middle)
    path = "".join(_path(_stairs(piece, view, line.middle, x, y)) for piece in pieces)
    return tag("path", class_=f"curve {look(line.strategy)}", d=path)


def _markers(line: Line, path: str, view: ChartView, kept: Sequence[int], x: AxisScale, y: AxisScale) -> list[Markup]:
    """Return the markers of a curve; none without a path."""
    places = [place for place in kept[line.strategy % _EVERY :: _EVERY] if math.isfinite(line.middle[place])]
    at = [(x.at(float(view.grid[place])), y.at(float(line.middle[place]))) for place in places]
    shifts = [f"translate({number(across)} {number(down)})" for across, down in at]
    return [tag("path", class_=f"shape {look(line.strategy)}", d=path, transform=shift) for shift in shifts if path]


def _band(line: Line, view: ChartView, kept: Sequence[int], x: AxisScale, y: AxisScale) -> Markup:
    if line.low is None or line.high is None:
        raise TypeError("a line without a band has none to draw")
    path = ""
    for piece in _pieces(kept, line.low, line.high):
        upper, lower = (_stairs(piece, view, values, x, y) for values in (line.high, line.low))
        path += f"{_path([*upper, *reversed(lower)])}Z"
    return tag("path", class_=f"band {look(line.strategy)}", d=path)


def _pieces(kept: Sequence[int], *lists: np.ndarray) -> list[list[int]]:
    """Return the runs of neighbouring grid points where all lists have values."""
    pieces: list[list[int]] = [[]]
    for place in kept:
        if all(math.isfinite(values[place]) for values in lists):
            pieces[-1].append(place)
        elif pieces[-1]:
            pieces.append([])
    return [piece for piece in pieces if piece]


def _stairs(
    piece: Sequence[int], view: ChartView, values: np.ndarray, x: AxisScale, y: AxisScale
) -> list[tuple[float, float]]:
    """Return the corners of steps: a value lasts until the next grid point."""
    points = [(x.at(float(view.grid[place])), y.at(float(values[place]))) for place in piece]
    corners = [points[0]]
    for (_, before), (here, value) in pairwise(points):
        corners += [(here, before), (here, value)] if value != before else [(here, value)]
    return corners if len(corners) > 1 else [points[0], (points[0][0] + 1, points[0][1])]


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{number(x)},{number(y)}" for x, y in points)
