"""Evolutionary search among architectures with trained shared weights, as methods end with it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.checks import Count, Probability, require
from nasbench_lab.train.one_shot.methods.base import Method
from nasbench_lab.train.one_shot.search_context import SearchContext
from nasbench_lab.train.one_shot.shared_weight_search import State, score_new, unknown_architectures

_DRAWS = 10
"""Draws per child, as published: a child that is known is drawn again up to nine times."""


@dataclass(frozen=True)
class EvolutionaryMethod(Method[State]):
    """A method that ends with the evolutionary search of SPOS (Guo et al., ECCV 2020, algorithm 1).

    The first generation is drawn uniformly. For every other one, half of the members are mutations and half are
    crossovers of the best architectures so far. A mutation changes each code with some probability to a uniform one. A
    crossover takes each code from one of two parents. Members are new: children that are known are drawn again, and if
    that does not help, random architectures take their places, as in the original implementation. So no architecture is
    scored twice.

    A score is the accuracy with shared weights on all validation images.

    Args:
        population: number of architectures per generation.
        generations: number of generations, T in the paper. The first one is random.
        parents: number of best architectures that children are made of, k in the paper.
        mutation: probability with which a mutation changes each code.
    """

    population: Count = 50
    generations: Count = 20
    parents: Count = 10
    mutation: Probability = 0.1

    def check(self) -> None:
        """Raise a ParameterError if there are more parents than members."""
        require(
            self.parents <= self.population,
            f"parents must be at most population, {self.population}, got {self.parents}",
        )

    @property
    def scored(self) -> int:
        """So many architectures are scored by the evolution."""
        return self.population * self.generations

    def finish(self, search: SearchContext, state: State) -> None:
        """Choose by evolution with the shared weights."""
        size = search.space.size
        for generation in range(self.generations):
            members = self._children(search, state) if generation else []
            missing = self.population - len(members)
            members += unknown_architectures(size, missing, [*state.known, *members], search.random)
            score_new(search, self, state, members)
        state.choose_best()

    def recommend(self, search: SearchContext, state: State) -> int | None:
        """Return the best architecture of the evolution, None before it."""
        return state.recommended

    def _children(self, search: SearchContext, state: State) -> list[int]:
        known, random, space = set(state.known), search.random, search.space
        best = np.argsort(-np.array(state.scores), kind="stable")[: self.parents]
        parents = np.array(state.known)[best]
        half = self.population // 2
        mutants = _new(self._mutants(search, random.choice(parents, size=_DRAWS * half)), half, known)
        rest = self.population - half
        one, other = random.choice(parents, size=(2, _DRAWS * rest))
        from_other = random.random((len(one), len(space.cardinalities))) < 0.5
        return mutants + _new(space.crossover(one, other, from_other), rest, known.union(mutants))

    def _mutants(self, search: SearchContext, parents: NDArray[np.int64]) -> NDArray[np.int64]:
        random, space = search.random, search.space
        codes = space.codes(parents)
        drawn = np.stack([random.integers(size, size=len(parents)) for size in space.cardinalities], axis=1)
        found = space.find(np.where(random.random(codes.shape) < self.mutation, drawn, codes))
        return np.where(found >= 0, found, parents)


def _new(drawn: NDArray[np.int64], count: int, known: Collection[int]) -> list[int]:
    """Return the first different ones of drawn architectures that are not known."""
    return list(dict.fromkeys(int(each) for each in drawn if int(each) not in known))[:count]
