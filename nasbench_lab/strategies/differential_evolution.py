"""Differential evolution: a population in the unit cube moves by differences between its members."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import AtLeast, AtMost, Probability
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.parts import relaxed_codes
from nasbench_lab.strategies.problem import Evaluations, Problem
from nasbench_lab.streams import Streams

_TRIES = 8


@dataclass
class _State:
    space: Space
    streams: Streams
    vectors: FloatArray  # (runs, population_size, codes): the members
    fitness: FloatArray  # (runs, population_size): their values, -inf for a failed training
    trials: FloatArray  # (runs, population_size, codes): the last proposals
    told: int = 0  # evaluations so far, the same for every run


@final
@dataclass(frozen=True)
class DifferentialEvolution(Strategy[_State]):
    """DE/rand/1/bin (Storn and Price, Journal of Global Optimization 1997) over relaxed codes (Awad et al. 2020).

    An architecture is a point of the unit cube (see `parts.relaxed_codes`). The first population is random. In every
    generation, a trial challenges each member x_i. The trial is a mutant v = x_r1 + F (x_r2 - x_r3) of three other
    members, with coordinates outside of [0, 1] drawn again, crossed over with x_i: each coordinate comes from v with
    probability CR, and one always does. The trial replaces x_i if its value is at least as good. All trials of a
    generation are made from the generation before, and are evaluated on all workers.

    As published, a trial in the same bins as its target is another evaluation of the same architecture. Trials whose
    codes describe no architecture are rejected at once, at no cost: in spaces with such codes, a member gets up to 8
    trials, and then a random architecture.

    The defaults are those of Awad, Mallik and Hutter, and of the code that they published.

    Args:
        population_size: number of members, NP; at least 4.
        mutation_factor: F, from 0 to 2.
        crossover_rate: CR, the probability that a coordinate comes from the mutant.
    """

    name: ClassVar[str] = "differential-evolution"
    aliases: ClassVar[tuple[str, ...]] = ("de", "evolution")
    family: ClassVar[str] = "evolution"
    reference: ClassVar[str] = (
        "Awad et al., Differential Evolution for Neural Architecture Search, ICLR Workshop on NAS 2020"
    )

    population_size: Annotated[int, AtLeast(4)] = 20
    mutation_factor: Annotated[float, AtLeast(0), AtMost(2)] = 0.5
    crossover_rate: Probability = 0.5

    def start(self, problem: Problem) -> _State:
        """Return the state before the first evaluation: members without values, which any trial replaces."""
        vectors = np.zeros((problem.runs, self.population_size, len(problem.space.cardinalities)))
        return _State(problem.space, problem.streams, vectors, np.full(vectors.shape[:2], -np.inf), vectors)

    def ask(self, state: _State) -> IntArray:
        """Propose the first population, then a trial for every member, shape (runs, population_size)."""
        if not state.told:
            return self._first(state)
        architecture = np.full(state.fitness.shape, -1)
        # Only the space decides the number of draws, so that all runs draw equally often.
        complete = math.prod(state.space.cardinalities) == state.space.size
        state.trials = np.empty_like(state.vectors)
        for _ in range(1 if complete else _TRIES):
            self._try(state, architecture)
        return architecture if complete else self._or_random(state, architecture)

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Replace members by trials that are at least as good."""
        member = evaluations.number - state.told  # with several workers, evaluations end in another order
        told = np.fmax(evaluations.value, -np.inf)  # NaN becomes -inf
        fitness = np.empty_like(state.fitness)
        np.put_along_axis(fitness, member, told, axis=1)
        replaced = fitness >= state.fitness
        state.fitness = np.where(replaced, fitness, state.fitness)
        state.vectors = np.where(replaced[..., None], state.trials, state.vectors)
        state.told += told.shape[1]

    def _first(self, state: _State) -> IntArray:
        """Draw architectures and a random point in the bins of each.

        If every combination of codes is an architecture, these are uniform points of the cube.
        """
        architecture = state.space.draw(state.streams, self.population_size)
        within = state.streams.uniform(state.trials[0].size).reshape(state.trials.shape)
        state.trials = relaxed_codes.to_vectors(state.space.codes(architecture), state.space.cardinalities, within)
        return architecture

    def _try(self, state: _State, architecture: IntArray) -> None:
        """Make a trial for every member without an architecture (-1), and enter its architecture, or -1 again."""
        runs, members, codes = state.vectors.shape
        run, member = np.nonzero(architecture < 0)
        uniform = state.streams.uniform(3 * members).reshape(runs, members, 3)[run, member]
        donors = relaxed_codes.draw_distinct(uniform, members, apart_from=member) + run[:, None] * members
        everyone = state.vectors.reshape(1, runs * members, codes)
        mutants = relaxed_codes.rand_1(everyone, donors[None], self.mutation_factor)[0]
        uniform = state.streams.uniform(members * codes).reshape(runs, members, codes)[run, member]
        mutants = relaxed_codes.back_inside(mutants, uniform)
        uniform = state.streams.uniform(members * (codes + 1))
        crossed = uniform[:, : members * codes].reshape(runs, members, codes)[run, member]
        always = uniform[:, members * codes :][run, member]
        trials = relaxed_codes.binomial(state.vectors[run, member], mutants, crossed, always, self.crossover_rate)
        state.trials[run, member] = trials
        architecture[run, member] = relaxed_codes.find(state.space, trials)

    @staticmethod
    def _or_random(state: _State, architecture: IntArray) -> IntArray:
        """Return architectures with random ones in the places of -1; their trials become the centres of their bins."""
        drawn = state.space.draw(state.streams, architecture.shape[1])
        rejected = architecture < 0
        codes = state.space.codes(drawn[rejected])
        state.trials[rejected] = relaxed_codes.to_vectors(codes, state.space.cardinalities)
        return np.where(rejected, drawn, architecture)
