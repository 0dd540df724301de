"""Names of strategies at the ends of their lines, moved apart where they would overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_lab.report.contrast import readable
from nasbench_lab.report.figures.highlight import Looks
from nasbench_lab.report.figures.paper_styles import PaperStyle
from nasbench_lab.report.figures.text_fit import line_count, text_width, wrap_label
from nasbench_lab.report.layout.labels_apart import label_places

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

LINE = 1.2
"""Height of a line of a label, font sizes."""

_LABEL_SHARE = 0.4  # most of the width of a panel for labels
_LEAST_PLOT = 12.0  # least width of what is left, font sizes
_AXIS = 5.0  # numbers and label of the y axis, font sizes
_LEADER, _WITH_MARKER = 1.1, 1.9  # from the end of the axis to a label, font sizes
_BESIDE = 0.3  # from a leader to its label, font sizes
_MOST_LINES = 3  # of a label
_ON_WHITE = 4.5  # contrast of text
_EARLY = 0.97  # share of the x axis; lines that end before it have dotted leaders


@dataclass(frozen=True)
class DirectLabels:
    """Labels whose room is known before they are drawn.

    Attributes:
        looks: of the strategies.
        texts: of the strategies, broken into lines that fit; empty for those that are only counted.
        sizes: of their fonts, points.
        style: of the figure.
    """

    looks: Looks
    texts: tuple[str, ...]
    sizes: tuple[float, ...]
    style: PaperStyle

    @classmethod
    def plan(
        cls, looks: Looks, style: PaperStyle, width: float, size: float, *, all_of_them: bool = True
    ) -> DirectLabels | None:
        """Plan the labels of panels; None if the panels are too narrow.

        Args:
            looks: of the strategies.
            style: of the figure.
            width: of a panel, inches.
            size: of the font, points; names that are not highlighted have a smaller one.
            all_of_them: also the strategies that are not highlighted.
        """
        leader = (_leader(looks) + _BESIDE) * style.em
        room = _LABEL_SHARE * width - leader
        sizes = tuple(size if shown else min(size, style.small) for shown in looks.shown)
        texts = [
            wrap_label(label, room, fitting) if all_of_them or looks.shown[number] else ""
            for number, (label, fitting) in enumerate(zip(looks.labels, sizes, strict=True))
        ]
        lines = [(line, fitting) for text, fitting in zip(texts, sizes, strict=True) for line in text.split("\n")]
        widest = max(text_width(line, fitting) for line, fitting in lines)
        plot = width - leader - widest - _AXIS * style.em
        if plot < _LEAST_PLOT * style.em or max(map(line_count, texts)) > _MOST_LINES:
            return None
        return cls(looks, tuple(texts), sizes, style)

    @property
    def height(self) -> float:
        """The height of all labels of a panel, inches."""
        return sum(self._height(number) for number, text in enumerate(self.texts) if text)

    def draw(self, figure: Figure, panels: Sequence[Axes]) -> None:
        """Draw the labels of all panels: of the lines whose label is the name of a strategy."""
        drawn = [(panel, self._add(figure, panel)) for panel in panels]
        figure.draw_without_rendering()  # lays out the figure, after which the height of panels is known
        for panel, labels in drawn:
            self._place(figure, panel, labels)

    def _add(self, figure: Figure, panel: Axes) -> dict[int, Annotation]:
        from matplotlib.transforms import offset_copy

        em = self.style.font_size
        leader = _leader(self.looks) * em
        beside = offset_copy(panel.transAxes, fig=figure, x=leader, y=0, units="points")
        found: dict[int, Annotation] = {}
        low, high = sorted(panel.get_ylim())
        for number, (x, end) in self._ends(panel).items():
            y = min(max(end, low), high)
            color = self.looks.color(number)
            early = panel.transAxes.inverted().transform(panel.transData.transform((x, y)))[0] < _EARLY
            leads: dict[str, Any] = {
                "arrowstyle": "-",
                "color": color,
                "linewidth": 0.6 * self.style.scale,
                "linestyle": (0, (1, 2)) if early else "-",
                "shrinkA": 0,
                "shrinkB": 0,
                "relpos": (0, 0.5),
            }
            found[number] = panel.annotate(
                self.texts[number],
                (x, y),
                xytext=(1.0, 0.5),
                textcoords=beside,
                arrowprops=leads,
                annotation_clip=False,
                ha="left",
                va="center",
                fontsize=self.sizes[number],
                color=readable(color, "#ffffff", _ON_WHITE),
                linespacing=1.05,
                bbox={"boxstyle": f"square,pad={_BESIDE}", "facecolor": "none", "edgecolor": "none"},
            )
        return found

    def _place(self, figure: Figure, panel: Axes, labels: dict[int, Annotation]) -> None:
        from matplotlib.lines import Line2D
        from matplotlib.transforms import offset_copy

        if not labels:
            return
        to_axes = panel.transAxes.inverted()
        height = panel.get_window_extent().height / figure.dpi  # inches
        ends = [float(to_axes.transform(panel.transData.transform(label.xy))[1]) for label in labels.values()]
        heights = [self._height(number) / height for number in labels]
        spare = max(0.0, sum(heights) - 1) / 2
        places = label_places(ends, heights, -spare, 1 + spare)
        if places is None:  # not by more than rounding
            return
        for (number, label), place in zip(labels.items(), places.tolist(), strict=True):
            label.set_position((1.0, place))
            look = self.looks.line(number)
            if look["marker"]:
                at = offset_copy(
                    panel.transAxes, fig=figure, x=(_WITH_MARKER - 0.55) * self.style.font_size, y=0, units="points"
                )
                mark = {key: look[key] for key in ("color", "marker")}
                panel.add_artist(Line2D([1.0], [place], transform=at, clip_on=False, **mark))

    def _ends(self, panel: Axes) -> dict[int, tuple[float, float]]:
        """Return the ends of the lines that get a label, by the number of the strategy; some have two lines."""
        last = panel.get_xlim()[1]
        numbers = {name: number for number, name in enumerate(self.looks.labels) if self.texts[number]}
        found: dict[int, tuple[float, float]] = {}
        for line in panel.lines:
            number = numbers.get(str(line.get_label()))
            x, y = np.asarray(line.get_xdata(), dtype=float), np.asarray(line.get_ydata(), dtype=float)
            if number is not None and len(x) and float(x[-1]) > found.get(number, (-np.inf, 0.0))[0]:
                found[number] = (min(float(x[-1]), last), float(y[-1]))
        return found

    def _height(self, number: int) -> float:
        return line_count(self.texts[number]) * LINE * self.sizes[number] / 72


def _leader(looks: Looks) -> float:
    return _WITH_MARKER if looks.marked else _LEADER
