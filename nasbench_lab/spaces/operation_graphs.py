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
        alone = [self.operation == operation for operation in range(self.operations)]
        chosen = groups(self.operations)
        member = np.array([[each in group for group in chosen] for each in range(self.operations)], dtype=np.float32)
        # All but the lengths of paths are sums over the operations of a group: whole numbers, exact in any order.
        inner = slice(1, -1)
        weights = [None, edge[:, 0, inner], edge[:, inner, -1], edge.sum(axis=2)[:, inner], edge.sum(axis=1)[:, inner]]
        each = [[(one if weight is None else one * weight).sum(axis=1) for one in alone] for weight in weights]
        sums = [np.stack(columns, axis=1).astype(np.float32) @ member for columns in each]
        lengths = _PathLengths(edge)
        shortest, longest = zip(*(lengths.through([alone[place] for place in group]) for group in chosen), strict=True)
        features = [sums[0], np.stack(shortest, axis=1), np.stack(longest, axis=1), *sums[1:]]
        return np.stack(features, axis=2).reshape(len(self.operation), 7 * len(chosen)).astype(np.float32)


_ALL_GROUPS = 5
_STEP = np.int16(1)


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


class _PathLengths:
    """The smallest and the largest number of vertices between input and output on paths through some vertices.

    Args:
        edge: shape (n, vertices, vertices), upper triangular.
    """

    def __init__(self, edge: NDArray[np.bool_]) -> None:
        self._count, self._vertices = edge.shape[:2]
        pairs = itertools.combinations(range(self._vertices), 2)
        self._edges = {pair: np.ascontiguousarray(edge[:, *pair]) for pair in pairs if edge[:, *pair].any()}

    def through(self, sets: Sequence[NDArray[np.bool_]]) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        """Return the smallest and the largest numbers, shape (n,) each.

        Args:
            sets: paths may use a vertex that is in one of these, without input and output, shape (n, vertices - 2).
        """
        usable = np.ascontiguousarray(np.logical_or.reduce(sets).T)
        far = np.full(self._count, self._vertices, dtype=np.int16)
        start = np.zeros_like(far)
        shortest, longest = [start], [start]
        for target in range(1, self._vertices):
            least, most = far, -far
            for source in range(target):
                if (leads := self._edges.get((source, target))) is not None:
                    least = np.minimum(least, np.where(leads, shortest[source] + _STEP, far))
                    most = np.maximum(most, np.where(leads, longest[source] + _STEP, -far))
            if target < self._vertices - 1:
                least, most = np.where(usable[target - 1], least, far), np.where(usable[target - 1], most, -far)
            shortest.append(least)
            longest.append(most)
        # The last step, into the output, is no operation. Steps from what is not reached lead to a negative number.
        inner = self._vertices - 2
        return np.minimum(least - _STEP, inner + 1), np.maximum(most - _STEP, -1)


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
