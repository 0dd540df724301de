"""The cells of NAS-Bench-101 in their official order, as graphs and the operations of their vertices."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.spaces.dag_enumeration import Dags, edge_bit, enumerate_dags
from nasbench_lab.spaces.md5 import Bytes
from nasbench_lab.spaces.module_hash import module_hashes
from nasbench_lab.streams import IntArray

OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
MAX_VERTICES, MAX_EDGES = 7, 9
SIZES = {2: 1, 3: 7, 4: 91, 5: 2_532, 6: 64_542, 7: 423_624}
"""How many cells have at most so many vertices."""

Adjacency = NDArray[np.bool_]


@dataclass(frozen=True)
class Cells:
    """All cells of a space, in the official order.

    A *labeling* is the operations of the inner vertices as a number with the first vertex as the most significant
    digit; missing vertices have the digit 0.

    Attributes:
        dags: the graphs without operations.
        graph: of every cell, shape (size,).
        labeling: of every cell, shape (size,).
        hashes: raw module hashes, shape (size, 16).
        index_of: the cell of every graph and labeling of its canonical drawing, shape (graphs, labelings); -1 where
            the labeling has more vertices than the graph. In a last row, for no graph, all is -1.
        digit: what inner vertex i of a drawing weighs in the labeling of the canonical drawing, for a number of
            vertices and a row of `Dags.orders`; shape (vertices + 1, orders, vertices - 1), 0 where there is no vertex.
    """

    dags: Dags
    graph: IntArray
    labeling: IntArray
    hashes: Bytes
    index_of: NDArray[np.int32]
    digit: IntArray

    def locate(self, mask: IntArray, place: IntArray, inner: IntArray) -> tuple[IntArray, IntArray]:
        """Find the graph of pruned drawings, and what the operations of the original vertices weigh in its labeling.

        Args:
            mask: of the pruned drawing, shape (n,).
            place: vertex of the pruned drawing that every original vertex is, -1 for pruned, shape (n, vertices).
            inner: number of inner vertices of the original, shape (n,).

        Returns:
            The graph, -1 if it is none of the space, shape (n,), and the weights, shape (n, vertices - 2).
        """
        graph = self.dags.graph_of[mask].astype(np.int64)
        weights = self.digit[self.dags.vertices[graph], self.dags.order_of[mask]]
        place = np.where(np.arange(1, place.shape[1] - 1) <= inner[:, None], place[:, 1:-1], -1)
        # The last column of the weights is 0, for vertices that were pruned or never there.
        return graph, np.take_along_axis(weights, np.where(place > 0, place - 1, weights.shape[1] - 1), axis=1)


@functools.cache
def enumerate_cells(vertices: int) -> Cells:
    """Enumerate, hash and sort all cells; a space that is made again, or copied, does not do so again."""
    dags = enumerate_dags(vertices, MAX_EDGES)
    digit = _digits(dags, vertices)
    smallest = _smallest_labelings(dags, digit, vertices)
    graph, labeling = np.nonzero(smallest == np.arange(smallest.shape[1]))
    hashes = _hashes(dags, graph, labeling, vertices)
    high, low = hashes.view(">u8").T
    order = np.lexsort((low, high))
    if len(order) != SIZES[vertices]:
        raise RuntimeError(f"{len(order)} cells of {vertices} vertices were enumerated, not {SIZES[vertices]}")
    number = np.full((len(smallest) + 1, smallest.shape[1]), -1, dtype=np.int32)
    number[graph[order], labeling[order]] = np.arange(len(order))
    index_of = np.where(smallest >= 0, np.take_along_axis(number[:-1], smallest, axis=1), -1)
    index_of = np.concatenate([index_of, number[-1:]])
    return Cells(dags, graph[order], labeling[order], hashes[order], index_of, digit)


def powers_of(vertices: int) -> IntArray:
    """Weights of the inner vertices in a labeling."""
    return len(OPERATIONS) ** np.arange(vertices - 3, -1, -1, dtype=np.int64)


def operations_of(labeling: IntArray, vertices: int) -> IntArray:
    """Return the operations of the inner vertices, shape (...) to (..., vertices - 2)."""
    return labeling[..., None] // powers_of(vertices) % len(OPERATIONS)


def _digits(dags: Dags, vertices: int) -> IntArray:
    """Return `Cells.digit`."""
    powers = powers_of(vertices)
    digit = np.zeros((vertices + 1, len(dags.orders[vertices]), vertices - 1), dtype=np.int64)
    for size, orders in dags.orders.items():
        digit[size, : len(orders), : size - 2] = powers[orders]
    return digit


def _smallest_labelings(dags: Dags, digit: IntArray, vertices: int) -> IntArray:
    """Return the smallest labeling of the same cell, for every graph and labeling, shape (graphs, labelings).

    Labelings of a graph's canonical drawing are the same cell where a symmetry of the graph turns one into the other;
    -1 where the labeling has more vertices than the graph.
    """
    every = np.arange(len(OPERATIONS) ** (vertices - 2))
    operations = operations_of(every, vertices)
    smallest = np.full((len(dags.mask), len(every)), -1, dtype=np.int64)
    for size, symmetries in dags.symmetries.items():
        fitting = np.flatnonzero((operations[:, size - 2 :] == 0).all(axis=1))
        of_size = np.tile(fitting, (len(symmetries), 1))
        for order, symmetric in enumerate(symmetries.T):
            turned = operations[fitting] @ digit[size, order, :-1]
            of_size[symmetric] = np.minimum(of_size[symmetric], turned)
        smallest[np.ix_(dags.vertices == size, fitting)] = of_size
    return smallest


def _hashes(dags: Dags, graph: IntArray, labeling: IntArray, vertices: int) -> Bytes:
    """Module hashes of cells, shape (n, 16)."""
    hashes = np.empty((len(graph), 16), dtype=np.uint8)
    for size in dags.orders:
        rows = np.flatnonzero(dags.vertices[graph] == size)
        operations = operations_of(labeling[rows], vertices)[:, : size - 2]
        hashes[rows] = module_hashes(adjacency_of(dags.mask[graph[rows]], size), operations)
    return hashes


def adjacency_of(mask: IntArray, vertices: int) -> Adjacency:
    """Matrices of masks, shape (n,) to (n, vertices, vertices)."""
    source, target = np.triu_indices(vertices, 1)
    adjacency = np.zeros((len(mask), vertices, vertices), dtype=bool)
    adjacency[:, source, target] = mask[:, None] >> edge_bit(source, target) & 1
    return adjacency


def prune(adjacency: Adjacency, last: IntArray) -> tuple[IntArray, IntArray]:
    """Remove the vertices that are not on a path from the input to the output.

    Args:
        adjacency: drawings, shape (n, vertices, vertices).
        last: the output vertex of each.

    Returns:
        The mask of what is left, 0 where input and output are not connected, and which vertex of it every vertex
        has become, -1 where it was removed, shape (n, vertices).
    """
    count, vertices = adjacency.shape[:2]
    from_input, to_output = np.zeros((2, count, vertices), dtype=bool)
    from_input[:, 0], to_output[np.arange(count), last] = True, True
    for vertex in range(vertices):
        from_input |= from_input[:, vertex, None] & adjacency[:, vertex]
    for vertex in range(vertices - 1, -1, -1):
        to_output |= to_output[:, vertex, None] & adjacency[:, :, vertex]
    kept = from_input & to_output
    place = np.where(kept, np.cumsum(kept, axis=1) - 1, -1)
    edges = adjacency & kept[:, :, None] & kept[:, None, :]
    end = np.maximum(place, 0)
    mask = (edges.astype(np.int64) << edge_bit(end[:, :, None], end[:, None, :])).sum(axis=(1, 2))
    return mask, place
