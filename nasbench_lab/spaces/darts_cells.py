"""Where the codes of a DARTS architecture stand, and what its cells look like, for many architectures at once."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.spaces.encodings import Vectors, counts

CELLS = ("normal", "reduce")
"""The cells of an architecture, in the order of the codes."""
INPUTS = 2
"""Nodes 0 and 1 of a cell are the outputs of the two cells before it."""

Edge = tuple[int, int]
"""An operation, as position in the list of operations, and the node that it takes."""
Cell = tuple[tuple[Edge, Edge], ...]
"""The two edges into every intermediate node, that from the smaller node first."""


@dataclass(frozen=True)
class NodePlaces:
    """Where the codes of an intermediate node stand.

    Attributes:
        pair: place of the code of its two inputs, a position in `pairs`; None where there is only one pair.
        operations: places of the operations on the edge from the smaller and from the larger input.
        pairs: all pairs of inputs.
        number: of the node in its cell, from 2.
    """

    pair: int | None
    operations: tuple[int, int]
    pairs: tuple[tuple[int, int], ...]
    number: int

    def inputs(self, codes: IntArray) -> IntArray:
        """Return the two inputs, shape (..., codes) to (..., 2), ascending."""
        chosen = np.zeros(codes.shape[:-1], dtype=np.int64) if self.pair is None else codes[..., self.pair]
        return np.array(self.pairs)[chosen]


@dataclass(frozen=True)
class DartsCells:
    """The cells of a space with a number of intermediate nodes and of operations.

    Attributes:
        nodes: intermediate nodes of a cell.
        operations: number of operations.
    """

    nodes: int
    operations: int

    @functools.cached_property
    def places(self) -> tuple[tuple[NodePlaces, ...], ...]:
        """The places of the codes of all nodes, by cell."""
        free = itertools.count()
        return tuple(tuple(self._node(number, free) for number in range(INPUTS, INPUTS + self.nodes)) for _ in CELLS)

    def _node(self, number: int, free: Iterator[int]) -> NodePlaces:
        pairs = tuple(itertools.combinations(range(number), 2))
        return NodePlaces(next(free) if len(pairs) > 1 else None, (next(free), next(free)), pairs, number)

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """How many values each code can take."""
        of_nodes = [
            [*([len(node.pairs)] if node.pair is not None else []), self.operations, self.operations]
            for cell in self.places
            for node in cell
        ]
        return tuple(itertools.chain.from_iterable(of_nodes))

    @property
    def size(self) -> int:
        """The number of architectures."""
        return math.prod(self.cardinalities)

    def cells(self, codes: Sequence[int]) -> tuple[Cell, Cell]:
        """Return the cells of one architecture."""
        normal, reduce = (tuple(self._edges(node, codes) for node in cell) for cell in self.places)
        return normal, reduce

    @staticmethod
    def _edges(node: NodePlaces, codes: Sequence[int]) -> tuple[Edge, Edge]:
        small, large = node.pairs[0 if node.pair is None else codes[node.pair]]
        return (codes[node.operations[0]], small), (codes[node.operations[1]], large)

    def codes(self, cells: Sequence[Cell]) -> tuple[int, ...]:
        """Return the codes of cells whose edges are in the order of `Cell`."""
        codes: list[int] = []
        for places, cell in zip(self.places, cells, strict=True):
            for node, ((first, small), (second, large)) in zip(places, cell, strict=True):
                codes += [] if node.pair is None else [node.pairs.index((small, large))]
                codes += [first, second]
        return tuple(codes)

    def edges(self, codes: NDArray[np.integer]) -> IntArray:
        """Return the operation on every possible edge, -1 for none, shape (n, codes) to (n, 2, nodes, nodes + 1).

        The axes are cell, intermediate node from 0, and the node that leads to it.
        """
        codes = codes.astype(np.int64)
        found = np.full((len(codes), len(CELLS), self.nodes, self.nodes + 1), -1, dtype=np.int64)
        every = np.arange(len(codes))
        for number, cell in enumerate(self.places):
            for place, node in enumerate(cell):
                inputs = node.inputs(codes)
                for end, operation in enumerate(node.operations):
                    found[every, number, place, inputs[:, end]] = codes[:, operation]
        return found

    def adjacency(self, codes: NDArray[np.integer]) -> Vectors:
        """Return the operation on every possible edge, counted from 1, 0 for none; shape (n, edges of both cells)."""
        return (self._flat_edges(codes) + 1).astype(np.float32)

    def edge_operations(self, codes: NDArray[np.integer]) -> Vectors:
        """Say for every possible edge and operation whether a cell has it; shape (n, edges * operations)."""
        hot = self._flat_edges(codes)[..., None] == np.arange(self.operations)
        return hot.reshape(len(codes), hot.shape[1] * self.operations).astype(np.float32)

    def counts(self, codes: NDArray[np.integer]) -> Vectors:
        """Return how often each operation occurs in the normal and in the reduction cell, shape (n, 2 * operations)."""
        edges = self.edges(codes)
        flat = edges.reshape(len(codes), len(CELLS), self.nodes * (self.nodes + 1))
        return counts(flat, self.operations).reshape(len(codes), len(CELLS) * self.operations)

    def _flat_edges(self, codes: NDArray[np.integer]) -> IntArray:
        """Return the edges of `edges` that can exist, shape (n, edges): by cell, node and input."""
        target, source = np.nonzero(np.arange(self.nodes + 1) < np.arange(INPUTS, INPUTS + self.nodes)[:, None])
        edges = self.edges(codes)[:, :, target, source]
        return edges.reshape(len(codes), len(CELLS) * len(target))

    def paths(self, codes: NDArray[np.integer], longest: int) -> Vectors:
        """Say for every cell, input and sequence of operations whether a path from the input has them.

        A path leads from an input through one or more nodes to the output, to which every node leads. Sequences are
        numbered from the shortest to the longest; of k operations, the sequence with positions a, b, c from the input
        on is number a + k b + k**2 c among those of its length.

        Args:
            codes: shape (n, codes).
            longest: leave out longer sequences.

        Returns:
            Zeros and ones, shape (n, 2 * 2 * (k + ... + k**longest)): the sequences from input 0 of the normal cell,
            from its input 1, then those of the reduction cell.
        """
        edges = self.edges(codes)
        sizes = [self.operations**length for length in range(1, longest + 1)]
        first = np.cumsum([0, *sizes])
        encoding = np.zeros((len(codes), len(CELLS), INPUTS, int(first[-1])), dtype=np.float32)
        every = np.arange(len(codes))
        routes = itertools.chain.from_iterable(
            itertools.combinations(range(self.nodes), length) for length in range(1, longest + 1)
        )
        for cell, route, start in itertools.product(range(len(CELLS)), list(routes), range(INPUTS)):
            number, exists = np.zeros(len(codes), dtype=np.int64), np.ones(len(codes), dtype=bool)
            source = start
            for length, node in enumerate(route):
                operation = edges[:, cell, node, source]
                exists &= operation >= 0
                number += operation * self.operations**length
                source = node + INPUTS
            encoding[every[exists], cell, start, first[len(route) - 1] + number[exists]] = 1.0
        return encoding.reshape(len(codes), encoding[0].size if len(codes) else len(CELLS) * INPUTS * int(first[-1]))


def canonical_cell(cell: Cell) -> Cell:
    """Return what is equal for cells that differ in the order of their intermediate nodes only.

    It is the least among all ways to number the nodes.

    >>> canonical_cell((((0, 0), (0, 1)), ((5, 0), (6, 1)))) == canonical_cell((((5, 0), (6, 1)), ((0, 0), (0, 1))))
    True
    """
    forms = [_renumbered(cell, order) for order in itertools.permutations(range(len(cell)))]
    return min(form for form in forms if form is not None)


def _renumbered(cell: Cell, order: Sequence[int]) -> Cell | None:
    """Return a cell with its nodes in another order; None where a node would come before one of its inputs."""
    number = {node + INPUTS: place + INPUTS for place, node in enumerate(order)}
    renumbered: list[tuple[Edge, Edge]] = []
    for place, node in enumerate(order):
        first, second = sorted((number.get(source, source), operation) for operation, source in cell[node])
        if second[0] >= place + INPUTS:
            return None
        renumbered.append(((first[1], first[0]), (second[1], second[0])))
    return tuple(renumbered)
