"""Neighbours inside a subset of a space, so that searches can move between all of its architectures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.spaces.neighbor_lists import mutual_pairs, padded
from nasbench_lab.spaces.subset_distances import connected_groups, nearest_by_codes

_ENTRIES_AT_A_TIME = 2**23


def nearest_neighbors(space: Space, members: IntArray) -> NDArray[np.int32]:
    """Return the neighbours of every member of a subset, shape (members, max degree), padded with -1 at the end.

    The distance of two members is the number of steps between neighbours that lead from one to the other in the whole
    space. Members at distance 1 are neighbours. For each longer distance, in ascending order, members at that distance
    are neighbours if no chain of nearer neighbours connects them. So a subset that is connected has the neighbours of
    the whole space, and in any other subset, every member can be reached if it can be reached in the whole space.
    The neighbours are the union of all minimum spanning trees under this distance (and the pairs at distance 1).

    In a space that is not listed, the distance is the number of codes that differ (see `nearest_by_codes`).

    Args:
        space: the whole space.
        members: indices of the members in ``space``, ascending, shape (members,).

    >>> from nasbench_lab.spaces import ChainSpace
    >>> space = ChainSpace("abc", 3)
    >>> members = space.parse(["aaa", "aab", "bbb", "ccc"])
    >>> nearest_neighbors(space, members).tolist()  # aaa-aab; then aab-bbb; then ccc and all others
    [[1, 3, -1], [0, 2, 3], [1, 3, -1], [0, 1, 2]]
    """
    if not space.has_neighbors:
        return np.full((len(members), 1), -1, dtype=np.int32)
    if not space.is_listed:
        return nearest_by_codes(space, members)
    everyone = _Searches(space, members)
    outside = _Searches(space, members)  # those from members outside the largest group, once it is known
    edges = [(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))]
    groups = np.arange(len(members), dtype=np.int32)
    hub = None
    # Two members are at distance d where searches from both, a steps and d - a steps long, meet. Every step is taken
    # where it costs less. Of two members in different groups, at least one is outside the largest group.
    while groups.max() > 0 and len(outside) and len(everyone):
        (outside if len(outside) <= len(everyone) else everyone).advance()
        edges.append(_meetings(outside, everyone, groups))
        groups = connected_groups(edges, len(members))
        if hub is None:  # stays the same, as searches that were ended cannot continue
            hub = int(np.flatnonzero(groups == np.bincount(groups).argmax())[0])
        outside.keep(groups != groups[hub])
    source, target = (np.concatenate(ends) for ends in zip(*edges, strict=True))
    return padded(*mutual_pairs(source, target, len(members)))


class _Searches:
    """Breadth-first searches from every member, step by step: which architectures are exactly so many steps away.

    A neighbour of an architecture at distance d is at distance d - 1, d or d + 1, so two levels are enough to know
    which neighbours are new.
    """

    def __init__(self, space: Space, members: IntArray) -> None:
        self._space = space
        # A pair of a member and an architecture as one number, ascending.
        self._now = np.arange(len(members)) * space.size + members
        self._before = np.empty(0, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._now)

    def pairs(self) -> tuple[IntArray, IntArray]:
        """Return the members and the architectures that are as far from them as the searches have come."""
        member, architecture = np.divmod(self._now, self._space.size)
        return member, architecture

    def keep(self, chosen: NDArray[np.bool_]) -> None:
        """End the searches from all members but the chosen ones."""
        self._now, self._before = (keys[chosen[keys // self._space.size]] for keys in (self._now, self._before))

    def advance(self) -> None:
        """Go one step further."""
        member, architecture = self.pairs()
        degree = self._space.degree(architecture)
        found = [np.empty(0, dtype=np.int64)]
        for part in _parts(degree):
            row, place = _ragged(degree[part])
            near = self._space.neighbor_at(architecture[part][row], place)
            found.append(np.unique(member[part][row] * self._space.size + near))
        reached = np.unique(np.concatenate(found))
        for known in (self._now, self._before):
            reached = reached[~_contains(known, reached)]
        self._before, self._now = self._now, reached


def _meetings(one: _Searches, other: _Searches, groups: NDArray[np.integer[Any]]) -> tuple[IntArray, IntArray]:
    """Return the pairs of members in different groups whose searches have reached the same architecture."""
    (source, at), (target, where) = one.pairs(), other.pairs()
    order = np.argsort(where, kind="stable")
    target, where = target[order], where[order]
    first = np.searchsorted(where, at)
    count = np.searchsorted(where, at, side="right") - first
    found = [np.empty(0, dtype=np.int64)]
    for part in _parts(count):
        row, place = _ragged(count[part])
        left, right = source[part][row], target[first[part][row] + place]
        apart = groups[left] != groups[right]
        found.append(np.unique(left[apart] * len(groups) + right[apart]))
    left, right = np.divmod(np.unique(np.concatenate(found)), len(groups))
    return left, right


def _parts(lengths: IntArray) -> Iterator[slice]:
    """Yield slices of consecutive rows whose lengths add up to few enough entries for the memory."""
    ends = np.cumsum(lengths)
    first = 0
    while first < len(lengths):
        before = ends[first - 1] if first else 0
        end = max(first + 1, int(np.searchsorted(ends, before + _ENTRIES_AT_A_TIME, side="right")))
        yield slice(first, end)
        first = end


def _ragged(lengths: IntArray) -> tuple[IntArray, IntArray]:
    """Return the row and the place in its row of every entry of rows with these lengths.

    >>> row, place = _ragged(np.array([2, 0, 1]))
    >>> row.tolist(), place.tolist()
    ([0, 0, 2], [0, 1, 0])
    """
    row = np.repeat(np.arange(len(lengths)), lengths)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def _contains(ascending: IntArray, values: IntArray) -> NDArray[np.bool_]:
    """Return whether each value is in an ascending array."""
    if not len(ascending):
        return np.zeros(len(values), dtype=bool)
    place = np.minimum(np.searchsorted(ascending, values), len(ascending) - 1)
    return ascending[place] == values
