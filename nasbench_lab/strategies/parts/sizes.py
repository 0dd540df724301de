"""How large architectures are, for strategies that begin with small ones."""

from __future__ import annotations

import numpy as np

from nasbench_lab.arrays import IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.spaces.cell101 import Cell101Space


def sizes(space: Space) -> IntArray:
    """Return the size of every architecture, shape (space.size,).

    The size of a NAS-Bench-101 cell is its number of vertices. In all other spaces it is the number of codes that are
    not 0, the first choice: edges that are not "none" in the cells of NAS-Bench-201, layers wider than the narrowest in
    NATS-Bench's size space.

    >>> from nasbench_lab.spaces import ChainSpace
    >>> sizes(ChainSpace("abc", 2)).tolist()
    [0, 1, 1, 1, 2, 2, 1, 2, 2]
    >>> np.bincount(sizes(Cell101Space(vertices=4))).tolist()
    [0, 0, 1, 6, 84]
    """
    codes = space.codes(np.arange(space.size))
    if isinstance(space, Cell101Space):
        operations = codes[:, -(space.vertices - 2) :] if space.vertices > 2 else codes[:, :0]
        return 2 + np.count_nonzero(operations, axis=1)
    return np.count_nonzero(codes, axis=1)
