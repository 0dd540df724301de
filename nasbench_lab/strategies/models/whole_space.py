"""Whether a model ranks all architectures of a space, or a pool of them; and architectures that represent a space."""

from __future__ import annotations

from typing import Literal

import numpy as np

from nasbench_lab.arrays import IntArray
from nasbench_lab.checks import require
from nasbench_lab.spaces.base import Space

CandidateSet = Literal["auto", "all", "pool"]
"""What a model ranks: all architectures, a pool of them, or ``"auto"``: all of a small space, a pool of others."""

MOST_RANKED = 30_000
"""Most architectures of a small space: models rank all of them, and keep their encodings."""

_MOST_EXACT = 2**53  # whole numbers that a float64 can hold


def is_small(space: Space) -> bool:
    """Return whether models rank the whole space by default, and keep the encodings of all its architectures.

    >>> from nasbench_lab.spaces import ChainSpace
    >>> is_small(ChainSpace("012", 8)), is_small(ChainSpace("012", 12))
    (True, False)
    """
    return space.is_listed and space.size <= MOST_RANKED


def ranks_all(space: Space, candidates: CandidateSet) -> bool:
    """Return whether all architectures are candidates.

    Raises:
        ParameterError: all are wanted of a space that is too large to list.
    """
    require(
        candidates != "all" or space.is_listed,
        f"candidates='all' needs a space that can be listed, and space {space.name!r} with {space.size:,} architectures"
        " cannot: choose 'pool'",
    )
    return candidates == "all" or (candidates == "auto" and is_small(space))


def evenly_spaced(space: Space, most: int) -> IntArray:
    """Return architectures at equal distances, from the first to the last: at most ``most``, or all of a small space.

    >>> from nasbench_lab.spaces import ChainSpace
    >>> evenly_spaced(ChainSpace("012", 2), 3).tolist(), len(evenly_spaced(ChainSpace("012", 39), 1000))
    ([0, 4, 8], 1000)
    """
    if space.size > _MOST_EXACT:
        return np.arange(most) * ((space.size - 1) // (most - 1))
    return np.linspace(0, space.size - 1, min(space.size, most)).astype(np.int64)
