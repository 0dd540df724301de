"""Architectures as vectors for models: joined encodings, and those that need nothing but codes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.checks import require
from nasbench_lab.messages import shortened, unknown

Vectors = NDArray[np.float32]
"""Encoded architectures, shape (..., length)."""

COUNTS = "counts"
"""How often each operation or choice occurs."""
JOIN = "+"
"""What stands between the names of encodings that are joined, as in ``"path+counts"``."""


def parts_of(encoding: str, known: Sequence[str]) -> list[str]:
    """Return the names of the encodings that a text joins.

    Args:
        encoding: one name, or several with ``+`` between them.
        known: the names that may be used.

    Raises:
        UnknownNameError: a name is unknown.
        ParameterError: a name is given twice, or the encoding is not a text.

    >>> parts_of("path+counts", ["one-hot", "path", "counts"])
    ['path', 'counts']
    """
    require(isinstance(encoding, str), f"an encoding is a name, or names joined with +, got {shortened(encoding)}")
    parts = [part.strip() for part in encoding.split(JOIN)]
    for part in parts:
        if part not in known:
            raise unknown("encoding", part, known)
        require(parts.count(part) == 1, f"encoding {shortened(encoding)} has {part!r} twice")
    return parts


def one_hot(codes: NDArray[np.integer], cardinalities: Sequence[int]) -> Vectors:
    """Return one-hot codes, shape (..., codes) to (..., sum of cardinalities).

    >>> one_hot(np.array([1, 0]), (2, 3)).tolist()
    [0.0, 1.0, 1.0, 0.0, 0.0]
    """
    hot = [codes[..., place, None] == np.arange(count) for place, count in enumerate(cardinalities)]
    return np.concatenate(hot, axis=-1).astype(np.float32)


def counts(codes: NDArray[np.integer], values: int) -> Vectors:
    """Return how often each of the values 0 .. values - 1 occurs, shape (..., codes) to (..., values).

    Other values, such as -1 for no operation, are not counted.

    >>> counts(np.array([2, 0, 2, -1]), 3).tolist()
    [1.0, 0.0, 2.0]
    """
    found = [np.count_nonzero(codes == value, axis=-1) for value in range(values)]
    return np.stack(found, axis=-1).astype(np.float32)


def upper_triangle(edges: IntArray, pairs: Sequence[tuple[int, int]]) -> Vectors:
    """Return the values of edges, given in any order, as the upper triangle of the matrix of nodes, row by row.

    >>> upper_triangle(np.array([7, 8, 9]), [(0, 1), (1, 2), (0, 2)]).tolist()
    [7.0, 9.0, 8.0]
    """
    order = sorted(range(len(pairs)), key=lambda place: pairs[place])
    return edges[..., order].astype(np.float32)
