"""The graph of a landscape: measured architectures, joined where they are neighbours in the space."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.spaces import Space
from nasbench_lab.streams import scale

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_PAIRS_AT_A_TIME = 2**22


class LandscapeGraph:
    """The neighbours of architectures, without those that were not measured.

    Args:
        space: the space.
        known: which architectures were measured, shape (size,).
    """

    def __init__(self, space: Space, known: NDArray[np.bool_]) -> None:
        self.space, self.known = space, known
        self.size = space.size
        self.members = np.flatnonzero(known)
        self._complete = len(self.members) == self.size

    def pairs(self, index: IntArray) -> tuple[IntArray, IntArray]:
        """Return all pairs of a place in ``index`` and a measured neighbour of the architecture there, by place.

        >>> from nasbench_lab.spaces import ChainSpace
        >>> graph = LandscapeGraph(ChainSpace("ab", 2), np.array([True, True, True, False]))
        >>> [each.tolist() for each in graph.pairs(np.array([3, 0]))]
        [[0, 0, 1, 1], [1, 2, 2, 1]]
        """
        row, place = ragged(self.space.degree(index))
        near = self.space.neighbor_at(index[row], place)
        if self._complete:
            return row, near
        measured = self.known[near]
        return row[measured], near[measured]

    def in_pieces(self, index: IntArray) -> Iterator[slice]:
        """Yield slices of ``index`` whose pairs fit into memory."""
        ends = np.cumsum(self.space.degree(index))
        first = 0
        while first < len(index):
            before = int(ends[first - 1]) if first else 0
            end = max(first + 1, int(np.searchsorted(ends, before + _PAIRS_AT_A_TIME, side="right")))
            yield slice(first, end)
            first = end

    @cached_property
    def degrees(self) -> IntArray:
        """The number of measured neighbours of every architecture, 0 for one that was not measured, shape (size,)."""
        return np.bincount(self.sources, minlength=self.size)

    @cached_property
    def sources(self) -> NDArray[np.int32]:
        """The first architecture of every pair of neighbours, ascending, shape (pairs,); a pair counts both ways."""
        return self._lists[0]

    @cached_property
    def targets(self) -> NDArray[np.int32]:
        """The second architecture of every pair of neighbours, shape (pairs,)."""
        return self._lists[1]

    @cached_property
    def _lists(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        sources, targets = [], []
        for part in self.in_pieces(self.members):
            row, near = self.pairs(self.members[part])
            sources.append(self.members[part][row].astype(np.int32))
            targets.append(near.astype(np.int32))
        return np.concatenate(sources), np.concatenate(targets)

    @cached_property
    def starts(self) -> IntArray:
        """Where the pairs of each architecture start, and their number at the end, shape (size + 1,)."""
        return np.concatenate([[0], np.cumsum(self.degrees)])

    def matrix(self, weights: FloatArray, chosen: NDArray[np.bool_] | None = None) -> csr_array:
        """Return the pairs, or some of them, as a sparse matrix of shape (size, size) with these weights."""
        from scipy.sparse import csr_array

        if chosen is None:
            return csr_array((weights, self.targets, self.starts), shape=(self.size, self.size))
        starts = np.concatenate([[0], np.cumsum(np.bincount(self.sources[chosen], minlength=self.size))])
        return csr_array((weights, self.targets[chosen], starts), shape=(self.size, self.size))

    def distances(self, origins: IntArray) -> IntArray:
        """Return the least number of moves from each architecture to one of the origins, shape (size,).

        Moves lead over measured architectures only. It is -1 where no moves lead there.

        >>> from nasbench_lab.spaces import ChainSpace
        >>> LandscapeGraph(ChainSpace("ab", 2), np.ones(4, dtype=bool)).distances(np.array([0])).tolist()
        [0, 1, 1, 2]
        """
        distance = np.full(self.size, -1, dtype=np.int64)
        distance[origins] = 0
        level, frontier = 0, np.asarray(origins)
        while len(frontier):
            level += 1
            for part in self.in_pieces(frontier):
                near = self.pairs(frontier[part])[1]
                distance[near[distance[near] < 0]] = level
            frontier = np.flatnonzero(distance == level)
        return distance

    def step(self, index: IntArray, uniform: FloatArray) -> IntArray:
        """Return a uniformly chosen measured neighbour of each architecture; itself where it has none."""
        if self._complete:
            return self.space.mutate(index, uniform)
        row, near = self.pairs(index)
        return choose(row, near, uniform, index)


def ragged(lengths: IntArray) -> tuple[IntArray, IntArray]:
    """Return the row and the place in its row of every entry of rows with these lengths.

    >>> row, place = ragged(np.array([2, 0, 1]))
    >>> row.tolist(), place.tolist()
    ([0, 0, 2], [0, 1, 0])
    """
    row = np.repeat(np.arange(len(lengths)), lengths)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def choose(
    row: IntArray, near: IntArray, uniform: FloatArray, otherwise: IntArray, of: IntArray | None = None
) -> IntArray:
    """Return for every row one of its entries, chosen by a uniform in [0, 1).

    Args:
        row: the row of every entry, ascending.
        near: the entries.
        uniform: one number per row.
        otherwise: what rows without entries get.
        of: rows to choose from, of the length of ``uniform`` and ``otherwise``; by default each row once.

    >>> choose(np.array([0, 0, 2]), np.array([7, 8, 9]), np.array([0.6, 0.6, 0.6]), np.array([1, 2, 3])).tolist()
    [8, 2, 9]
    """
    rows = len(otherwise) if of is None else int(of.max(initial=-1)) + 1
    counts = np.bincount(row, minlength=rows)
    first = np.cumsum(counts) - counts
    if of is not None:
        counts, first = counts[of], first[of]
    found = otherwise.copy()
    has = counts > 0
    found[has] = near[(first + scale(uniform, counts))[has]]
    return found
