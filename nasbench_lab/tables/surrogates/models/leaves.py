"""Finding the leaves in which vectors end, for all trees of a model: with bit masks in small trees, by walks in others.

Both return the same leaves. Masks are from QuickScorer (Lucchese et al., SIGIR 2015): a vector that goes right at a
node cannot end in the leaves to its left. The first leaf that no node excludes is the one. There is no walk, so every
step works on whole arrays, and a condition that many trees share is compared once. The work grows with the number of
leaves, that of a walk with the depth; so trees of more than 64 leaves are walked.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray

MOST_MASKED = 64
"""Most leaves of a tree whose leaves are found with masks: bits of the largest word."""

_MASKED_ROWS = 256  # vectors at a time: the masks of all trees stay in the cache
_WALKED_ROWS, _WALKED_PAIRS = 512, 5_120  # likewise, and pairs of a vector and a tree
_CHECK_EVERY = 3  # steps of a walk between two looks at which vectors have reached a leaf
_ENTRY_BITS = 20  # at least as many as an entry of a vector needs
_ENTRY = 2**_ENTRY_BITS - 1


class Nodes(NamedTuple):
    """The nodes of all trees, see `StoredTrees`."""

    feature: NDArray[Any]
    threshold: FloatArray
    left: NDArray[Any]
    right: NDArray[Any]
    value: FloatArray
    roots: NDArray[Any]


class LeafFinder(Protocol):
    """Finds leaves."""

    rows: int
    """How many vectors it takes at a time."""

    def values(self, vectors: NDArray[Any]) -> FloatArray:
        """Return the value of every tree for vectors, shape (n, inputs) to (trees, n), as a new array."""


def leaf_finder(nodes: Nodes) -> LeafFinder:
    """Return the quicker way to find leaves in some trees.

    >>> one = Nodes(*map(np.array, ([0, -1, -1], [0.5, 0, 0], [1, 0, 0], [2, 0, 0], [0.0, 3.0, 7.0], [0])))
    >>> for finder in (leaf_finder(one), Walks(one)):
    ...     type(finder).__name__, finder.values(np.array([[0.5], [1.0]])).tolist()
    ('Masks', [[3.0, 7.0]])
    ('Walks', [[3.0, 7.0]])
    """
    levels = _levels(nodes)
    leaves = _counted(nodes, levels)
    return Walks(nodes) if leaves[nodes.roots].max() > MOST_MASKED else Masks(nodes, levels, leaves)


def single_below(threshold: FloatArray) -> NDArray[np.float32]:
    """Return the largest numbers of single precision that are at most some numbers.

    A number of single precision is above one exactly if it is above the other.

    >>> single_below(np.array([0.1, 0.5, -0.1])).astype(float).tolist()
    [0.09999999403953552, 0.5, -0.10000000149011612]
    """
    with np.errstate(over="ignore"):
        rounded = threshold.astype(np.float32)
        lower = np.nextafter(rounded, np.float32(-np.inf))
    return np.where(rounded.astype(np.float64) > threshold, lower, rounded)


@final
class Masks:
    """Finds leaves with bit masks.

    Args:
        nodes: of trees of at most 64 leaves.
        levels: see `_levels`.
        leaves: see `_counted`.
    """

    rows = _MASKED_ROWS

    def __init__(self, nodes: Nodes, levels: list[IntArray], leaves: IntArray) -> None:
        first, tree = _first_leaves(nodes, levels, leaves)
        inner, count = np.flatnonzero(nodes.feature >= 0), len(nodes.roots)
        most = int(leaves[nodes.roots].max())
        self._word: Any = np.uint16 if most <= 16 else np.uint32 if most <= 32 else np.uint64
        # Conditions, each once, in the order of their entries.
        pairs = np.stack([nodes.feature[inner].astype(np.float64), nodes.threshold[inner]], axis=1)
        conditions, which = np.unique(pairs, axis=0, return_inverse=True)
        self._used, self._entry = np.unique(conditions[:, 0].astype(np.int64), return_inverse=True)
        self._threshold = conditions[:, 1:].copy()
        self._single = single_below(self._threshold)
        # Place k of a tree has its node number k, and a mask without the leaves to the left of it.
        owner = tree[inner]
        order = np.argsort(owner, kind="stable")
        each = np.bincount(owner, minlength=count)
        place = np.arange(len(inner)) - np.repeat(np.cumsum(each) - each, each)
        self._condition = np.zeros((each.max(initial=0), count), dtype=np.int64)
        masks = np.full((each.max(initial=0), count), ~np.uint64(0))
        size, start = (array[inner].astype(np.uint64) for array in (leaves[nodes.left], first))
        excluded = ((np.uint64(1) << size) - np.uint64(1)) << start
        self._condition[place, owner[order]] = which.reshape(-1)[order]
        masks[place, owner[order]] = ~excluded[order]
        self._masks = masks.astype(self._word)[:, :, None]
        ends = np.flatnonzero(nodes.feature < 0)
        self._values = np.zeros((count, most))
        self._values[tree[ends], first[ends]] = nodes.value[ends]
        self._start = (np.arange(count) * most)[:, None]

    def values(self, vectors: NDArray[Any]) -> FloatArray:
        """Return the value of every tree; see `LeafFinder`."""
        if not len(self._masks):
            return np.repeat(self._values, len(vectors), axis=1)
        threshold = self._single if vectors.dtype == np.float32 else self._threshold
        goes_right = vectors[:, self._used].T.copy().take(self._entry, axis=0) > threshold
        goes_left = goes_right.astype(self._word) - self._word(1)  # all bits, or none
        possible = goes_left.take(self._condition[0], axis=0)
        possible |= self._masks[0]
        allowed = np.empty_like(possible)
        for condition, mask in zip(self._condition[1:], self._masks[1:], strict=True):
            np.take(goes_left, condition, axis=0, out=allowed, mode="clip")
            allowed |= mask
            possible &= allowed
        return self._values.take(_lowest_bit(possible) + self._start)


def _lowest_bit(words: NDArray[Any]) -> IntArray:
    """Return the places of the lowest bits that are set: the exponents of the words with this bit alone."""
    words &= np.negative(words)
    if words.dtype == np.uint64:
        return (words.astype(np.float64).view(np.int64) >> 52) - 1023
    return (words.astype(np.float32).view(np.int32) >> 23).astype(np.int64) - 127


@final
class Walks:
    """Finds leaves by walks from the root, of all vectors through a few trees at a time.

    Args:
        nodes: of the trees.
    """

    rows = _WALKED_ROWS

    def __init__(self, nodes: Nodes) -> None:
        # Nodes are sorted so that two children are neighbours. A leaf goes on to itself: nothing is above infinity.
        order, roots = _sorted_by_tree(nodes)
        number = np.empty(len(order), dtype=np.int64)
        number[order] = np.arange(len(order))
        feature = nodes.feature[order].astype(np.int64)
        inner = feature >= 0
        child = np.where(inner, number[nodes.left[order]], np.arange(len(order)))
        self._next = (child << _ENTRY_BITS) | np.where(inner, feature, 0)
        self._threshold = np.where(inner, nodes.threshold[order], np.inf)
        self._single = np.where(inner, single_below(nodes.threshold[order]), np.float32(np.inf))
        self._values, self._roots = nodes.value[order], roots

    def values(self, vectors: NDArray[Any]) -> FloatArray:
        """Return the value of every tree; see `LeafFinder`."""
        threshold = self._single if vectors.dtype == np.float32 else self._threshold
        entries = np.ascontiguousarray(vectors).reshape(-1)
        start = np.arange(len(vectors)) * vectors.shape[1]
        step, found = max(1, _WALKED_PAIRS // len(vectors)), np.empty((len(self._roots), len(vectors)))
        for first in range(0, len(self._roots), step):
            roots = self._roots[first : first + step]
            ends = self._ends(np.repeat(roots, len(vectors)), np.tile(start, len(roots)), entries, threshold)
            found[first : first + step] = self._values.take(ends).reshape(len(roots), -1)
        return found

    def _ends(self, node: IntArray, start: IntArray, entries: NDArray[Any], threshold: NDArray[Any]) -> IntArray:
        """Return the leaves of walks, given their first nodes and the places of their vectors, shape (m,)."""
        ends, active = node, np.arange(len(node))
        while len(active):
            for _ in range(_CHECK_EVERY):
                then = self._next.take(node)
                goes_right = entries.take((then & _ENTRY) + start) > threshold.take(node)
                node = (then >> _ENTRY_BITS) + goes_right
            ends[active] = node
            inside = np.flatnonzero(threshold.take(node) != np.inf)
            if len(inside) < len(active):
                active, node, start = active[inside], node[inside], start[inside]
        return ends


def _levels(nodes: Nodes) -> list[IntArray]:
    """Return the nodes of all trees, level by level from the roots."""
    levels = [nodes.roots.astype(np.int64)]
    while len(above := levels[-1][nodes.feature[levels[-1]] >= 0]):
        levels.append(np.concatenate([nodes.left[above], nodes.right[above]]).astype(np.int64))
    return levels


def _counted(nodes: Nodes, levels: list[IntArray]) -> IntArray:
    """Return the number of leaves below every node, 1 for leaves."""
    leaves = np.ones(len(nodes.feature), dtype=np.int64)
    for level in reversed(levels):
        above = level[nodes.feature[level] >= 0]
        leaves[above] = leaves[nodes.left[above]] + leaves[nodes.right[above]]
    return leaves


def _first_leaves(nodes: Nodes, levels: list[IntArray], leaves: IntArray) -> tuple[IntArray, IntArray]:
    """Return the first leaf below every node, numbered from the left within its tree, and the number of its tree."""
    first, tree = (np.zeros(len(nodes.feature), dtype=np.int64) for _ in range(2))
    tree[nodes.roots] = np.arange(len(nodes.roots))
    for level in levels:
        above = level[nodes.feature[level] >= 0]
        left, right = nodes.left[above], nodes.right[above]
        first[left], first[right] = first[above], first[above] + leaves[left]
        tree[left] = tree[right] = tree[above]
    return first, tree


def _sorted_by_tree(nodes: Nodes) -> tuple[IntArray, IntArray]:
    """Return the nodes tree by tree and level by level, with children as neighbours, and the places of the roots."""
    level = nodes.roots.astype(np.int64)
    tree, found, owners = np.arange(len(level)), [level], [np.arange(len(level))]
    while len(inner := np.flatnonzero(nodes.feature[level] >= 0)):
        above = level[inner]
        level = np.stack([nodes.left[above], nodes.right[above]], axis=1).reshape(-1).astype(np.int64)
        tree = np.repeat(tree[inner], 2)
        found.append(level)
        owners.append(tree)
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    sizes = np.bincount(owner)
    return np.concatenate(found)[order], np.cumsum(sizes) - sizes
