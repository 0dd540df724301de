"""Local optima: architectures without a better neighbour."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.analysis.intervals import Interval
from nasbench_lab.analysis.landscapes.fitness_levels import Fitness
from nasbench_lab.analysis.landscapes.landscape_graph import LandscapeGraph
from nasbench_lab.analysis.landscapes.sampling import UNKNOWN, exact, share
from nasbench_lab.arrays import FloatArray, IntArray


@dataclasses.dataclass(frozen=True, eq=False)
class LocalOptima:
    """Local optima of a landscape. Architectures without a measured neighbour are none.

    Attributes:
        strict: number of strict local optima, which are better than every neighbour.
        weak: number of weak local optima, which no neighbour is better than; strict ones are among them.
        plateaus: number of local optimum plateaus: connected architectures with the same value, of which none has a
            better neighbour. A strict local optimum is a plateau of one. NaN if only a sample was looked at.
        strict_indices: the strict local optima, best first; of a sample, those in the sample.
        weak_indices: the weak local optima, best first; of a sample, those in the sample.
        weak_values: their values, in the unit of the metric.
    """

    strict: Interval
    weak: Interval
    plateaus: Interval
    strict_indices: IntArray
    weak_indices: IntArray
    weak_values: FloatArray


def local_optima(fitness: Fitness, graph: LandscapeGraph, sample: IntArray | None = None) -> LocalOptima:
    """Return the local optima of a landscape, or estimates of their numbers from a sample of architectures."""
    if sample is not None:
        better, equal, degree = compared(fitness, graph, sample)
        weak, strict = (better == 0) & (degree > 0), (better + equal == 0) & (degree > 0)
        total = float(len(graph.members))
        weak_indices = best_first(fitness, np.unique(sample[weak]))
        return LocalOptima(
            strict=share(int(strict.sum()), len(sample), times=total),
            weak=share(int(weak.sum()), len(sample), times=total),
            plateaus=UNKNOWN,
            strict_indices=best_first(fitness, np.unique(sample[strict])),
            weak_indices=weak_indices,
            weak_values=fitness.values[weak_indices],
        )
    above, same = relations(fitness, graph)
    better = np.bincount(graph.sources[above], minlength=graph.size)
    equal = np.bincount(graph.sources[same], minlength=graph.size)
    is_weak = (better == 0) & (graph.degrees > 0)
    is_strict = is_weak & (equal == 0)
    labels = equal_groups(graph, same)
    leaves = np.zeros(int(labels.max()) + 1, dtype=bool)
    leaves[labels[better > 0]] = True
    plateaus = np.unique(labels[is_weak & ~leaves[labels]])
    weak_indices = best_first(fitness, np.flatnonzero(is_weak))
    return LocalOptima(
        strict=exact(int(is_strict.sum())),
        weak=exact(int(is_weak.sum())),
        plateaus=exact(len(plateaus)),
        strict_indices=best_first(fitness, np.flatnonzero(is_strict)),
        weak_indices=weak_indices,
        weak_values=fitness.values[weak_indices],
    )


def relations(fitness: Fitness, graph: LandscapeGraph) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return for every pair of neighbours whether the second is better, and whether both are equal."""
    one, other = fitness.levels[graph.sources], fitness.levels[graph.targets]
    return other > one, other == one


def compared(fitness: Fitness, graph: LandscapeGraph, sample: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return how many neighbours of each architecture of a sample are better, how many are equal, and how many are."""
    counts = np.zeros((3, len(sample)), dtype=np.int64)
    for part in graph.in_pieces(sample):
        here = sample[part]
        row, near = graph.pairs(here)
        one, other = fitness.levels[here[row]], fitness.levels[near]
        for place, chosen in enumerate((other > one, other == one, slice(None))):
            counts[place, part] = np.bincount(row[chosen], minlength=len(here))
    return counts[0], counts[1], counts[2]


def equal_groups(graph: LandscapeGraph, same: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return the number of the group of every architecture; neighbours with the same value are in one group."""
    from scipy.sparse.csgraph import connected_components

    chosen = graph.matrix(np.ones(int(same.sum()), dtype=bool), same)
    labels: NDArray[np.int32] = connected_components(chosen, directed=False)[1]
    return labels


def best_first(fitness: Fitness, index: IntArray) -> IntArray:
    """Return architectures in the order of their values, the best first; equal ones by their index."""
    return index[np.lexsort((index, -fitness.levels[index]))]
