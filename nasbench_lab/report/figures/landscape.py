"""The figure of a landscape: distance to the optimum, where climbs end, random walks, and how measurements agree."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_lab.analysis.landscapes.landscape_results import Landscape
from nasbench_lab.analysis.landscapes.measurement_agreement import Agreement
from nasbench_lab.report.figures.axis_scales import label_linear_axis, label_log_axis
from nasbench_lab.report.figures.fonts import drawing
from nasbench_lab.report.figures.legend import Legend
from nasbench_lab.report.figures.panels import panel_grid, say, set_title
from nasbench_lab.report.figures.paper_styles import PaperStyle, paper_style
from nasbench_lab.report.looks import COLORS
from nasbench_lab.tables import Metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RULE_WORDS = {"best": "best improvement", "first": "first improvement"}
"""What the rules of climbing are called."""

_HEIGHT = {"single": 1.9, "double": 2.1, "slide": 2.2}  # of a panel, inches
_MOST_NUMBERS = 7  # a larger matrix of correlations has no room for numbers
_NEIGHBORLESS = "no architecture has a neighbour"
_LEAST_BASIN = 1e-5


def landscape_figure(landscape: Landscape, *, style: PaperStyle | str = "double") -> Figure:
    """Draw four panels: values by distance to the optimum, basins, autocorrelation, and agreement of measurements.

    Where the table lacks what a panel shows, the panel says so.

    Args:
        landscape: from `nasbench_lab.analysis.landscape`.
        style: ``"single"``, ``"double"``, ``"slide"``, or a style.

    Raises:
        UnknownNameError: there is no such style.
    """
    chosen = paper_style(style)
    columns = 1 if chosen.name == "single" else 2
    labels = [each for found in (landscape.fidelities, landscape.tables) if found for each in found.labels]
    with drawing(chosen.rc, [landscape.table, landscape.metric.name, landscape.metric.unit, *labels]):
        legend = Legend.plan(_entries(chosen), f"{landscape.table}, {landscape.metric.name.replace('_', ' ')}", chosen)
        height = _HEIGHT[chosen.name]
        figure, panels = panel_grid(chosen, 4, columns, height, legend.height)
        draw: tuple[Callable[[Axes, Landscape, PaperStyle], str], ...] = (_distance, _basins, _walk, _agreement)
        for panel, one in zip(panels, draw, strict=True):
            set_title(panel, one(panel, landscape, chosen), chosen, chosen.width / columns - 0.5)
        legend.draw(figure)
    return figure


def metric_words(metric: Metric) -> str:
    """Return a metric and its unit for an axis."""
    return f"{metric.name.replace('_', ' ')} ({metric.unit})" if metric.unit else metric.name.replace("_", " ")


def _entries(style: PaperStyle) -> list[tuple[str, dict[str, Any]]]:
    return [
        *((words, {**_mark(rule, style), "linestyle": ""}) for rule, words in RULE_WORDS.items()),
        ("best", {**_star(style), "linestyle": ""}),
        ("median, quartiles, range", {"color": COLORS[0]}),
    ]


def _mark(rule: str, style: PaperStyle) -> dict[str, Any]:
    place = list(RULE_WORDS).index(rule)
    look = {"color": COLORS[1 + place], "marker": "os"[place], "markeredgewidth": 0.7 * style.scale}
    return {**look, "markersize": 3.2 * style.scale, "markerfacecolor": "none"}


def _star(style: PaperStyle) -> dict[str, Any]:
    return {"marker": "*", "color": COLORS[6], "markersize": 6.5 * style.scale, "markeredgewidth": 0}


def _distance(panel: Axes, landscape: Landscape, style: PaperStyle) -> str:
    found = landscape.distance
    if found is None or len(found.count) < 2:
        say(panel, _NEIGHBORLESS if found is None else "all architectures share the best value")
        return "distance to the optimum"
    there = np.flatnonzero(found.count)
    low, lower, median, upper, high = found.quantiles[there].T
    panel.fill_between(there, low, high, color=COLORS[0], alpha=0.12, linewidth=0)
    panel.fill_between(there, lower, upper, color=COLORS[0], alpha=0.3, linewidth=0)
    panel.plot(there, median, color=COLORS[0])
    panel.plot([0], [landscape.best_value], linestyle="", clip_on=False, zorder=3, **_star(style))
    panel.set_xlim(0, len(found.count) - 1)
    panel.set_xlabel("moves to the nearest best architecture")
    panel.set_ylabel(metric_words(landscape.metric))
    _whole_numbers(panel)
    label_linear_axis(panel.yaxis)
    rho = found.spearman.estimate
    return f"distance to the optimum: Spearman {rho:.2f}" if math.isfinite(rho) else "distance to the optimum"


def _whole_numbers(panel: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    panel.xaxis.set_major_locator(MaxNLocator(7, integer=True))


def _basins(panel: Axes, landscape: Landscape, style: PaperStyle) -> str:
    if not landscape.climbing:
        say(panel, _NEIGHBORLESS)
        return "where climbs end"
    for climbs in landscape.climbing:
        shown = climbs.basins >= _LEAST_BASIN
        look = _mark(climbs.rule, style)
        panel.plot(climbs.values[shown], 100 * climbs.basins[shown], linestyle="", clip_on=False, **look)
        best = np.isin(climbs.ends, landscape.best) & shown
        panel.plot(
            climbs.values[best], 100 * climbs.basins[best], linestyle="", clip_on=False, zorder=3, **_star(style)
        )
    panel.set_yscale("log")
    low, high = panel.get_ylim()
    panel.set_ylim(low, min(100.0, max(high, 10 * low)))
    panel.set_xlabel(f"{metric_words(landscape.metric)} of the local optimum")
    panel.set_ylabel("climbs that end there (%)")
    label_linear_axis(panel.xaxis)
    label_log_axis(panel.yaxis)
    reach = " and ".join(f"{100 * climbs.reach.estimate:.2g}" for climbs in landscape.climbing)
    return f"where climbs end: {reach} % at the best"


def _walk(panel: Axes, landscape: Landscape, style: PaperStyle) -> str:
    found = landscape.walk
    if found is None or np.isnan(found.walked.estimate[1]):
        say(panel, _NEIGHBORLESS if found is None else "all values are equal")
        return "random walks"
    lags = np.arange(len(found.exact))
    walked = found.walked
    panel.fill_between(lags, walked.low, walked.high, color=COLORS[5], alpha=0.3, linewidth=0)
    panel.plot(lags, walked.estimate, color=COLORS[5], linestyle="--", label=f"{found.walks} walks of {found.steps}")
    if not np.isnan(found.exact[1]):
        panel.plot(lags, found.exact, color=COLORS[0], label="endless walk")
    panel.axhline(1 / math.e, color="#666666", linewidth=0.7 * style.scale, linestyle=(0, (1, 1)))
    panel.annotate("1/e", (1, 1 / math.e), xycoords=("axes fraction", "data"), ha="right", va="bottom", color="#555555")
    panel.set_xlim(0, lags[-1])
    panel.set_ylim(top=1.0)
    panel.set_xlabel("moves")
    panel.set_ylabel("autocorrelation")
    panel.legend(loc="upper right")
    _whole_numbers(panel)
    label_linear_axis(panel.yaxis)
    return f"random walks: correlation length {found.length:.3g} moves"


def _agreement(panel: Axes, landscape: Landscape, style: PaperStyle) -> str:
    found = _most_labels(landscape)
    if found is None:
        say(panel, "one fidelity, and no other table")
        return "agreement"
    draw_agreement(panel, found, style)
    return "rank correlation between " + ("fidelities" if found is landscape.fidelities else "tables")


def _most_labels(landscape: Landscape) -> Agreement | None:
    found = [each for each in (landscape.fidelities, landscape.tables) if each is not None]
    return max(found, key=lambda each: len(each.labels), default=None)


def draw_agreement(panel: Axes, found: Agreement, style: PaperStyle) -> None:
    """Draw a matrix of Spearman's rank correlations, with numbers where there is room for them."""
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("shades", ["#ffffff", COLORS[0]])
    count = len(found.labels)
    known = found.spearman[~np.isnan(found.spearman)]
    lowest = float(min(0.0, known.min())) if len(known) else 0.0
    panel.imshow(found.spearman, cmap=shades, vmin=lowest, vmax=1.0, aspect="auto")
    panel.grid(visible=False)
    names = [label.removesuffix(" epochs").rpartition("/")[2] for label in found.labels]
    panel.set_xticks(range(count), names, fontsize=style.small)
    panel.set_yticks(range(count), names, fontsize=style.small)
    panel.tick_params(length=0)
    if all(label.endswith(" epochs") for label in found.labels):
        panel.set_xlabel("epochs")
        panel.set_ylabel("epochs")
    for row in range(count):
        for column in range(count):
            value = found.spearman[row, column]
            is_shown = count <= _MOST_NUMBERS or (row, column) == (0, count - 1)
            if row == column or np.isnan(value) or not is_shown:
                continue
            ink = "white" if value - lowest > 0.6 * (1 - lowest) else "black"
            panel.text(column, row, f"{value:.2f}", ha="center", va="center", color=ink, fontsize=style.small)
