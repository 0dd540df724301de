"""What an architecture looks like: its graph, laid out as plain data. Figures and the page draw it."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nasbench_lab.report.layout.graph import CIRCLE, ArchitectureGraph, Edge, Node, box_size, fit, straight, text_size
from nasbench_lab.report.layout.layers import layered_graph
from nasbench_lab.report.layout.parts import beside_each_other
from nasbench_lab.spaces import Graph, GraphEdge, GraphNode, Space
from nasbench_lab.spaces.graph import Arrangement, EdgeKind

__all__ = ["architecture_graph"]

_TEXT_WIDTH = 60  # characters
_GAP = 2.2  # between the boxes of a row, em
_LOW, _HIGH = (4.2, 0.7), (8.8, 1.25)  # of arcs: how far they are pulled away (em), and the angle at which they start
_MOST_ARC_NODES = 4  # with more nodes, arcs would cross


def architecture_graph(
    space: Space, architecture: str | int | np.integer[Any], row_width: float = 44.0
) -> ArchitectureGraph:
    """Lay out the graph of an architecture, as `nasbench_lab.spaces.Space.graph` describes it.

    - ``topology`` and ``trans-micro``: four circles in a row, and six arrows with their operations;
    - ``cell101``: the canonical drawing of the cell, every vertex below those that lead to it;
    - ``gnn``: the tree below the input, and its leaves, which are concatenated, leading to the output;
    - ``darts``: the normal and the reduction cell, with operations between the nodes that they join;
    - ``product``: the drawings of its parts;
    - ``chain``, ``layer-chain``, ``size`` and ``trans-macro``: a row of layers from input to output;
    - ``choices`` and ``listed-choices``: a row of choices without arrows, as it is not known how they act together;
    - ``listed``: the name as text;
    - a space of another package: as its graph says, by default a row of layers.

    Args:
        space: of the architecture.
        architecture: its index, or its official notation.
        row_width: em; a longer row continues below.

    Raises:
        OutOfSpaceError: the space has no such architecture.

    >>> from nasbench_lab.spaces import SizeSpace, TopologySpace
    >>> graph = architecture_graph(TopologySpace(), 6111)
    >>> [(edge.source, edge.target, edge.label) for edge in graph.edges][:2]
    [(0, 1, 'nor_conv_3x3'), (0, 2, 'nor_conv_3x3')]
    >>> [node.label for node in architecture_graph(SizeSpace(), "8:8:40:32:40").nodes][1:4]
    ['8 channels', '8 channels', '40 channels']
    """
    index = space.resolve(architecture)
    graph, name = space.graph(index), space.format(index)
    if graph.arrangement != "parts":
        return _LAYOUTS[graph.arrangement](name, graph, row_width)
    drawings = [(title, _LAYOUTS[part.arrangement](title, part, row_width)) for title, part in graph.split()]
    return beside_each_other(name, drawings, row_width)


def _arcs(name: str, graph: Graph, row_width: float) -> ArchitectureGraph:
    """Place nodes in a row, and an arc for every edge that does not lead to the next node."""
    if len(graph.nodes) > _MOST_ARC_NODES:
        return _layers(name, graph, row_width)
    labels = [node.label for node in graph.nodes] + [edge.label for edge in graph.edges]
    step = max(text_size(label)[0] for label in labels) + 2.4 + CIRCLE
    nodes = [Node(node.label, node.kind, place * step, 0.0, CIRCLE, CIRCLE) for place, node in enumerate(graph.nodes)]
    edges = [_arc(nodes, edge.source, edge.target, edge.label, edge.kind) for edge in graph.edges]
    return fit(name, nodes, edges)


def _arc(nodes: Sequence[Node], source: int, target: int, operation: str, kind: EdgeKind) -> Edge:
    start, end = nodes[source].x, nodes[target].x
    radius, middle = CIRCLE / 2, (start + end) / 2
    if target == source + 1:
        curve = straight((start + radius, 0.0), (end - radius, 0.0))
        return Edge(source, target, operation, kind, curve, (middle, -0.85))
    pull, angle = _LOW if target - source == 2 else _HIGH
    up = 1 if source == 1 else -1  # the arc from 1 to 3 lies below: so no arc crosses another
    leave_x, leave_y = radius * math.cos(angle), up * radius * math.sin(angle)
    bend_x, bend_y = pull / math.tan(angle), up * pull
    curve = (
        (start + leave_x, leave_y),
        (start + bend_x, bend_y),
        (end - bend_x, bend_y),
        (end - leave_x, leave_y),
    )
    top = (2 * leave_y + 6 * bend_y) / 8  # of the curve: half-way along it
    return Edge(source, target, operation, kind, curve, (middle, top + 0.85 * up))


def _layers(name: str, graph: Graph, _row_width: float) -> ArchitectureGraph:
    """Place every node below those that lead to it."""
    if any(edge.label for edge in graph.edges):
        graph = _with_operations_in_nodes(graph)
    return layered_graph(
        name,
        [node.label for node in graph.nodes],
        [node.kind for node in graph.nodes],
        [(edge.source, edge.target) for edge in graph.edges],
        [edge.kind for edge in graph.edges],
    )


def _with_operations_in_nodes(graph: Graph) -> Graph:
    """Put a node with the operation in the middle of every edge that has one."""
    nodes: list[GraphNode] = []
    edges: list[GraphEdge] = []
    place: list[int] = []
    for number, node in enumerate(graph.nodes):
        leading = []
        for edge in (edge for edge in graph.edges if edge.target == number):
            source = place[edge.source]
            if edge.label:
                edges.append(GraphEdge(source, len(nodes), kind=edge.kind))
                source = len(nodes)
                nodes.append(GraphNode(edge.label))
            leading.append((source, edge.kind))
        place.append(len(nodes))
        nodes.append(node)
        edges += [GraphEdge(source, place[-1], kind=kind) for source, kind in leading]
    return Graph(tuple(nodes), tuple(edges), "layers")


def _row(name: str, graph: Graph, row_width: float) -> ArchitectureGraph:
    """Place boxes from left to right; a full row continues below."""
    labels = [_wrapped(node.label) for node in graph.nodes]
    sizes = [
        text_size(label) if node.kind == "text" else box_size(label)
        for label, node in zip(labels, graph.nodes, strict=True)
    ]
    height = max(high for _, high in sizes)
    nodes: list[Node] = []
    rows: list[int] = []
    x, row = 0.0, 0
    for label, node, (wide, high) in zip(labels, graph.nodes, sizes, strict=True):
        if x > 0 and x + wide > row_width:
            x, row = 0.0, row + 1
        nodes.append(Node(label, node.kind, x + wide / 2, row * (height + _GAP), wide, high))
        rows.append(row)
        x += wide + _GAP
    return fit(name, nodes, [_row_edge(nodes, rows, edge.source) for edge in graph.edges])


def _wrapped(label: str) -> str:
    """Break the lines of a label that are too long."""
    lines = label.split("\n")
    return "\n".join(textwrap.fill(line, _TEXT_WIDTH) if len(line) > _TEXT_WIDTH else line for line in lines)


def _row_edge(nodes: Sequence[Node], rows: Sequence[int], place: int) -> Edge:
    """Draw the arrow from a box to the next: straight, or from the end of a row to the beginning of the row below."""
    one, other = nodes[place], nodes[place + 1]
    start, end = (one.x + one.width / 2, one.y), (other.x - other.width / 2, other.y)
    if rows[place] == rows[place + 1]:
        return Edge(place, place + 1, "", "flow", straight(start, end), ((start[0] + end[0]) / 2, one.y))
    middle, out = (one.y + other.y) / 2, 0.7 * _GAP
    curve = (
        start,
        (start[0] + out, start[1]),
        (start[0] + out, middle),
        (start[0], middle),
        *straight((start[0], middle), (end[0], middle))[1:],
        (end[0] - out, middle),
        (end[0] - out, end[1]),
        end,
    )
    return Edge(place, place + 1, "", "flow", curve, ((start[0] + end[0]) / 2, middle))


_LAYOUTS: Mapping[Arrangement, Callable[[str, Graph, float], ArchitectureGraph]] = {
    "row": _row,
    "layers": _layers,
    "arcs": _arcs,
}
