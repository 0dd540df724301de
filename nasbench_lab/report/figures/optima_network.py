"""The figure of a local optima network: optima by value and distance to the best, and the escapes between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_lab.analysis.landscapes.optima_networks import OptimaNetwork
from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import AtLeast, whole
from nasbench_lab.report.figures.axis_scales import label_linear_axis
from nasbench_lab.report.figures.fonts import drawing
from nasbench_lab.report.figures.landscape import metric_words
from nasbench_lab.report.figures.legend import Legend
from nasbench_lab.report.figures.panels import panel_grid
from nasbench_lab.report.figures.paper_styles import PaperStyle, paper_style
from nasbench_lab.report.looks import COLORS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEIGHT = {"single": 2.8, "double": 3.6, "slide": 4.0}  # of the panel, inches
_MOST_NODES = 60
_FEW = 20  # up to so many optima have arrows for two escapes each
_LARGEST = 14.0  # diameter of the largest basin, points
_SPREAD = 0.6  # of optima at one distance, moves


def optima_network_figure(
    network: OptimaNetwork, *, most: int = _MOST_NODES, style: PaperStyle | str = "double"
) -> Figure:
    """Draw local optima by their value and their distance to the nearest best architecture, with the likeliest escapes.

    The area of an optimum is its basin. Arrows lead to the other optimum where most escapes end, or to two if there are
    few optima: orange to better ones, grey to others. Of a large network, the best optima and those with the largest
    basins are drawn.

    Args:
        network: from `nasbench_lab.analysis.optima_network`.
        most: largest number of optima that are drawn.
        style: ``"single"``, ``"double"``, ``"slide"``, or a style.

    Raises:
        UnknownNameError: there is no such style.
        ParameterError: the number of optima is not allowed.
    """
    chosen = paper_style(style)
    shown = _shown(network, whole("most", most, AtLeast(1)))
    among = "" if len(shown) == len(network.optima) else f"; {len(shown)} of {len(network.optima):,} optima"
    title = f"local optima of {network.table}: area: basin of attraction{among}"
    dot = {"marker": "o", "color": COLORS[0], "markersize": 5 * chosen.scale, "linestyle": "", "markeredgewidth": 0}
    entries: list[tuple[str, dict[str, Any]]] = [
        ("local optimum", dot),
        ("best", {**dot, "color": COLORS[6], "marker": "*", "markersize": 8 * chosen.scale}),
        ("escape to better", {"color": COLORS[1]}),
        ("other escape", {"color": "#999999"}),
    ]
    with drawing(chosen.rc, [network.table, network.metric.name]):
        legend = Legend.plan(entries, title, chosen)
        figure, (panel,) = panel_grid(chosen, 1, 1, _HEIGHT[chosen.name], legend.height)
        x = _places(network.distances[shown], network.basins[shown])
        _draw_escapes(panel, network, shown, x, chosen)
        _draw_optima(panel, network, shown, x, chosen)
        panel.set_xlabel("moves to the nearest best architecture")
        panel.set_ylabel(metric_words(network.metric))
        panel.set_xticks(range(int(max(0, network.distances[shown].max())) + 1))
        panel.margins(0.06)
        label_linear_axis(panel.yaxis)
        legend.draw(figure)
    return figure


def _shown(network: OptimaNetwork, most: int) -> IntArray:
    """Return the positions of the optima that are drawn: half of them the best, half those with the largest basins."""
    count = len(network.optima)
    if count <= most:
        return np.arange(count)
    by_basin = np.argsort(-network.basins, kind="stable")
    order = np.stack([np.arange(count), by_basin], axis=1).ravel()  # both orders in turns; optima are best first
    first = np.sort(np.unique(order, return_index=True)[1])
    return np.sort(order[first[:most]])


def _places(distances: IntArray, basins: FloatArray) -> FloatArray:
    """Return the horizontal places: optima at one distance side by side, the largest basin in the middle."""
    x = distances.astype(np.float64)
    for distance in np.unique(distances):
        here = np.flatnonzero(distances == distance)
        here = here[np.argsort(-basins[here], kind="stable")]
        rank = np.arange(len(here))
        side = np.where(rank % 2, 1, -1) * ((rank + 1) // 2)
        x[here] += _SPREAD * side / max(2, len(here))
    return x


def _draw_optima(panel: Axes, network: OptimaNetwork, shown: IntArray, x: FloatArray, style: PaperStyle) -> None:
    values, best = network.values[shown], network.is_best[shown]
    largest = max(float(network.basins[shown].max()), 1e-12)
    area = (_LARGEST * style.scale) ** 2 * np.maximum(network.basins[shown] / largest, 0.02)
    look: dict[str, Any] = {"linewidths": 0.5 * style.scale, "edgecolors": "white", "zorder": 3, "clip_on": False}
    panel.scatter(x[~best], values[~best], s=area[~best], color=COLORS[0], **look)
    panel.scatter(
        x[best], values[best], s=np.maximum(area[best], 60 * style.scale), color=COLORS[6], marker="*", **look
    )


def _draw_escapes(panel: Axes, network: OptimaNetwork, shown: IntArray, x: FloatArray, style: PaperStyle) -> None:
    place = np.full(len(network.optima), -1)
    place[shown] = np.arange(len(shown))
    inside = (place[network.source] >= 0) & (place[network.target] >= 0) & (network.source != network.target)
    source, target, weight = (each[inside] for each in (network.source, network.target, network.weight))
    improving = network.kinds.positions[inside] == 0
    order = np.lexsort((-weight, source))
    source, target, improving = source[order], target[order], improving[order]
    nth = np.arange(len(source)) - np.searchsorted(source, source)
    for one, other, better, number in zip(place[source], place[target], improving, nth, strict=True):
        if number >= (2 if len(shown) <= _FEW else 1):
            continue
        arrow: dict[str, Any] = {
            "arrowstyle": "-|>",
            "color": COLORS[1] if better else "#999999",
            "linewidth": 0.6 * style.scale,
            "alpha": 0.75 if better else 0.45,
            "shrinkA": 2.0,
            "shrinkB": 3.0,
            "mutation_scale": 5 * style.scale,
            "connectionstyle": "arc3,rad=0.12",
        }
        ends = [(x[each], network.values[shown[each]]) for each in (one, other)]
        panel.annotate("", ends[1], ends[0], arrowprops=arrow, zorder=2 if better else 1)
