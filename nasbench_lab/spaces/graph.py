"""An architecture as a graph: its nodes and edges in words, without places. The report lays them out and draws them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from nasbench_lab.checks import require

NodeKind = Literal["end", "operation", "state", "text"]
EdgeKind = Literal["flow", "none"]
Arrangement = Literal["row", "layers", "arcs", "parts"]


@dataclass(frozen=True)
class GraphNode:
    """A node.

    Attributes:
        label: its text; may have several lines.
        kind: ``"end"`` for input and output, ``"operation"`` for something that is computed, ``"state"`` for a feature
            map between operations that stand on edges, ``"text"`` for text without a box.
    """

    label: str
    kind: NodeKind = "operation"


@dataclass(frozen=True)
class GraphEdge:
    """An edge.

    Attributes:
        source: position of the node where it starts.
        target: position of the node where it ends.
        label: the operation on it; empty where operations stand in the nodes.
        kind: ``"none"`` for an edge that passes nothing on, otherwise ``"flow"``.
    """

    source: int
    target: int
    label: str = ""
    kind: EdgeKind = "flow"


@dataclass(frozen=True)
class GraphPart:
    """A part of a graph that is drawn on its own: the next so many of its nodes, and the edges between them.

    Attributes:
        title: what is written above it; may be empty.
        nodes: how many nodes it has.
        arrangement: of its nodes, not ``"parts"``.
    """

    title: str
    nodes: int
    arrangement: Arrangement


@dataclass(frozen=True)
class Graph:
    """A directed acyclic graph.

    Attributes:
        nodes: listed so that every edge leads from an earlier node to a later one.
        edges: all different, by position in `nodes`.
        arrangement: ``"row"``: one node beside the other, and edges only from a node to the next; ``"layers"``: every
            node below those that lead to it; ``"arcs"``: nodes in a row, and operations on arcs between them;
            ``"parts"``: several graphs beside each other, see `joined_graph`.
        parts: the parts of such a graph, in the order of their nodes; empty for all others.

    Raises:
        ParameterError: there is no node, or an edge is given twice, leads backwards, does not fit the arrangement or
            leads from one part to another.

    >>> Graph((GraphNode("a"), GraphNode("b")), (GraphEdge(1, 0),))
    Traceback (most recent call last):
    nasbench_lab.errors.ParameterError: an edge of a graph leads from a node to a later one, 0 to 1, got 1 to 0
    """

    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...] = ()
    arrangement: Arrangement = "row"
    parts: tuple[GraphPart, ...] = ()

    def __post_init__(self) -> None:
        require(bool(self.nodes), "a graph needs at least one node")
        last = len(self.nodes) - 1
        for edge in self.edges:
            require(
                0 <= edge.source < edge.target <= last,
                f"an edge of a graph leads from a node to a later one, 0 to {last}, got {edge.source} to {edge.target}",
            )
            require(
                self.arrangement != "row" or edge.target == edge.source + 1,
                f"an edge of a row leads from a node to the next, got {edge.source} to {edge.target}",
            )
        different = {(edge.source, edge.target) for edge in self.edges}
        require(len(different) == len(self.edges), "the edges of a graph must join different pairs of nodes")
        fit = sum(part.nodes for part in self.parts) == (len(self.nodes) if self.arrangement == "parts" else 0)
        require(fit, "the parts of a graph must have all its nodes, and only the arrangement 'parts' has parts")
        together = sum(len(graph.edges) for _, graph in self.split())
        require(together == len(self.edges), "an edge of a graph must not lead from one part to another")

    def split(self) -> tuple[tuple[str, Graph], ...]:
        """Return the parts with their titles, each as a graph; a graph without parts is its only part.

        >>> graph = joined_graph([("one", layer_graph(["a"])), ("other", text_graph("b"))])
        >>> [(title, len(part.nodes), len(part.edges)) for title, part in graph.split()]
        [('one', 3, 2), ('other', 1, 0)]
        """
        if self.arrangement != "parts":
            return (("", self),)
        found, first = [], 0
        for part in self.parts:
            end = first + part.nodes
            edges = tuple(
                GraphEdge(edge.source - first, edge.target - first, edge.label, edge.kind)
                for edge in self.edges
                if first <= edge.source and edge.target < end
            )
            found.append((part.title, Graph(self.nodes[first:end], edges, part.arrangement)))
            first = end
        return tuple(found)


def layer_graph(labels: Iterable[str]) -> Graph:
    """Return a row of layers from the input to the output.

    >>> [node.label for node in layer_graph(["conv", "pool"]).nodes]
    ['input', 'conv', 'pool', 'output']
    """
    nodes = _from_input_to_output(labels)
    return Graph(nodes, tuple(GraphEdge(place, place + 1) for place in range(len(nodes) - 1)))


def operation_graph(labels: Iterable[str], edges: Iterable[tuple[int, int]]) -> Graph:
    """Return a graph of operations between input and output, every node below those that lead to it.

    Args:
        labels: of the operations.
        edges: pairs of nodes (from, to). 0 is the input, then come the operations, and the last node is the output.
    """
    return Graph(_from_input_to_output(labels), tuple(GraphEdge(*edge) for edge in edges), "layers")


def cell_graph(operations: Sequence[str], edges: Sequence[tuple[int, int]]) -> Graph:
    """Return a cell with an operation on every edge, and numbered feature maps between them.

    Args:
        operations: one for every edge; ``"none"`` passes nothing on.
        edges: pairs of nodes (from, to), numbered from 0.
    """
    count = 1 + max(target for _, target in edges)
    return Graph(
        tuple(GraphNode(str(number), "state") for number in range(count)),
        tuple(
            GraphEdge(source, target, operation, "none" if operation == "none" else "flow")
            for (source, target), operation in zip(edges, operations, strict=True)
        ),
        "arcs",
    )


def joined_graph(graphs: Iterable[tuple[str, Graph]]) -> Graph:
    """Return several graphs with their titles as one graph; they are drawn beside each other.

    Where one of them has parts itself, these become parts of the whole.

    >>> inner = joined_graph([("normal", text_graph("a")), ("reduction", text_graph("b"))])
    >>> [part.title for part in joined_graph([("cells", inner), ("size", layer_graph(["8 channels"]))]).parts]
    ['cells: normal', 'cells: reduction', 'size']
    """
    nodes: list[GraphNode] = []
    edges: list[GraphEdge] = []
    parts: list[GraphPart] = []
    for title, graph in graphs:
        for inner, part in graph.split():
            words = ": ".join(text for text in (title, inner) if text)
            first = len(nodes)
            nodes += part.nodes
            edges += [GraphEdge(first + edge.source, first + edge.target, edge.label, edge.kind) for edge in part.edges]
            parts.append(GraphPart(words, len(part.nodes), part.arrangement))
    return Graph(tuple(nodes), tuple(edges), "parts", tuple(parts))


def choice_graph(labels: Iterable[str]) -> Graph:
    """Return choices beside each other, without edges: how they act together is not known."""
    return Graph(tuple(GraphNode(label) for label in labels))


def text_graph(text: str) -> Graph:
    """Return a text alone, for an architecture without known structure."""
    return Graph((GraphNode(text, "text"),))


def _from_input_to_output(labels: Iterable[str]) -> tuple[GraphNode, ...]:
    return (GraphNode("input", "end"), *(GraphNode(label) for label in labels), GraphNode("output", "end"))
