"""The scores that every run has paid for, by architecture; memory depends on their number, not on the space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray

_FREE = np.iinfo(np.int64).max  # above every index


@final
class KeptScores:
    """Some scores of some architectures, for every run.

    Args:
        names: of the scores.
        runs: number of runs; none has a score at first.

    >>> kept = KeptScores(["synflow"], 1)
    >>> kept.add(np.array([[7, -1, 3]]), {"synflow": np.array([[0.7, np.nan, 0.3]])})
    >>> kept.has(np.array([[3, 4, 7]])).tolist(), kept.of("synflow", np.array([[7, 3]])).tolist()
    ([[True, False, True]], [[0.7, 0.3]])
    """

    def __init__(self, names: Sequence[str], runs: int) -> None:
        self._architecture = np.full((runs, 1), _FREE)  # ascending in every row, then free places
        self._scores: dict[str, FloatArray] = {name: np.full((runs, 1), np.nan) for name in names}
        self._lowest: dict[str, FloatArray] = {name: np.full(runs, np.nan) for name in names}

    def has(self, architecture: IntArray) -> NDArray[np.bool_]:
        """Return whether the runs have the scores of architectures, shape (runs, n)."""
        return self._found(self._places(architecture)) == architecture

    def add(self, architecture: IntArray, scores: Mapping[str, FloatArray]) -> None:
        """Add the scores of architectures that are new and different; all of shape (runs, n), with -1 for none."""
        keys = np.concatenate([self._architecture, np.where(architecture < 0, _FREE, architecture)], axis=1)
        order = np.argsort(keys, axis=1, kind="stable")
        order = order[:, : int((keys < _FREE).sum(axis=1).max()) + 1]
        self._architecture = np.take_along_axis(keys, order, axis=1)
        for name, score in scores.items():
            new = np.where(architecture < 0, np.nan, score)
            both = np.concatenate([self._scores[name], new], axis=1)
            self._scores[name] = np.take_along_axis(both, order, axis=1)
            self._lowest[name] = np.fmin(self._lowest[name], np.fmin.reduce(new, axis=1, initial=np.nan))

    def of(self, name: str, architecture: IntArray) -> FloatArray:
        """Return a score of architectures that the runs have; failed ones (NaN) are the lowest of their run, or 0."""
        score = np.take_along_axis(self._scores[name], self._places(architecture), axis=1)
        lowest = np.where(np.isnan(self._lowest[name]), 0.0, self._lowest[name])
        return np.where(np.isnan(score), lowest[:, None], score)

    def _found(self, place: IntArray) -> IntArray:
        return np.take_along_axis(self._architecture, place, axis=1)

    def _places(self, architecture: IntArray) -> IntArray:
        """Return how many architectures of their run are lower, at most all but one: by bisection, in all rows."""
        last = self._architecture.shape[1] - 1
        place = np.zeros(architecture.shape, dtype=np.int64)
        step = 1 << last.bit_length()
        while step := step >> 1:
            further = place + step
            lower = self._found(np.minimum(further, last + 1) - 1) < architecture
            place = np.where((further <= last) & lower, further, place)
        return place
