"""The tree of all prefixes of codes where every combination is an architecture: computed, for spaces of any size."""

from __future__ import annotations

import itertools
from typing import final

import numpy as np

from nasbench_lab.arrays import IntArray
from nasbench_lab.spaces.base import Space

_ROOT = -(2**63)  # there are fewer than 2**64 nodes, so their numbers fit into 64 bits from here on


@final
class CompleteTree:
    """The tree of `PrefixTree` for a space that is not listed, in which every combination of codes is an architecture.

    Nodes, level by level, and positions are numbers from which everything is computed, so the tree takes no memory.

    >>> from nasbench_lab.spaces import ChainSpace
    >>> tree = CompleteTree(ChainSpace("ab", 62))
    >>> child = tree.first_child(np.array([tree.root])) + 1
    >>> tree.low(child).tolist(), tree.count(child).tolist(), tree.degree(child).tolist()
    ([2305843009213693952], [2305843009213693952], [2])
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self.root = _ROOT
        self.size = space.size
        self.widest = max(space.cardinalities)
        self._cardinalities = np.array(space.cardinalities)
        later = itertools.accumulate(space.cardinalities[:0:-1], lambda one, other: one * other, initial=1)
        self._weights = np.array([*later][::-1])
        branching = [cardinality for cardinality in space.cardinalities if cardinality > 1]
        nodes = [*itertools.accumulate(branching, lambda one, other: one * other, initial=1)]  # of every level
        self._start = np.array([_ROOT + sum(nodes[:level]) for level in range(len(nodes))])
        self._degree = np.array([*branching, 0])
        self._count = np.array([space.size // of_level for of_level in nodes])

    def low(self, node: IntArray) -> IntArray:
        """Return the position of the first architecture of nodes."""
        level = self._level(node)
        return (node - self._start[level]) * self._count[level]

    def count(self, node: IntArray) -> IntArray:
        """Return the number of architectures of nodes."""
        return self._count[self._level(node)]

    def degree(self, node: IntArray) -> IntArray:
        """Return the number of children of nodes; 0 for a leaf."""
        return self._degree[self._level(node)]

    def first_child(self, node: IntArray) -> IntArray:
        """Return the first child of nodes that are no leaves; the others follow."""
        level = self._level(node)
        following = self._start[np.minimum(level + 1, len(self._start) - 1)]
        return following + (node - self._start[level]) * self._degree[level]

    def architecture(self, position: IntArray) -> IntArray:
        """Return the architectures at positions in the order of the codes."""
        return self._space.index(position[..., None] // self._weights % self._cardinalities)

    def position(self, architecture: IntArray) -> IntArray:
        """Return the positions of architectures in the order of the codes."""
        return self._space.codes(architecture) @ self._weights

    def _level(self, node: IntArray) -> IntArray:
        return np.searchsorted(self._start, node, side="right") - 1
