"""Drawings of cells as a supernet sees them: which vertices are used, and how many channels they have."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.spaces.cell101_enumeration import OPERATIONS, Adjacency
from nasbench_lab.train.networks.cell101 import vertex_channels


@dataclasses.dataclass(frozen=True, eq=False)
class Drawing:
    """A drawing of a cell with all vertices of the space; the output is the last one.

    Attributes:
        adjacency: which vertex (row) leads to which (column), shape (vertices, vertices); edges of vertices that are
            not on a path from input to output are left out.
        operations: position in `OPERATIONS` plus one of every inner vertex, 0 for a missing one.
        used: the vertices on a path from input to output, in order.
    """

    adjacency: Adjacency
    operations: tuple[int, ...]
    used: tuple[int, ...]

    @classmethod
    def of(cls, codes: Sequence[int], vertices: int) -> Drawing:
        """Return the drawing that codes of a `Cell101Space` describe."""
        pairs = list(itertools.combinations(range(vertices), 2))
        operations = tuple(codes[len(pairs) :])
        output = 1 + sum(code > 0 for code in operations)  # which comes after the last operation
        place = [*range(output), vertices - 1]
        adjacency = np.zeros((vertices, vertices), dtype=bool)
        for (source, target), code in zip(pairs, codes, strict=False):
            if code:
                adjacency[place[source], place[target]] = True
        return cls(*_pruned(adjacency, operations))

    def channels(self, inputs: int, outputs: int) -> dict[int, int]:
        """Return the channels of every used vertex (see `vertex_channels`)."""
        inner = self.adjacency[np.ix_(self.used, self.used)]
        return dict(zip(self.used, vertex_channels(inputs, outputs, inner), strict=True))

    @property
    def codes(self) -> list[int]:
        """Codes of the used vertices alone, which come first (see `Cell101Space`)."""
        vertices, used = len(self.adjacency), len(self.used)
        adjacency = np.zeros_like(self.adjacency)
        adjacency[:used, :used] = self.adjacency[np.ix_(self.used, self.used)]
        operations = [self.operations[vertex - 1] for vertex in self.used[1:-1]]
        return [*adjacency[np.triu_indices(vertices, 1)].astype(int).tolist(), *operations, *[0] * (vertices - used)]

    @property
    def final(self) -> list[int]:
        """The inner vertices that lead to the output, in order."""
        return [vertex for vertex in self.used[1:-1] if self.adjacency[vertex, -1]]


@functools.cache
def decisions_in_full(codes: tuple[int, ...], vertices: int) -> tuple[int | None, ...]:
    """Return which decision of the codes every decision of the drawing with all vertices is.

    The codes of a cell with fewer vertices place its output after its last operation, see `Cell101Space`. In the
    drawing with all vertices, the output is the last vertex, and missing vertices have no edges: None stands for these
    edges and operations.

    >>> decisions_in_full((1, 1, 0, 1, 0, 0, 3, 0), 4)  # input, an operation, output
    (0, None, 1, None, 3, None, 6, None)
    """
    pairs = list(itertools.combinations(range(vertices), 2))
    output = 1 + sum(code > 0 for code in codes[len(pairs) :])
    place = {source: source for source in range(output)} | {vertices - 1: output}
    edges = [pairs.index((place[a], place[b])) if a in place and b in place else None for a, b in pairs]
    return *edges, *[len(pairs) + v - 1 if v < output else None for v in range(1, vertices - 1)]


def _pruned(adjacency: Adjacency, operations: tuple[int, ...]) -> tuple[Adjacency, tuple[int, ...], tuple[int, ...]]:
    vertices = len(adjacency)
    reached = np.linalg.matrix_power(np.eye(vertices, dtype=int) + adjacency, vertices) > 0
    used = tuple(v for v in range(vertices) if reached[0, v] and reached[v, -1])
    kept = np.zeros_like(adjacency)
    kept[np.ix_(used, used)] = adjacency[np.ix_(used, used)]
    return kept, operations, used


@dataclasses.dataclass(frozen=True, eq=False)
class Wirings:
    """All wirings of the vertices of a cell, and what each means for the channels.

    Attributes:
        edges: whether a wiring has each edge, pairs of vertices in the order of the codes, shape (wirings, pairs).
        channels: of every inner vertex, 0 where it is not used, shape (wirings, vertices - 2).
        offset: first channel of the output that every inner vertex fills, -1 where it does not lead to the output,
            shape (wirings, vertices - 2).
    """

    edges: NDArray[np.bool_]
    channels: NDArray[np.int64]
    offset: NDArray[np.int64]


@functools.cache
def wirings(vertices: int, outputs: int) -> Wirings:
    """Return all wirings of cells with some number of output channels.

    >>> wirings(4, 8).channels.max()
    np.int64(8)
    """
    pairs = list(itertools.combinations(range(vertices), 2))
    edges = np.array(list(itertools.product([False, True], repeat=len(pairs))))
    channels = np.zeros((len(edges), vertices - 2), dtype=np.int64)
    offset = np.full_like(channels, -1)
    for row, present in enumerate(edges):
        drawing = Drawing.of([*present, *[len(OPERATIONS)] * (vertices - 2)], vertices)
        if not drawing.used:
            continue
        widths = drawing.channels(outputs, outputs)
        for vertex in drawing.used[1:-1]:
            channels[row, vertex - 1] = widths[vertex]
        first = 0
        for vertex in drawing.final:
            offset[row, vertex - 1] = first
            first += widths[vertex]
    return Wirings(edges, channels, offset)
