"""The genetic algorithm: generations of architectures whose parents are selected, crossed over and mutated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import AtLeast, AtMost, Count, Probability, require
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.parts.selection import Selection, by_rank, by_roulette, by_tournament, by_truncation
from nasbench_lab.strategies.parts.variation import Crossover, Mutation, cross, mutate
from nasbench_lab.strategies.problem import Evaluations, Problem
from nasbench_lab.streams import Streams


@dataclass
class _State:
    space: Space
    streams: Streams
    members: IntArray  # (runs, members): the last generation, the best first
    fitness: FloatArray  # (runs, members): their values, descending, -inf for a failed training


@final
@dataclass(frozen=True)
class GeneticAlgorithm(Strategy[_State]):
    """A generational genetic algorithm with elitism (Holland 1975; Goldberg 1989).

    The first generation is random. In every later generation, the ``elitism`` best members survive with their values.
    Children take all other places: two parents are selected with replacement and crossed over, and the child is
    mutated. A generation is evaluated on all workers before the next is made.

    Selection is one of

    - ``"tournament"``: the best of ``tournament_size`` members drawn uniformly with replacement;
    - ``"roulette"``: in proportion to the value minus the generation's worst value (Xie and Yuille, "Genetic CNN", ICCV
      2017);
    - ``"rank"``: linear ranking (Baker 1985) with ``rank_pressure``;
    - ``"truncation"``: uniformly from the best ``truncation_share`` (Muehlenbein and Schlierkamp-Voosen 1993).

    The population size is that of Genetic CNN, one elite member is the elitist strategy of Grefenstette (IEEE
    Transactions on Systems, Man, and Cybernetics 1986), and mutation replaces one code per child on average
    (Muehlenbein 1992). Recommended crossover rates range from 0.6 (De Jong 1975) to 0.95 (Grefenstette 1986).

    Args:
        population_size: number of members of a generation.
        selection: ``"tournament"``, ``"roulette"``, ``"rank"`` or ``"truncation"``.
        tournament_size: number of members of a tournament.
        rank_pressure: expected number of selections of the best member relative to the average member, from 1 to 2.
        truncation_share: fraction of the generation that can be selected.
        crossover: ``"one-point"``, ``"two-point"`` or ``"uniform"``, see `parts.variation.cross`.
        crossover_rate: probability that a child has two parents.
        mutation: ``"replace"`` replaces some codes by other values; ``"neighbor"`` takes a step to a neighbour, which
            in spaces of cells can insert or delete an operation or an edge.
        mutation_rate: for ``"replace"``, the probability for every code, None for 1 / number of codes; for
            ``"neighbor"``, the probability for every child, None for 1.
        elitism: number of members that survive.
    """

    name: ClassVar[str] = "genetic-algorithm"
    aliases: ClassVar[tuple[str, ...]] = ("ga", "evolution", "evolutionary-algorithm", "ea")
    family: ClassVar[str] = "evolution"
    reference: ClassVar[str] = "Goldberg, Genetic Algorithms in Search, Optimization, and Machine Learning, 1989"

    population_size: Count = 20
    selection: Selection = "tournament"
    tournament_size: Count = 2
    rank_pressure: Annotated[float, AtLeast(1), AtMost(2)] = 1.5
    truncation_share: Probability = 0.3
    crossover: Crossover = "one-point"
    crossover_rate: Probability = 0.9
    mutation: Mutation = "replace"
    mutation_rate: Probability | None = None
    elitism: Annotated[int, AtLeast(0)] = 1

    def check(self) -> None:
        """Require fewer survivors than members."""
        require(
            self.elitism < self.population_size,
            f"elitism must be below population_size, {self.population_size}, got {self.elitism}",
        )

    def start(self, problem: Problem) -> _State:
        """Return the state before the first evaluation: no generation yet."""
        nobody = np.zeros((problem.runs, 0))
        return _State(problem.space, problem.streams, nobody.astype(np.int64), nobody)

    def ask(self, state: _State) -> IntArray:
        """Propose the first generation, then the children of the next, shape (runs, population_size - elitism)."""
        if not state.members.shape[1]:
            return state.space.draw(state.streams, self.population_size)
        children = self.population_size - self.elitism
        parents = np.take_along_axis(state.members, self._select(state, 2 * children), axis=1)
        one, other = parents[:, :children], parents[:, children:]
        child = cross(state.space, state.streams, one, other, self.crossover, self.crossover_rate)
        return mutate(state.space, state.streams, child, self.mutation, self.mutation_rate)

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Replace all members except the elite, and sort the generation; ties: the one evaluated first."""
        fitness = np.fmax(evaluations.value, -np.inf)  # NaN becomes -inf
        members = np.concatenate([state.members[:, : self.elitism], evaluations.architecture], axis=1)
        fitness = np.concatenate([state.fitness[:, : self.elitism], fitness], axis=1)
        order = np.argsort(-fitness, axis=1, kind="stable")
        state.members = np.take_along_axis(members, order, axis=1)
        state.fitness = np.take_along_axis(fitness, order, axis=1)

    def _select(self, state: _State, n: int) -> IntArray:
        """Return the positions of n parents, shape (runs, n)."""
        runs, members = state.members.shape
        if self.selection == "tournament":
            uniform = state.streams.uniform(n * self.tournament_size)
            return by_tournament(uniform.reshape(runs, n, self.tournament_size), members)
        uniform = state.streams.uniform(n)
        if self.selection == "roulette":
            return by_roulette(uniform, state.fitness)
        if self.selection == "rank":
            return by_rank(uniform, members, self.rank_pressure)
        return by_truncation(uniform, members, self.truncation_share)
