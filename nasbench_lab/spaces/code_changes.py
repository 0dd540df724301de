"""Codes that differ from others in one place."""

from __future__ import annotations

import numpy as np

from nasbench_lab.arrays import IntArray


def changed_codes(codes: IntArray, cardinalities: tuple[int, ...]) -> IntArray:
    """Return all codes that differ in one place, by place, then by value: shape (n, places) to (n, changes, places).

    >>> changed_codes(np.array([[0, 2]]), (2, 3)).tolist()
    [[[1, 2], [0, 0], [0, 1]]]
    """
    place, step = places_and_steps(cardinalities)
    changed = np.repeat(codes[:, None], len(place), axis=1)
    changed[:, np.arange(len(place)), place] = step + (step >= codes[:, place])
    return changed


def places_and_steps(cardinalities: tuple[int, ...]) -> tuple[IntArray, IntArray]:
    """Return the place of every change of one code, and its number among the changes of that place.

    >>> [column.tolist() for column in places_and_steps((2, 3))]
    [[0, 1, 1], [0, 0, 1]]
    """
    others = np.array(cardinalities, dtype=np.int64) - 1
    place = np.repeat(np.arange(len(others)), others)
    return place, np.arange(len(place)) - np.repeat(np.cumsum(others) - others, others)
