"""The state of strategies that propose one architecture at a time, from a model of codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.models.observations import Observations
from nasbench_lab.strategies.parts.visited import Visited
from nasbench_lab.strategies.problem import Problem
from nasbench_lab.streams import Streams


@dataclass
class ProposalHistory:
    """The proposals and values of all runs.

    Attributes:
        space: the search space.
        streams: the random numbers of all runs.
        observations: proposals and their values.
        visited: the proposed architectures.
        codes: codes of the proposals, shape (runs, proposals, codes).
        founded: whether the first architectures were proposed.
    """

    space: Space
    streams: Streams
    observations: Observations
    visited: Visited
    codes: NDArray[np.integer[Any]]
    founded: bool = False

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """Return the state before the first evaluation."""
        space, runs = problem.space, problem.runs
        codes = space.codes(np.zeros((runs, 0), dtype=np.int64))
        return cls(space, problem.streams, Observations(runs), Visited(space, runs), codes)

    def begin(self, count: int) -> IntArray:
        """Propose random architectures, the first of every run, shape (runs, count) (see `Visited.begin`)."""
        self.founded = True
        return np.concatenate([self.propose(new) for new in self.visited.begin(self.streams, count).T], axis=1)

    def propose(self, architecture: IntArray, believed: FloatArray | None = None) -> IntArray:
        """Record proposals and the values that a model predicts, both (runs,); return the proposals, (runs, 1).

        If no architecture is left (-1) in one run, none is left in any, as all have made the same number of proposals.
        """
        if (architecture < 0).any():
            return np.full((len(architecture), 1), -1)
        run = np.arange(len(architecture))
        new = ~self.visited.has(run, architecture)
        self.visited.add(run[new], architecture[new])
        self.observations.propose(architecture, believed)
        self.record(self.space.codes(architecture))
        return architecture[:, None]

    def record(self, codes: NDArray[np.integer[Any]]) -> None:
        """Record the codes of one proposal of every run, shape (runs, codes)."""
        self.codes = np.concatenate([self.codes, codes[:, None]], axis=1)
