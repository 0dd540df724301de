"""NSGA-II: a genetic algorithm for several objectives that ranks by front, then by distance on the front."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Count, Probability
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.parts.dominance import comparable, crowding_distance, fronts
from nasbench_lab.strategies.parts.selection import by_tournament
from nasbench_lab.strategies.parts.variation import Crossover, Mutation, cross, mutate
from nasbench_lab.strategies.problem import Evaluations, Problem
from nasbench_lab.streams import Streams


@dataclass
class _State:
    space: Space
    streams: Streams
    members: IntArray  # (runs, members): by front, then by crowding distance, the best first
    objectives: FloatArray  # (runs, members, objectives): higher is better, -inf for a failed training


@final
@dataclass(frozen=True)
class NSGA2(Strategy[_State]):
    """NSGA-II (Deb, Pratap, Agarwal and Meyarivan, IEEE Transactions on Evolutionary Computation 2002).

    The first generation is random. Every child has two parents, each the winner of a tournament of two members drawn
    uniformly, and is crossed over and mutated. The better half of a generation and its children survives: lower
    non-dominated fronts first, then the members farther from their neighbours on the front (section III); ties: the
    older. The same order decides tournaments.

    With one objective this is a genetic algorithm in which parents compete with children. With limits, an architecture
    that breaks a limit is dominated by all that keep the limits, and by all that break them less (section VI): the
    values that the strategy is told ensure this.

    The operators are those of the paper for codes: one-point crossover with probability 0.9, and mutation of a code
    with probability 1 / number of codes. The paper's population of 100 is for 25,000 evaluations; 20 is for hundreds.

    Args:
        population_size: number of members of a generation; the same number of children is evaluated on all workers.
        crossover: ``"one-point"``, ``"two-point"`` or ``"uniform"``, see `parts.variation.cross`.
        crossover_rate: probability that a child has two parents.
        mutation: ``"replace"`` or ``"neighbor"``, see `nasbench_lab.strategies.parts.variation.mutate`.
        mutation_rate: for ``"replace"``, the probability for every code, None for 1 / number of codes; for
            ``"neighbor"``, the probability for every child, None for 1.
    """

    name: ClassVar[str] = "nsga-ii"
    aliases: ClassVar[tuple[str, ...]] = ("nsga2",)
    family: ClassVar[str] = "multi-objective"
    reference: ClassVar[str] = (
        "Deb et al., A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II, IEEE Trans. Evol. Comput. 2002"
    )

    population_size: Count = 20
    crossover: Crossover = "one-point"
    crossover_rate: Probability = 0.9
    mutation: Mutation = "replace"
    mutation_rate: Probability | None = None

    def start(self, problem: Problem) -> _State:
        """Return the state before the first evaluation: no generation yet."""
        nobody = np.zeros((problem.runs, 0), dtype=np.int64)
        return _State(problem.space, problem.streams, nobody, np.zeros((problem.runs, 0, len(problem.objectives))))

    def ask(self, state: _State) -> IntArray:
        """Propose a generation, shape (runs, population_size)."""
        runs, members = state.members.shape
        children = self.population_size
        if not members:
            return state.space.draw(state.streams, children)
        winners = by_tournament(state.streams.uniform(4 * children).reshape(runs, 2 * children, 2), members)
        parents = np.take_along_axis(state.members, winners, axis=1)
        one, other = parents[:, :children], parents[:, children:]
        child = cross(state.space, state.streams, one, other, self.crossover, self.crossover_rate)
        return mutate(state.space, state.streams, child, self.mutation, self.mutation_rate)

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Keep the better half of parents and children."""
        members = np.concatenate([state.members, evaluations.architecture], axis=1)
        objectives = np.concatenate([state.objectives, comparable(evaluations)], axis=1)
        front = fronts(objectives)
        order = np.lexsort((-crowding_distance(objectives, front), front), axis=-1)[:, : self.population_size]
        state.members = np.take_along_axis(members, order, axis=1)
        state.objectives = np.take_along_axis(objectives, order[..., None], axis=1)
