"""The result of pruning every drawing of a cell: its graph, and the vertex of the graph that each vertex becomes.

A *full drawing* has as many vertices as the space allows, and its output is the last. A drawing with fewer vertices
becomes full when its output moves to the end: the vertices before it then have no edges and are pruned. So one table of
all masks (see `dag_enumeration`), 2,097,152 for seven vertices, covers all drawings.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.spaces.dag_enumeration import Dags, edge_bit

DISCONNECTED, TOO_MANY_EDGES = -1, -2
ARRANGEMENT_BITS = 9
"""The low bits of an entry of the table, which hold the number of an arrangement (326 for 7 vertices)."""


class Drawings(NamedTuple):
    """All full drawings.

    Attributes:
        entry: for every mask ``graph << ARRANGEMENT_BITS | arrangement``, or one of the negative constants above where
            the pruned drawing is not a cell; shape (masks,).
        place: for every arrangement the inner vertex of the canonical drawing that each inner vertex of the drawing
            becomes, -1 where it is pruned; shape (arrangements, vertices - 2).
    """

    entry: NDArray[np.int32]
    place: IntArray


def every_drawing(dags: Dags, vertices: int) -> Drawings:
    """Prune all full drawings and find their graphs. It takes 0.3 s for seven vertices.

    >>> from nasbench_lab.spaces.dag_enumeration import enumerate_dags
    >>> every_drawing(enumerate_dags(3, max_edges=9), 3).entry.tolist()
    [-1, -1, 0, 0, -1, 513, 0, 1025]
    """
    masks = np.arange(1 << int(edge_bit(0, vertices)), dtype=np.int32)
    kept = _kept(masks, vertices)
    entry = np.full(len(masks), DISCONNECTED, dtype=np.int32)
    places = []
    known = 0
    for inner in _subsets(vertices):
        drawings = masks[kept == sum(1 << vertex for vertex in (0, *inner, vertices - 1))]
        pruned = _pruned(drawings, (0, *inner, vertices - 1))
        graph = dags.graph_of[pruned]
        entry[drawings] = np.where(
            graph >= 0, graph << ARRANGEMENT_BITS | known + dags.order_of[pruned].astype(np.int32), TOO_MANY_EDGES
        )
        orders = dags.orders[len(inner) + 2]
        place = np.full((len(orders), vertices - 2), -1, dtype=np.int64)
        place[:, [vertex - 1 for vertex in inner]] = orders
        places.append(place)
        known += len(orders)
    return Drawings(entry, np.concatenate(places))


def full(mask: IntArray, inner: int | IntArray, vertices: int) -> IntArray:
    """Move the output, vertex ``inner + 1``, of drawings to the last vertex.

    Edges beyond the output make the result larger than any mask.
    """
    before_output = edge_bit(0, inner + 1)
    return mask & (1 << before_output) - 1 | mask >> before_output << edge_bit(0, vertices - 1)


def edges_after_pruning(mask: int, vertices: int) -> int:
    """Return how many edges are on paths from input to output."""
    masks = np.array([mask], dtype=np.int32)
    kept = int(_kept(masks, vertices)[0])
    return int(_pruned(masks, tuple(vertex for vertex in range(vertices) if kept >> vertex & 1))[0]).bit_count()


def _subsets(vertices: int) -> list[tuple[int, ...]]:
    inner = range(1, vertices - 1)
    return list(itertools.chain.from_iterable(itertools.combinations(inner, many) for many in range(vertices - 1)))


def _kept(masks: NDArray[np.int32], vertices: int) -> NDArray[np.uint8]:
    """Return the vertices on a path from input to output, as bits; shape (masks,)."""
    before = [(masks >> int(edge_bit(0, vertex)) & (1 << vertex) - 1).astype(np.uint8) for vertex in range(vertices)]
    from_input = np.ones_like(before[0])
    for vertex in range(1, vertices):
        from_input |= (before[vertex] & from_input != 0).astype(np.uint8) << vertex
    to_output = np.full_like(before[0], 1 << vertices - 1)
    for vertex in range(vertices - 1, 0, -1):
        to_output |= np.where(to_output >> vertex & 1, before[vertex], 0)
    return from_input & to_output


def _pruned(masks: NDArray[np.int32], kept: tuple[int, ...]) -> NDArray[np.int32]:
    """Return drawings of the kept vertices alone, numbered without gaps."""
    pruned = np.zeros_like(masks)
    for target, source in ((t, s) for t in range(len(kept)) for s in range(t)):
        pruned |= (masks >> int(edge_bit(kept[source], kept[target])) & 1) << int(edge_bit(source, target))
    return pruned
