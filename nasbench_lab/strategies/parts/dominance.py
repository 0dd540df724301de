"""Pareto dominance: which architectures are better when there is more than one objective.

One architecture dominates another if it is at least as good in all objectives and better in one. Objectives are "higher
is better" and have the shape (runs, n, objectives). An architecture without a value (NaN) in some objective is worse
than all that have values: see `comparable`.
"""

from __future__ import annotations

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.strategies.problem import Evaluations


def comparable(evaluations: Evaluations) -> FloatArray:
    """Return the objectives of evaluations, shape (runs, k, objectives); if there are none, the value alone.

    Where one of them is NaN, all are -inf: otherwise a failed training of a small network would be the best small
    network.
    """
    objectives = evaluations.value[..., None] if evaluations.objectives is None else evaluations.objectives
    return np.where(np.isnan(objectives).any(axis=-1, keepdims=True), -np.inf, objectives)


def fronts(objectives: FloatArray) -> IntArray:
    """Return the number of the non-dominated front of every point, shape (runs, n, objectives) to (runs, n).

    Nothing dominates the points of front 0; only points of front 0 dominate those of front 1, and so on (Deb et al.
    2002, section III-A). As dominance is transitive, the number is the length of the longest chain of points of which
    each dominates the next and the last dominates the point. In lexicographic order a point comes after all that
    dominate it, so one pass finds all chains, with O(objectives n^2) operations per run.

    >>> fronts(np.array([[[3.0, 1.0], [1.0, 3.0], [1.0, 1.0], [3.0, 1.0], [0.0, 0.0]]])).tolist()
    [[0, 0, 1, 0, 2]]
    """
    order = np.lexsort(-np.moveaxis(objectives, -1, 0)[::-1], axis=-1)
    # The runs are the last axis, so that operations on all runs use contiguous memory.
    ordered = np.stack([np.take_along_axis(objectives[..., j], order, axis=1).T for j in range(objectives.shape[-1])])
    depth = np.ones(ordered.shape[1:], dtype=np.int32)  # length of the longest chain that ends at a point
    for point in range(1, len(depth)):
        before, this = ordered[:, :point], ordered[:, point, None]
        # Earlier points are no worse in the first objective; if no worse in the others, they are equal or dominate.
        dominating = (before != this).any(axis=0)
        for objective in range(1, len(ordered)):
            dominating &= before[objective] >= this[objective]
        depth[point] += (dominating * depth[:point]).max(axis=0)
    found = np.empty_like(order)
    np.put_along_axis(found, order, depth.T - 1, axis=1)
    return found


def crowding_distance(objectives: FloatArray, front: IntArray) -> FloatArray:
    """Return the distance between the neighbours of every point on its front (Deb et al. 2002, section III-B).

    For every objective, the points of a front are sorted. The first and the last get an infinite distance; every other
    point gets the difference between its two neighbours, divided by the difference between the first and the last (as
    in the authors' code; the paper does not say over which points the range is taken). The distance is the sum over
    objectives. Where all points of a front are equal in an objective, it adds only the infinite distances.

    Args:
        objectives: shape (runs, n, objectives).
        front: number of the front of every point, shape (runs, n).

    Returns:
        Shape (runs, n).

    >>> crowding_distance(np.array([[[0.0, 4.0], [1.0, 3.0], [4.0, 0.0]]]), np.array([[0, 0, 0]])).tolist()
    [[inf, 2.0, inf]]
    """
    runs, n, _ = objectives.shape
    total = np.zeros((runs, n))
    for value in np.moveaxis(objectives, -1, 0):
        order = np.lexsort((value, front), axis=-1)
        ordered, number = np.take_along_axis(value, order, axis=1), np.take_along_axis(front, order, axis=1)
        apart = np.ones((runs, n + 1), dtype=bool)  # whether a front ends just before this place
        apart[:, 1:-1] = number[:, 1:] != number[:, :-1]
        first, last = apart[:, :-1], apart[:, 1:]
        place = np.arange(n)
        begin = np.maximum.accumulate(np.where(first, place, 0), axis=1)
        end = np.minimum.accumulate(np.where(last, place, n - 1)[:, ::-1], axis=1)[:, ::-1]
        finite = np.where(np.isinf(ordered), 0.0, ordered)  # failed trainings are a front of their own
        extent = np.take_along_axis(finite, end, axis=1) - np.take_along_axis(finite, begin, axis=1)
        gap = np.zeros((runs, n))
        gap[:, 1:-1] = finite[:, 2:] - finite[:, :-2]
        distance = np.empty((runs, n))
        ends = np.where(first | last, np.inf, gap / np.where(extent > 0, extent, 1.0))
        np.put_along_axis(distance, order, ends, axis=1)
        total += distance
    return total
