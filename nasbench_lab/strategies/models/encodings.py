"""Architectures as vectors of zeros and ones, for models."""

from __future__ import annotations

from typing import Literal, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.models.whole_space import is_small
from nasbench_lab.streams import WordArray

Encoding = Literal["path", "one-hot"]
Counts = NDArray[np.unsignedinteger]
"""Numbers of entries, in as few bytes as are enough."""

ENCODINGS: tuple[Encoding, ...] = ("path", "one-hot")


def encode(space: Space, index: IntArray, encoding: Encoding) -> NDArray[np.float32]:
    """Return architectures as vectors of zeros and ones, shape (...) to (..., length); see `Space.encode`.

    ``"one-hot"`` is `Space.features`. ``"path"`` says for every sequence of operations whether the cell has a path from
    its input to its output with it (White, Neiswanger and Savani, BANANAS, AAAI 2021, section 4): 364 sequences for
    NAS-Bench-101, 5 + 25 + 125 for NAS-Bench-201. Where a space has no such encoding, because its architectures are no
    cells or have a single path, one-hot codes take its place.
    """
    return space.encode(index, encoding if encoding in space.encodings else "one-hot")


@final
class PackedEncoding:
    """The same vectors, with 64 of their entries in a word: for counting in how many entries vectors differ.

    Args:
        space: the space. Where it is small, the words of all architectures are kept.
        encoding: of its architectures.
    """

    def __init__(self, space: Space, encoding: Encoding) -> None:
        self._space, self._encoding = space, encoding
        self.length: int = encode(space, np.zeros(1, dtype=np.int64), encoding).shape[1]
        """How many entries a vector has."""
        self.count = np.uint8 if self.length < 2**8 else np.uint32
        """The type of a count of entries."""
        self.kept: WordArray | None = None
        """The words of all architectures, shape (space.size, words), where the space is small."""
        self._entries: NDArray[np.bool_] | slice = slice(None)  # those that some architecture has
        if is_small(space):
            self._entries = np.asarray(encode(space, np.arange(space.size), encoding).any(axis=0))
            self.kept = self._pack(np.arange(space.size))

    def words(self, index: IntArray) -> WordArray:
        """Return architectures as words, shape (...) to (..., words)."""
        return self._pack(index) if self.kept is None else self.kept[index]

    def ones(self, index: IntArray) -> IntArray:
        """Return how many ones vectors have, shape (...)."""
        return np.bitwise_count(self.words(index)).sum(axis=-1, dtype=np.int64)

    def differing(self, one: WordArray, other: WordArray) -> Counts:
        """Count in how many entries vectors differ: words (runs, n, words) and (runs, m, words) to (runs, n, m).

        The others can be the same for all runs, (1, m, words).
        """
        total = np.zeros((len(one), one.shape[1], other.shape[1]), dtype=self.count)
        for word in range(one.shape[2]):
            total += np.bitwise_count(one[:, :, None, word] ^ other[:, None, :, word].copy())
        return total

    def _pack(self, index: IntArray) -> WordArray:
        octets = np.packbits(encode(self._space, index, self._encoding)[..., self._entries] > 0, axis=-1)
        words = np.zeros((*octets.shape[:-1], -(-octets.shape[-1] // 8) * 8), dtype=np.uint8)
        words[..., : octets.shape[-1]] = octets
        return words.view(np.uint64)
