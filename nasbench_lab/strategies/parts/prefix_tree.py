"""The tree of all prefixes of code sequences: the choices that lead to an architecture."""

from __future__ import annotations

from typing import final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.spaces.base import Space


@final
class PrefixTree:
    """The prefixes of the codes of a space's architectures, as a tree; it is the same for all runs.

    A node stands for all architectures with a common prefix; its children are the possible next codes. Only values that
    some architecture has are children, so every path from the root ends at an architecture, whether or not every
    combination of codes is one. A single child leaves nothing to choose, so its children take its place. A node of a
    single architecture is a leaf.

    Sorted by their codes, the architectures of a node are contiguous; they are identified by their position in that
    order.

    Nodes are numbered level by level, children of the same parent consecutively; 0 is the root. The tree takes four
    integers per node, and has at most a few nodes per architecture.

    >>> from nasbench_lab.spaces import ChainSpace
    >>> tree = PrefixTree(ChainSpace("ab", 2))
    >>> tree.degree.tolist(), tree.first_child.tolist()
    ([2, 2, 2, 0, 0, 0, 0], [1, 3, 5, 7, 7, 7, 7])
    >>> tree.low.tolist(), tree.count.tolist()
    ([0, 0, 2, 0, 1, 2, 3], [4, 2, 2, 1, 1, 1, 1])
    """

    def __init__(self, space: Space) -> None:
        codes = space.codes(np.arange(space.size))
        self.architecture: IntArray = np.lexsort(codes.T[::-1])
        """The architectures in the order of their codes, shape (space.size,)."""
        self.position: IntArray = np.empty_like(self.architecture)
        """The position of every architecture in that order."""
        self.position[self.architecture] = np.arange(space.size)
        self.widest = max(space.cardinalities)
        """The largest number of children of a node."""
        self.first_child: IntArray
        """The number of the first child of every node."""
        self.degree: IntArray
        """The number of its children; 0 for a leaf."""
        self.low: IntArray
        """The position of its first architecture."""
        self.count: IntArray
        """The number of its architectures."""
        self._grow(codes[self.architecture])

    def _grow(self, codes: NDArray[np.int8]) -> None:
        """Make the nodes of all levels, given the codes in order."""
        size = len(codes)
        shared = np.full(size, -1)  # length of the common prefix of an architecture and the one before
        shared[1:] = (codes[1:] != codes[:-1]).argmax(axis=1)
        alone = np.zeros(size, dtype=bool)  # whether the architecture has a leaf already
        lows, counts, firsts, made = [np.zeros(1, dtype=np.int64)], [np.array([size])], [], 1
        alone[lows[0][counts[0] == 1]] = True
        for level in range(codes.shape[1]):
            start = np.flatnonzero(shared <= level)
            count = np.diff(start, append=size)
            new = ~alone[start]
            lows.append(start[new])
            counts.append(count[new])
            firsts.append(made + np.searchsorted(lows[-1], lows[-2]))
            made += len(lows[-1])
            alone[start[count == 1]] = True
        firsts.append(np.full(len(lows[-1]), made))
        first = np.concatenate([*firsts, [made]])
        self.low, self.count = np.concatenate(lows), np.concatenate(counts)
        self.first_child, self.degree = first[:-1], np.diff(first)
        self._skip_single_children(np.cumsum([len(low) for low in lows]))

    def _skip_single_children(self, ends: IntArray) -> None:
        """Give nodes with a single child the children of that child, from the last level to the first."""
        for begin, end in zip(ends[-2::-1], ends[:0:-1], strict=True):
            single = begin + np.flatnonzero(self.degree[begin:end] == 1)
            self._skip(single)
        self._skip(np.flatnonzero(self.degree[:1] == 1))

    def _skip(self, single: IntArray) -> None:
        child = self.first_child[single]
        self.first_child[single], self.degree[single] = self.first_child[child], self.degree[child]
