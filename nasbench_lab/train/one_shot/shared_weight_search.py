"""What methods share that train along sampled paths and choose an architecture by its accuracy with shared weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.random import Generator

from nasbench_lab.train.one_shot.methods.base import Method
from nasbench_lab.train.one_shot.path_sampling import PathSampler
from nasbench_lab.train.one_shot.search_context import Batch, SearchContext
from nasbench_lab.train.one_shot.supernets import Path


@dataclass
class KnownScores:
    """The state of a method that chooses among architectures whose accuracies with shared weights it knows.

    Attributes:
        chosen: the chosen architecture, -1 before the choice.
        known: architectures whose scores are known, in the order in which they were scored.
        scores: their accuracies with shared weights on all validation images, in percent.
    """

    chosen: int = -1
    known: list[int] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)

    @property
    def recommended(self) -> int | None:
        """The chosen architecture, None before the choice."""
        return None if self.chosen < 0 else self.chosen

    def choose_best(self) -> None:
        """Choose the architecture with the best score; of several, the one that was scored first.

        >>> state = KnownScores(known=[7, 3, 5], scores=[81.0, 90.0, 90.0])
        >>> state.choose_best()
        >>> state.chosen
        3
        """
        self.chosen = self.known[int(np.argmax(self.scores))]


State = TypeVar("State", bound=KnownScores)


def train_paths(search: SearchContext, sampler: PathSampler, train: Batch) -> None:
    """Take one step of the shared weights along the sum of the gradients of the paths that a sampler draws."""
    paths = sampler.paths(search.space, search.random)
    search.update_weights(train, [Path(codes) for codes in paths.tolist()])


def score_new(search: SearchContext, method: Method[State], state: State, given: Iterable[int]) -> None:
    """Score those of the given architectures whose scores are not known, on all validation images.

    Args:
        search: what the method works with.
        method: predicts the scores (`Method.score`).
        state: of the method; it keeps the scores.
        given: architectures.
    """
    known = set(state.known)
    new = [each for each in dict.fromkeys(int(each) for each in given) if each not in known]
    if new:
        state.known += new
        state.scores += method.score(search, state, new, "valid").tolist()


def unknown_architectures(size: int, count: int, known: Iterable[int], random: Generator) -> list[int]:
    """Return different architectures that are not known, drawn uniformly; fewer if not as many are left.

    Args:
        size: number of architectures of the space.
        count: how many to return.
        known: architectures not to return.
        random: draws them.

    >>> sorted(unknown_architectures(5, 3, [1, 4], np.random.default_rng(0)))
    [0, 2, 3]
    """
    taken = set(known)
    if size <= 4 * (len(taken) + count):
        left = np.setdiff1d(np.arange(size), np.fromiter(taken, dtype=np.int64))
        return [int(each) for each in random.permutation(left)[:count]]
    found: dict[int, None] = {}
    while len(found) < count:  # at least three of four draws are new
        drawn = [int(each) for each in random.integers(size, size=count)]
        found |= dict.fromkeys(each for each in drawn if each not in taken)
    return list(found)[:count]
