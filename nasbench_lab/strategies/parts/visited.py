"""The architectures that every run has evaluated: membership, and random draws from all others."""

from __future__ import annotations

from typing import final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.parts.architecture_sets import architecture_sets
from nasbench_lab.streams import Streams, scale_columns


@final
class Visited:
    """A set of architectures for every run, and draws from its complement.

    It takes one byte per run and architecture where the space is listed, and otherwise memory for its members.

    Args:
        space: the space of the architectures.
        runs: number of runs; the sets are empty.
    """

    def __init__(self, space: Space, runs: int) -> None:
        self._space = space
        self._sets = architecture_sets(space, runs)
        self.draws: int = 2 * space.draws
        """Number of uniforms that one draw takes."""

    def has(self, run: IntArray, architecture: IntArray) -> NDArray[np.bool_]:
        """Return whether architectures, 0 or more, are in the sets of these runs; the shapes broadcast."""
        return self._sets.has(run, architecture)

    def add(self, run: IntArray, architecture: IntArray) -> None:
        """Add one new architecture each to the sets of different runs; -1 adds nothing."""
        self._sets.add(*_without_missing(run, architecture))

    def remove(self, run: IntArray, architecture: IntArray) -> None:
        """Remove one architecture each from the sets of different runs, which have it; -1 removes nothing."""
        self._sets.remove(*_without_missing(run, architecture))

    def draw(self, run: IntArray, uniform: FloatArray) -> IntArray:
        """Draw for each run uniformly from the architectures that are not in its set; -1 if all are.

        Draw from the whole space; if the architecture is in the set, draw again by rank among those that are not. With
        A architectures, V of them in the set, each other one has the probability 1/A + V/A * 1/(A - V) = 1/(A - V).

        Args:
            run: numbers of runs, shape (n,).
            uniform: uniforms in [0, 1), shape (n, draws): half of them for the first draw, half for the second.
        """
        half = self.draws // 2
        drawn = self._space.sample_columns(uniform[:, :half])[:, 0]
        again = np.flatnonzero(self.has(run, drawn))
        if len(again):
            drawn[again] = self._unvisited(run[again], uniform[again, half:])
        return drawn

    def uniforms(self, streams: Streams, count: int) -> FloatArray:
        """Return the uniforms of ``count`` draws per run, shape (runs, count, draws).

        First come those of the first draws of all, so a run that only draws does so like random search.
        """
        return self._arranged(streams.uniform(count * self.draws), count)

    def in_turn(self, streams: Streams, count: int) -> list[tuple[FloatArray, FloatArray]]:
        """Return, for each of ``count`` proposals, the uniforms of a draw, (runs, draws), and one more, (runs,)."""
        uniform = streams.uniform(count * (self.draws + 1))
        draws, other = self._arranged(uniform[:, : count * self.draws], count), uniform[:, count * self.draws :]
        return [(draws[:, proposal], other[:, proposal]) for proposal in range(count)]

    def _arranged(self, uniform: FloatArray, count: int) -> FloatArray:
        runs, half = len(uniform), self.draws // 2
        return uniform.reshape(runs, 2, count, half).swapaxes(1, 2).reshape(runs, count, self.draws)

    def begin(self, streams: Streams, count: int) -> IntArray:
        """Draw the first architectures of every run, and add them; shape (runs, count), -1 where none is left.

        They are the first architectures of random search with the same streams, except that an architecture that was
        drawn before is drawn again. So strategies that evaluate nothing twice begin like those that may.
        """
        uniform = self.uniforms(streams, count)
        run = np.arange(len(uniform))
        drawn = np.empty((len(run), count), dtype=np.int64)
        for place in range(count):
            drawn[:, place] = self.draw(run, uniform[:, place])
            self.add(run, drawn[:, place])
        return drawn

    def _unvisited(self, run: IntArray, uniform: FloatArray) -> IntArray:
        """Return a random unvisited architecture for each of the runs, -1 for none; uniforms (n, draws / 2)."""
        left = self._sets.left(run)
        found = self._sets.outside(run, scale_columns(uniform, left))
        return np.where(left > 0, found, -1)


def _without_missing(run: IntArray, architecture: IntArray) -> tuple[IntArray, IntArray]:
    if len(architecture) and architecture.min() < 0:
        return run[architecture >= 0], architecture[architecture >= 0]
    return run, architecture
