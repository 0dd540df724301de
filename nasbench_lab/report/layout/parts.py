"""Drawings with titles beside each other, as one drawing."""

from __future__ import annotations

from collections.abc import Sequence

from nasbench_lab.report.layout.graph import ArchitectureGraph, Edge, Node, fit, text_size

_GAP_X, _GAP_Y = 2.0, 1.2  # between drawings, em
_BELOW_TITLE = 0.3


def beside_each_other(
    name: str, drawings: Sequence[tuple[str, ArchitectureGraph]], row_width: float
) -> ArchitectureGraph:
    """Place drawings from left to right, each below its title; a full row continues below.

    Args:
        name: of the whole.
        drawings: titles, which may be empty, and drawings.
        row_width: em.
    """
    nodes: list[Node] = []
    edges: list[Edge] = []
    x = y = bottom = 0.0
    for title, drawing in drawings:
        title_width, title_height = text_size(title) if title else (0.0, 0.0)
        width = max(title_width, drawing.width)
        if x > 0 and x + width > row_width:
            x, y = 0.0, bottom + _GAP_Y
        top = y + title_height + _BELOW_TITLE * bool(title)
        left = x + (width - drawing.width) / 2
        first = len(nodes)
        nodes += [_moved_node(node, left, top) for node in drawing.nodes]
        edges += [_moved_edge(edge, left, top, first) for edge in drawing.edges]
        if title:
            nodes.append(Node(title, "text", x + width / 2, y + title_height / 2, title_width, title_height))
        bottom = max(bottom, top + drawing.height)
        x += width + _GAP_X
    return fit(name, nodes, edges)


def _moved_node(node: Node, x: float, y: float) -> Node:
    return Node(node.label, node.kind, node.x + x, node.y + y, node.width, node.height)


def _moved_edge(edge: Edge, x: float, y: float, first: int) -> Edge:
    curve = tuple((at_x + x, at_y + y) for at_x, at_y in edge.curve)
    label_at = (edge.label_at[0] + x, edge.label_at[1] + y)
    return Edge(edge.source + first, edge.target + first, edge.label, edge.kind, curve, label_at)
