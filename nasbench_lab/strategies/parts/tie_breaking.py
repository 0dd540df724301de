"""Random tie-breaking: choose one of several candidates, in all runs at once."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.streams import scale


def any_of(candidate: NDArray[np.bool_], uniform: FloatArray) -> IntArray:
    """Return a random one of the candidates.

    Args:
        candidate: which values are candidates, at least one in every column, shape (values, n).
        uniform: in [0, 1), shape (n,): the k-th of m candidates is chosen where it is in [k / m, (k + 1) / m).

    Returns:
        Values, shape (n,).

    >>> any_of(np.array([[False, True], [True, True], [True, False]]), np.array([0.9, 0.0])).tolist()
    [2, 0]
    """
    # Add row by row, as values are few and runs many; in small integers, as many of them fit into a register.
    small = np.int8 if len(candidate) <= 127 else np.int16
    passed: NDArray[np.signedinteger] = candidate.astype(small)
    for before, row in itertools.pairwise(passed):
        np.add(before, row, out=row)
    position = scale(uniform, passed[-1])
    return (passed[:-1] <= position.astype(small)).view(np.int8).sum(axis=0, dtype=small).astype(np.int64)
