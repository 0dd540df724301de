"""The reference of a simulation: the values of all architectures, against which regret is measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import MissingDataError
from nasbench_lab.messages import unknown
from nasbench_lab.simulation.measurements import Measurements
from nasbench_lab.simulation.objectives import Goals
from nasbench_lab.tables.description import Direction, Metric
from nasbench_lab.tables.table import Table, best

_ROUNDING = 1e-12
"""Relative difference below which means over repeats count as equal, as the order of the sums may differ."""


@dataclasses.dataclass(frozen=True, eq=False)
class Reference:
    """The table's means of every architecture at the highest fidelity, against which regret is measured.

    Attributes:
        observable: the best value that an evaluation of this simulation could have observed.
        metrics: the metric of each split that the table has, by split ("valid", "test"), and the metrics of further
            objectives and limits, by name.
        means: for each metric, the mean over repeats of every architecture, shape (architectures,).
        feasible: whether each architecture keeps the limits, shape (architectures,); None without limits. Optima are
            over feasible architectures only.
        space: plain data from which `nasbench_lab.spaces.make_space` makes the table's space, so that architectures can
            be written in official notation and drawn; empty if unknown (traces of format 2).
    """

    observable: float
    metrics: Mapping[str, Metric]
    means: Mapping[str, FloatArray]
    feasible: NDArray[np.bool_] | None = None
    space: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def mean(self, split: str) -> FloatArray:
        """Return every architecture's mean for a split; raise an error that lists the available splits."""
        if split not in ("valid", "test"):
            raise unknown("split", split, ("valid", "test"))
        if split not in self.means:
            raise MissingDataError(f"the table publishes no {split} measurements; it has {', '.join(self.means)}")
        return self.means[split]

    def means_of(self, architecture: IntArray, split: str) -> FloatArray:
        """Return the means of architectures for a split, in the same shape; NaN for -1."""
        return np.where(architecture >= 0, self.mean(split).take(np.maximum(architecture, 0)), np.nan)

    def regret(self, split: str, value: FloatArray) -> FloatArray:
        """Return how far values are from the best mean of a split, at least 0."""
        return regret_of(value, self.optimum(split), self.metrics[split].direction)

    def optimum(self, split: str) -> float:
        """Return the best mean of a split."""
        means = self.mean(split)
        if self.feasible is not None:
            means = means[self.feasible]
        best = np.fmin if self.metrics[split].direction == "minimize" else np.fmax
        return float(best.reduce(means, initial=np.nan))


def regret_of(value: FloatArray, optimum: float, direction: Direction) -> FloatArray:
    """Return the distance to the optimum. Differences of at most 1e-12 of the optimum are rounding, and count as 0.

    >>> regret_of(np.array([0.5, 0.7, 0.7 - 1e-16]), 0.7, "maximize").round(3).tolist()
    [0.2, 0.0, 0.0]
    """
    gap = value - optimum if direction == "minimize" else optimum - value
    return np.where(np.abs(gap) <= _ROUNDING * abs(optimum), 0.0, gap)


def reference_of(table: Table, measurements: Measurements, goals: Goals | None = None) -> Reference:
    """Return the reference of simulations on a table.

    Args:
        table: the table.
        measurements: what an evaluation of these simulations can observe.
        goals: further objectives and limits; None if there are none.
    """
    splits = {"valid": table.description.valid, "test": table.description.test}
    metrics = {split: table.description.metric(name) for split, name in splits.items() if name is not None}
    means = {split: table.mean_values(metric.name) for split, metric in metrics.items()}
    if goals is None:
        return Reference(measurements.best, metrics, means, space=table.description.space)
    values, _, architecture = measurements.outcomes()
    feasible = goals.violation() == 0
    observable = best(values[feasible[architecture]], table.objective)
    return Reference(
        observable, {**metrics, **goals.metrics}, {**means, **goals.columns}, feasible, table.description.space
    )
