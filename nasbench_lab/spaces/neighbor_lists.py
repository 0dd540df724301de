"""Neighbours of architectures, where moves lead from one architecture to another but not always back."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_lab.arrays import IntArray


def mutual(moves: Iterable[ArrayLike]) -> tuple[IntArray, NDArray[np.int32]]:
    """Call two architectures neighbours where a move leads from either to the other.

    Args:
        moves: for every kind of move, the architecture to which it leads from every architecture, shape (size,); -1
            where it leads to none. A move may lead to the architecture itself, and several moves to the same one.

    Returns:
        ``starts``, and the neighbours of all architectures in one array: those of architecture i, ascending, are at
        ``starts[i]`` to ``starts[i + 1]``.

    >>> starts, neighbors = mutual([[1, 0, 1], [2, -1, 2]])
    >>> starts.tolist(), neighbors.tolist()
    ([0, 2, 4, 6], [1, 2, 0, 2, 0, 1])
    """
    pairs, size = [], 0
    for move in moves:
        target = np.asarray(move, dtype=np.int64)
        size = len(target)
        source = np.flatnonzero((target >= 0) & (target != np.arange(size)))
        target = target[source]
        pairs += [source * size + target, target * size + source]
    return _lists(pairs, size)


def mutual_pairs(source: IntArray, target: IntArray, size: int) -> tuple[IntArray, NDArray[np.int32]]:
    """Return what `mutual` returns for pairs of neighbours, each of shape (pairs,); a pair may be given again.

    >>> starts, neighbors = mutual_pairs(np.array([0, 0]), np.array([2, 2]), 3)
    >>> starts.tolist(), neighbors.tolist()
    ([0, 1, 1, 2], [2, 0])
    """
    return _lists([source * size + target, target * size + source], size)


def _lists(pairs: list[IntArray], size: int) -> tuple[IntArray, NDArray[np.int32]]:
    """Return the lists of neighbours of pairs, each a number ``source * size + target``; empties ``pairs``."""
    both = np.concatenate(pairs)
    pairs.clear()  # in large spaces they take hundreds of megabytes
    both.sort()
    both = both[np.r_[True, both[1:] != both[:-1]][: len(both)]]
    source, target = np.divmod(both, size)
    starts = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=size))])
    return starts, target.astype(np.int32)


def padded(starts: IntArray, neighbors: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the lists as rows of a table, shape (size, max degree), padded with -1 at the end.

    >>> padded(np.array([0, 1, 3, 4]), np.array([1, 0, 2, 1], dtype=np.int32)).tolist()
    [[1, -1], [0, 2], [1, -1]]
    """
    degrees = np.diff(starts)
    table = np.full((len(degrees), max(1, int(degrees.max()))), -1, dtype=np.int32)
    table[np.arange(table.shape[1]) < degrees[:, None]] = neighbors
    return table
