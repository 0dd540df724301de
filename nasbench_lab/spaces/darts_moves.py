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

    A move changes one to three codes, so the number of the architecture after it is computed without all other codes.
    """

    cells: DartsCells

    @functools.cached_property
    def degree(self) -> int:
        """How many moves an architecture has."""
        return len(self._moves.weight)

    def apply(self, number: IntArray, move: IntArray) -> IntArray:
        """Return the numbers of architectures after a move each, both of shape (n,).

        Args:
            number: of architectures; the last code turns fastest.
            move: 0 to `degree` - 1.
        """
        moves, operations = self._moves, self.cells.operations
        weight = moves.weight.take(move)
        code, step = number // weight % operations, moves.step.take(move)
        change: IntArray = step + (step >= code) - code
        after = number + change * weight
        exchanging = np.flatnonzero(moves.exchanges.take(move))
        if len(exchanging):
            after[exchanging] = self._exchange_input(number[exchanging], move[exchanging])
        return after

    def _exchange_input(self, number: IntArray, move: IntArray) -> IntArray:
        """Let another node be an input; the operation stays with its edge, and codes are in the order of inputs."""
        moves, operations = self._moves, self.cells.operations
        pair_weight, small, large = moves.weight.take(move), moves.small.take(move), moves.large.take(move)
        pair = number // pair_weight % moves.pairs.take(move)
        first, second = number // small % operations, number // large % operations
        swap = np.where(moves.swaps[move, pair], second - first, 0)
        return number + (moves.pair_after[move, pair] - pair) * pair_weight + swap * (small - large)

    @functools.cached_property
    def _moves(self) -> _Moves:
        nodes = list(itertools.chain.from_iterable(self.cells.places))
        cardinalities = self.cells.cardinalities
        later = itertools.accumulate(cardinalities[:0:-1], lambda one, other: one * other, initial=1)
        weights = [*later][::-1]
        rows = [row for node in nodes for row in _moves_of(node, weights, self.cells.operations)]
        numbers = np.array([row[:5] for row in rows], dtype=np.int64).reshape(len(rows), 5)  # also without any move
        weight, step, exchanges, small, large = numbers.T.copy()
        most = max(len(node.pairs) for node in nodes)
        pair_after, swaps = np.zeros((len(rows), most), dtype=np.int64), np.zeros((len(rows), most), dtype=bool)
        for place, (*_, after, swapped) in enumerate(rows):
            pair_after[place, : len(after)], swaps[place, : len(swapped)] = after, swapped
        pairs = np.array([max(1, len(row[5])) for row in rows], dtype=np.int64)
        return _Moves(weight, step, exchanges.astype(bool), small, large, pairs, pair_after, swaps)


@dataclass(frozen=True)
class _Moves:
    """All moves, shape (moves,).

    Attributes:
        weight: what one more of the code that changes adds to the number.
        step: of another operation, its number among the others.
        exchanges: whether the move is another input of a node; the code that changes is that of its pair.
        small: weight of the code of the operation on the edge from the smaller input.
        large: the same for the larger input.
        pairs: number of pairs of inputs.
        pair_after: the pair after the move, for every pair before it, shape (moves, most pairs).
        swaps: whether the edge from the smaller input is then that from the larger.
    """

    weight: IntArray
    step: IntArray
    exchanges: NDArray[np.bool_]
    small: IntArray
    large: IntArray
    pairs: IntArray
    pair_after: IntArray
    swaps: NDArray[np.bool_]


_Row = tuple[int, int, bool, int, int, list[int], list[bool]]


def _moves_of(node: NodePlaces, weights: list[int], operations: int) -> list[_Row]:
    """Return the moves of a node: the first fields of `_Moves`, the pairs after the move, and whether it swaps."""
    small, large = (weights[place] for place in node.operations)
    rows: list[_Row] = []
    if node.pair is not None:
        after, swaps = _input_moves(node.number)
        columns = zip(after.T.tolist(), swaps.T.tolist(), strict=True)
        rows += [(weights[node.pair], 0, True, small, large, pairs, swapped) for pairs, swapped in columns]
    return rows + [(weight, step, False, 1, 1, [], []) for weight in (small, large) for step in range(operations - 1)]


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
