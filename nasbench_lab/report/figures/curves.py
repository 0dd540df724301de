"""Curves of strategies: steps, with bands around few lines and error bars at chosen points of many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.messages import unknown
from nasbench_lab.report.figures.axis_scales import Scale, label_axis, set_x_axis
from nasbench_lab.report.figures.highlight import Looks
from nasbench_lab.report.figures.paper_styles import PaperStyle
from nasbench_lab.report.layout.log_axis import place_of_zero

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Spread = Literal["auto", "bands", "bars", "none"]
"""How a figure shows the spread around lines: ``"auto"`` draws bands around up to five lines, and bars otherwise."""
SPREADS: tuple[Spread, ...] = get_args(Spread)

MOST_BANDS = 5

_BAND = 0.18  # opacity
_FAINT = 0.35  # opacity of lines that are lower bounds only
_BESIDE = 5.0  # least distance of error bars, in widths of lines
_MOST_BARS = 4  # on a line
_MARKERS_ON_A_LINE, _FEWER, _MANY_LINES = 6, 3, 12
_STAGGER = 0.37  # of the distance between markers, from line to line
_START = 0.04  # share of a linear axis in which curves may start above the panel
_BELOW = 0.03  # share of the axis below zero, where lines are at zero
_ABOVE = 1.15  # the highest value is this much below the top
_LATE = 0.75  # share of the x axis; names stand at the ends of lines only if none ends before it
_PLOT_SHARE = 0.62  # of the width of a panel that is no label


@dataclass(frozen=True)
class CurveOptions:
    """How the curves of a figure are drawn.

    Attributes:
        looks: of the strategies.
        x_scale: of the x axis.
        y_scale: of the y axis.
        spread: how the spread around lines is shown.
        width: of a panel, inches.
        style: of the figure.
        steps: whether a value lasts until the next point; otherwise points are joined by straight lines.
    """

    looks: Looks
    x_scale: Scale
    y_scale: Scale
    spread: Literal["bands", "bars", "none"]
    width: float
    style: PaperStyle
    steps: bool = True


def chosen_spread(spread: str, looks: Looks) -> Literal["bands", "bars", "none"]:
    """Return how the spread around the lines of a figure is shown.

    Raises:
        UnknownNameError: there is no such way.
    """
    if spread not in SPREADS:
        raise unknown("spread", spread, SPREADS)
    if spread == "auto":
        return "bands" if sum(looks.shown) <= MOST_BANDS else "bars"
    return {"bands": "bands", "bars": "bars", "none": "none"}[spread]  # type: ignore[return-value]


def spread_in_words(spread: str, what: str) -> str:
    """Return what the caption says of the spread, with a semicolon before; nothing where none is drawn.

    >>> spread_in_words("bars", "interquartile range"), spread_in_words("none", "interquartile range")
    ('; bars: interquartile range', '')
    """
    return "" if spread == "none" else f"; {spread}: {what}"


def draw_curves(panel: Axes, grid: FloatArray, lines: FloatArray, how: CurveOptions, *, faint: bool = False) -> None:
    """Draw steps with their spread, each where its values are finite.

    Args:
        panel: where to draw.
        grid: of the x axis, shape (points,).
        lines: lower end, middle and upper end of each strategy, shape (3, strategies, points).
        how: the curves are drawn.
        faint: draw them faintly, without markers.
    """
    with_spread = [n for n, shown in enumerate(how.looks.shown) if shown]
    # The best value so far lasts until the next evaluation ends: steps, not slopes.
    drawstyle = "steps-post" if how.steps else "default"
    step: Literal["post"] | None = "post" if how.steps else None
    for number in range(lines.shape[1]):
        low, middle, high = lines[:, number]
        known = np.isfinite(middle)
        if not known.any():
            continue
        look = {**how.looks.line(number, _usual_width()), "label": how.looks.labels[number]}
        if faint:
            look |= {"marker": "", "alpha": _FAINT}
        marks = markers_on(look, grid[known], number, len(how.looks.labels), log=how.x_scale == "log")
        panel.plot(grid[known], middle[known], drawstyle=drawstyle, **look, **marks)
        banded = np.isfinite(high) & np.isfinite(low)
        if how.spread == "bands" and number in with_spread:
            band = {"color": look["color"], "alpha": _BAND, "linewidth": 0}
            panel.fill_between(grid[banded], low[banded], high[banded], step=step, **band)
    if how.spread == "bars" and with_spread:
        _draw_bars(panel, grid, lines, how, with_spread)


def _draw_bars(panel: Axes, grid: FloatArray, lines: FloatArray, how: CurveOptions, numbers: list[int]) -> None:
    """Draw error bars at chosen points, each strategy's at places of its own."""
    width = _usual_width()
    room = how.width * _PLOT_SHARE * 72
    each = int(np.clip(room / (len(numbers) * _BESIDE * width), 1, _MOST_BARS))
    known = grid[np.isfinite(lines[1]).any(axis=0)]
    if not len(known):
        return
    first, last = (0.0, known[-1]) if how.x_scale == "linear" else np.log(known[[0, -1]])
    for order, number in enumerate(numbers):
        along = first + (np.arange(each) + (order + 0.5) / len(numbers)) / each * (last - first)
        places = along if how.x_scale == "linear" else np.exp(along)
        low, high = (_at(places, grid, lines[end, number], steps=how.steps) for end in (0, 2))
        kept = np.isfinite(low) & np.isfinite(high)
        look: dict[str, Any] = {"color": how.looks.color(number), "linewidth": 0.8 * width, "zorder": 2.1}
        panel.vlines(places[kept], low[kept], high[kept], **look)


