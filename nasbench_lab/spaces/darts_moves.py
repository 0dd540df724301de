"""Moves between DARTS architectures: another operation on an edge, or another input of a node."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.spaces.darts_cells import DartsCells, NodePlaces


@dataclass(frozen=True)
class DartsMoves:
    """The moves of all architectures of a space: every architecture has the same number.

    They are ordered by cell and node; for every node, first other inputs instead of the smaller and of the larger one,
    then other operations on the edge from the smaller and from the larger one.
    """

    cells: DartsCells

    @functools.cached_property
    def degree(self) -> int:
        """How many moves an architecture has."""
        return sum(end - start for _, start, end in self._spans)

    @functools.cached_property
    def _spans(self) -> tuple[tuple[NodePlaces, int, int], ...]:
        """Every node with the places of its moves, start and end."""
        spans, start = [], 0
        for node in itertools.chain.from_iterable(self.cells.places):
            end = start + 2 * (node.number - 2) + 2 * (self.cells.operations - 1)
            spans.append((node, start, end))
            start = end
        return tuple(spans)

    def apply(self, codes: NDArray[np.integer], place: IntArray) -> IntArray:
        """Return the codes after a move each, shapes (n, codes) and (n,) to (n, codes).

        Args:
            codes: of architectures.
            place: of a move, 0 to `degree` - 1.
        """
        changed = codes.astype(np.int64)
        for node, start, end in self._spans:
            rows = np.flatnonzero((place >= start) & (place < end))
            if len(rows):
                self._move(changed, rows, place[rows] - start, node)
        return changed

    def _move(self, codes: IntArray, rows: IntArray, step: IntArray, node: NodePlaces) -> None:
        """Change the codes of a node in some rows."""
        inputs = 2 * (node.number - 2)
        if node.pair is not None:
            self._change_input(codes, rows[step < inputs], step[step < inputs], node)
        rows, step = rows[step >= inputs], step[step >= inputs] - inputs
        for end, position in enumerate(node.operations):
            here = step // max(1, self.cells.operations - 1) == end
            value = step[here] % max(1, self.cells.operations - 1)
            codes[rows[here], position] = value + (value >= codes[rows[here], position])

    @staticmethod
    def _change_input(codes: IntArray, rows: IntArray, step: IntArray, node: NodePlaces) -> None:
        """Let another node be an input; the operation stays with its edge, and codes are in the order of inputs."""
        new_pair, exchanged = _input_moves(node.number)
        before = codes[rows, node.pair]
        swap = exchanged[before, step]
        small, large = node.operations
        first, second = codes[rows, small], codes[rows, large]
        codes[rows, small] = np.where(swap, second, first)
        codes[rows, large] = np.where(swap, first, second)
        codes[rows, node.pair] = new_pair[before, step]


@functools.cache
def _input_moves(number: int) -> tuple[IntArray, NDArray[np.bool_]]:
    """Return what becomes of every pair of inputs of a node, by pair and move.

    Returns:
        The pair after the move, and whether the edge from the smaller input is now that from the larger; both have the
        shape (pairs, moves).
    """
    pairs = list(itertools.combinations(range(number), 2))
    after, swapped = [], []
    for pair in pairs:
        others = [node for node in range(number) if node not in pair]
        moves = [(other, pair[1]) for other in others] + [(pair[0], other) for other in others]
        after.append([pairs.index((min(move), max(move))) for move in moves])
        swapped.append([move[0] > move[1] for move in moves])
    return np.array(after), np.array(swapped)
