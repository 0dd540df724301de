"""Fitness-distance correlation: whether values get better near the optimum (Jones and Forrest, ICGA 1995)."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from nasbench_lab.analysis.intervals import Interval
from nasbench_lab.analysis.landscapes.fitness_levels import Fitness
from nasbench_lab.analysis.landscapes.landscape_graph import LandscapeGraph
from nasbench_lab.analysis.landscapes.sampling import CORRELATIONS, UNKNOWN, correlate, correlation_interval, exact
from nasbench_lab.arrays import FloatArray, IntArray

_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclasses.dataclass(frozen=True, eq=False)
class FitnessDistance:
    """The correlation of quality with the distance to the optimum.

    The distance is the least number of moves between neighbours. Values that are minimised are negated first, so that a
    negative correlation always means: closer to the optimum is better.

    Attributes:
        optima: the architectures to the nearest of which distances are measured.
        pearson, spearman, kendall: the correlation, over all architectures with a value from which moves lead to the
            optimum, the optimum included.
        count: number of these architectures at each distance, from 0, shape (largest distance + 1,).
        quantiles: of the values at each distance, in the unit of the metric: worst, quartile on the side of worse ones,
            median, quartile on the side of better ones, best; shape (largest distance + 1, 5).
        unreachable: number of architectures from which no moves lead to the optimum.
    """

    optima: tuple[int, ...]
    pearson: Interval
    spearman: Interval
    kendall: Interval
    count: IntArray
    quantiles: FloatArray
    unreachable: int


def fitness_distance(
    fitness: Fitness, graph: LandscapeGraph, optima: IntArray, sample: IntArray | None = None
) -> FitnessDistance:
    """Return the fitness-distance correlation to the nearest of some architectures, of all others or of a sample."""
    distance = graph.distances(optima)
    chosen = graph.members if sample is None else sample
    reached = chosen[distance[chosen] >= 0]
    far, quality = distance[reached], fitness.quality[reached]
    found = {}
    for kind in CORRELATIONS:
        value = correlate(quality, far.astype(np.float64), kind)
        found[kind] = exact(value) if sample is None else correlation_interval(value, len(far), kind)
    sign = -1.0 if fitness.metric.direction == "minimize" else 1.0
    by_distance = [quality[far == each] for each in range(int(far.max(initial=-1)) + 1)]
    quantiles = [np.quantile(each, _SHARES) if len(each) else np.full(len(_SHARES), math.nan) for each in by_distance]
    return FitnessDistance(
        optima=tuple(map(int, optima)),
        pearson=found.get("pearson", UNKNOWN),
        spearman=found.get("spearman", UNKNOWN),
        kendall=found.get("kendall", UNKNOWN),
        count=np.array([len(each) for each in by_distance], dtype=np.int64),
        quantiles=sign * np.reshape(quantiles, (-1, len(_SHARES))),
        unreachable=len(chosen) - len(reached),
    )
