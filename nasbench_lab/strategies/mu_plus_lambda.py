"""The (mu + lambda) evolution strategy: parents and their offspring compete, and the best survive."""

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

    The first mu parents are random. In every generation, draw a parent uniformly lambda times and evaluate a mutant of
    each. The best mu of the mu parents and lambda offspring are the next parents (ties: the older). A parent keeps its
    observed value: with noisy values, a lucky parent can survive forever.

    With mutation to neighbours, the search stays where no parent has a better neighbour: on the tables of NATS-Bench,
    (5 + 10) is better than (10 + 10) for a hundred evaluations and then hardly improves. Replacing several codes
    escapes.

    There are no agreed defaults for architectures: Suganuma et al. (GECCO 2017) use (1 + 2); Schwefel's seven offspring
    per parent are for step sizes that adapt, which codes do not have. (10 + 10) is our choice, for a few hundred
    evaluations.

    Args:
        parents: number of parents, mu.
        offspring: number of offspring, lambda; they are evaluated on all workers.
        mutation: ``"neighbor"`` or ``"replace"``, see `nasbench_lab.strategies.parts.variation.mutate`.
        mutation_rate: for ``"replace"``, the probability for every code, None for 1 / number of codes; for
            ``"neighbor"``, the probability for every child, None for 1.
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
            return state.space.draw(state.streams, self.parents)
        drawn = scale(state.streams.uniform(self.offspring), parents)
        parent = np.take_along_axis(state.members, drawn, axis=1)
        return mutate(state.space, state.streams, parent, self.mutation, self.mutation_rate)

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Keep the best of parents and offspring."""
        members = np.concatenate([state.members, evaluations.architecture], axis=1)
        fitness = np.concatenate([state.fitness, np.fmax(evaluations.value, -np.inf)], axis=1)
        order = np.argsort(-fitness, axis=1, kind="stable")[:, : self.parents]
        state.members = np.take_along_axis(members, order, axis=1)
        state.fitness = np.take_along_axis(fitness, order, axis=1)
