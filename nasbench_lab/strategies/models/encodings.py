"""Architectures as vectors of zeros and ones, for models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar, final
from weakref import WeakKeyDictionary

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

_BLOCK = 2**14  # architectures that are encoded at a time
_MOST_REMEMBERED = 2**20  # architectures: words of 64 paths take 8 MiB
_Made = TypeVar("_Made")
_LONGEST = 10_000  # entries of a path encoding


def encoding_for(space: Space, encoding: Encoding) -> str:
    """Return the name of the encoding of a space (`Space.encode`) with vectors of zeros and ones.

    ``"one-hot"`` is `Space.features`. ``"path"`` says for every sequence of operations whether the cell has a path from
    its input to its output with it (White, Neiswanger and Savani, BANANAS, AAAI 2021, section 4): 364 sequences for
    NAS-Bench-101, 5 + 25 + 125 for NAS-Bench-201. Where there are more than 10,000 sequences, the longest are left out,
    as in that paper: in the space of DARTS, ``"path-3"`` has 1,596 of 11,200. Where a space has no paths, because its
    architectures are no cells or have a single path, one-hot codes take their place.

    >>> from nasbench_lab.spaces import ChainSpace, DartsSpace, TopologySpace
    >>> [encoding_for(space, "path") for space in (TopologySpace(), DartsSpace(), ChainSpace("012", 8))]
    ['path', 'path-3', 'one-hot']
    """
    if encoding == "one-hot" or encoding not in space.encodings:
        return "one-hot"
    shorter = [name for name in space.encodings if name.removeprefix("path-").isdigit()]
    longest_first = ["path", *sorted(shorter, key=lambda name: -int(name.removeprefix("path-")))]
    return next((name for name in longest_first if length(space, name) <= _LONGEST), "one-hot")


def encode(space: Space, index: IntArray, encoding: Encoding) -> NDArray[np.float32]:
    """Return architectures as vectors of zeros and ones, shape (...) to (..., length); see `encoding_for`."""
    return space.encode(index, encoding_for(space, encoding))


def length(space: Space, name: str) -> int:
    """Return how many entries the vectors of an encoding of a space have."""
    return int(space.encode(np.zeros(1, dtype=np.int64), name).shape[1])


@final
class PackedEncoding:
    """The same vectors, with 64 of their entries in a word: for counting in how many entries vectors differ.

    Args:
        space: the space. Where it is small, the words of all architectures are kept.
        encoding: of its architectures, see `encoding_for`.
    """

    def __init__(self, space: Space, encoding: Encoding) -> None:
        self._space, self._encoding = space, encoding_for(space, encoding)
        self.length = length(space, self._encoding)
        """How many entries a vector has."""
        self.count = np.uint8 if self.length < 2**8 else np.uint32
        """The type of a count of entries."""
        self.kept: WordArray | None = None
        """The words of all architectures, shape (space.size, words), where the space is small."""
        self._entries: NDArray[np.bool_] | slice = slice(None)  # those that some architecture has
        self._remembered: _Remembered | None = None
        if is_small(space):
            self._entries, self.kept = self._of_all()
        elif space.is_listed and space.size <= _MOST_REMEMBERED:
            self._remembered = self._shared(lambda: _Remembered(space.size, -(-self.length // 64)))

    def words(self, index: IntArray) -> WordArray:
        """Return architectures as words, shape (...) to (..., words)."""
        if self.kept is not None:
            return self.kept[index]
        return self._pack(index) if self._remembered is None else self._remembered.words(index, self._pack)

    def remember(self, index: IntArray) -> None:
        """Make the words of many architectures at once, if they are remembered: later calls of `words` are cheap."""
        if self._remembered is not None:
            self._remembered.add(index.reshape(-1), self._pack)

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

    def _of_all(self) -> tuple[NDArray[np.bool_], WordArray]:
        """Return which entries some architecture has, and the words of all architectures."""

        def made() -> tuple[NDArray[np.bool_], WordArray]:
            every = self._space.encode(np.arange(self._space.size), self._encoding) > 0
            entries = np.asarray(every.any(axis=0))
            return entries, _packed(every[:, entries])

        return self._shared(made)

    def _shared(self, make: Callable[[], _Made]) -> _Made:
        """Return what all objects for the same space and encoding share."""
        known = _SHARED.setdefault(self._space, {})
        if self._encoding not in known:
            known[self._encoding] = make()
        shared: _Made = known[self._encoding]
        return shared

    def _pack(self, index: IntArray) -> WordArray:
        return _packed(self._space.encode(index, self._encoding)[..., self._entries] > 0)


class _Remembered:
    """The words of the architectures that were asked for: making them takes longer than anything else with them.

    Args:
        size: number of architectures.
        words: per architecture.
    """

    def __init__(self, size: int, words: int) -> None:
        self._words: WordArray = np.zeros((size, words), dtype=np.uint64)
        self._known = np.zeros(size, dtype=bool)

    def add(self, index: IntArray, pack: Callable[[IntArray], WordArray]) -> None:
        new = np.flatnonzero(~self._known[index])
        for first in range(0, len(new), _BLOCK):
            some = index[new[first : first + _BLOCK]]
            self._words[some] = pack(some)
            self._known[some] = True

    def words(self, index: IntArray, pack: Callable[[IntArray], WordArray]) -> WordArray:
        self.add(index.reshape(-1), pack)
        return self._words[index]


def _packed(entries: NDArray[np.bool_]) -> WordArray:
    octets = np.packbits(entries, axis=-1)
    words = np.zeros((*octets.shape[:-1], -(-octets.shape[-1] // 8) * 8), dtype=np.uint8)
    words[..., : octets.shape[-1]] = octets
    return words.view(np.uint64)


_SHARED: WeakKeyDictionary[Space, dict[str, Any]] = WeakKeyDictionary()
