"""What every search space offers: numbered architectures, their codes and notation, and moves between them."""

from __future__ import annotations

import abc
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import OutOfSpaceError
from nasbench_lab.streams import scale

CodeArray = NDArray[np.int8]

_INDEX = re.compile(r"0|[1-9][0-9]{0,17}")
_MOST_RESOLVED = 2**16


class Space(abc.ABC):
    """A finite set of architectures, numbered 0 .. size-1 in the official order where one exists.

    An architecture is known by three names: its *index*; its *codes*, a row of small integers, one per choice; and
    its *notation*, the text that the publication uses. All methods work on arrays of any shape of indices.
    """

    name: str
    """Name of the space in the registry, e.g. ``"topology"``."""
    size: int
    """Number of architectures."""
    cardinalities: tuple[int, ...]
    """How many values each code can take; its length is the number of codes."""

    @abc.abstractmethod
    def spec(self) -> Mapping[str, Any]:
        """Return the plain data from which `nasbench_lab.spaces.make_space` makes the same space again."""

    @abc.abstractmethod
    def codes(self, index: ArrayLike) -> CodeArray:
        """Return the codes of architectures: index of shape (...) to codes of shape (..., number of codes)."""

    @abc.abstractmethod
    def index(self, codes: ArrayLike) -> IntArray:
        """Return the indices of architectures given by codes, shape (..., number of codes) to (...).

        Raises:
            OutOfSpaceError: a code is out of range, or the codes describe no architecture of the space.
        """

    def find(self, codes: ArrayLike) -> IntArray:
        """Return what `index` does, but -1 where the codes, each in range, describe no architecture of the space.

        Raises:
            OutOfSpaceError: a code is out of range.
        """
        checked = self.check_codes(codes)
        try:
            return self.index(checked)
        except OutOfSpaceError:
            rows = checked.reshape(-1, checked.shape[-1])
            return np.array([self._index_or_missing(row) for row in rows], dtype=np.int64).reshape(checked.shape[:-1])

    def _index_or_missing(self, codes: IntArray) -> int:
        try:
            return int(self.index(codes))
        except OutOfSpaceError:
            return -1

    @abc.abstractmethod
    def _parse_one(self, text: str) -> tuple[int, ...]:
        """Return the codes of one architecture given in official notation, or raise OutOfSpaceError."""

    @abc.abstractmethod
    def _format_one(self, codes: Sequence[int]) -> str:
        """Return the official notation of the architecture with these codes."""

    @abc.abstractmethod
    def _make_neighbor_table(self) -> NDArray[np.int32]:
        """Return the neighbours of every architecture, shape (size, max degree), padded with -1 at the end."""

    def check_index(self, index: ArrayLike) -> IntArray:
        """Return ``index`` as an int64 array, or raise OutOfSpaceError where it is outside 0 .. size-1."""
        array = np.asarray(index)
        if array.dtype.kind not in "iu" and array.size:  # an empty list has no type of its own
            raise OutOfSpaceError(f"architecture indices must be integers, got {array.dtype} values")
        if array.size and (array.min() < 0 or array.max() >= self.size):
            worst = int(array.min()) if array.min() < 0 else int(array.max())
            raise OutOfSpaceError(f"architecture {worst} is not in 0..{self.size - 1} of space {self.name!r}")
        return array.astype(np.int64, copy=False)

    def check_codes(self, codes: ArrayLike) -> IntArray:
        """Return ``codes`` as an int64 array, or raise OutOfSpaceError naming the first code that is out of range."""
        array = np.asarray(codes)
        n = len(self.cardinalities)
        if array.dtype.kind not in "iu" or array.ndim == 0 or array.shape[-1] != n:
            raise OutOfSpaceError(f"an architecture of space {self.name!r} has {n} integer codes")
        bad = (array < 0) | (array >= np.array(self.cardinalities))
        if bad.any():
            where = tuple(int(i) for i in np.argwhere(bad)[0])
            most = self.cardinalities[where[-1]] - 1
            raise OutOfSpaceError(
                f"code {where[-1]} is {int(array[where])}; space {self.name!r} allows 0..{most} there"
            )
        return array.astype(np.int64, copy=False)

    @overload
    def parse(self, text: str) -> int: ...
    @overload
    def parse(self, text: list[str] | tuple[str, ...]) -> IntArray: ...
    def parse(self, text: str | list[str] | tuple[str, ...]) -> int | IntArray:
        """Return the index of an architecture in official notation, or the indices of several.

        Raises:
            OutOfSpaceError: the text is malformed, or the architecture is not in the space.
        """
        if isinstance(text, str):
            return int(self.index(np.array(self._parse_one(text), dtype=np.int64)))
        codes = np.array([self._parse_one(t) for t in text], dtype=np.int64)
        return self.index(codes.reshape(len(text), len(self.cardinalities)))

    @overload
    def format(self, index: int) -> str: ...
    @overload
    def format(self, index: NDArray[Any] | Sequence[int]) -> list[str]: ...
    def format(self, index: int | NDArray[Any] | Sequence[int]) -> str | list[str]:
        """Return the official notation of one architecture (a string) or of an array of them (a flat list)."""
        codes = self.codes(index)
        if codes.ndim == 1:
            return self._format_one(codes.tolist())
        return [self._format_one(row) for row in codes.reshape(-1, codes.shape[-1]).tolist()]

    def resolve(self, architecture: str | int | np.integer[Any]) -> int:
        """Return the index of an architecture given by index or in official notation.

        Text that is not in official notation but a plain number, without leading zeros, counts as an index.

        Raises:
            OutOfSpaceError: neither an architecture in official notation nor an index in range.
        """
        if isinstance(architecture, str):
            if architecture not in self._resolved:
                if len(self._resolved) >= _MOST_RESOLVED:
                    self._resolved.clear()
                self._resolved[architecture] = self._resolve_text(architecture)
            return self._resolved[architecture]
        if isinstance(architecture, bool) or not isinstance(architecture, int | np.integer):
            raise OutOfSpaceError(f"an architecture is an index or a string, not {type(architecture).__name__}")
        if not 0 <= architecture < self.size:
            raise OutOfSpaceError(f"architecture {architecture} is not in 0..{self.size - 1} of space {self.name!r}")
        return int(architecture)

    def _resolve_text(self, text: str) -> int:
        try:
            return self.parse(text)
        except OutOfSpaceError:
            if not _INDEX.fullmatch(text.strip()):
                raise
        return self.resolve(int(text))

    def sample(self, uniform: FloatArray) -> IntArray:
        """Turn uniforms in [0, 1) into uniformly distributed architectures, of the same shape."""
        return scale(uniform, self.size)

    def neighbors(self, index: ArrayLike) -> IntArray:
        """Return the architectures one step away: of one architecture, or of an array of them.

        Being a neighbour is mutual. No architecture is its own neighbour or listed twice.

        Returns:
            For a single index its neighbours, shape (degree,). For indices of shape (...), shape (..., max degree),
            padded with -1 at the end where architectures have different numbers of neighbours.
        """
        checked = self.check_index(index)
        neighbors = self.neighbor_table[checked].astype(np.int64)
        return neighbors if checked.ndim else neighbors[neighbors >= 0]

    def degree(self, index: ArrayLike) -> IntArray:
        """Return the number of neighbours of architectures, of the same shape as ``index``."""
        return self._degrees[self.check_index(index)]

    def neighbor_at(self, index: ArrayLike, place: ArrayLike) -> IntArray:
        """Return one neighbour each: that at ``place``, 0 to degree - 1, in the order of `neighbors`; shapes broadcast.

        Raises:
            OutOfSpaceError: there is no such place.

        >>> from nasbench_lab.spaces import ChainSpace
        >>> space = ChainSpace("abc", 2)
        >>> space.neighbors(0).tolist(), space.neighbor_at(0, [1, 3]).tolist()
        ([3, 6, 1, 2], [6, 2])
        """
        checked, chosen = self.check_index(index), np.asarray(place)
        if ((chosen < 0) | (chosen >= self.degree(checked))).any():
            raise OutOfSpaceError("a neighbour's place must be at least 0 and below the degree of its architecture")
        return self.neighbor_table[checked, chosen].astype(np.int64)

    def mutate(self, index: IntArray, uniform: FloatArray) -> IntArray:
        """Return one neighbour each, chosen uniformly: ``index`` and ``uniform`` in [0, 1) of one shape.

        Where all choices are independent and have equally many values, this is the usual mutation: pick a choice
        uniformly, then another value for it uniformly. An architecture without neighbours is returned unchanged.
        """
        table = self.neighbor_table
        position = index * table.shape[1]
        if self._regular_degree is None:
            degree = self._degrees.take(index)
            mutated = table.reshape(-1).take(position + scale(uniform, degree)).astype(np.int64)
            return np.where(degree > 0, mutated, index)
        position += scale(uniform, self._regular_degree)
        return table.reshape(-1).take(position).astype(np.int64)

    def crossover(self, one: IntArray, other: IntArray, from_other: NDArray[np.bool_]) -> IntArray:
        """Return children that have each code from one of two parents.

        Args:
            one: architectures, any shape (...).
            other: as many architectures.
            from_other: which codes are taken from ``other``, shape (..., number of codes).

        Returns:
            The children, shape (...). Where the codes together describe no architecture, ``one``.

        >>> from nasbench_lab.spaces import ChainSpace
        >>> space = ChainSpace("abc", 3)
        >>> child = space.crossover(space.index([0, 0, 0]), space.index([2, 2, 2]), np.array([False, True, False]))
        >>> space.format(int(child))
        'aca'
        """
        child = self.find(np.where(from_other, self.codes(other), self.codes(one)))
        return np.where(child >= 0, child, one)

    def features(self, index: ArrayLike) -> NDArray[np.float32]:
        """Return the one-hot encoding of the codes, shape (..., sum of cardinalities)."""
        codes = self.codes(index)
        hot = [codes[..., i, None] == np.arange(n) for i, n in enumerate(self.cardinalities)]
        return np.concatenate(hot, axis=-1).astype(np.float32)

    @cached_property
    def neighbor_table(self) -> NDArray[np.int32]:
        """The neighbours of all architectures, shape (size, max degree); made on first use, then kept."""
        table = self._make_neighbor_table()
        table.setflags(write=False)
        return table

    @cached_property
    def _resolved(self) -> dict[str, int]:
        """Indices of texts that were resolved lately: searches ask for the same architectures again and again."""
        return {}

    @cached_property
    def _degrees(self) -> IntArray:
        return (self.neighbor_table >= 0).sum(axis=1, dtype=np.int64)

    @cached_property
    def _regular_degree(self) -> int | None:
        """The number of neighbours where all architectures have equally many (and at least one), else None."""
        degrees = self._degrees
        return int(degrees[0]) if degrees[0] > 0 and (degrees == degrees[0]).all() else None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.size} architectures>"
