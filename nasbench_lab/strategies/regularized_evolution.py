"""Regularized evolution: tournaments in a population from which the oldest member is removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Count
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.problem import Evaluations, Problem
from nasbench_lab.streams import Streams, scale


@dataclass
class _State:
    space: Space
    streams: Streams
    members: IntArray  # (runs, population_size): architectures, in a ring
    fitness: FloatArray  # (runs, population_size): their values, -inf for a failed training
    run: IntArray  # (runs,): 0, 1, 2, ...
    born: int = 0  # evaluations so far, the same for every run
    founded: bool = False  # whether the first population was proposed


@final
@dataclass(frozen=True)
class RegularizedEvolution(Strategy[_State]):
    """Aging evolution (Real, Aggarwal, Huang and Le, AAAI 2019, algorithm 1).

    The first ``population_size`` architectures are random. Then repeat: draw ``sample_size`` members uniformly with
    replacement, mutate the best of them (ties: the one drawn first), and let the child replace the oldest member.

    The defaults are those of the NAS-Bench-201 and NATS-Bench experiments (Dong and Yang 2020; Dong et al. 2021), for
    budgets of about a hundred evaluations. Real et al. used 100 and 25 for 20,000 evaluations. With several workers, as
    there, a child is bred whenever a worker is free, from the members that have been evaluated by then.

    Args:
        population_size: number of members, P in the paper.
        sample_size: number of members of a tournament, S in the paper.
    """

    name: ClassVar[str] = "regularized-evolution"
    aliases: ClassVar[tuple[str, ...]] = ("rea", "re", "aging-evolution", "evolution", "evolutionary-algorithm", "ea")
    family: ClassVar[str] = "evolution"
    reference: ClassVar[str] = "Real et al., Regularized Evolution for Image Classifier Architecture Search, AAAI 2019"
    needs: ClassVar[tuple[str, ...]] = ("neighbours",)
    asynchronous: ClassVar[bool] = True
    takes_warm_start: ClassVar[bool] = True

    population_size: Count = 10
    sample_size: Count = 3

    def start(self, problem: Problem) -> _State:
        """Return the state before the first evaluation: an empty population."""
        # Transposed, so that the members of one age, which all runs replace together, are contiguous in memory.
        shape = (self.population_size, problem.runs)
        members, fitness = np.zeros(shape, dtype=np.int64).T, np.full(shape, -np.inf).T
        return _State(problem.space, problem.streams, members, fitness, np.arange(problem.runs))

    def ask(self, state: _State) -> IntArray:
        """Propose the whole first population at once, then one child at a time, shape (runs, 1)."""
        if not state.founded:
            state.founded = True
            return state.space.draw(state.streams, self.population_size)
        if state.born == 0:  # with as many workers as members, no evaluation has ended yet
            uniform = state.streams.uniform(self.sample_size + state.space.draws)
            return state.space.sample_columns(uniform[:, self.sample_size :])
        uniform = state.streams.uniform(self.sample_size + 1)
        parent = self._winner(state, scale(uniform[:, : self.sample_size], min(state.born, self.population_size)))
        return state.space.mutate(parent, uniform[:, -1])[:, None]

    def _winner(self, state: _State, drawn: IntArray) -> IntArray:
        """Return the fittest of the drawn members, shape (runs, sample_size) to (runs,); ties: the first."""
        place = drawn.T * len(state.run) + state.run  # position of a member of a run in memory
        fitness = state.fitness.T.reshape(-1).take(place)
        winner, best = place[0], fitness[0]
        for contender, value in zip(place[1:], fitness[1:], strict=True):
            winner = np.where(value > best, contender, winner)
            best = np.maximum(best, value)
        return state.members.T.reshape(-1).take(winner)

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Replace the oldest members by the new architectures."""
        fitness = np.fmax(evaluations.value, -np.inf)  # NaN becomes -inf
        for child in range(fitness.shape[1]):
            oldest = state.born % self.population_size
            state.members[:, oldest] = evaluations.architecture[:, child]
            state.fitness[:, oldest] = fitness[:, child]
            state.born += 1
