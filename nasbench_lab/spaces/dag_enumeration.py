"""All small acyclic graphs from one input to one output, up to the order of the vertices between them.

A *drawing* of such a graph numbers its vertices so that every edge leads from a lower to a higher number: vertex 0 is
the input, the last one the output. It is written as a *mask*: the edge from i to j is bit i + j (j - 1) / 2, as in the
generator of NAS-Bench-101 (Ying et al., ICML 2019), so the mask does not depend on the largest number of vertices.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray

_BATCH = 8192
_ILLEGAL = 2.0**30  # larger than any mask, and exact in floating point


@dataclass(frozen=True)
class Dags:
    """The graphs with 2 to ``max_vertices`` vertices, all of them on paths from the input to the output.

    Attributes:
        mask: the smallest mask of every graph, shape (graphs,), ascending; graphs with fewer vertices come first.
        vertices: number of vertices of every graph, shape (graphs,).
        graph_of: for every mask the number of its graph, -1 where it is not one of them, shape (masks,).
        order_of: for every mask the row of ``orders[vertices]`` that leads to the smallest mask, shape (masks,).
        orders: for every number of vertices n the orders of the n - 2 inner vertices, shape ((n - 2)!, n - 2): inner
            vertex i becomes inner vertex ``orders[n][row, i]``.
        symmetries: for every number of vertices n which orders leave the graphs of that size as they are, shape
            (graphs with n vertices, (n - 2)!).
    """

    mask: IntArray
    vertices: IntArray
    graph_of: NDArray[np.int32]
    order_of: NDArray[np.uint8]
    orders: dict[int, IntArray]
    symmetries: dict[int, NDArray[np.bool_]]


def edge_bit(source: int | IntArray, target: int | IntArray) -> int | IntArray:
    """Return the position in a mask of the edges from ``source`` to ``target``.

    >>> [edge_bit(0, 1), edge_bit(0, 2), edge_bit(1, 2), edge_bit(0, 3)]
    [0, 1, 2, 3]
    """
    return source + target * (target - 1) // 2


def enumerate_dags(max_vertices: int, max_edges: int) -> Dags:
    """Enumerate the graphs, and the order that turns each of their drawings into the one with the smallest mask.

    Exact: every drawing is compared under every order of the inner vertices. It takes 0.2 s for seven vertices.

    >>> len(enumerate_dags(4, max_edges=9).mask)
    13
    """
    masks = 1 << int(edge_bit(0, max_vertices))
    graph_of, order_of = np.full(masks, -1, dtype=np.int32), np.zeros(masks, dtype=np.uint8)
    canonical: dict[int, IntArray] = {}
    orders: dict[int, IntArray] = {}
    symmetries: dict[int, NDArray[np.bool_]] = {}
    known = 0
    for vertices in range(2, max_vertices + 1):
        orders[vertices] = _orders(vertices - 2)
        weights = _redrawing_weights(vertices, orders[vertices])
        drawings = _drawings(vertices, max_edges)
        smallest, order_of[drawings] = _smallest(drawings, weights)
        canonical[vertices], graph = np.unique(smallest, return_inverse=True)
        graph_of[drawings] = known + graph
        symmetries[vertices] = _redraw(canonical[vertices], weights) == canonical[vertices][:, None]
        known += len(canonical[vertices])
    sizes = [len(masks) for masks in canonical.values()]
    mask, counts = np.concatenate(list(canonical.values())), np.repeat(list(canonical), sizes)
    return Dags(mask, counts, graph_of, order_of, orders, symmetries)


def _orders(inner: int) -> IntArray:
    return np.array(list(itertools.permutations(range(inner))), dtype=np.int64).reshape(math.factorial(inner), inner)


def _drawings(vertices: int, max_edges: int) -> IntArray:
    """Masks in which every vertex but the input has an incoming edge, and every one but the output an outgoing one.

    In a drawing, this means that every vertex is on a path from input to output.
    """
    masks = np.arange(1 << int(edge_bit(0, vertices)))
    masks = masks[np.bitwise_count(masks) <= max_edges]
    for vertex in range(vertices):
        outgoing = sum(1 << int(edge_bit(vertex, target)) for target in range(vertex + 1, vertices))
        incoming = sum(1 << int(edge_bit(source, vertex)) for source in range(vertex))
        for needed in (outgoing, incoming):
            if needed:
                masks = masks[(masks & needed) != 0]
    return masks


def _redrawing_weights(vertices: int, orders: IntArray) -> NDArray[np.float64]:
    """Return the value that every edge adds to the mask under every order, shape (edges, orders)."""
    edges = [(source, target) for target in range(vertices) for source in range(target)]  # in the order of their bits
    place = np.zeros((len(orders), vertices), dtype=np.int64)
    place[:, 1:-1], place[:, -1] = orders + 1, vertices - 1
    source, target = (place[:, list(ends)].T for ends in zip(*edges, strict=True))
    return np.where(source < target, np.exp2(edge_bit(source, target)), _ILLEGAL)


def _redraw(masks: IntArray, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the masks under every order, shape (masks, orders); where an edge would lead backwards, a huge number.

    A matrix product in floating point is by far the fastest way, and exact for integers below 2**53.
    """
    bits = masks[:, None] >> np.arange(len(weights)) & 1
    return bits.astype(np.float64) @ weights


def _smallest(masks: IntArray, weights: NDArray[np.float64]) -> tuple[IntArray, IntArray]:
    """Return the smallest mask of the graph of every mask, and the order that gives it."""
    smallest, order = np.empty_like(masks), np.empty_like(masks)
    for first in range(0, len(masks), _BATCH):
        redrawn = _redraw(masks[first : first + _BATCH], weights)
        order[first : first + _BATCH] = redrawn.argmin(axis=1)
        smallest[first : first + _BATCH] = redrawn.min(axis=1)
    return smallest, order
