"""Parts that figures share: grids of panels, their titles, labels of axes and rows, reasons for empty panels."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nasbench_lab.errors import MissingDataError
from nasbench_lab.report.figures.paper_styles import PaperStyle
from nasbench_lab.report.figures.text_fit import line_count, text_width, wrap_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


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


def set_title(panel: Axes, text: str, style: PaperStyle, room: float) -> None:
    """Write a title over a panel; one that is wider than the room gets a smaller font, or if need be several lines."""
    size = style.font_size
    fitting = max(style.small, size * min(1.0, room / max(text_width(text, size), 1e-9)))
    panel.set_title(wrap_label(text, room, fitting), fontsize=fitting)


def label_outer(
    figure: Figure,
    panels: Sequence[Axes],
    columns: int,
    above: float,
    words: tuple[str, str],
    units: Sequence[str],
    style: PaperStyle,
) -> None:
    """Label the x axes of the lowest panels, and the y axes once; where units differ, each panel shows its unit.

    Args:
        figure: with the panels.
        panels: row by row.
        columns: number of panels in a row.
        above: room above the panels, inches.
        words: of x and y.
        units: of y on every panel.
        style: of the figure.
    """
    columns = min(columns, len(panels))
    for panel in panels[-columns:]:
        panel.set_xlabel(words[0])
    same = len(set(units)) == 1
    label = f"{words[1]} ({units[0]})" if same and units[0] else words[1]
    if not same:
        for panel, unit in zip(panels, units, strict=True):
            panel.set_ylabel(unit)
    height = figure.get_size_inches()[1] - above
    if same and len(panels) <= columns:
        panels[0].set_ylabel(wrap_label(label, height - 4.5 * style.em, style.font_size))
    else:
        middle = (1 - above / figure.get_size_inches()[1]) / 2
        figure.supylabel(wrap_label(label, height, style.font_size), y=middle, fontsize=style.font_size)


def row_places(labels: Sequence[str]) -> tuple[list[float], float]:
    r"""Return the middle of each row, and the end of the last row, in lines of text: a label of two lines takes two.

    >>> row_places(["one", "two\nlines"])
    ([0.5, 2.0], 3.0)
    """
    ends = [float(end) for end in itertools.accumulate(map(line_count, labels))]
    middles = [end - line_count(label) / 2 for end, label in zip(ends, labels, strict=True)]
    return middles, ends[-1] if ends else 0.0


def label_rows(panel: Axes, labels: Sequence[str], *, shown: bool = True, inks: Sequence[str] = ()) -> None:
    """Turn the y axis into labelled rows from top to bottom, at `row_places`; inks are colours of labels."""
    middles, end = row_places(labels)
    panel.set_yticks(middles, labels if shown else [""] * len(labels))
    panel.tick_params(axis="y", length=0)
    panel.grid(visible=False, axis="y")
    panel.set_ylim(end, 0)
    for label, ink in zip(panel.get_yticklabels(), inks, strict=False):
        label.set_color(ink)
