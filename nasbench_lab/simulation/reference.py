"""The reference of a simulation: the values of all architectures, against which regret is measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import MissingDataError
from nasbench_lab.messages import unknown
from nasbench_lab.simulation.measurements import AnyMeasurements, Measurements
from nasbench_lab.simulation.objectives import AnyGoals, Goals
from nasbench_lab.tables.any_table import AnyTable
from nasbench_lab.tables.computed import ComputedTable
from nasbench_lab.tables.description import Direction, Kind, Metric
from nasbench_lab.tables.table import Table, best

_ROUNDING = 1e-12
"""Relative difference below which means over repeats count as equal, as the order of the sums may differ."""


@dataclasses.dataclass(frozen=True, eq=False)
class Reference:
    """The table's means at the highest fidelity, against which regret is measured.

    Of a stored table, they are those of every architecture. Of a table that computes its answers, they are those of the
    architectures that occur in the simulation, as far as they are known, and optima are known if the table knows them.

    Attributes:
        observable: the best value that an evaluation of this simulation could have observed; NaN if unknown.
        metrics: the metric of each split that the table has, by split ("valid", "test"), and the metrics of further
            objectives and limits, by name.
        means: for each metric, the mean over repeats of each architecture, shape (architectures,).
        feasible: whether each architecture keeps the limits, shape (architectures,); None without limits. Optima are
            over feasible architectures only.
        space: plain data from which `nasbench_lab.spaces.make_space` makes the table's space, so that architectures can
            be written in official notation and drawn; empty if unknown (traces of format 2).
        members: the architectures of the arrays, ascending; None if they are all.
        optima: the best mean of each split, NaN if unknown, where the arrays do not have all architectures.
        kind: the kind of the table, see `nasbench_lab.tables.Description`.
    """

    observable: float
    metrics: Mapping[str, Metric]
    means: Mapping[str, FloatArray]
    feasible: NDArray[np.bool_] | None = None
    space: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    members: IntArray | None = None
    optima: Mapping[str, float] = dataclasses.field(default_factory=dict)
    kind: Kind = "measured"

    def place(self, architecture: IntArray) -> IntArray:
        """Return where architectures are in the arrays, in the same shape; -1 where they are not, and for -1."""
        if self.members is None:
            return architecture
        if not len(self.members):
            return np.full(np.shape(architecture), -1)
        found = np.minimum(np.searchsorted(self.members, architecture), len(self.members) - 1)
        return np.where(self.members[found] == architecture, found, -1)

    def at(self, name: str, architecture: IntArray) -> FloatArray:
        """Return the means of a metric for architectures, in the same shape; NaN for -1 and where it is unknown."""
        place, means = self.place(architecture), self.means[name]
        if not len(means):
            return np.full(np.shape(architecture), np.nan)
        return np.where(place >= 0, means.take(np.maximum(place, 0)), np.nan)

    def keeps_limits(self, architecture: IntArray) -> NDArray[np.bool_]:
        """Return whether architectures keep the limits, in the same shape; False for -1 and where it is unknown."""
        if self.feasible is None:
            return architecture >= 0
        place = self.place(architecture)
        if not len(self.feasible):
            return np.zeros(np.shape(architecture), dtype=bool)
        return (place >= 0) & self.feasible.take(np.maximum(place, 0))

    def knows_optimum(self, kind: str) -> bool:
        """Return whether a regret ("observed", "valid", "test") can be measured."""
        if kind == "observed":
            return self.members is None or not np.isnan(self.observable)
        return kind in self.means and (self.members is None or not np.isnan(self.optima.get(kind, np.nan)))

    def mean(self, split: str) -> FloatArray:
        """Return every architecture's mean for a split; raise an error that lists the available splits."""
        if split not in ("valid", "test"):
            raise unknown("split", split, ("valid", "test"))
        if split not in self.means:
            raise MissingDataError(f"the table publishes no {split} measurements; it has {', '.join(self.means)}")
        return self.means[split]

    def means_of(self, architecture: IntArray, split: str) -> FloatArray:
        """Return the means of architectures for a split, in the same shape; NaN for -1."""
        self.mean(split)
        return self.at(split, architecture)

    def regret(self, split: str, value: FloatArray) -> FloatArray:
        """Return how far values are from the best mean of a split, at least 0."""
        return regret_of(value, self.optimum(split), self.metrics[split].direction)

    def optimum(self, split: str) -> float:
        """Return the best mean of a split; NaN if unknown."""
        means = self.mean(split)
        if self.members is not None:
            return self.optima.get(split, float("nan"))
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


