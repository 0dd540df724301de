"""Parts that figures share: steps with bands, the line of the optimum, reasons for empty panels, labels of axes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import MissingDataError
from nasbench_lab.report.figures.paper_styles import PaperStyle, marker_places
from nasbench_lab.report.figures.text_fit import line_count, text_width
from nasbench_lab.report.layout.log_axis import place_of_zero
from nasbench_lab.simulation.trace import RegretKind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

KIND_WORDS: dict[RegretKind, str] = {
    "observed": "observed regret",
    "valid": "mean validation regret",
    "test": "mean test regret",
}
"""Names of the kinds of regret in figures and tables."""
AXIS_WORDS = {"evaluations": "evaluations", "seconds": "simulated seconds"}
"""Names of the axes."""

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_BAND = 0.18  # opacity
_FEW = 6
_NARROW = 4  # a log axis with a smaller ratio of its ends is labelled like a linear axis


def draw_steps(
    panel: Axes,
    grid: FloatArray,
    low: FloatArray,
    middle: FloatArray,
    high: FloatArray,
    look: dict[str, Any],
    number: int = 0,
    lines: int = 1,
) -> None:
    """Draw a line and a band around it, each where its values are finite; all of shape (points,).

    Args:
        panel: where to draw.
        grid: of the x axis, which is logarithmic.
        low: lower end of the band.
        middle: the line.
        high: upper end of the band.
        look: of the line.
        number: of the line, so that markers of different lines have different places.
        lines: number of lines; bands are fainter if there are many.
    """
    known, banded = np.isfinite(middle), np.isfinite(high) & np.isfinite(low)
    marks: dict[str, Any] = {"markevery": marker_places(grid[known], number, log=True)} if look.get("marker") else {}
    # A value lasts until the next evaluation ends: steps, not slopes.
    panel.plot(grid[known], middle[known], drawstyle="steps-post", **look, **marks)
    band = {"color": look["color"], "alpha": _BAND * min(1.0, _FEW / lines), "linewidth": 0}
    panel.fill_between(grid[banded], low[banded], high[banded], step="post", **band)


def draw_losses(panel: Axes, grid: FloatArray, lines: FloatArray, looks: Sequence[dict[str, Any]]) -> None:
    """Draw losses of several strategies on log axes; a loss of zero lies on the line of the optimum.

    Args:
        panel: where to draw.
        grid: of the x axis, shape (points,).
        lines: lower end, middle and upper end of each strategy, shape (3, strategies, points); some are finite.
        looks: of the strategies.
    """
    floor = place_of_zero(lines)
    for number, look in enumerate(looks):
        low, middle, high = np.maximum(lines[:, number], floor)
        draw_steps(panel, grid, low, middle, high, look, number, len(looks))
    panel.set_xscale("log")
    panel.set_yscale("log")
    shown = lines[:, np.isfinite(lines[1])]
    shown = shown[np.isfinite(shown)]
    if shown.min() <= 0:
        mark_optimum(panel, floor, float(shown.max()))
    label_log_axis(panel.xaxis)
    if shown.max() > 0:
        label_log_axis(panel.yaxis)
    else:  # only the optimum is drawn, so there is no scale
        panel.set_yticks([], minor=False)
        panel.set_yticks([], minor=True)


def check_something_drawn(reasons: Sequence[str]) -> None:
    """Raise MissingDataError if every panel has a reason why it would be empty.

    >>> check_something_drawn(["no training times", ""])
    >>> check_something_drawn(["no training times", "no training times"])
    Traceback (most recent call last):
    nasbench_lab.errors.MissingDataError: there is nothing to draw: no training times
    """
    if all(reasons):
        words = "; ".join(dict.fromkeys(" ".join(reason.split()) for reason in reasons))
        raise MissingDataError(f"there is nothing to draw: {words}")


def say(panel: Axes, text: str) -> None:
    """Show a text instead of a panel."""
    panel.axis("off")
    panel.text(0.5, 0.5, text, ha="center", va="center", transform=panel.transAxes)


def mark_optimum(panel: Axes, floor: float, highest: float) -> None:
    """Draw the line that represents a regret of zero, which a log axis cannot show."""
    panel.set_ylim(floor, max(highest * 1.5, floor * 10))
    panel.axhline(floor, color="#666666", linewidth=0.8)
    panel.annotate("optimum", (0.01, floor), xycoords=("axes fraction", "data"), va="bottom", fontsize=7)


def panel_grid(style: PaperStyle, panels: int, columns: int, height: float, above: float) -> tuple[Figure, list[Axes]]:
    """Return a figure and its panels, row by row; height of a panel and room above all panels in inches."""
    from nasbench_lab.report.figures.shown_figure import ShownFigure

    columns = min(columns, panels)
    rows = -(-panels // columns)
    figure = ShownFigure(figsize=(style.width, rows * height + above))
    every = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for panel in every[panels:]:
        panel.remove()
    return figure, every[:panels]


def set_title(panel: Axes, text: str, style: PaperStyle, columns: int) -> None:
    """Write a title over a panel, in a smaller font if it would be wider than the panel."""
    room = style.width / columns * 0.82
    size = style.font_size
    panel.set_title(text, fontsize=size * min(1.0, room / max(text_width(text, size), 1e-9)))


def label_outer(
    figure: Figure, panels: Sequence[Axes], columns: int, above: float, words: tuple[str, str], units: Sequence[str]
) -> None:
    """Label the x axes of the lowest panels, and the y axes once; where units differ, each panel shows its unit.

    Args:
        figure: with the panels.
        panels: row by row.
        columns: number of panels in a row.
        above: room above the panels, inches.
        words: of x and y.
        units: of y on every panel.
    """
    from matplotlib import rcParams

    columns = min(columns, len(panels))
    for panel in panels[-columns:]:
        panel.set_xlabel(words[0])
    same = len(set(units)) == 1
    label = f"{words[1]} ({units[0]})" if same else words[1]
    if not same:
        for panel, unit in zip(panels, units, strict=True):
            panel.set_ylabel(unit)
    if same and len(panels) <= columns:
        panels[0].set_ylabel(label)
    else:
        middle = (1 - above / figure.get_size_inches()[1]) / 2
        figure.supylabel(label, y=middle, fontsize=rcParams["axes.labelsize"])


def row_places(labels: Sequence[str]) -> tuple[list[float], float]:
    r"""Return the middle of each row, and the end of the last row, in lines of text: a label of two lines takes two.

    >>> row_places(["one", "two\nlines"])
    ([0.5, 2.0], 3.0)
    """
    ends = [float(end) for end in itertools.accumulate(map(line_count, labels))]
    middles = [end - line_count(label) / 2 for end, label in zip(ends, labels, strict=True)]
    return middles, ends[-1] if ends else 0.0


def label_rows(panel: Axes, labels: Sequence[str], *, shown: bool = True) -> None:
    """Turn the y axis into labelled rows from top to bottom, at `row_places`."""
    middles, end = row_places(labels)
    panel.set_yticks(middles, labels if shown else [""] * len(labels))
    panel.tick_params(axis="y", length=0)
    panel.grid(visible=False, axis="y")
    panel.set_ylim(end, 0)


def power_of_ten(value: float) -> str:
    """Return a power of ten as text, which needs no formula; nothing for other numbers.

    >>> power_of_ten(0.001), power_of_ten(100.0), power_of_ten(20.0)
    ('10⁻³', '10²', '')
    """
    exponent = math.log10(value) if value > 0 else 0.5
    return f"10{str(round(exponent)).translate(_SUPERSCRIPTS)}" if math.isclose(exponent, round(exponent)) else ""


def label_log_axis(axis: Axis) -> None:
    """Label a logarithmic axis whose limits are set, with few numbers that do not overlap in small panels."""
    from matplotlib import ticker

    low, high = sorted(axis.get_view_interval())
    decades = math.floor(math.log10(high)) - math.ceil(math.log10(low)) + 1
    axis.set_minor_formatter(ticker.NullFormatter())
    if decades >= 2:
        axis.set_major_formatter(ticker.FuncFormatter(lambda value, _place: power_of_ten(value)))
        return
    if high / low < _NARROW:
        axis.set_major_locator(ticker.FixedLocator(ticker.MaxNLocator(3).tick_values(low, high)))
        axis.set_minor_locator(ticker.NullLocator())
    else:
        axis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _place: f"{value:.3g}"))
