"""Architectures as the vectors that the models of a surrogate take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.spaces import Space
from nasbench_lab.spaces.encodings import JOIN, parts_of

SCORES = "scores"
"""The part of an encoding that stands for all scores."""


@final
class Encoder:
    """Encodes architectures: with encodings of their space, and with scores that are known of every architecture.

    Args:
        space: the space.
        encoding: names of encodings of the space and of scores, joined with ``+``; ``"scores"`` stands for all scores.
        scores: name to one number per architecture of the space, see `as_ranks`.

    Raises:
        UnknownNameError: there is no such encoding or score.

    >>> from nasbench_lab.spaces import ChainSpace
    >>> Encoder(ChainSpace("ab", 2), "codes").vectors(np.array([0, 3])).tolist()
    [[0.0, 0.0], [1.0, 1.0]]
    """

    def __init__(self, space: Space, encoding: str, scores: Mapping[str, NDArray[np.float32]] | None = None) -> None:
        self.space, self.encoding, self.scores = space, encoding, dict(scores or {})
        known = (*space.encodings, *self.scores, *((SCORES,) if scores else ()))
        self._parts = parts_of(encoding, known)
        self._of_space = JOIN.join(part for part in self._parts if part in space.encodings)
        self._names = [
            name
            for part in self._parts
            if part not in space.encodings
            for name in (self.scores if part == SCORES else [part])
        ]

    @property
    def used(self) -> tuple[str, ...]:
        """The names of the scores in vectors."""
        return tuple(dict.fromkeys(self._names))

    @property
    def inputs(self) -> int:
        """How many entries a vector has."""
        return self.vectors(np.zeros(1, dtype=np.int64)).shape[1]

    def vectors(self, architecture: IntArray) -> FloatArray:
        """Return architectures as vectors, shape (n,) to (n, inputs)."""
        return self.short_vectors(architecture).astype(np.float64)

    def short_vectors(self, architecture: IntArray) -> NDArray[Any]:
        """Return the same numbers as the space makes them: in single precision, where that holds them."""
        columns: list[NDArray[Any]] = [self.space.encode(architecture, self._of_space)] if self._of_space else []
        columns += [self.scores[name][architecture, None] for name in self._names]
        return columns[0] if len(columns) == 1 else np.concatenate(columns, axis=1)


def as_ranks(values: FloatArray) -> NDArray[np.float32]:
    """Return the ranks of scores among all architectures, from 0 to 1; equal scores have the same rank.

    Scores differ by tens of orders of magnitude, and some are infinite. Their order is what matters. A score that
    failed (NaN) has the lowest rank.

    >>> as_ranks(np.array([5.0, -np.inf, 1e300])).tolist()
    [0.5, 0.0, 1.0]
    """
    filled = np.where(np.isnan(values), -np.inf, values)
    ordered = np.sort(filled)
    rank = (np.searchsorted(ordered, filled, "left") + np.searchsorted(ordered, filled, "right") - 1) / 2
    low, high = rank.min(), rank.max()
    return ((rank - low) / max(high - low, 1.0)).astype(np.float32)