def _at(places: FloatArray, grid: FloatArray, values: FloatArray, *, steps: bool) -> FloatArray:
    """Return the values of a curve at some places; NaN outside of it.

    >>> _at(np.array([0.5, 1.5, 9.0]), np.array([1.0, 2.0, 3.0]), np.array([0.0, 4.0, np.nan]), steps=False)
    array([nan,  2., nan])
    """
    if steps:
        entries = np.searchsorted(grid, places, side="right") - 1
        return np.where(entries >= 0, values[entries], np.nan)
    known = np.isfinite(values)
    if not known.any():
        return np.full(len(places), np.nan)
    return np.interp(places, grid[known], values[known], left=np.nan, right=np.nan)


def draw_losses(panel: Axes, grid: FloatArray, lines: FloatArray, how: CurveOptions) -> None:
    """Draw losses of several strategies; on a log axis, a loss of zero lies on the line of the optimum.

    On a linear x axis, the first evaluations, in which every strategy is bad, may begin above the panel.

    Args:
        panel: where to draw.
        grid: of the x axis, shape (points,).
        lines: lower end, middle and upper end of each strategy, shape (3, strategies, points); some are finite.
        how: the curves are drawn.
    """
    drawn = np.isfinite(lines[1]).any(axis=0)
    first, last = grid[drawn][[0, -1]]
    set_x_axis(panel, how.x_scale, float(first), float(last))
    late = grid >= _START * last if how.x_scale == "linear" else np.ones(len(grid), dtype=bool)
    shown = _shown_values(lines[:, :, late if np.isfinite(lines[1][:, late]).any() else slice(None)], how)
    highest = float(shown.max())
    if how.y_scale == "linear":
        draw_curves(panel, grid, lines, how)
        top = highest * _ABOVE if highest > 0 else 1.0
        panel.set_ylim(-_BELOW * top if shown.min() <= 0 else 0.0, top)  # a line at zero is not hidden by the axis
        label_axis(panel.yaxis)
        return
    panel.set_yscale("log")
    floor = place_of_zero(shown)
    draw_curves(panel, grid, np.maximum(lines, floor), how)
    if shown.min() <= 0:
        mark_optimum(panel, floor, highest, how.style)
    else:
        panel.set_ylim(float(shown.min()) / _ABOVE, highest * _ABOVE)
    if highest > 0:
        label_axis(panel.yaxis)
    else:  # only the optimum is drawn, so there is no scale
        panel.set_yticks([], minor=False)
        panel.set_yticks([], minor=True)


