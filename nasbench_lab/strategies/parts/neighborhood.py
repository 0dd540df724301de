"""The neighbours of an architecture that were not evaluated yet, in random order."""

from __future__ import annotations

from typing import final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.parts.visited import Visited
from nasbench_lab.streams import scale


@final
class Neighborhood:
    """For every run, the neighbours of one architecture, its centre, that were not evaluated yet.

    Only the neighbours of the runs' own centres are listed, and the lists are as wide as the widest so far. So in
    spaces where a few architectures have tens of thousands of neighbours, the cost depends only on the architectures
    that the runs meet.

    Args:
        space: defines the neighbours.
        runs: number of runs; at first none has a centre.
    """

    def __init__(self, space: Space, runs: int) -> None:
        self._space = space
        self._run = np.arange(runs)
        kind = np.int32 if space.size < 2**31 else np.int64
        self._pending = np.zeros((runs, 1), dtype=kind)  # the first `left` of every row
        self.left: IntArray = np.zeros(runs, dtype=np.int64)
        """Number of neighbours of every run that were not evaluated yet."""

    def enter(self, run: IntArray, centre: IntArray, visited: Visited) -> None:
        """Give runs a centre, and list its neighbours except those that were visited."""
        if not len(run):
            return
        degree = self._space.degree(centre)
        owner = np.repeat(np.arange(len(run)), degree)
        neighbor = self._space.neighbor_at(centre[owner], count_up(degree))
        new = ~visited.has(run[owner], neighbor)
        owner, neighbor = owner[new], neighbor[new]
        count = np.bincount(owner, minlength=len(run))
        self._widen(int(count.max()))
        self._pending[run[owner], count_up(count)] = neighbor
        self.left[run] = count

    def take(self, uniform: FloatArray) -> IntArray:
        """Take a random one of the remaining neighbours of every run, shape (runs,); -1 if none is left."""
        pending = self._pending.reshape(-1)
        first = self._run * self._pending.shape[1]
        chosen = first + scale(uniform, self.left)
        last = first + np.maximum(self.left - 1, 0)
        architecture = np.where(self.left > 0, pending.take(chosen), -1)
        pending[chosen] = pending.take(last)
        self.left = np.maximum(self.left - 1, 0)
        return architecture

    def _widen(self, width: int) -> None:
        if width > self._pending.shape[1]:
            wider = np.zeros((len(self._run), max(width, 2 * self._pending.shape[1])), dtype=self._pending.dtype)
            wider[:, : self._pending.shape[1]] = self._pending
            self._pending = wider


def count_up(lengths: IntArray) -> IntArray:
    """Return 0, 1, ..., n - 1 for every length n, one after the other.

    >>> count_up(np.array([2, 0, 3])).tolist()
    [0, 1, 0, 1, 2]
    """
    return np.arange(lengths.sum()) - np.repeat(lengths.cumsum() - lengths, lengths)
