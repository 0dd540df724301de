"""Neighbours inside a subset of a space that is too large to walk through: by the codes that differ."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.spaces.neighbor_lists import mutual_pairs, padded

_PAIRS_AT_A_TIME = 2**22


def nearest_by_codes(space: Space, members: IntArray) -> NDArray[np.int32]:
    """Return the neighbours of every member of a subset, shape (members, max degree), padded with -1 at the end.

    Members that are neighbours in the whole space are at distance 1; the distance of all others is the number of codes
    in which they differ, at least 2. Members at distance 1 are neighbours. For each longer distance, in ascending
    order, members at that distance are neighbours if no chain of nearer neighbours connects them.

    It looks at all pairs of members once per distance, which takes seconds for ten thousand members.

    Args:
        space: the whole space.
        members: indices of the members in ``space``, ascending, shape (members,).

    >>> from nasbench_lab.spaces import ChainSpace
    >>> space = ChainSpace("abc", 20)
    >>> members = space.parse(["a" * 20, "a" * 19 + "b", "a" * 16 + "bbbb"])
    >>> nearest_by_codes(space, members).tolist()
    [[1, -1], [0, 2], [1, -1]]
    """
    source, target = _near_pairs(space, members)
    edges = [(source, target)]
    groups = connected_groups(edges, len(members))
    codes = space.codes(members)
    for distance in range(2, codes.shape[1] + 1):
        if groups.max() == 0:
            break
        found = [
            (row[apart], column[apart])
            for row, column in _pairs_at(codes, distance)
            if (apart := groups[row] != groups[column]).any()
        ]
        if found:
            edges += found
            groups = connected_groups(edges, len(members))
    source, target = (np.concatenate(ends) for ends in zip(*edges, strict=True))
    return padded(*mutual_pairs(source, target, len(members)))


def _near_pairs(space: Space, members: IntArray) -> tuple[IntArray, IntArray]:
    """Return the pairs of members that are neighbours in the whole space."""
    sources, targets = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    step = max(1, _PAIRS_AT_A_TIME // (1 + sum(space.cardinalities)))
    for first in range(0, len(members), step):
        near = space.neighbors(members[first : first + step])
        place = np.minimum(np.searchsorted(members, near), len(members) - 1)
        row, column = np.nonzero((members[place] == near) & (near >= 0))
        sources.append(first + row)
        targets.append(place[row, column])
    return np.concatenate(sources), np.concatenate(targets)


def _pairs_at(codes: NDArray[np.integer], distance: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield the pairs of rows that differ in so many codes; those in two codes also if they differ in one only."""
    step = max(1, _PAIRS_AT_A_TIME // len(codes))
    columns = np.ascontiguousarray(codes.T)
    for first in range(0, len(codes), step):
        differ = np.zeros((len(codes[first : first + step]), len(codes)), dtype=np.int16)
        for column in columns:
            differ += column[first : first + step, None] != column
        row, other = np.nonzero(differ == distance if distance > 2 else (differ > 0) & (differ <= 2))
        yield first + row, other


def connected_groups(edges: list[tuple[IntArray, IntArray]], count: int) -> NDArray[np.int32]:
    """Return the number of the connected group of every member, shape (members,)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    source, target = (np.concatenate(ends) for ends in zip(*edges, strict=True))
    graph = coo_array((np.ones(len(source), dtype=bool), (source, target)), shape=(count, count))
    labels: NDArray[np.int32] = connected_components(graph, directed=False)[1]
    return labels