def draw_values(panel: Axes, grid: FloatArray, lines: FloatArray, how: CurveOptions, *, logarithmic: bool) -> None:
    """Draw values of several strategies, of which nobody knows the best possible one.

    Args:
        panel: where to draw.
        grid: of the x axis, shape (points,).
        lines: both ends and middle of each strategy, shape (3, strategies, points); some are finite.
        how: the curves are drawn; its y scale is ignored.
        logarithmic: whether the y axis is logarithmic, where all values are positive.
    """
    first, last = grid[np.isfinite(lines[1]).any(axis=0)][[0, -1]]
    set_x_axis(panel, how.x_scale, float(first), float(last))
    late = grid >= _START * last if how.x_scale == "linear" else np.ones(len(grid), dtype=bool)
    shown = _shown_values(lines[:, :, late if np.isfinite(lines[1][:, late]).any() else slice(None)], how)
    low, high = float(shown.min()), float(shown.max())
    draw_curves(panel, grid, lines, how)
    if logarithmic and low > 0:
        panel.set_yscale("log")
        panel.set_ylim(low / _ABOVE, high * _ABOVE)
    else:
        room = _BELOW * ((high - low) or abs(high) or 1.0)
        panel.set_ylim(low - room, high + room)
    label_axis(panel.yaxis)


def end_together(curves: Sequence[tuple[FloatArray, FloatArray]], how: CurveOptions) -> bool:
    """Return whether all lines of all panels end near the right edge, so that their ends can have names.

    Args:
        curves: grid, and lower end, middle and upper end of the curves of each panel.
        how: the curves are drawn.
    """
    for grid, lines in curves:
        known = np.isfinite(lines[1])
        ends = np.array([grid[each][-1] for each in known if each.any()])
        first, last = grid[known.any(axis=0)][[0, -1]]
        shares = np.log(ends / first) / np.log(last / first) if how.x_scale == "log" and last > first else ends / last
        if (shares < _LATE).any():
            return False
    return True


def _shown_values(lines: FloatArray, how: CurveOptions) -> FloatArray:
    """Return all finite numbers that are drawn: the middles, and what is drawn around them."""
    around = [n for n, shown in enumerate(how.looks.shown) if shown and how.spread != "none"]
    values = np.concatenate([lines[1].ravel(), lines[:, around][:, np.isfinite(lines[1, around])].ravel()])
    return values[np.isfinite(values)]


def mark_optimum(panel: Axes, floor: float, highest: float, style: PaperStyle) -> None:
    """Draw the line that represents a regret of zero, which a log axis cannot show."""
    top = max(highest * 1.5, floor * 10)
    panel.set_ylim(floor / (top / floor) ** 0.04, top)
    panel.axhline(floor, color="#666666", linewidth=0.8 * style.scale, zorder=1.5)
    note: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "fontsize": style.small, "color": "#555555"}
    panel.annotate("optimum", (0.01, floor), va="bottom", **note)


def markers_on(look: dict[str, Any], grid: FloatArray, number: int, lines: int, *, log: bool) -> dict[str, Any]:
    """Return the setting that puts markers on some points of a line; empty if it has no marker."""
    if not look.get("marker"):
        return {}
    most = _FEWER if lines > _MANY_LINES else _MARKERS_ON_A_LINE
    return {"markevery": marker_places(grid, number, log=log, most=most)}


def marker_places(grid: FloatArray, number: int, *, log: bool, most: int = _MARKERS_ON_A_LINE) -> list[int]:
    """Return the points of a line that have markers: few, evenly along the axis, and different for each line.

    Args:
        grid: ascending places of the points on the axis, shape (points,).
        number: of the line.
        log: whether the axis is logarithmic; the grid is positive then.
        most: number of markers.

    >>> marker_places(np.arange(1.0, 61.0), 0, log=False), marker_places(np.arange(1.0, 61.0), 0, log=True)
    ([0, 10, 20, 30, 40, 50], [0, 1, 3, 7, 15, 30])
    """
    if not len(grid):
        return []
    along = np.log(grid) if log else grid
    shift = number * _STAGGER % 1
    wanted = along[0] + (np.arange(most) + shift) / most * (along[-1] - along[0])
    return np.unique(np.searchsorted(along, wanted)).tolist()


def _usual_width() -> float:
    from matplotlib import rcParams

    return float(rcParams["lines.linewidth"])
