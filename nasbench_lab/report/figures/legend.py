"""Legends above figures: as many columns as the labels allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nasbench_lab.report.figures.paper_styles import PaperStyle
from nasbench_lab.report.figures.text_fit import line_count, text_width, wrap_label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARGIN = 0.3  # beside a legend, inches
_SAMPLE = 5.5  # the line before a label and the space between columns, in font sizes
_LEADING = 1.62  # from line to line of a legend, in font sizes
_MOST = {"single": 2, "double": 4}


def columns_that_fit(labels: Sequence[str], width: float, size: float, most: int = 3) -> tuple[int, float]:
    """Return how many columns of labels fit into a width in inches, and the largest font size at which one column fits.

    >>> columns_that_fit(["a", "b", "c"], 4.0, 9.0)
    (3, 9.0)
    """
    column = max(text_width(label, size) for label in labels) + _SAMPLE * size / 72
    room = width - _MARGIN
    return max(1, min(most, len(labels), int(room / column))), min(size, size * room / column)


def add_legend(
    figure: Figure, labels: Sequence[str], looks: Sequence[dict[str, Any]], columns: int, size: float, title: str
) -> None:
    """Draw a legend above the panels of a figure."""
    from matplotlib.lines import Line2D

    figure.legend(
        handles=[Line2D([], [], label=label, **look) for label, look in zip(labels, looks, strict=True)],
        loc="outside upper left",
        ncols=columns,
        fontsize=size,
        title=title,
        alignment="left",
    )


@dataclass(frozen=True)
class Legend:
    """A legend whose size is known before it is drawn.

    Attributes:
        labels: broken into lines that fit.
        title: broken into lines that fit.
        columns: of labels.
        size: of the font, points.
        height: of the legend with its title, inches.
    """

    labels: tuple[str, ...]
    title: str
    columns: int
    size: float
    height: float

    @classmethod
    def plan(cls, labels: Sequence[str], title: str, style: PaperStyle) -> Legend:
        """Plan the legend of a figure of a style."""
        size = style.font_size
        most = min(_MOST[style.name], len(labels))
        layouts = [(_arrange(labels, columns, style), columns) for columns in range(most, 0, -1)]
        (wrapped, lines), columns = min(layouts, key=lambda layout: layout[0][1])
        whole = wrap_label(title, style.width - _MARGIN, size)
        height = (lines + line_count(whole) + 0.8) * _LEADING * size / 72
        return cls(wrapped, whole, columns, size, height)

    def draw(self, figure: Figure, looks: Sequence[dict[str, Any]]) -> None:
        """Draw the legend above the panels of a figure."""
        add_legend(figure, self.labels, looks, self.columns, self.size, self.title)


def _arrange(labels: Sequence[str], columns: int, style: PaperStyle) -> tuple[tuple[str, ...], int]:
    """Return labels broken to fit into a number of columns, and the number of lines of the columns."""
    room = (style.width - _MARGIN) / columns - _SAMPLE * style.font_size / 72
    wrapped = tuple(wrap_label(label, room, style.font_size) for label in labels)
    rows = -(-len(labels) // columns)
    return wrapped, sum(max(line_count(label) for label in wrapped[row::rows]) for row in range(rows))
