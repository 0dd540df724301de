"""Cells of NAS-Bench-101 as vectors for models that predict their performance.

The encodings are those of White, Neiswanger, Nolen and Savani, "A Study on Neural Network Encodings for NAS", NeurIPS
2020, section 3; the path encoding is from White, Neiswanger and Savani, "BANANAS", AAAI 2021. As in the software of
both, a cell with fewer vertices is drawn with its output at the end, so that the same entry always means the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.spaces.cell101_enumeration import MAX_EDGES, OPERATIONS
from nasbench_lab.spaces.cell101_lookup import edges_of
from nasbench_lab.spaces.dag_enumeration import edge_bit
from nasbench_lab.spaces.encodings import COUNTS
from nasbench_lab.spaces.graph_encodings import GRAPH, GRAPH_FEATURES, encode_graphs, truncated
from nasbench_lab.spaces.operation_graphs import OperationGraphs

Encoding = NDArray[np.float32]
_Encode = Callable[[IntArray, IntArray], Encoding]


def adjacency(edges: IntArray, operations: IntArray) -> Encoding:
    """Join the upper triangle of the matrix, row by row, and the operations, counted from 1; 0 for no vertex."""
    return np.concatenate([edges, operations], axis=1).astype(np.float32)


def categorical_adjacency(edges: IntArray, operations: IntArray) -> Encoding:
    """Join the numbers of a cell's edges and the operations.

    Edges are counted from 1 in the order of the upper triangle; they come ascending, then zeros up to the largest
    number of edges.
    """
    most = min(MAX_EDGES, edges.shape[1])
    numbers = np.where(edges, np.arange(1, edges.shape[1] + 1), edges.shape[1] + 1)
    numbers = np.sort(numbers, axis=1)[:, :most]
    return adjacency(np.where(numbers <= edges.shape[1], numbers, 0), operations)


def continuous_adjacency(edges: IntArray, operations: IntArray) -> Encoding:
    """Join the result of `adjacency` and the number of edges."""
    return np.concatenate([adjacency(edges, operations), edges.sum(axis=1, keepdims=True)], axis=1, dtype=np.float32)


def path(edges: IntArray, operations: IntArray) -> Encoding:
    """Say for every sequence of operations whether a path from input to output has it.

    Sequences are numbered from the shortest to the longest: operations a, b, c, ... counted from 1, in this order
    along the path, have the number a + 3 b + 9 c + ...; the edge from input to output is number 0.
    """
    inner = operations.shape[1]
    vertices = inner + 2
    encoding = np.zeros((len(edges), number_of_paths(vertices)), dtype=np.float32)
    mask = edges @ (1 << edge_bit(*edges_of(vertices)))
    for through in itertools.chain.from_iterable(itertools.combinations(range(inner), n) for n in range(inner + 1)):
        stations = [0, *(vertex + 1 for vertex in through), vertices - 1]
        needed = sum(1 << int(edge_bit(source, target)) for source, target in itertools.pairwise(stations))
        rows = np.flatnonzero(mask & needed == needed)
        number = operations[rows][:, list(through)] @ len(OPERATIONS) ** np.arange(len(through))
        encoding[rows, number] = 1
    return encoding


def number_of_paths(vertices: int) -> int:
    """Return the number of possible sequences of operations, 364 for seven vertices.

    >>> number_of_paths(7)
    364
    """
    return sum(len(OPERATIONS) ** length for length in range(vertices - 1))


ENCODINGS: Mapping[str, _Encode] = {
    "adjacency": adjacency,
    "categorical-adjacency": categorical_adjacency,
    "continuous-adjacency": continuous_adjacency,
    "path": path,
}
"""Functions from edges, shape (n, edges), and operations, (n, vertices - 2), of full drawings to vectors."""

CELL_ENCODINGS = (*ENCODINGS, *truncated(4), COUNTS, GRAPH_FEATURES, GRAPH)
"""All names that `encode_drawings` takes."""


def encode_drawings(edges: IntArray, operations: IntArray, encoding: str) -> Encoding:
    """Return an encoding of full drawings: one of `CELL_ENCODINGS`.

    Args:
        edges: upper triangle of the matrix, row by row, shape (n, edges).
        operations: of the inner vertices, counted from 1, 0 for no vertex, shape (n, vertices - 2).
        encoding: its name.
    """
    if encoding in ENCODINGS:
        return ENCODINGS[encoding](edges, operations)
    vertices = operations.shape[1] + 2
    matrix = np.zeros((len(edges), vertices, vertices), dtype=bool)
    matrix[:, *edges_of(vertices)] = edges
    return encode_graphs(OperationGraphs(operations.astype(np.int64) - 1, matrix, len(OPERATIONS)), encoding)
