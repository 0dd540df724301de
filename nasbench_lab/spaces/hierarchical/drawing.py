"""What an architecture of a hierarchical space looks like: its operations, and which of them take what from which."""

from __future__ import annotations

from collections.abc import Mapping

from nasbench_lab.spaces.graph import Graph, GraphEdge, GraphNode
from nasbench_lab.spaces.hierarchical.terms import Term
from nasbench_lab.spaces.hierarchical.topologies import edges_of

_INPUT = 0


def term_graph(network: Term, shared: Mapping[str, Term]) -> Graph:
    """Return the operations of a network as nodes, each below those whose output it takes.

    A shared name is one node wherever it occurs; what it stands for is a text beside the graph. Where several outputs
    come together, they are added. ``id`` passes on what it gets, and ``zero`` nothing.

    Args:
        network: the term of the start.
        shared: what every shared name stands for.
    """
    nodes = [GraphNode("input", "end")]
    edges: list[GraphEdge] = []

    def connect(sources: frozenset[int], node: GraphNode) -> frozenset[int]:
        nodes.append(node)
        edges.extend(GraphEdge(source, len(nodes) - 1) for source in sorted(sources))
        return frozenset({len(nodes) - 1})

    def add(term: Term, sources: frozenset[int]) -> frozenset[int]:
        """Add what a term computes from these nodes, and return the nodes whose sum it gives."""
        if not term.arguments:
            if term.name == "zero":
                return frozenset()
            return sources if term.name == "id" else connect(sources, GraphNode(term.name))
        places = edges_of(term.name, len(term.arguments))
        found: dict[int, frozenset[int]] = {_INPUT: sources}
        for (source, target), argument in sorted(
            zip(places, term.arguments, strict=True), key=lambda edge: (edge[0][1], edge[0][0])
        ):
            found[target] = found.get(target, frozenset()) | add(argument, found[source])
        return found[max(found)]

    connect(add(network, frozenset({0})), GraphNode("output", "end"))
    texts = [GraphNode(f"{name} = {term}", "text") for name, term in shared.items()]
    return Graph((*nodes, *texts), tuple(edges), "layers")
