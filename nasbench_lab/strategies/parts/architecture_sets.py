"""A set of architectures for every run: as bits where the space is listed, as hash tables where it is not."""

from __future__ import annotations

import math
from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.spaces.base import Space

_EMPTY, _REMOVED = -1, -2
_FIRST_CAPACITY = 32
_BEYOND = np.iinfo(np.int64).max


class ArchitectureSets(Protocol):
    """A set of architectures for every run; at first, all are empty."""

    def has(self, run: IntArray, architecture: IntArray) -> NDArray[np.bool_]:
        """Return whether architectures, 0 or more, are in the sets of these runs; the shapes broadcast."""

    def add(self, run: IntArray, architecture: IntArray) -> None:
        """Add one architecture each, which they do not have, to the sets of different runs."""

    def remove(self, run: IntArray, architecture: IntArray) -> None:
        """Remove one architecture each from the sets of different runs, which have it."""

    def left(self, run: IntArray) -> IntArray:
        """Return how many architectures are not in the sets of these runs."""

    def outside(self, run: IntArray, rank: IntArray) -> IntArray:
        """Return the architecture with this number, from 0, among those that are not in the set of its run."""


def architecture_sets(space: Space, runs: int) -> ArchitectureSets:
    """Return empty sets."""
    return BitSets(space.size, runs) if space.is_listed else HashSets(space.size, runs)


