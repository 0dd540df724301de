"""The names of strategies in a figure of lines: at the ends of the lines where they fit, otherwise in a legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nasbench_lab.report.figures.direct_labels import DirectLabels
from nasbench_lab.report.figures.highlight import Looks
from nasbench_lab.report.figures.legend import Legend, legend_entries
from nasbench_lab.report.figures.paper_styles import PaperStyle
from nasbench_lab.report.figures.text_fit import line_count, wrap_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_AROUND = 5.0  # height of a panel's title, numbers and label of the x axis, font sizes
CAPTION = 1.45
"""Height of a line of the caption, font sizes."""

_LEAST_SHARE = 0.7  # of the usual height of a panel, to fit a page
_LEAST_PANEL = 7.0  # height of a panel on a slide, font sizes
_MOST_LEGEND = 0.3  # of the height of a page or slide
_TALLEST = 5.0  # a panel that is as tall as its labels, inches at the usual font size


@dataclass(frozen=True)
class Names:
    """Where names stand, and what they need.

    Attributes:
        labels: at the ends of lines, or None.
        legend: above the panels, or None.
        caption: above the panels, if there is no legend.
        panel_height: inches.
        above: room above all panels, inches.
        style: of the figure.
    """

    labels: DirectLabels | None
    legend: Legend | None
    caption: str
    panel_height: float
    above: float
    style: PaperStyle

    @classmethod
    def plan(
        cls,
        looks: Looks,
        caption: str,
        style: PaperStyle,
        panels: int,
        columns: int,
        height: float,
        *,
        more: Sequence[tuple[str, dict[str, Any]]] = (),
        direct: bool = True,
    ) -> Names:
        """Plan the names of a figure: labels at the ends of lines if the figure does not become taller by them.

        Args:
            looks: of the strategies.
            caption: what the figure shows.
            style: of the figure.
            panels: number of panels.
            columns: number of panels side by side.
            height: of a panel in a column of a paper, inches; slides are filled.
            more: further entries, for which there is always a legend.
            direct: whether labels may stand at the ends of lines.
        """
        columns = min(columns, panels)
        rows = -(-panels // columns)
        legend = _legend([*legend_entries(looks, style.scale), *more], caption, style)
        usual = _panel_height(style, rows, height, legend.height)
        by_legend = cls(None, legend, "", usual, legend.height, style)
        if more or not direct:
            return by_legend
        most = rows * usual + legend.height + 0.05
        for all_of_them in (True, False) if looks.some else (True,):
            for size in _sizes(style):
                labels = DirectLabels.plan(looks, style, style.width / columns, size, all_of_them=all_of_them)
                text = caption if all_of_them else f"{caption}; grey: {looks.shown.count(False)} others"
                wrapped = wrap_label(text, style.width - 0.1, style.font_size)
                above = CAPTION * line_count(wrapped) * style.em
                if labels is None:
                    continue
                needed = labels.height + _AROUND * style.em
                least = _panel_height(style, rows, height, above)
                panel = least if style.name == "slide" else max(least, needed)
                if needed <= panel <= _TALLEST * style.scale and rows * panel + above <= most:
                    return cls(labels, None, wrapped, panel, above, style)
        return by_legend

    def draw(self, figure: Figure, panels: Sequence[Axes]) -> None:
        """Draw the names, after all lines were drawn and all limits were set."""
        if self.legend is not None:
            self.legend.draw(figure)
            return
        write_caption(figure, self.caption, self.style)
        if self.labels is not None:
            self.labels.draw(figure, panels)


def write_caption(figure: Figure, caption: str, style: PaperStyle) -> None:
    """Write a caption above all panels."""
    figure.suptitle(caption, fontsize=style.font_size, x=0.01, ha="left", linespacing=1.15)


def _sizes(style: PaperStyle) -> list[float]:
    """Return the sizes that names may have, from the usual one to the smallest, points."""
    least = style.smallest
    return [max(least, share * style.font_size) for share in (1.0, 0.8, 0.6) if share * style.font_size > 0.8 * least]


def _legend(entries: Sequence[tuple[str, dict[str, Any]]], caption: str, style: PaperStyle) -> Legend:
    """Return a legend, in a smaller font if it would take much of a page or slide."""
    legends = [Legend.plan(entries, caption, style, size) for size in _sizes(style)]
    return next((each for each in legends if each.height <= _MOST_LEGEND * style.height), legends[-1])


def _panel_height(style: PaperStyle, rows: int, height: float, above: float) -> float:
    """Return the height of a panel: in a paper the usual one or a little less to fit a page; on a slide, to fill it."""
    fitting = (style.height - above) / rows
    if style.name == "slide":
        return max(fitting, _LEAST_PANEL * style.em)
    return max(min(height, fitting), _LEAST_SHARE * height)
