"""The set of architectures that every run has evaluated: membership, and random draws from its complement."""

from __future__ import annotations

import math
from typing import final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.streams import Streams, scale


@final
class Visited:
    """A set of architectures for every run. It takes one byte per run and architecture.

    The space is divided into about sqrt(size) blocks of consecutive architectures, and each run counts the
    architectures of every block that are not in its set. So the n-th architecture that is not in the set is found in
    O(sqrt(size)).

    Args:
        space: the space of the architectures.
        runs: number of runs; the sets are empty.
    """

    def __init__(self, space: Space, runs: int) -> None:
        self._space = space
        self._block = math.isqrt(space.size - 1) + 1
        blocks = -(-space.size // self._block)
        self._seen = np.zeros((runs, blocks * self._block), dtype=bool)
        self._seen[:, space.size :] = True  # the last block can be longer than the rest of the space
        self._left = np.full((runs, blocks), self._block, dtype=np.int32)
        self._left[:, -1] -= blocks * self._block - space.size

    def has(self, run: IntArray, architecture: IntArray) -> NDArray[np.bool_]:
        """Return whether architectures, 0 or more, are in the sets of these runs; the shapes broadcast."""
        return self._seen.reshape(-1).take(run * self._seen.shape[1] + architecture)

    def add(self, run: IntArray, architecture: IntArray) -> None:
        """Add one new architecture each to the sets of different runs; -1 adds nothing."""
        self._mark(run, architecture, seen=True)

    def remove(self, run: IntArray, architecture: IntArray) -> None:
        """Remove one architecture each from the sets of different runs, which have it; -1 removes nothing."""
        self._mark(run, architecture, seen=False)

    def _mark(self, run: IntArray, architecture: IntArray, *, seen: bool) -> None:
        if len(architecture) and architecture.min() < 0:
            run, architecture = run[architecture >= 0], architecture[architecture >= 0]
        self._seen.reshape(-1)[run * self._seen.shape[1] + architecture] = seen
        self._left[run, architecture // self._block] += -1 if seen else 1

    def draw(self, run: IntArray, first: FloatArray, second: FloatArray) -> IntArray:
        """Draw for each run uniformly from the architectures that are not in its set; -1 if all are.

        Draw from the whole space; if the architecture is in the set, draw again by rank among those that are not. With
        A architectures, V of them in the set, each other one has the probability 1/A + V/A * 1/(A - V) = 1/(A - V).

        Args:
            run: numbers of runs, shape (n,).
            first: uniforms in [0, 1), shape (n,).
            second: uniforms for the second draw, shape (n,).
        """
        drawn = self._space.sample(first)
        again = np.flatnonzero(self.has(run, drawn))
        if len(again):
            drawn[again] = self._unvisited(run[again], second[again])
        return drawn

    def begin(self, streams: Streams, count: int) -> IntArray:
        """Draw the first architectures of every run, and add them; shape (runs, count), -1 where none is left.

        They are the first architectures of random search with the same streams, except that an architecture that was
        drawn before is drawn again. So strategies that evaluate nothing twice begin like those that may.
        """
        first, second = streams.uniform(count).copy(), streams.uniform(count)
        run = np.arange(len(first))
        drawn = np.empty(first.shape, dtype=np.int64)
        for place in range(count):
            drawn[:, place] = self.draw(run, first[:, place], second[:, place])
            self.add(run, drawn[:, place])
        return drawn

    def _unvisited(self, run: IntArray, uniform: FloatArray) -> IntArray:
        """Return the unvisited architecture of rank floor(uniform * number of unvisited ones) for each of the runs."""
        position = np.arange(len(run))
        below = self._left[run].cumsum(axis=1, dtype=np.int64)
        rank = scale(uniform, below[:, -1])
        block = np.minimum((below <= rank[:, None]).sum(axis=1), below.shape[1] - 1)
        rank -= np.where(block > 0, below[position, block - 1], 0)
        first = block * self._block
        free = ~self._seen[run[:, None], first[:, None] + np.arange(self._block)]
        place = (free.cumsum(axis=1) <= rank[:, None]).sum(axis=1)
        return np.where(below[:, -1] > 0, first + place, -1)
