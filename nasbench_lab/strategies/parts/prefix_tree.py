"""The tree of all prefixes of code sequences: the choices that lead to an architecture."""

from __future__ import annotations

import math
from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.checks import require
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.parts.complete_tree import CompleteTree


class Tree(Protocol):
    """The prefixes of the codes of a space's architectures, as a tree (see `PrefixTree`)."""

    root: int
    """The number of the root."""
    size: int
    """The number of architectures."""
    widest: int
    """The largest number of children of a node, or more."""

    def low(self, node: IntArray) -> IntArray:
        """Return the position of the first architecture of nodes; of numbers that are no nodes, anything."""

    def count(self, node: IntArray) -> IntArray:
        """Return the number of architectures of nodes."""

    def degree(self, node: IntArray) -> IntArray:
        """Return the number of children of nodes; 0 for a leaf."""

    def first_child(self, node: IntArray) -> IntArray:
        """Return the first child of nodes that are no leaves; the others follow."""

    def architecture(self, position: IntArray) -> IntArray:
        """Return the architectures at positions in the order of the codes."""

    def position(self, architecture: IntArray) -> IntArray:
        """Return the positions of architectures in the order of the codes."""


def prefix_tree(space: Space) -> Tree:
    """Return the tree of a space.

    Raises:
        ParameterError: the space is not listed, and not every combination of codes is one of its architectures.
    """
    if space.is_listed:
        return PrefixTree(space)
    require(
        math.prod(space.cardinalities) == space.size,
        f"tree search needs a list of all architectures, or a space in which every combination of codes is one; "
        f"space {space.name!r} is too large for a list ({space.size:,}), and not every combination is",
    )
    return CompleteTree(space)


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
    >>> nodes = np.arange(7)
    >>> tree.degree(nodes).tolist(), tree.first_child(nodes).tolist()
    ([2, 2, 2, 0, 0, 0, 0], [1, 3, 5, 7, 7, 7, 7])
    >>> tree.low(nodes).tolist(), tree.count(nodes).tolist()
    ([0, 0, 2, 0, 1, 2, 3], [4, 2, 2, 1, 1, 1, 1])
    """

    root = 0

    def __init__(self, space: Space) -> None:
        codes = space.codes(np.arange(space.size))
        self.size = space.size
        self.widest = max(space.cardinalities)
        self._architecture: IntArray = np.lexsort(codes.T[::-1])
        self._position: IntArray = np.empty_like(self._architecture)
        self._position[self._architecture] = np.arange(space.size)
        self._first_child: IntArray
        self._degree: IntArray
        self._low: IntArray
        self._count: IntArray
        self._grow(codes[self._architecture])

    def low(self, node: IntArray) -> IntArray:
        """Return the position of the first architecture of nodes."""
        return self._low.take(node, mode="clip")

    def count(self, node: IntArray) -> IntArray:
        """Return the number of architectures of nodes."""
        return self._count.take(node)

    def degree(self, node: IntArray) -> IntArray:
        """Return the number of children of nodes; 0 for a leaf."""
        return self._degree.take(node)

    def first_child(self, node: IntArray) -> IntArray:
        """Return the first child of nodes that are no leaves; the others follow."""
        return self._first_child.take(node)

    def architecture(self, position: IntArray) -> IntArray:
        """Return the architectures at positions in the order of the codes."""
        return self._architecture.take(position)

    def position(self, architecture: IntArray) -> IntArray:
        """Return the positions of architectures in the order of the codes."""
        return self._position.take(architecture)

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
        self._low, self._count = np.concatenate(lows), np.concatenate(counts)
        self._first_child, self._degree = first[:-1], np.diff(first)
        self._skip_single_children(np.cumsum([len(low) for low in lows]))

    def _skip_single_children(self, ends: IntArray) -> None:
        """Give nodes with a single child the children of that child, from the last level to the first."""
        for begin, end in zip(ends[-2::-1], ends[:0:-1], strict=True):
            single = begin + np.flatnonzero(self._degree[begin:end] == 1)
            self._skip(single)
        self._skip(np.flatnonzero(self._degree[:1] == 1))

    def _skip(self, single: IntArray) -> None:
        child = self._first_child[single]
        self._first_child[single], self._degree[single] = self._first_child[child], self._degree[child]
