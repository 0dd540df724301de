"""An architecture, drawn as a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_lab.report.figures.fonts import drawing
from nasbench_lab.report.figures.paper_styles import PaperStyle, paper_style
from nasbench_lab.report.layout.architecture import architecture_graph
from nasbench_lab.report.layout.graph import ArchitectureGraph, Edge, Node
from nasbench_lab.spaces import Space

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK, _FAINT = "#333333", "#aaaaaa"
_FILLS = {"end": "#e8e8e8", "operation": "#dcecf6", "state": "#ffffff"}
_POINTS = 72  # per inch
_ROUNDING = 0.35  # radius of the corners of boxes, em
_MARGIN = 0.02  # inches
_BESIDE_ROWS = 4.5  # room for arrows from row to row, em


def architecture_figure(
    space: Space, architecture: str | int | np.integer[Any], style: PaperStyle | str = "single"
) -> Figure:
    """Draw an architecture, see `architecture_graph`.

    Labels have the font size of the style, and the figure is as large as the graph needs. A graph that would be wider
    than the style is scaled down.

    Args:
        space: of the architecture.
        architecture: its index, or its official notation.
        style: ``"single"``, ``"double"``, or a style.

    Raises:
        OutOfSpaceError: the space has no such architecture.

    >>> from nasbench_lab.spaces import SizeSpace
    >>> figure = architecture_figure(SizeSpace(), "8:8:40:32:40")
    >>> [text.get_text() for text in figure.axes[0].texts][1:3]
    ['8 channels', '8 channels']
    """
    chosen = paper_style(style)
    row_width = chosen.width / chosen.font_size * _POINTS - _BESIDE_ROWS
    return draw_graph(architecture_graph(space, architecture, row_width), chosen)


def draw_graph(graph: ArchitectureGraph, style: PaperStyle | str = "single") -> Figure:
    """Draw a laid-out graph, see `architecture_figure`."""
    from nasbench_lab.report.figures.shown_figure import ShownFigure

    chosen = paper_style(style)
    em = min(chosen.font_size / _POINTS, (chosen.width - 2 * _MARGIN) / graph.width)  # inches
    settings: Any = {**chosen.rc, "figure.constrained_layout.use": False}
    with drawing(settings, [*(node.label for node in graph.nodes), *(edge.label for edge in graph.edges)]):
        width, height = graph.width * em + 2 * _MARGIN, graph.height * em + 2 * _MARGIN
        figure = ShownFigure(figsize=(width, height))
        inner = (_MARGIN / width, _MARGIN / height, 1 - 2 * _MARGIN / width, 1 - 2 * _MARGIN / height)
        panel = figure.add_axes(inner, xlim=(0, graph.width), ylim=(graph.height, 0))
        panel.axis("off")
        size = em * _POINTS
        for edge in graph.edges:
            _draw_edge(panel, edge, size)
        for node in graph.nodes:
            _draw_node(panel, node, size)
    return figure


def _draw_edge(panel: Axes, edge: Edge, size: float) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    faint = edge.kind == "none"
    codes = [Path.MOVETO, *[Path.CURVE4] * (len(edge.curve) - 1)]
    look: dict[str, Any] = {"color": _FAINT if faint else _INK, "linestyle": (0, (2, 2)) if faint else "-"}
    arrow = FancyArrowPatch(
        path=Path(list(edge.curve), codes),
        arrowstyle="-|>",
        mutation_scale=size * 0.9,
        linewidth=0.09 * size,
        shrinkA=0,
        shrinkB=0,
        clip_on=False,
        **look,
    )
    panel.add_patch(arrow)
    if edge.label:
        center: dict[str, Any] = {"ha": "center", "va": "center"}
        panel.text(*edge.label_at, edge.label, fontsize=size, color="#777777" if faint else _INK, **center)


def _draw_node(panel: Axes, node: Node, size: float) -> None:
    from matplotlib.patches import Circle, FancyBboxPatch, Patch

    look: dict[str, Any] = {"edgecolor": _INK, "facecolor": _FILLS.get(node.kind), "linewidth": 0.09 * size}
    corner = (node.x - node.width / 2, node.y - node.height / 2)
    box: Patch | None = None
    if node.kind == "state":
        box = Circle((node.x, node.y), node.width / 2, **look)
    elif node.kind != "text":
        rounding = f"round,pad=0,rounding_size={_ROUNDING}"
        box = FancyBboxPatch(corner, node.width, node.height, boxstyle=rounding, mutation_aspect=1, **look)
    if box is not None:
        panel.add_patch(box)
    # Text that is centred by its letters sits too high where some have descenders: centre it by its line.
    panel.text(node.x, node.y, node.label, fontsize=size, ha="center", va="center_baseline" if box else "center")