@final
class BitSets:
    """Sets that take one byte per run and architecture.

    The space is divided into about sqrt(size) blocks of consecutive architectures, and each run counts the
    architectures of every block that are not in its set. So the n-th architecture that is not in the set is found in
    O(sqrt(size)).

    >>> sets = BitSets(size=5, runs=2)
    >>> sets.add(np.array([0, 1]), np.array([1, 4]))
    >>> sets.outside(np.array([0, 1]), np.array([1, 1])).tolist(), sets.left(np.array([0])).tolist()
    ([2, 1], [4])
    """

    def __init__(self, size: int, runs: int) -> None:
        self._block = math.isqrt(size - 1) + 1
        blocks = -(-size // self._block)
        self._member = np.zeros((runs, blocks * self._block), dtype=bool)
        self._member[:, size:] = True  # the last block can be longer than the rest of the space
        self._left = np.full((runs, blocks), self._block, dtype=np.int32)
        self._left[:, -1] -= blocks * self._block - size

    def has(self, run: IntArray, architecture: IntArray) -> NDArray[np.bool_]:
        """Return whether architectures, 0 or more, are in the sets of these runs; the shapes broadcast."""
        return self._member.reshape(-1).take(run * self._member.shape[1] + architecture)

    def add(self, run: IntArray, architecture: IntArray) -> None:
        """Add one architecture each, which they do not have, to the sets of different runs."""
        self._member.reshape(-1)[run * self._member.shape[1] + architecture] = True
        self._left[run, architecture // self._block] -= 1

    def remove(self, run: IntArray, architecture: IntArray) -> None:
        """Remove one architecture each from the sets of different runs, which have it."""
        self._member.reshape(-1)[run * self._member.shape[1] + architecture] = False
        self._left[run, architecture // self._block] += 1

    def left(self, run: IntArray) -> IntArray:
        """Return how many architectures are not in the sets of these runs."""
        return self._left[run].sum(axis=1, dtype=np.int64)

    def outside(self, run: IntArray, rank: IntArray) -> IntArray:
        """Return the architecture with this number, from 0, among those that are not in the set of its run."""
        position = np.arange(len(run))
        below = self._left[run].cumsum(axis=1, dtype=np.int64)
        block = np.minimum((below <= rank[:, None]).sum(axis=1), below.shape[1] - 1)
        rank = rank - np.where(block > 0, below[position, block - 1], 0)
        first = block * self._block
        free = ~self._member[run[:, None], first[:, None] + np.arange(self._block)]
        return first + (free.cumsum(axis=1) <= rank[:, None]).sum(axis=1)


@final
class HashSets:
    """Sets that take memory for their members only: open addressing with linear probing, at most half full.

    >>> sets = HashSets(size=2**62, runs=2)
    >>> sets.add(np.array([0, 1]), np.array([1, 2**61]))
    >>> sets.has(np.array([[0], [1]]), np.array([1, 2**61])).tolist()
    [[True, False], [False, True]]
    >>> sets.outside(np.array([0, 1]), np.array([1, 1])).tolist(), sets.left(np.array([0])).tolist()
    ([2, 1], [4611686018427387903])
    """

    def __init__(self, size: int, runs: int) -> None:
        self._size = size
        self._count = np.zeros(runs, dtype=np.int64)
        self._filled = 0  # slots of a run that are not empty, at most
        self._keys: IntArray = np.full((runs, _FIRST_CAPACITY), _EMPTY)

    def has(self, run: IntArray, architecture: IntArray) -> NDArray[np.bool_]:
        """Return whether architectures, 0 or more, are in the sets of these runs; the shapes broadcast."""
        runs, architectures = np.broadcast_arrays(run, architecture)
        place = self._place(runs.reshape(-1), architectures.reshape(-1))
        return (self._keys.reshape(-1).take(place) != _EMPTY).reshape(runs.shape)

    def add(self, run: IntArray, architecture: IntArray) -> None:
        """Add one architecture each, which they do not have, to the sets of different runs."""
        if 2 * (self._filled + 1) > self._keys.shape[1]:
            self._make_room()
        self._keys.reshape(-1)[self._place(run, architecture)] = architecture
        self._count[run] += 1
        self._filled += 1

    def remove(self, run: IntArray, architecture: IntArray) -> None:
        """Remove one architecture each from the sets of different runs, which have it."""
        self._keys.reshape(-1)[self._place(run, architecture)] = _REMOVED
        self._count[run] -= 1

    def left(self, run: IntArray) -> IntArray:
        """Return how many architectures are not in the sets of these runs."""
        return self._size - self._count[run]

    def outside(self, run: IntArray, rank: IntArray) -> IntArray:
        """Return the architecture with this number, from 0, among those that are not in the set of its run."""
        keys = self._keys[run]
        members = np.sort(np.where(keys < 0, _BEYOND, keys), axis=1)
        smaller = members - np.arange(members.shape[1])  # for every member, how many before it are not in the set
        return rank + (smaller <= rank[:, None]).sum(axis=1)

    def _place(self, run: IntArray, architecture: IntArray) -> IntArray:
        """Return where the architectures are in the flat tables, or else the empty slots where they would be."""
        capacity = self._keys.shape[1]
        keys, base = self._keys.reshape(-1), run * capacity
        slot = _hash(architecture, capacity)
        searching = np.arange(len(run))
        while len(searching):
            key = keys.take(base[searching] + slot[searching])
            searching = searching[(key != architecture[searching]) & (key != _EMPTY)]
            slot[searching] = (slot[searching] + 1) % capacity
        return base + slot

    def _make_room(self) -> None:
        """Make tables at most a quarter full, without removed members."""
        keys = np.sort(self._keys, axis=1)[:, ::-1]  # members first
        most = int(self._count.max())
        capacity = _FIRST_CAPACITY
        while capacity < 4 * (most + 1):
            capacity *= 2
        self._keys = np.full((len(keys), capacity), _EMPTY)
        self._filled = most
        for members in keys[:, :most].T:
            run = np.flatnonzero(members >= 0)
            self._keys.reshape(-1)[self._place(run, members[run])] = members[run]


def _hash(architecture: IntArray, capacity: int) -> IntArray:
    """Return slots that are spread evenly (multiplicative hashing by the golden ratio: Knuth, TAOCP 3, 6.4)."""
    mixed = architecture.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed >> np.uint64(65 - capacity.bit_length())).astype(np.int64)
