"""Architectures as vectors that may contain zero-cost scores, each of which a run pays for once."""

from __future__ import annotations

from typing import final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.spaces.encodings import JOIN, parts_of
from nasbench_lab.strategies.problem import Scores

ALL_SCORES = "scores"
_MOST_KEPT = 30_000


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
        self._paid = np.zeros((runs, space.size if self._names else 0), dtype=bool)
        self._known: dict[str, FloatArray] = {name: np.full(self._paid.shape, np.nan) for name in self._names}
        self._kept: NDArray[np.float32] | None = None
        if self._encoding and space.size <= _MOST_KEPT:
            self._kept = space.encode(np.arange(space.size), self._encoding)

    def encode_all(self) -> NDArray[np.floating]:
        """Return the vectors of the whole space, (runs, space.size, length); the runs pay for scores they lack."""
        everything = np.broadcast_to(np.arange(self._space.size), (len(self._paid), self._space.size))
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
            vectors += [self._score(name, architecture)[..., None] for name in self._names]
        return vectors[0] if len(vectors) == 1 else np.concatenate(vectors, axis=-1)

    def _buy(self, architecture: IntArray) -> None:
        """Ask for the scores of architectures that a run has not asked for before."""
        run = np.arange(len(architecture))[:, None]
        wanted = np.where(self._paid[run, architecture], -1, architecture)
        order = np.argsort(wanted, axis=1, kind="stable")
        ascending = np.take_along_axis(wanted, order, axis=1)
        ascending[:, 1:][ascending[:, 1:] == ascending[:, :-1]] = -1  # an architecture that is listed twice
        for name in self._names:
            score = self._scores.score(name, ascending)
            row, column = np.nonzero(ascending >= 0)
            self._known[name][row, ascending[row, column]] = score[row, column]
        self._paid[run, architecture] = True

    def _score(self, name: str, architecture: IntArray) -> FloatArray:
        """Return a score of architectures; a failed score is the lowest that the run knows, 0 if it knows none."""
        known = self._known[name]
        some = ~np.isnan(known)
        lowest = np.where(some.any(axis=1), np.where(some, known, np.inf).min(axis=1), 0.0)
        found = known[np.arange(len(known))[:, None], architecture]
        return np.where(np.isnan(found), lowest[:, None], found)
