"""Single path one-shot: uniform paths, and an evolutionary search with the shared weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import AtLeast, AtMost, Count, require
from nasbench_lab.train.one_shot.methods.base import Method
from nasbench_lab.train.one_shot.path_sampling import PathSampler, UniformPaths
from nasbench_lab.train.one_shot.search_context import Batch, SearchContext
from nasbench_lab.train.one_shot.supernets import Path


@dataclass
class SampledPaths:
    """The state of methods that sample paths, and choose after the training.

    Attributes:
        chosen: the chosen architecture, -1 during the training.
        known: architectures whose scores are known, in the order in which they were scored.
        scores: their scores.
    """

    chosen: int = -1
    known: list[int] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)


@final
@dataclass(frozen=True)
class Spos(Method[SampledPaths]):
    """Single path one-shot (Guo et al., Single Path One-Shot Neural Architecture Search, ECCV 2020).

    Every step trains one path, uniform over the architectures (section 3.2). After the training, an evolutionary
    search (algorithm 1) with the accuracy with shared weights on all validation images chooses the architecture.
    No architecture is scored twice.

    Args:
        population: number of architectures per generation.
        generations: number of generations, T in the paper.
        parents: number of best architectures that children are made of, k in the paper.
        mutation: probability with which a mutation changes each code.

    The paper scores 20 generations of 50 architectures.
    """

    name: ClassVar[str] = "spos"
    aliases: ClassVar[tuple[str, ...]] = ("single-path-one-shot", "one-shot", "uniform")
    family: ClassVar[str] = "sampled paths"
    reference: ClassVar[str] = "Guo et al., Single Path One-Shot Neural Architecture Search, ECCV 2020"
    epochs: ClassVar[int] = 300

    population: Count = 50
    generations: Count = 20
    parents: Count = 10
    mutation: Annotated[float, AtLeast(0), AtMost(1)] = 0.1

    def check(self) -> None:
        """Raise a ParameterError if there are more parents than members."""
        require(
            self.parents <= self.population,
            f"parents must be at most population, {self.population}, got {self.parents}",
        )

    def start(self, search: SearchContext) -> SampledPaths:
        """Return the state before the first step."""
        return SampledPaths()

    def step(self, search: SearchContext, state: SampledPaths, train: Batch) -> None:
        """Train one uniform path."""
        train_paths(search, UniformPaths(), train)

    def finish(self, search: SearchContext, state: SampledPaths) -> None:
        """Choose by evolution with the shared weights."""
        random, space = search.random, search.space
        members = random.integers(space.size, size=self.population)
        for generation in range(self.generations):
            score_new(search, self, state, members)
            if generation + 1 == self.generations:
                break
            known, scores = np.array(state.known), np.array(state.scores)
            parents = known[np.argsort(-scores, kind="stable")[: self.parents]]
            members = self._children(search, parents)
        state.chosen = state.known[int(np.argmax(state.scores))]

    def recommend(self, search: SearchContext, state: SampledPaths) -> int | None:
        """Return the best architecture of the evolution, None before it."""
        return None if state.chosen < 0 else state.chosen

    def _children(self, search: SearchContext, parents: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return half mutations and half crossovers, as in algorithm 1."""
        random, space = search.random, search.space
        half = self.population // 2
        mutants = self._mutants(search, random.choice(parents, size=half))
        one, other = random.choice(parents, size=(2, self.population - half))
        from_other = random.random((len(one), len(space.cardinalities))) < 0.5
        return np.concatenate([mutants, space.crossover(one, other, from_other)])

    def _mutants(self, search: SearchContext, parents: NDArray[np.int64]) -> NDArray[np.int64]:
        random, space = search.random, search.space
        codes = space.codes(parents)
        drawn = np.stack([random.integers(size, size=len(parents)) for size in space.cardinalities], axis=1)
        changed = np.where(random.random(codes.shape) < self.mutation, drawn, codes)
        found = space.find(changed)
        return np.where(found >= 0, found, parents)


def train_paths(search: SearchContext, sampler: PathSampler, train: Batch) -> None:
    """Take one step along the gradients of the paths that a sampler draws."""
    paths = sampler.paths(search.space, search.random)
    search.update_weights(train, [Path(codes) for codes in paths.tolist()])


def score_new(
    search: SearchContext, method: Method[SampledPaths], state: SampledPaths, architectures: NDArray[np.int64]
) -> FloatArray:
    """Return the validation scores of architectures, shape (architectures,); each one is computed once per search."""
    known = set(state.known)
    new = [each for each in dict.fromkeys(architectures.tolist()) if each not in known]
    if new:
        state.known += new
        state.scores += method.score(search, state, new, "valid").tolist()
    found = dict(zip(state.known, state.scores, strict=True))
    return np.array([found[each] for each in architectures.tolist()])
