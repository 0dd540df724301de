"""Many cells at once as graphs with operations at their vertices, for encodings: their paths and graph features.

A cell with operations on its edges is given by its line graph: every edge is a vertex, and leads to the edges that
start where it ends. So one description serves the cells of NAS-Bench-101, NAS-Bench-201 and NAS-Bench-Graph.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.spaces.encodings import Vectors, counts


@dataclass(frozen=True)
class OperationGraphs:
    """Directed acyclic graphs from an input to an output with an operation at every vertex between them.

    Attributes:
        operation: position of the operation of every inner vertex, -1 for no vertex; shape (n, inner).
        edge: which vertex (row) leads to which (column), shape (n or 1, inner + 2, inner + 2), upper triangular. Vertex
            0 is the input, then come the inner vertices, then the output. Edges of missing vertices are ignored.
        operations: number of different operations.
        skip: position of the operation that returns its input; None where there is none.
    """

    operation: IntArray
    edge: NDArray[np.bool_]
    operations: int
    skip: int | None = None

    @property
    def inner(self) -> int:
        """Number of vertices between input and output."""
        return self.operation.shape[1]

    def counts(self) -> Vectors:
        """Return how often each operation occurs, shape (n, operations)."""
        return counts(self.operation, self.operations)

    def matrix(self) -> Vectors:
        """Return the graphs themselves, for models that read graphs.

        They are the upper triangle of the matrix of vertices, row by row, without edges of missing vertices; then the
        operations, counted from 1, 0 for no vertex. Shape (n, (inner + 2) * (inner + 1) / 2 + inner).
        """
        edge = self._present_edges()
        triangle = edge[:, *np.triu_indices(self.inner + 2, 1)]
        return np.concatenate([triangle, self.operation + 1], axis=1).astype(np.float32)

    def _present_edges(self) -> NDArray[np.bool_]:
        """Return which vertex leads to which, without missing vertices, shape (n, inner + 2, inner + 2)."""
        there = np.pad(self.operation >= 0, ((0, 0), (1, 1)), constant_values=True)
        return self.edge & there[:, :, None] & there[:, None, :]

    def paths(self, longest: int | None = None, *, skips: bool = True) -> Vectors:
        """Say for every sequence of operations whether a path from input to output has it.

        Sequences are numbered from the shortest to the longest: of b operations, the sequence with positions a, b, c
        from the input on is number a + k b + k**2 c among those of its length, where k is the number of operations.

        Args:
            longest: leave out longer sequences; None for all.
            skips: whether skips are operations of a path. Without, they are removed from the sequences.

        Returns:
            Zeros and ones, shape (n, 1 + k + ... + k**longest).
        """
        longest = self.inner if longest is None else min(longest, self.inner)
        left_out = self.skip if not skips else None
        base = self.operations - (left_out is not None)
        first = np.cumsum([0, *(base**length for length in range(self.inner + 1))])  # number of the first, by length
        encoding = np.zeros((len(self.operation), first[longest + 1]), dtype=np.float32)
        for through, exists in self._routes():
            rows = np.flatnonzero(exists)
            length, number = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
            for vertex in through:
                operation = self.operation[rows, vertex].astype(np.int64)
                kept = operation != left_out if left_out is not None else np.ones(len(rows), dtype=bool)
                digit = operation - (operation > left_out) if left_out is not None else operation
                number += np.where(kept, digit * base**length, 0)
                length += kept
            short = length <= longest
            encoding[rows[short], (first[length] + number)[short]] = 1.0
        return encoding

    def _routes(self) -> Iterator[tuple[tuple[int, ...], NDArray[np.bool_]]]:
        """Yield the inner vertices of every possible path, and in which graphs the path exists, shape (n,)."""
        n = len(self.operation)
        for through in itertools.chain.from_iterable(
            itertools.combinations(range(self.inner), length) for length in range(self.inner + 1)
        ):
            stations = [0, *(vertex + 1 for vertex in through), self.inner + 1]
            exists = np.ones(n, dtype=bool)
            for source, target in itertools.pairwise(stations):
                exists &= self.edge[:, source, target]
            for vertex in through:
                exists &= self.operation[:, vertex] >= 0
            if exists.any():
                yield through, exists

    def graph_features(self) -> Vectors:
        """Return features of how groups of operations lie in the graph (GRAF: Kadlecova et al. 2024).

        The groups are all sets of operations; with more than five operations, each alone, all but one, and all. For
        every group, in this order:

        1. the number of its operations;
        2. the smallest number of operations on a path from input to output through this group only; where there is no
           such path, the number of inner vertices plus one;
        3. the largest number of operations on such a path, -1 where there is none;
        4. the number of its operations that the input leads to;
        5. the number of its operations that lead to the output;
        6. the number of edges from its operations to any operation or the output;
        7. the number of edges from the input or any operation to its operations.

        Returns:
            Shape (n, 7 * groups): all features of the first group, then all of the next.
        """
        edge = self._present_edges()
        degree_out, degree_in = edge.sum(axis=2)[:, 1:-1], edge.sum(axis=1)[:, 1:-1]
        features = []
        for group in groups(self.operations):
            inside = np.isin(self.operation, group)
            shortest, longest = _path_lengths(edge, inside)
            features += [
                inside.sum(axis=1),
                shortest,
                longest,
                (edge[:, 0, 1:-1] & inside).sum(axis=1),
                (edge[:, 1:-1, -1] & inside).sum(axis=1),
                np.where(inside, degree_out, 0).sum(axis=1),
                np.where(inside, degree_in, 0).sum(axis=1),
            ]
        return np.stack(features, axis=1).astype(np.float32)


_ALL_GROUPS = 5


def groups(operations: int) -> list[tuple[int, ...]]:
    """Return the groups of operations that `OperationGraphs.graph_features` looks at.

    >>> groups(2)
    [(0,), (1,), (0, 1)]
    >>> len(groups(5)), len(groups(9))
    (31, 19)
    """
    sizes: Sequence[int] = range(1, operations + 1)
    if operations > _ALL_GROUPS:
        sizes = (1, operations - 1, operations)
    return [group for size in sizes for group in itertools.combinations(range(operations), size)]


def _path_lengths(edge: NDArray[np.bool_], inside: NDArray[np.bool_]) -> tuple[IntArray, IntArray]:
    """Return the smallest and the largest number of vertices between input and output on paths through some vertices.

    Args:
        edge: shape (n, vertices, vertices), upper triangular.
        inside: the vertices that paths may use, without input and output, shape (n, vertices - 2).
    """
    n, inner = inside.shape
    far = inner + 2
    usable = np.pad(inside, ((0, 0), (1, 1)), constant_values=True)
    shortest = np.full((n, inner + 2), far, dtype=np.int64)
    longest = np.full((n, inner + 2), -far, dtype=np.int64)
    shortest[:, 0] = longest[:, 0] = 0
    for target in range(1, inner + 2):
        for source in range(target):
            leads = edge[:, source, target] & usable[:, source] & usable[:, target]
            shortest[:, target] = np.where(
                leads, np.minimum(shortest[:, target], shortest[:, source] + 1), shortest[:, target]
            )
            longest[:, target] = np.where(
                leads, np.maximum(longest[:, target], longest[:, source] + 1), longest[:, target]
            )
    # The last step, into the output, is no operation.
    return np.minimum(shortest[:, -1] - 1, inner + 1), np.maximum(longest[:, -1] - 1, -1)


def line_graphs(
    codes: IntArray, pairs: Sequence[tuple[int, int]], operations: int, skip: int | None
) -> OperationGraphs:
    """Return cells that have operations on their edges as graphs with operations at the vertices.

    Args:
        codes: operation of every edge, 0 for none, shape (n, edges).
        pairs: nodes (from, to) of the edges; all edges into a node come before those that start there.
        operations: number of operations, without none.
        skip: code of the operation that returns its input.
    """
    last = max(target for _, target in pairs)
    starts = [0, *(target for _, target in pairs)]
    ends = [*(source for source, _ in pairs), last]
    edge = np.zeros((1, len(pairs) + 2, len(pairs) + 2), dtype=bool)
    for source, start in enumerate(starts):
        for target, end in enumerate(ends):
            edge[0, source, target + 1] = start == end
    return OperationGraphs(codes.astype(np.int64) - 1, edge, operations, None if skip is None else skip - 1)
