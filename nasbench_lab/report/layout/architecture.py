"""The graph of an architecture, laid out as plain data. Figures and the page draw it."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nasbench_lab.report.layout.graph import ArchitectureGraph, Edge, Node, NodeKind, box_size, fit, straight, text_size
from nasbench_lab.report.layout.layers import layered_graph
from nasbench_lab.spaces import (
    Cell101Space,
    ChainSpace,
    ChoicesSpace,
    GnnSpace,
    LayerChainSpace,
    ListedChoicesSpace,
    SizeSpace,
    Space,
    TopologySpace,
    TransMacroSpace,
    TransMicroSpace,
    gnn,
    topology,
    trans_micro,
)

__all__ = ["architecture_graph"]

_INPUT, _OUTPUT = "input", "output"
_TEXT_WIDTH = 60  # characters
_GAP = 2.2  # between the boxes of a row, em
_ROUND = 1.9  # diameter of a circle, em
_LOW, _HIGH = (4.2, 0.7), (8.8, 1.25)  # of arcs: how far they are pulled away (em), and the angle at which they start

_MODULES = ("plain", "channels x2", "resolution /2", "channels x2,\nresolution /2")
"""Labels of the kinds of modules of `TransMacroSpace`."""


def architecture_graph(
    space: Space, architecture: str | int | np.integer[Any], row_width: float = 44.0
) -> ArchitectureGraph:
    """Lay out the graph of an architecture.

    - ``topology`` and ``trans-micro``: four circles in a row, and six arrows with their operations;
    - ``cell101``: the canonical drawing of the cell, each vertex below its predecessors;
    - ``gnn``: the tree below the input, and its leaves, which are concatenated, leading to the output;
    - ``chain``, ``layer-chain``, ``size`` and ``trans-macro``: a row of layers from input to output;
    - ``choices`` and ``listed-choices``: a row of choices, without arrows, as their structure is not known;
    - ``listed`` and all other spaces: the notation as text.

    Args:
        space: of the architecture.
        architecture: its index, or its official notation.
        row_width: a longer row of layers continues below, em.

    Raises:
        OutOfSpaceError: the space has no such architecture.

    >>> graph = architecture_graph(TopologySpace(), 6111)
    >>> [(edge.source, edge.target, edge.label) for edge in graph.edges][:2]
    [(0, 1, 'nor_conv_3x3'), (0, 2, 'nor_conv_3x3')]
    >>> [node.label for node in architecture_graph(SizeSpace(), "8:8:40:32:40").nodes][1:4]
    ['8 channels', '8 channels', '40 channels']
    """
    index = space.resolve(architecture)
    draw = _DRAWINGS.get(type(space), _text)
    return draw(space, index, row_width)


def _topology(space: TopologySpace, index: int, _row_width: float) -> ArchitectureGraph:
    return _cell(
        space.format(index), [topology.OPERATIONS[code] for code in space.codes(index).tolist()], topology.EDGES
    )


def _trans_micro(space: TransMicroSpace, index: int, _row_width: float) -> ArchitectureGraph:
    return _cell(
        space.format(index), [trans_micro.OPERATIONS[code] for code in space.codes(index).tolist()], trans_micro.EDGES
    )


def _cell(name: str, operations: Sequence[str], links: Sequence[tuple[int, int]]) -> ArchitectureGraph:
    """Draw a cell with operations on its edges: nodes in a row, an arc for each edge that skips nodes."""
    step = max(text_size(operation)[0] for operation in operations) + 2.4 + _ROUND
    nodes = [Node(str(number), "state", number * step, 0.0, _ROUND, _ROUND) for number in range(4)]
    edges = [
        _cell_edge(nodes, source, target, operation)
        for (source, target), operation in zip(links, operations, strict=True)
    ]
    return fit(name, nodes, edges)


def _cell_edge(nodes: Sequence[Node], source: int, target: int, operation: str) -> Edge:
    start, end = nodes[source].x, nodes[target].x
    radius, middle = _ROUND / 2, (start + end) / 2
    kind: Any = "none" if operation == "none" else "flow"
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


def _cell101(space: Cell101Space, index: int, _row_width: float) -> ArchitectureGraph:
    adjacency, operations = space.cell(index)
    labels = [_INPUT, *operations, _OUTPUT]
    links = [(int(source), int(target)) for source, target in np.argwhere(adjacency)]
    return layered_graph(space.format(index), labels, _kinds(len(labels)), links)


def _gnn(space: GnnSpace, index: int, _row_width: float) -> ArchitectureGraph:
    tree, *codes = space.codes(index).tolist()
    origins = gnn.LINKS[tree]
    leaves = [node for node in range(1, len(origins) + 1) if node not in origins]
    links = [(origin, node) for node, origin in enumerate(origins, start=1)]
    links += [(leaf, len(origins) + 1) for leaf in leaves]
    labels = [_INPUT, *(space.operations[code] for code in codes), _OUTPUT]
    return layered_graph(space.format(index), labels, _kinds(len(labels)), links)


def _kinds(nodes: int) -> list[NodeKind]:
    return ["end", *["operation"] * (nodes - 2), "end"]  # type: ignore[list-item]


def _chain(space: ChainSpace, index: int, row_width: float) -> ArchitectureGraph:
    return _layers(space.format(index), [space.choices[code] for code in space.codes(index).tolist()], row_width)


def _layer_chain(space: LayerChainSpace, index: int, row_width: float) -> ArchitectureGraph:
    return _layers(space.format(index), space.names(space.codes(index).tolist()), row_width)


def _size(space: SizeSpace, index: int, row_width: float) -> ArchitectureGraph:
    labels = [f"{channels} channels" for channels in space.channels(index)]
    return _layers(space.format(index), labels, row_width)


def _trans_macro(space: TransMacroSpace, index: int, row_width: float) -> ArchitectureGraph:
    labels = [_MODULES[code] for code in space.codes(index).tolist() if code < len(_MODULES)]
    return _layers(space.format(index), labels, row_width)


def _choices(space: ChoicesSpace | ListedChoicesSpace, index: int, row_width: float) -> ArchitectureGraph:
    codes = space.codes(index).tolist()
    parts = zip(space.choices.names, space.choices.values, codes, strict=True)
    labels = [textwrap.fill(f"{key} = {values[code]}", _TEXT_WIDTH) for key, values, code in parts]
    nodes, _ = _row(labels, ["operation"] * len(labels), row_width)
    return fit(space.format(index), nodes, [])


def _text(space: Space, index: int, _row_width: float) -> ArchitectureGraph:
    name = space.format(index)
    label = textwrap.fill(name, _TEXT_WIDTH)
    return fit(name, [Node(label, "text", 0.0, 0.0, *text_size(label))], [])


def _layers(name: str, labels: Sequence[str], row_width: float) -> ArchitectureGraph:
    """Draw layers from input to output."""
    every = [_INPUT, *labels, _OUTPUT]
    nodes, rows = _row(every, _kinds(len(every)), row_width)
    edges = [_layer_edge(nodes, rows, place) for place in range(len(nodes) - 1)]
    return fit(name, nodes, edges)


def _row(labels: Sequence[str], kinds: Sequence[NodeKind], row_width: float) -> tuple[list[Node], list[int]]:
    """Place boxes from left to right, in a new row below where a row is full; return the boxes and their rows."""
    sizes = [box_size(label) for label in labels]
    height = max(high for _, high in sizes)
    nodes: list[Node] = []
    rows: list[int] = []
    x, row = 0.0, 0
    for label, kind, (wide, high) in zip(labels, kinds, sizes, strict=True):
        if x > 0 and x + wide > row_width:
            x, row = 0.0, row + 1
        nodes.append(Node(label, kind, x + wide / 2, row * (height + _GAP), wide, high))
        rows.append(row)
        x += wide + _GAP
    return nodes, rows


def _layer_edge(nodes: Sequence[Node], rows: Sequence[int], place: int) -> Edge:
    """Draw the arrow from one layer to the next: straight, or from the end of a row to the next row."""
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


_DRAWINGS: dict[type[Space], Callable[[Any, int, float], ArchitectureGraph]] = {
    TopologySpace: _topology,
    TransMicroSpace: _trans_micro,
    Cell101Space: _cell101,
    GnnSpace: _gnn,
    ChainSpace: _chain,
    LayerChainSpace: _layer_chain,
    SizeSpace: _size,
    TransMacroSpace: _trans_macro,
    ChoicesSpace: _choices,
    ListedChoicesSpace: _choices,
}
