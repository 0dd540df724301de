"""Autocorrelation along random walks: how rugged a landscape is (Weinberger, Biological Cybernetics 1990)."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from nasbench_lab.analysis.intervals import Interval, Intervals
from nasbench_lab.analysis.landscapes.fitness_levels import Fitness
from nasbench_lab.analysis.landscapes.landscape_graph import LandscapeGraph
from nasbench_lab.analysis.landscapes.sampling import mean
from nasbench_lab.arrays import FloatArray


@dataclasses.dataclass(frozen=True, eq=False)
class WalkCorrelation:
    """The autocorrelation of values along random walks, which move to a uniformly chosen neighbour.

    Attributes:
        exact: of an endless walk, by lag from 0, shape (lags + 1,): the correlation of the values of two architectures
            that are so many random moves apart, computed from all architectures. NaN if only a sample was looked at.
        walked: mean over simulated walks of the estimate from each (see `walk_estimates`), with intervals of the mean;
            shape (lags + 1,). Estimates from short walks are too low: each subtracts its own mean.
        walks, steps: number of simulated walks, and of values of each.
    """

    exact: FloatArray
    walked: Intervals
    walks: int
    steps: int

    @property
    def lag_one(self) -> Interval:
        """The mean estimate of the simulated walks at lag 1."""
        return self.walked.at(1)

    @property
    def length(self) -> float:
        """The correlation length, -1 / ln |r(1)| moves (Stadler 1996), of the exact r(1) where it is known."""
        known = float(self.exact[1])
        return correlation_length(self.lag_one.estimate if math.isnan(known) else known)


def correlation_length(lag_one: float) -> float:
    """Return the number of moves after which the autocorrelation has fallen to 1/e, if it falls exponentially.

    >>> round(correlation_length(0.5), 4), correlation_length(0.0), correlation_length(1.0)
    (1.4427, 0.0, inf)
    """
    if math.isnan(lag_one):
        return math.nan
    if lag_one == 0:
        return 0.0
    return math.inf if abs(lag_one) >= 1 else -1.0 / math.log(abs(lag_one))


def walk_correlation(
    fitness: Fitness,
    graph: LandscapeGraph,
    *,
    walks: int,
    steps: int,
    lags: int,
    random: np.random.Generator,
    everything: bool,
) -> WalkCorrelation:
    """Return the autocorrelation along random walks, from simulated walks and, if asked for, exactly."""
    at = graph.members[(random.random(walks) * len(graph.members)).astype(np.int64)]
    values = np.empty((walks, steps))
    for step in range(steps):
        values[:, step] = fitness.quality[at]
        at = graph.step(at, random.random(walks))
    estimates = walk_estimates(values, lags)
    each = [mean(estimates[:, lag]) for lag in range(lags + 1)]
    walked = Intervals(*(np.array([getattr(one, end) for one in each]) for end in ("estimate", "low", "high")))
    exact = exact_autocorrelation(fitness, graph, lags) if everything else np.full(lags + 1, math.nan)
    return WalkCorrelation(exact, walked, walks, steps)


def walk_estimates(values: FloatArray, lags: int) -> FloatArray:
    """Return the autocorrelation of each walk at lags 0, 1, ..., shape (walks, lags + 1); NaN for a constant walk.

    With the mean m of a walk f, it is sum((f[t] - m) (f[t + k] - m)) / sum((f[t] - m)^2): Weinberger's estimate.

    >>> walk_estimates(np.array([[1.0, 2.0, 3.0, 4.0]]), 2).round(3).tolist()
    [[1.0, 0.25, -0.3]]
    """
    centred = values - values.mean(axis=1, keepdims=True)
    total = (centred**2).sum(axis=1)
    spread = total > 1e-20 * np.maximum((values**2).sum(axis=1), 1e-300)
    found = np.full((len(values), lags + 1), math.nan)
    for lag in range(min(lags, values.shape[1] - 1) + 1):
        products = (centred[:, : values.shape[1] - lag] * centred[:, lag:]).sum(axis=1)
        found[spread, lag] = products[spread] / total[spread]
    return found


def exact_autocorrelation(fitness: Fitness, graph: LandscapeGraph, lags: int) -> FloatArray:
    """Return the autocorrelation of an endless random walk at lags 0, 1, ..., shape (lags + 1,).

    A random walk visits an architecture in proportion to its number of neighbours. With the transition matrix P and
    this distribution, it is the covariance of f and P^k f, divided by the variance of f.
    """
    degrees = graph.degrees
    weight = degrees / max(1, degrees.sum())
    quality = np.where(graph.known, fitness.quality, 0.0)
    centred = np.where(degrees > 0, quality - weight @ quality, 0.0)
    variance = float(weight @ centred**2)
    found = np.full(lags + 1, math.nan)
    if variance <= 1e-20 * max(float(weight @ quality**2), 1e-300):
        return found
    matrix = graph.matrix(np.ones(len(graph.targets)))
    after = centred
    for lag in range(lags + 1):
        found[lag] = float(weight @ (centred * after)) / variance
        after = matrix @ after / np.maximum(degrees, 1)
    return found
