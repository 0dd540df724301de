"""Neutrality: neighbours with the same value, and the networks that they form."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from nasbench_lab.analysis.intervals import Interval
from nasbench_lab.analysis.landscapes.fitness_levels import Fitness
from nasbench_lab.analysis.landscapes.landscape_graph import LandscapeGraph
from nasbench_lab.analysis.landscapes.optima import compared, equal_groups, relations
from nasbench_lab.analysis.landscapes.sampling import UNKNOWN, exact, mean, share
from nasbench_lab.arrays import IntArray


@dataclasses.dataclass(frozen=True, eq=False)
class Neutrality:
    """Neighbours with the same value.

    A neutral network is a group of at least two architectures with the same value, connected by moves between
    neighbours with this value (as in Tao and Bang, EXPLAINS 2024).

    Attributes:
        architectures: number of architectures (of distinct trainings, where those that share one count once).
        ratio: neutrality ratio: share of neighbours with the same value, averaged over architectures.
        neutral: share of the architectures with a neighbour of the same value: those in neutral networks.
        networks: number of neutral networks; NaN if only a sample was looked at.
        largest: number of architectures in the largest; NaN if only a sample was looked at.
        sizes: numbers of architectures of the networks, the largest first; empty for a sample.
    """

    architectures: int
    ratio: Interval
    neutral: Interval
    networks: Interval
    largest: Interval
    sizes: IntArray


def neutrality(fitness: Fitness, graph: LandscapeGraph, sample: IntArray | None = None) -> Neutrality:
    """Return the neutrality of a landscape, or estimates from a sample of architectures."""
    if sample is not None:
        _, equal, degree = compared(fitness, graph, sample)
        has = degree > 0
        return Neutrality(
            architectures=len(graph.members),
            ratio=mean(equal[has] / degree[has]),
            neutral=share(int((equal > 0).sum()), len(sample)),
            networks=UNKNOWN,
            largest=UNKNOWN,
            sizes=np.empty(0, dtype=np.int64),
        )
    _, same = relations(fitness, graph)
    equal, degree = np.bincount(graph.sources[same], minlength=graph.size), graph.degrees
    has = degree > 0
    ratio = float((equal[has] / degree[has]).mean()) if has.any() else math.nan
    sizes = np.bincount(equal_groups(graph, same)[graph.members])
    return _of_sizes(len(graph.members), ratio, np.sort(sizes[sizes > 1])[::-1])


def _of_sizes(architectures: int, ratio: float, sizes: IntArray) -> Neutrality:
    return Neutrality(
        architectures=architectures,
        ratio=exact(ratio),
        neutral=exact(sizes.sum() / max(1, architectures)),
        networks=exact(len(sizes)),
        largest=exact(sizes[0] if len(sizes) else 0),
        sizes=sizes,
    )


def neutrality_of_trainings(fitness: Fitness, graph: LandscapeGraph, shared: IntArray) -> Neutrality:
    """Return the neutrality of a landscape in which architectures that share a training are one.

    Two trainings are neighbours where two of their architectures are.

    Args:
        fitness: the values.
        graph: the neighbours.
        shared: a number for each architecture that is the same for those that share a training, shape (size,).
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    number = np.full(graph.size, -1, dtype=np.int64)
    distinct, number[graph.members] = np.unique(shared[graph.members], return_inverse=True)
    count = len(distinct)
    pairs = number[graph.sources] * count + number[graph.targets]
    one, other = np.divmod(np.unique(pairs), count)
    one, other = one[one != other], other[one != other]
    level = np.empty(count, dtype=np.int64)
    level[number[graph.members]] = fitness.levels[graph.members]
    same = level[one] == level[other]
    degree, equal = np.bincount(one, minlength=count), np.bincount(one[same], minlength=count)
    joined = coo_array((np.ones(int(same.sum()), dtype=bool), (one[same], other[same])), shape=(count, count))
    sizes = np.bincount(connected_components(joined, directed=False)[1])
    has = degree > 0
    ratio = float((equal[has] / degree[has]).mean()) if has.any() else math.nan
    return _of_sizes(count, ratio, np.sort(sizes[sizes > 1])[::-1])
