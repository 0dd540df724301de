"""The (mu + lambda) evolution strategy: parents and their offspring compete, the best survive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Count, Probability
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.parts.variation import Mutation, mutate
from nasbench_lab.strategies.problem import Evaluations, Problem
from nasbench_lab.streams import Streams, scale


@dataclass
class _State:
    space: Space
    streams: Streams
    members: IntArray  # (runs, mu): the parents, the best first
    fitness: FloatArray  # (runs, mu): their values, descending, -inf for a failed training


@final
@dataclass(frozen=True)
class MuPlusLambda(Strategy[_State]):
    """(mu + lambda) evolution strategy (Schwefel 1981; Beyer and Schwefel, Natural Computing 2002).

    The first mu parents are random. In every generation, lambda times a parent is drawn uniformly and a mutant of it
    evaluated; of the mu parents and lambda offspring, the best mu are the next parents, of equals the older ones. A
    parent keeps the value that it was told: with noisy values, a lucky one can live for ever.

    With mutation to neighbours it stays where no parent has a better neighbour: on tables of NATS-Bench, (5 + 10) is
    better than (10 + 10) for a hundred evaluations and then hardly improves. Replacement of several codes gets away.

    There are no agreed defaults for architectures: Suganuma et al. (GECCO 2017) use (1 + 2); Schwefel's seven offspring
    a parent are for step sizes that adapt, which codes do not have. (10 + 10) is ours, for a few hundred evaluations.

    Args:
        parents: mu.
        offspring: lambda; they are evaluated on all workers.
        mutation: ``"neighbor"`` or ``"replace"``, see `nasbench_lab.strategies.parts.variation.mutate`.
        mutation_rate: of ``"replace"``, probability for every code, None for 1 / number of codes; of ``"neighbor"``,
            probability for every child, None for 1.
    """

    name: ClassVar[str] = "mu-plus-lambda"
    aliases: ClassVar[tuple[str, ...]] = ("evolutionary-algorithm", "ea")
    family: ClassVar[str] = "evolution"
    reference: ClassVar[str] = "Beyer and Schwefel, Evolution Strategies: A Comprehensive Introduction, NatComp 2002"
    needs: ClassVar[tuple[str, ...]] = ("neighbours",)

    parents: Count = 10
    offspring: Count = 10
    mutation: Mutation = "neighbor"
    mutation_rate: Probability | None = None

    def start(self, problem: Problem) -> _State:
        """Return the state before the first evaluation: no parents yet."""
        nobody = np.zeros((problem.runs, 0))
        return _State(problem.space, problem.streams, nobody.astype(np.int64), nobody)

    def ask(self, state: _State) -> IntArray:
        """Propose the first parents, shape (runs, mu), then offspring, shape (runs, lambda)."""
        parents = state.members.shape[1]
        if not parents:
            return state.space.sample(state.streams.uniform(self.parents))
        drawn = scale(state.streams.uniform(self.offspring), parents)
        parent = np.take_along_axis(state.members, drawn, axis=1)
        return mutate(state.space, state.streams, parent, self.mutation, self.mutation_rate)

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Let the best of parents and offspring survive."""
        members = np.concatenate([state.members, evaluations.architecture], axis=1)
        fitness = np.concatenate([state.fitness, np.fmax(evaluations.value, -np.inf)], axis=1)
        order = np.argsort(-fitness, axis=1, kind="stable")[:, : self.parents]
        state.members = np.take_along_axis(members, order, axis=1)
        state.fitness = np.take_along_axis(fitness, order, axis=1)
