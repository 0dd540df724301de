"""Numbers of entries in which the encodings of a run's points differ from those of candidates."""

from __future__ import annotations

from typing import final

import numpy as np

from nasbench_lab.arrays import IntArray
from nasbench_lab.strategies.models.encodings import Counts, PackedEncoding
from nasbench_lab.streams import WordArray

_FIRST_CAPACITY = 32
_MOST_KEPT = 2**27  # bytes of counts to all architectures


@final
class Distances:
    """The points of every run, the same number in each, and their distances to architectures.

    In a small space, a new point is compared with all architectures at once, and the counts are looked up later, as
    long as they take no more than 128 MiB.

    Args:
        encoding: of the architectures.
        runs: number of runs.
    """

    def __init__(self, encoding: PackedEncoding, runs: int) -> None:
        self._encoding = encoding
        self._points: WordArray = encoding.words(np.zeros((runs, 0), dtype=np.int64))
        self._to_all: Counts | None = None  # (runs, space.size, points): a lookup reads contiguous memory
        if encoding.kept is not None:
            self._to_all = np.zeros((runs, len(encoding.kept), _FIRST_CAPACITY), dtype=encoding.count)

    def add(self, architecture: IntArray) -> Counts:
        """Add a point to every run, shape (runs,); return its counts to the earlier ones, shape (runs, points)."""
        vector, before = self._encoding.words(architecture)[:, None], self._points
        self._points = np.concatenate([before, vector], axis=1)
        self._look_up_later(vector)
        return self._encoding.differing(vector, before)[:, 0]

    def _look_up_later(self, vector: WordArray) -> None:
        """Compare new points, shape (runs, 1, words), with all architectures."""
        if self._to_all is None or self._encoding.kept is None:
            return
        last = self._points.shape[1] - 1
        if last == self._to_all.shape[2]:
            if 2 * self._to_all.nbytes > _MOST_KEPT:
                self._to_all = None
                return
            self._to_all = np.concatenate([self._to_all, np.empty_like(self._to_all)], axis=2)
        self._to_all[:, :, last] = self._encoding.differing(vector, self._encoding.kept[None])[:, 0]

    def between(self) -> Counts:
        """Return the counts between all points, shape (runs, points, points)."""
        return self._encoding.differing(self._points, self._points)

    def of(self, run: int, architecture: IntArray) -> Counts:
        """Return the counts from architectures to the points of one run, shape (m,) to (m, points)."""
        if self._to_all is not None:
            return self._to_all[run].take(architecture, axis=0)[:, : self._points.shape[1]]
        return self._encoding.differing(self._encoding.words(architecture)[None], self._points[run : run + 1])[0]
