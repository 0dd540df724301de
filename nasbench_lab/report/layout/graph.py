"""A laid-out graph as plain data: boxes and arrows with their positions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Point = tuple[float, float]
"""x to the right and y *downwards*, as in SVG, in em: multiples of the font size of the labels."""

NodeKind = Literal["end", "operation", "state", "text"]
EdgeKind = Literal["flow", "none"]

_CHARACTER = 0.64  # widest average width of a character of a label in common sans-serif fonts, em
_LINE = 1.25
_PADDING = (1.2, 0.7)


@dataclass(frozen=True)
class Node:
    """A box, a circle or a text.

    Attributes:
        label: text inside; may have several lines.
        kind: ``"end"`` for input and output, ``"operation"`` for an operation, ``"state"`` (a circle, as
            wide as high) for a feature map where operations are on edges, ``"text"`` for text without a box.
        x: of the centre, em.
        y: of the centre, em, downwards.
        width: em; the label fits in.
        height: em.
    """

    label: str
    kind: NodeKind
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Edge:
    """An arrow.

    Attributes:
        source: position of the node where it starts.
        target: position of the node to which it points.
        label: the operation on the edge; empty where operations are in the nodes.
        kind: ``"none"`` for an edge that transports nothing (drawn faintly), else ``"flow"``.
        curve: cubic Bezier curves one after the other: a start, and then for each curve two control points and its
            end, which is the next one's start: ``M p0 C p1 p2 p3 C p4 p5 p6 ...`` in SVG. It starts and ends at the
            border of its nodes.
        label_at: centre of the label.
    """

    source: int
    target: int
    label: str
    kind: EdgeKind
    curve: tuple[Point, ...]
    label_at: Point


@dataclass(frozen=True)
class ArchitectureGraph:
    """A laid-out architecture. Nothing overlaps if labels are drawn at 1 em in a common sans-serif font.

    Attributes:
        name: the architecture in official notation.
        nodes: boxes.
        edges: arrows between them, by position in `nodes`.
        width: everything lies between 0 and this, em.
        height: everything lies between 0 and this, em.
    """

    name: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    width: float
    height: float

    @property
    def description(self) -> str:
        """The graph in words, for readers who cannot see it.

        >>> from nasbench_lab.report.layout.architecture import architecture_graph
        >>> from nasbench_lab.spaces import ChainSpace
        >>> architecture_graph(ChainSpace("ab", 2), 1).description
        'a, b; input leads to a; a leads to b; b leads to output'
        """
        inner = [_flat(node.label) for node in self.nodes if node.kind in ("operation", "text")]
        return "; ".join([*([", ".join(inner)] if inner else []), *map(self._describe, self.edges)])

    def _describe(self, edge: Edge) -> str:
        source, target = (_flat(self.nodes[place].label) for place in (edge.source, edge.target))
        through = f" through {edge.label}" if edge.label else ""
        return f"{source} leads to {target}{through}"


def text_size(label: str) -> tuple[float, float]:
    """Return the largest width and height of a label, em.

    >>> width, height = text_size("conv1x1")
    >>> round(width, 2), height
    (4.48, 1.25)
    """
    lines = label.split("\n")
    return _CHARACTER * max(map(len, lines)), _LINE * len(lines)


def box_size(label: str) -> tuple[float, float]:
    """Return width and height of a box around a label, em."""
    width, height = text_size(label)
    return width + _PADDING[0], height + _PADDING[1]


def straight(*points: Point) -> tuple[Point, ...]:
    """Return straight lines from point to point, as Bezier curves.

    >>> straight((0, 0), (3, 0))
    ((0, 0), (1.0, 0.0), (2.0, 0.0), (3, 0))
    """
    curve: list[Point] = [points[0]]
    for (x, y), (end_x, end_y) in itertools.pairwise(points):
        step_x, step_y = (end_x - x) / 3, (end_y - y) / 3
        curve += [(x + step_x, y + step_y), (x + 2 * step_x, y + 2 * step_y), (end_x, end_y)]
    return tuple(curve)


def fit(name: str, nodes: Sequence[Node], edges: Sequence[Edge], margin: float = 0.4) -> ArchitectureGraph:
    """Return the graph, moved to begin at the margin, with its size."""
    points = [point for edge in edges for point in edge.curve]
    boxes = [(node.x, node.y, node.width, node.height) for node in nodes]
    boxes += [(*edge.label_at, *text_size(edge.label)) for edge in edges if edge.label]
    left = min([x for x, _ in points] + [x - width / 2 for x, _, width, _ in boxes]) - margin
    right = max([x for x, _ in points] + [x + width / 2 for x, _, width, _ in boxes]) + margin
    top = min([y for _, y in points] + [y - height / 2 for _, y, _, height in boxes]) - margin
    bottom = max([y for _, y in points] + [y + height / 2 for _, y, _, height in boxes]) + margin

    def moved(point: Point) -> Point:
        return round(point[0] - left, 4), round(point[1] - top, 4)

    return ArchitectureGraph(
        name,
        tuple(Node(n.label, n.kind, *moved((n.x, n.y)), round(n.width, 4), round(n.height, 4)) for n in nodes),
        tuple(Edge(e.source, e.target, e.label, e.kind, tuple(map(moved, e.curve)), moved(e.label_at)) for e in edges),
        round(right - left, 4),
        round(bottom - top, 4),
    )


def _flat(label: str) -> str:
    return label.replace("\n", " ")
