"""Cross-validation in which no network is on both sides."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray


def folds_of(networks: IntArray, folds: int, seed: int) -> IntArray:
    """Return the number of the fold of every architecture, shape (n,); those of one network are in the same fold.

    >>> folds_of(np.array([0, 1, 0, 2]), 2, seed=0).tolist()
    [0, 0, 0, 1]
    """
    random = np.random.Generator(np.random.Philox(seed))
    numbers, place = np.unique(networks, return_inverse=True)
    order = random.permutation(len(numbers))
    return np.asarray(order[place] % min(folds, len(numbers)), dtype=np.int64)


def splits(fold: IntArray, known: NDArray[np.bool_]) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield the rows to learn from and the rows to predict, for every fold with rows that are known."""
    for number in np.unique(fold[known]).tolist():
        learnt, held_out = known & (fold != number), known & (fold == number)
        yield np.flatnonzero(learnt), np.flatnonzero(held_out)
