"""Legends above figures: as many columns as the labels allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nasbench_lab.report.figures.highlight import Looks
from nasbench_lab.report.figures.paper_styles import PaperStyle
from nasbench_lab.report.figures.text_fit import line_count, wrap_label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARGIN = 0.3  # beside a legend, inches
_SAMPLE = 4.5  # the line before a label and the space between columns, in font sizes
_LEADING = 1.62  # from line to line of a legend, in font sizes
_MOST = {"single": 2, "double": 4, "slide": 4}


@dataclass(frozen=True)
class Legend:
    """A legend whose size is known before it is drawn.

    Attributes:
        labels: broken into lines that fit.
        samples: settings of the line or point before each label.
        title: broken into lines that fit.
        columns: of labels.
        size: of the font, points.
        height: of the legend with its title, inches.
    """

    labels: tuple[str, ...]
    samples: tuple[dict[str, Any], ...]
    title: str
    columns: int
    size: float
    height: float

    @classmethod
    def plan(
        cls, entries: Sequence[tuple[str, dict[str, Any]]], title: str, style: PaperStyle, size: float | None = None
    ) -> Legend:
        """Plan the legend of a figure of a style.

        Args:
            entries: labels, each with the settings of its line or point.
            title: above the labels.
            style: of the figure.
            size: of the font, points; by default that of the style.
        """
        size = size or style.font_size
        labels = [label for label, _ in entries]
        most = min(_MOST[style.name], len(labels))
        layouts = [(_arrange(labels, columns, style.width, size), columns) for columns in range(most, 0, -1)]
        (wrapped, lines), columns = min(layouts, key=lambda layout: layout[0][1])
        whole = wrap_label(title, style.width - _MARGIN, size)
        height = (lines + line_count(whole) + 0.8) * _LEADING * size / 72
        return cls(wrapped, tuple(sample for _, sample in entries), whole, columns, size, height)

    def draw(self, figure: Figure) -> None:
        """Draw the legend above the panels of a figure."""
        from matplotlib.lines import Line2D

        samples = [{key: value for key, value in sample.items() if key != "zorder"} for sample in self.samples]
        figure.legend(
            handles=[Line2D([], [], label=label, **look) for label, look in zip(self.labels, samples, strict=True)],
            loc="outside upper left",
            ncols=self.columns,
            fontsize=self.size,
            title=self.title,
            title_fontsize=self.size,
            alignment="left",
        )


def legend_entries(looks: Looks, width: float = 1.0) -> list[tuple[str, dict[str, Any]]]:
    """Return the entries of a legend of lines; strategies that are not highlighted are counted.

    >>> from nasbench_lab.report.figures.highlight import make_looks
    >>> [label for label, _ in legend_entries(make_looks(["a", "b", "c"], ["a", "b", "c"], "b"))]
    ['b', '2 others']
    """
    entries = [(label, looks.line(number)) for number, label in enumerate(looks.labels) if looks.shown[number]]
    others = looks.shown.count(False)
    if others:
        look = looks.line(looks.shown.index(False), width)
        entries.append((f"{others} other{'' if others == 1 else 's'}", look))
    return entries


def _arrange(labels: Sequence[str], columns: int, width: float, size: float) -> tuple[tuple[str, ...], int]:
    """Return labels broken to fit into a number of columns, and the number of lines of the columns."""
    room = (width - _MARGIN) / columns - _SAMPLE * size / 72
    wrapped = tuple(wrap_label(label, room, size) for label in labels)
    rows = -(-len(labels) // columns)
    return wrapped, sum(max(line_count(label) for label in wrapped[row::rows]) for row in range(rows))
