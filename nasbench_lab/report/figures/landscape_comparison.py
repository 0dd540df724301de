"""The figure that compares the landscapes of several tables: a row per table, a panel per statistic."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nasbench_lab.analysis.intervals import Interval
from nasbench_lab.analysis.landscapes.landscape_results import Landscape
from nasbench_lab.errors import MissingDataError
from nasbench_lab.report.figures.axis_scales import label_axis
from nasbench_lab.report.figures.fonts import drawing
from nasbench_lab.report.figures.panels import label_rows, panel_grid, row_places
from nasbench_lab.report.figures.paper_styles import PaperStyle, paper_style
from nasbench_lab.report.figures.text_fit import wrap_label
from nasbench_lab.report.looks import COLORS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_AXES = 0.8  # title, ticks and label of a panel, inches
_FEW = 12  # tables for which there are two rows of panels
_NAMES = 0.21  # of the width, for the names of tables


@dataclasses.dataclass(frozen=True)
class ComparedStatistic:
    """A statistic that landscapes are compared by.

    Attributes:
        title: of its panel.
        short: heading of its column.
        about: what it means, in words.
        value: of a landscape; None where the table lacks the data.
        log: whether its axis is logarithmic.
    """

    title: str
    short: str
    about: str
    value: Callable[[Landscape], Interval | None]
    log: bool = False


def _times(factor: float, value: Interval) -> Interval:
    return Interval(factor * value.estimate, factor * value.low, factor * value.high)


def _alone(value: float) -> Interval:
    return Interval(value, math.nan, math.nan)


def _optima(found: Landscape) -> Interval | None:
    return None if found.optima is None else _times(1000 / found.architectures, found.optima.strict)


def _reach(place: int) -> Callable[[Landscape], Interval | None]:
    return lambda found: _times(100, found.climbing[place].reach) if found.climbing else None


def _neutral(found: Landscape) -> Interval | None:
    each = found.neutrality_of_trainings or found.neutrality
    return None if each is None else _times(100, each.neutral)


COMPARED = (
    ComparedStatistic(
        "strict optima per 1,000",
        "optima/1,000",
        "architectures that are better than all their neighbours, per 1,000 architectures",
        _optima,
        log=True,
    ),
    ComparedStatistic(
        "best-improvement climbs that reach the best (%)",
        "best climbs (%)",
        "how often hill climbing from a random architecture that moves to the best neighbour ends at the optimum",
        _reach(0),
        log=True,
    ),
    ComparedStatistic(
        "first-improvement climbs that reach the best (%)",
        "first climbs (%)",
        "the same for hill climbing that moves to the first better neighbour",
        _reach(1),
        log=True,
    ),
    ComparedStatistic(
        "fitness-distance correlation (Spearman)",
        "FDC",
        "rank correlation of quality and the distance to the optimum in moves; negative if closer ones are better",
        lambda found: found.distance.spearman if found.distance else None,
    ),
    ComparedStatistic(
        "correlation length (moves)",
        "walk length",
        "number of random moves after which the autocorrelation has fallen to 1/e",
        lambda found: _alone(found.walk.length) if found.walk else None,
    ),
    ComparedStatistic(
        "in neutral networks (%)",
        "neutral (%)",
        "architectures with a neighbour of the same value; those that share a training count once",
        _neutral,
    ),
    ComparedStatistic(
        "reliability of one repeat",
        "reliability",
        "share of the variance of one training that lies between architectures; the rest is noise of the seed",
        lambda found: _alone(found.noise.reliability) if found.noise else None,
    ),
)
"""The statistics by which tables are compared, in order. Architectures that share a training count once as neutral."""


def landscape_comparison_figure(landscapes: Sequence[Landscape], *, style: PaperStyle | str = "double") -> Figure:
    """Draw the landscapes of several tables side by side: a row per table, a panel per statistic.

    Bars are 95 % intervals of statistics that come from a sample. A dot is missing where a table lacks the data.

    Args:
        landscapes: from `nasbench_lab.analysis.landscape`, one per table.
        style: ``"single"``, ``"double"``, ``"slide"``, or a style.

    Raises:
        UnknownNameError: there is no such style.
        MissingDataError: there is no landscape.
    """
    chosen = paper_style(style)
    if not landscapes:
        raise MissingDataError("there is nothing to draw: no table has a landscape")
    columns = 2 if chosen.name == "single" else 4 if len(landscapes) <= _FEW else len(COMPARED)
    labels = [wrap_label(found.table, _NAMES * chosen.width, chosen.small) for found in landscapes]
    places, end = row_places(labels)
    height = _AXES * chosen.scale + end * 1.35 * chosen.em
    with drawing(chosen.rc, [found.table for found in landscapes]):
        figure, panels = panel_grid(chosen, len(COMPARED), columns, height, 0.0)
        for number, (panel, compared) in enumerate(zip(panels, COMPARED, strict=True)):
            label_rows(panel, labels, shown=number % columns == 0)
            for label in panel.get_yticklabels():
                label.set_fontsize(chosen.small)
            _draw(panel, [compared.value(found) for found in landscapes], places, compared.log, chosen)
            room = chosen.width * (1 - _NAMES) / columns - 0.15
            panel.set_title(wrap_label(compared.title, room, chosen.small), fontsize=chosen.small)
    return figure


def _draw(
    panel: Axes, values: Sequence[Interval | None], places: Sequence[float], log: bool, style: PaperStyle
) -> None:
    known = [_alone(math.nan) if each is None else each for each in values]
    x = np.array([each.estimate for each in known])
    low, high = (np.array([getattr(each, end) for each in known]) for end in ("low", "high"))
    if log:
        positive = x[np.isfinite(x) & (x > 0)]
        floor = float(positive.min()) / 2 if len(positive) else 0.1
        panel.set_xscale("log")
        x, low = np.maximum(x, floor), np.maximum(low, floor)
    finite = x[np.isfinite(x)]
    if len(finite):
        ends = (float(finite.min()), float(finite.max()))
        if log:
            panel.set_xlim(ends[0] / 1.5, ends[1] * 1.5)
        else:
            panel.set_xlim(min(0.0, 1.1 * ends[0]), max(0.0, 1.1 * ends[1]) or (0.0 if ends[0] < 0 else 1.0))
    label_axis(panel.xaxis)
    for place in places:
        panel.axhline(place, color="#e6e6e6", linewidth=0.5 * style.scale, zorder=0.5)
    panel.hlines(places, low, high, color=COLORS[0], linewidth=1.2 * style.scale)
    panel.plot(x, places, linestyle="", marker="o", color=COLORS[0], markersize=3.4 * style.scale, clip_on=False)
