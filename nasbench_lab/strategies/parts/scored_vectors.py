"""Architectures as vectors that may contain zero-cost scores, each of which a run pays for once."""

from __future__ import annotations

from typing import final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.spaces.encodings import JOIN, parts_of
from nasbench_lab.strategies.models.whole_space import is_small
from nasbench_lab.strategies.parts.kept_scores import KeptScores
from nasbench_lab.strategies.problem import Scores

ALL_SCORES = "scores"


@final
class ScoredVectors:
    """The vectors of all runs.

    Args:
        space: the space. Where it is small, the vectors of all architectures are kept.
        scores: the zero-cost scores of the table.
        encoding: encodings of the space and names of scores, joined with ``+``; ``"scores"`` stands for all scores.
        runs: number of runs.

    Raises:
        UnknownNameError: the space has no such encoding, and the table no such score.
        ParameterError: an encoding is joined with itself.
    """

    def __init__(self, space: Space, scores: Scores, encoding: str, runs: int) -> None:
        self._space, self._scores = space, scores
        parts = parts_of(encoding, [*space.encodings, *scores.names, *((ALL_SCORES,) if scores.names else ())])
        names = [name for part in parts for name in (scores.names if part == ALL_SCORES else [part])]
        self._names = list(dict.fromkeys(name for name in names if name not in space.encodings))
        self._encoding = JOIN.join(part for part in parts if part in space.encodings)
        self._runs, self._paid = runs, KeptScores(self._names, runs)
        self._kept: NDArray[np.float32] | None = None
        if self._encoding and is_small(space):
            self._kept = space.encode(np.arange(space.size), self._encoding)

    def encode_all(self) -> NDArray[np.floating]:
        """Return the vectors of the whole space, (runs, space.size, length); the runs pay for scores they lack."""
        everything = np.broadcast_to(np.arange(self._space.size), (self._runs, self._space.size))
        if self._kept is None or self._names:
            return self.encode(everything)
        return np.broadcast_to(self._kept, (len(everything), *self._kept.shape))

    def encode(self, architecture: IntArray) -> NDArray[np.floating]:
        """Return vectors, shape (runs, n) to (runs, n, length); the runs pay for scores that they lack."""
        vectors: list[NDArray[np.floating]] = []
        if self._kept is not None:
            vectors.append(self._kept[architecture])
        elif self._encoding:
            vectors.append(self._space.encode(architecture, self._encoding))
        if self._names:
            self._buy(architecture)
            vectors += [self._paid.of(name, architecture)[..., None] for name in self._names]
        return vectors[0] if len(vectors) == 1 else np.concatenate(vectors, axis=-1)

    def _buy(self, architecture: IntArray) -> None:
        """Ask for the scores of architectures that a run has not asked for before."""
        wanted = np.sort(np.where(self._paid.has(architecture), -1, architecture), axis=1)
        wanted[:, 1:][wanted[:, 1:] == wanted[:, :-1]] = -1  # an architecture that is listed twice
        self._paid.add(wanted, {name: self._scores.score(name, wanted) for name in self._names})
