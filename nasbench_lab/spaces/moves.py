"""How searches move in a space: random architectures, neighbours, mutation and crossover."""

from __future__ import annotations

import abc
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import OutOfSpaceError, ParameterError
from nasbench_lab.spaces.code_changes import changed_codes
from nasbench_lab.streams import MOST_OF_ONE_UNIFORM, scale, scale_columns

if TYPE_CHECKING:
    from nasbench_lab.streams import Streams

MOST_LISTED = 2**22
"""Largest size of a space of which everything may be listed, such as the neighbours of all architectures."""

_MOST_KEPT = 2**25  # entries of a table of neighbours: 128 MiB; more are computed instead
_ENTRIES_AT_A_TIME = 2**22
_ARCHITECTURES_TRIED = 1000  # whether a space that is not listed has neighbours is seen from so many architectures


class Moves(abc.ABC):
    """The moves of a space, computed from the codes. Where the space is small, the neighbours are kept in a table.

    Both ways give the same neighbours in the same order, so searches are the same.
    """

    size: int
    cardinalities: tuple[int, ...]
    _is_unlisted_view = False  # set by `nasbench_lab.spaces.unlisted`

    @abc.abstractmethod
    def codes(self, index: ArrayLike) -> NDArray[np.int8]:
        """Return the codes of architectures."""

    @abc.abstractmethod
    def find(self, codes: ArrayLike) -> IntArray:
        """Return the indices of architectures given by codes, -1 where the codes describe none."""

    @abc.abstractmethod
    def check_index(self, index: ArrayLike) -> IntArray:
        """Return ``index`` as an int64 array, or raise OutOfSpaceError."""

    @property
    @abc.abstractmethod
    def _in_words(self) -> str:
        """What messages call the space."""

    @property
    def is_listed(self) -> bool:
        """Whether all architectures may be listed: the size is at most `MOST_LISTED` (docs/large-spaces.md).

        In a space that is not listed, nothing makes an array of its size.

        >>> from nasbench_lab.spaces import ChainSpace
        >>> ChainSpace("012", 8).is_listed, ChainSpace("012", 39).is_listed
        (True, False)
        """
        return self.size <= MOST_LISTED and not self._is_unlisted_view

    def require_listed(self, purpose: str) -> None:
        """Raise a ParameterError unless the space is listed.

        Args:
            purpose: what needs a list of all architectures, the start of the message.
        """
        if not self.is_listed:
            raise ParameterError(
                f"{purpose} needs a list of all architectures, but {self._in_words} has {self.size:,}; "
                f"at most {MOST_LISTED:,} are listed"
            )

    @property
    def draws(self) -> int:
        """How many uniforms it takes to draw an architecture: 1, or 2 where one has too few bits to reach all evenly.

        >>> from nasbench_lab.spaces import ChainSpace
        >>> ChainSpace("012", 8).draws, ChainSpace("012", 39).draws
        (1, 2)
        """
        return 1 if self.size <= MOST_OF_ONE_UNIFORM else 2

    def sample(self, uniform: FloatArray) -> IntArray:
        """Turn uniforms in [0, 1) into uniformly distributed architectures, of the same shape.

        Raises:
            ParameterError: an architecture takes more than one uniform; `draw` and `sample_columns` work for all sizes.
        """
        if self.draws > 1:
            raise ParameterError(
                f"sample() takes one uniform per architecture, but {self._in_words} has {self.size:,} architectures "
                f"and takes {self.draws}: use draw() or sample_columns()"
            )
        return scale(uniform, self.size)

    def sample_columns(self, uniform: FloatArray) -> IntArray:
        """Turn uniforms into uniformly distributed architectures, shape (..., n * draws) to (..., n).

        The columns of an architecture are next to each other. For strategies that draw all that a step needs at once.

        >>> from nasbench_lab.spaces import ChainSpace
        >>> ChainSpace("012", 39).sample_columns(np.array([0.0, 0.5, 0.5, 0.0])).tolist()
        [224, 2026277576509488133]
        """
        if self.draws == 1:
            return self.sample(uniform)
        n, left = divmod(uniform.shape[-1], self.draws)
        if left:
            raise ParameterError(f"{self._in_words} takes {self.draws} uniforms per architecture")
        return scale_columns(uniform.reshape(*uniform.shape[:-1], n, self.draws), self.size)

    def draw(self, streams: Streams, n: int) -> IntArray:
        """Draw ``n`` architectures for every run, uniformly, shape (runs, n).

        >>> from nasbench_lab.spaces import ChainSpace
        >>> from nasbench_lab.streams import Streams
        >>> space = ChainSpace("ab", 62)
        >>> space.format(space.draw(Streams(seed=0, first_run=0, runs=1), 1))
        ['bbabbabbabaabaabbaaabababbaaababaabbbbbbaabbbaaabbaababaabaaba']
        """
        return self.sample_columns(streams.uniform(n * self.draws))

    def compute_neighbors(self, index: IntArray) -> IntArray:
        """Return the neighbours of architectures, shape (n,) to (n, columns), padded with -1 at the end.

        All other methods about neighbours follow from this one. By default, two architectures are neighbours where they
        differ in one code; the order is ascending. Being a neighbour must be mutual. A space that knows its neighbours
        as a whole only defines `make_neighbor_table` instead.
        """
        if self._knows_all_neighbors:
            return self._kept_table[index].astype(np.int64)
        codes = self.codes(index).astype(np.int64)
        changed = changed_codes(codes, self.cardinalities)
        found = self.find(changed)
        itself = (self.codes(np.maximum(found, 0)) == changed).all(axis=-1)  # not another way to write an architecture
        beyond = np.iinfo(np.int64).max
        ascending = np.sort(np.where((found >= 0) & itself, found, beyond), axis=-1)
        return np.where(ascending == beyond, -1, ascending)

    def make_neighbor_table(self) -> NDArray[np.int32]:
        """Return the neighbours of every architecture, shape (size, max degree), padded with -1 at the end.

        `neighbor_table` calls it once. By default, `compute_neighbors` of all.
        """
        table = self._near(np.arange(self.size), np.int32)
        return table[:, : max(1, int((table >= 0).sum(axis=1).max()))]

    def _near(self, index: IntArray, kind: type[Any] = np.int64) -> NDArray[Any]:
        """Return `compute_neighbors` of any number of architectures, in pieces that fit into memory."""
        step = max(1, _ENTRIES_AT_A_TIME // (sum(self.cardinalities) * len(self.cardinalities)))
        pieces = [self.compute_neighbors(index[i : i + step]).astype(kind) for i in range(0, len(index), step)]
        return np.concatenate(pieces) if pieces else np.empty((0, 1), dtype=kind)

    @property
    def _knows_all_neighbors(self) -> bool:
        """Whether the space knows the neighbours of all architectures only, and not those of one."""
        return type(self).make_neighbor_table is not Moves.make_neighbor_table

    @cached_property
    def _keeps_neighbors(self) -> bool:
        """Whether neighbours are looked up in a table."""
        return self.is_listed and (
            self._knows_all_neighbors or self.size * (sum(self.cardinalities) - len(self.cardinalities)) <= _MOST_KEPT
        )

    @cached_property
    def _kept_table(self) -> NDArray[np.int32]:
        if self.size > MOST_LISTED:
            raise ParameterError(
                f"neighbours of {self._in_words}, with {self.size:,} architectures, must be computed: its class must "
                "define compute_neighbors"
            )
        table = self.make_neighbor_table()
        table.setflags(write=False)
        return table

    @property
    def neighbor_table(self) -> NDArray[np.int32]:
        """The neighbours of all architectures, shape (size, max degree); made on first use, then kept.

        Raises:
            ParameterError: the space is not listed.
        """
        self.require_listed("a table of neighbours")
        return self._kept_table

    @cached_property
    def _degrees(self) -> IntArray:
        return (self.neighbor_table >= 0).sum(axis=1, dtype=np.int64)

    @cached_property
    def _regular_degree(self) -> int | None:
        """The number of neighbours where it is the same for all architectures and not 0, otherwise None."""
        degrees = self._degrees
        return int(degrees[0]) if degrees[0] > 0 and (degrees == degrees[0]).all() else None

    @property
    def has_neighbors(self) -> bool:
        """Whether any architecture has a neighbour: without, strategies that move between neighbours cannot search.

        In a large space, this is looked up for architectures all over the space.
        """
        if self._keeps_neighbors:
            return bool(self._degrees.any())
        count = min(self.size, _ARCHITECTURES_TRIED)
        tried = np.array([place * self.size // count for place in range(count)], dtype=np.int64)
        return bool((self._near(tried) >= 0).any())

    def neighbors(self, index: ArrayLike) -> IntArray:
        """Return the architectures one step away: of one architecture, or of an array of them.

        Being a neighbour is mutual. No architecture is its own neighbour or listed twice.

        Returns:
            For a single index its neighbours, shape (degree,). For indices of shape (...), shape (..., columns), padded
            with -1 at the end where architectures have different numbers of neighbours.
        """
        checked = self.check_index(index)
        if self._keeps_neighbors:
            neighbors = self.neighbor_table[checked].astype(np.int64)
        else:
            neighbors = self._near(checked.reshape(-1))
            neighbors = neighbors.reshape(*checked.shape, neighbors.shape[-1])
        return neighbors if checked.ndim else neighbors[neighbors >= 0]

    def degree(self, index: ArrayLike) -> IntArray:
        """Return the number of neighbours of architectures, of the same shape as ``index``."""
        checked = self.check_index(index)
        if self._keeps_neighbors:
            return self._degrees[checked]
        distinct, place = np.unique(checked, return_inverse=True)
        return (self._near(distinct) >= 0).sum(axis=1, dtype=np.int64)[place.reshape(checked.shape)]

    def neighbor_at(self, index: ArrayLike, place: ArrayLike) -> IntArray:
        """Return the neighbour at ``place``, 0 to degree - 1, in the order of `neighbors`; shapes broadcast.

        Raises:
            OutOfSpaceError: an architecture has fewer neighbours.

        >>> from nasbench_lab.spaces import ChainSpace
        >>> space = ChainSpace("abc", 2)
        >>> space.neighbors(0).tolist(), space.neighbor_at(0, [1, 3]).tolist()
        ([3, 6, 1, 2], [6, 2])
        """
        checked, chosen = self.check_index(index), np.asarray(place)
        if self._keeps_neighbors:
            self._check_place(chosen, self.degree(checked))
            return self.neighbor_table[checked, chosen].astype(np.int64)
        distinct, row = np.unique(checked, return_inverse=True)
        near, row = self._near(distinct), row.reshape(checked.shape)
        self._check_place(chosen, (near >= 0).sum(axis=1)[row])
        return near[row, chosen]

    def _check_place(self, place: NDArray[np.integer], degree: IntArray) -> None:
        if ((place < 0) | (place >= degree)).any():
            raise OutOfSpaceError("a neighbour's place must be at least 0 and below the degree of its architecture")

    def mutate(self, index: IntArray, uniform: FloatArray) -> IntArray:
        """Return a uniformly chosen neighbour of each architecture: ``index`` and ``uniform`` in [0, 1) of one shape.

        Where all choices are independent and have the same number of values, this is the usual mutation: pick a choice
        uniformly, then another value for it uniformly. An architecture without neighbours is returned unchanged.
        """
        if not self._keeps_neighbors:
            return self._mutate_by_codes(index, uniform)
        table = self.neighbor_table
        position = index * table.shape[1]
        if self._regular_degree is None:
            degree = self._degrees.take(index)
            mutated = table.reshape(-1).take(position + scale(uniform, degree)).astype(np.int64)
            return np.where(degree > 0, mutated, index)
        position += scale(uniform, self._regular_degree)
        return table.reshape(-1).take(position).astype(np.int64)

    def _mutate_by_codes(self, index: IntArray, uniform: FloatArray) -> IntArray:
        near = self._near(index.reshape(-1))
        degree = (near >= 0).sum(axis=1)
        mutated = near[np.arange(len(near)), scale(uniform.reshape(-1), degree)]
        return np.where(degree > 0, mutated, index.reshape(-1)).reshape(index.shape)

    def crossover(self, one: IntArray, other: IntArray, from_other: NDArray[np.bool_]) -> IntArray:
        """Return children that have each code from one of two parents.

        Args:
            one: architectures, any shape (...).
            other: architectures of the same shape.
            from_other: which codes are taken from ``other``, shape (..., number of codes).

        Returns:
            The children, shape (...). Where the mixed codes describe no architecture, the child is ``one``.

        >>> from nasbench_lab.spaces import ChainSpace
        >>> space = ChainSpace("abc", 3)
        >>> child = space.crossover(space.index([0, 0, 0]), space.index([2, 2, 2]), np.array([False, True, False]))
        >>> space.format(int(child))
        'aca'
        """
        child = self.find(np.where(from_other, self.codes(other), self.codes(one)))
        return np.where(child >= 0, child, one)