def reference_of(
    table: AnyTable,
    measurements: AnyMeasurements,
    goals: AnyGoals | None = None,
    occurring: Callable[[], IntArray] | None = None,
) -> Reference:
    """Return the reference of simulations on a table.

    Args:
        table: the table.
        measurements: what an evaluation of these simulations can observe.
        goals: further objectives and limits; None if there are none.
        occurring: function that returns the architectures of the simulations, in any order, -1 for none. It is called
            for tables that compute their answers, and must be given for these.
    """
    splits = {"valid": table.description.valid, "test": table.description.test}
    metrics = {split: table.description.metric(name) for split, name in splits.items() if name is not None}
    if isinstance(table, ComputedTable):
        assert occurring is not None  # noqa: S101 - see above
        return _sparse_reference(table, measurements, goals, metrics, occurring())
    assert isinstance(table, Table)  # noqa: S101 - there are two kinds of tables
    assert isinstance(measurements, Measurements)  # noqa: S101
    means = {split: table.mean_values(metric.name) for split, metric in metrics.items()}
    if goals is None:
        return Reference(measurements.best, metrics, means, space=table.description.space, kind=table.kind)
    assert isinstance(goals, Goals)  # noqa: S101
    values, _, architecture = measurements.outcomes()
    feasible = goals.violation == 0
    observable = best(values[feasible[architecture]], table.objective)
    return Reference(
        observable,
        {**metrics, **goals.metrics},
        {**means, **goals.columns},
        feasible,
        table.description.space,
        kind=table.kind,
    )


def joined_reference(references: Sequence[Reference]) -> Reference:
    """Return the reference of a simulation, given those of its parts.

    They differ only for tables that compute their answers, where each has the architectures that occur in its part.
    """
    first = references[0]
    if first.members is None or all(each is first for each in references):
        return first
    known = [(each, each.members) for each in references if each.members is not None]
    every, place = np.unique(np.concatenate([members for _, members in known]), return_index=True)
    means = {name: np.concatenate([each.means[name] for each, _ in known])[place] for name in first.means}
    for each, members in known:  # the one that knows a mean says it
        where = np.searchsorted(every, members)
        for name, column in means.items():
            column[where] = np.where(np.isnan(column[where]), each.means[name], column[where])
    feasible = None
    if first.feasible is not None:
        feasible = np.concatenate([each.feasible for each, _ in known if each.feasible is not None])[place]
    return dataclasses.replace(first, members=every, means=means, feasible=feasible)


def _sparse_reference(
    table: ComputedTable,
    measurements: AnyMeasurements,
    goals: AnyGoals | None,
    metrics: Mapping[str, Metric],
    occurring: IntArray,
) -> Reference:
    """Return the reference of simulations on a table that computes its answers.

    Where answers are not cheap, the means are those at the fidelity of the search, of what the search has measured.
    """
    members = np.unique(occurring[occurring >= 0]).astype(np.int64)
    epochs = table.fidelities[-1] if table.is_cheap else measurements.fidelity
    found = table.known_means(members, epochs, [metric.name for metric in metrics.values()])
    means = {split: found[metric.name] for split, metric in metrics.items()}
    optima = {split: table.known_optimum(split) for split in metrics}
    limited = goals is not None and bool(goals.limits)
    feasible = None
    if goals is not None:
        means |= {name: goals.values(name, members) for name in goals.metrics}
        feasible = goals.violation_of(members) == 0
    if limited or epochs != table.fidelities[-1]:
        optima = dict.fromkeys(optima, float("nan"))
    return Reference(
        float("nan") if limited else measurements.best,
        {**metrics, **(goals.metrics if goals is not None else {})},
        means,
        feasible,
        table.description.space,
        members,
        optima,
        table.kind,
    )
