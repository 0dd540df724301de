"""Goals of a search besides the observed value: further objectives, and limits on metrics."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import MissingDataError, ParameterError
from nasbench_lab.simulation.computed_measurements import possible_values, sample_of, values_without_training
from nasbench_lab.tables.any_table import AnyTable
from nasbench_lab.tables.computed import ComputedTable
from nasbench_lab.tables.description import Metric
from nasbench_lab.tables.table import Table


@dataclass(frozen=True, eq=False)
class AnyGoals(abc.ABC):
    """Further objectives and limits of a search.

    Attributes:
        objectives: metrics that the strategy receives besides the observed value, in order.
        limits: the largest allowed value of a metric (the smallest if higher is better), by name.
        metrics: the metrics of all objectives and limits, by name.
    """

    objectives: tuple[str, ...]
    limits: Mapping[str, float]
    metrics: Mapping[str, Metric]

    @abc.abstractmethod
    def values(self, name: str, architecture: IntArray) -> FloatArray:
        """Return a metric of architectures, the mean over repeats at the fidelity of the search, in the same shape."""

    @abc.abstractmethod
    def range(self, name: str) -> FloatArray:
        """Return values between whose lowest and highest are all values of a metric, shape (n,)."""

    def told(self, value: FloatArray, architecture: IntArray, violation: FloatArray | None = None) -> FloatArray:
        """Return all objectives of evaluations, higher is better, shape (runs, k, objectives).

        With limits, an architecture that breaks one is worse in every objective than every architecture that keeps
        them, and is therefore dominated by them (constrained domination: Deb et al., IEEE Transactions on Evolutionary
        Computation 2002, section VI).

        Args:
            value: the first objective, with limits already applied, shape (runs, k).
            architecture: indices, shape (runs, k).
            violation: by how much each architecture breaks the limits, see `violation_of`, shape (runs, k); None
                without limits.
        """
        where = np.maximum(architecture, 0)
        others = [self._signed(name, self.values(name, where)) for name in self.objectives]
        if violation is not None:
            ranges = [self._signed(name, self.range(name)) for name in self.objectives]
            others = [penalised(other, violation, column) for other, column in zip(others, ranges, strict=True)]
        return np.stack([value, *others], axis=-1)

    def violation_of(self, architecture: IntArray) -> FloatArray:
        """Return by how much architectures break the limits, 0 where they keep them, in the same shape.

        This is the sum over limits of the excess as a fraction of the limit; infinite if a metric is unknown.
        """
        total = np.zeros(architecture.shape)
        for name, limit in self.limits.items():
            signed = limit if self.metrics[name].direction == "maximize" else -limit
            excess = signed - self._signed(name, self.values(name, architecture))
            total += np.where(np.isnan(excess), np.inf, np.maximum(excess, 0) / (abs(limit) or 1.0))
        return total

    def _signed(self, name: str, values: FloatArray) -> FloatArray:
        return -values if self.metrics[name].direction == "minimize" else values


@final
@dataclass(frozen=True, eq=False)
class Goals(AnyGoals):
    """The goals of a search of a stored table.

    Attributes:
        columns: the mean of each metric for every architecture at the fidelity of the search, in the metric's unit,
            shape (architectures,).
    """

    columns: Mapping[str, FloatArray]

    def values(self, name: str, architecture: IntArray) -> FloatArray:
        """Return a metric of architectures."""
        return self.columns[name].take(architecture)

    def range(self, name: str) -> FloatArray:
        """Return all values of a metric."""
        return self.columns[name]

    @cached_property
    def violation(self) -> FloatArray:
        """By how much every architecture breaks the limits, see `violation_of`, shape (architectures,)."""
        return super().violation_of(np.arange(len(next(iter(self.columns.values())))))

    def violation_of(self, architecture: IntArray) -> FloatArray:
        """Return by how much architectures break the limits."""
        return self.violation.take(architecture)


@final
@dataclass(frozen=True, eq=False)
class ComputedGoals(AnyGoals):
    """The goals of a search of a table that computes its answers.

    Attributes:
        table: the table.
        fidelity: the fidelity of the search.
    """

    table: ComputedTable
    fidelity: int

    def values(self, name: str, architecture: IntArray) -> FloatArray:
        """Return a metric of architectures."""
        return values_without_training(self.table, name, architecture, self.fidelity)

    def range(self, name: str) -> FloatArray:
        """Return the lowest and the highest value of a metric."""
        return self._ranges[name]

    @cached_property
    def _ranges(self) -> dict[str, FloatArray]:
        return {name: np.array(possible_values(self.table, name, self.fidelity)) for name in self.objectives}


def make_goals(
    table: AnyTable, objectives: Sequence[str], limits: Mapping[str, float], fidelity: int
) -> AnyGoals | None:
    """Return the goals of a search; None if it has no further objectives and no limits.

    What needs no table was checked by `Conditions`.

    Raises:
        UnknownNameError: the table has no such metric.
        ParameterError: a metric has no direction, or is a test measurement.
        MissingDataError: no architecture satisfies the limits, or a metric is known only after a training.
    """
    metrics: dict[str, Metric] = {}
    for name in (*objectives, *limits):
        metric = table.description.metric(name)
        if metric.split == "test":
            raise ParameterError(f"{name!r} is a test measurement, which no search may see")
        if metric.direction == "none":
            raise ParameterError(f"{name!r} cannot be an objective or a limit: neither more nor less of it is better")
        if name == table.objective.name and name in objectives:
            raise ParameterError(f"{name!r} is the first objective of every search; name the others only")
        metrics[name] = metric
    if not metrics:
        return None
    floats = {name: float(limit) for name, limit in limits.items()}
    if isinstance(table, ComputedTable):
        for name in metrics:
            values_without_training(table, name, sample_of(table, 1), fidelity)  # raises an error where that fails
        return ComputedGoals(tuple(objectives), floats, metrics, table, fidelity)
    assert isinstance(table, Table)  # noqa: S101 - there are two kinds of tables
    columns = {name: table.mean_values(name, fidelity) for name in metrics}
    found = Goals(tuple(objectives), floats, metrics, columns)
    if limits and not (found.violation == 0).any():
        raise MissingDataError(f"no architecture of {table.name!r} keeps the limits {_text(limits)}")
    return found


def penalised(value: FloatArray, violation: FloatArray, observable: FloatArray) -> FloatArray:
    """Return values penalised so that every architecture that breaks a limit is worse than all that keep the limits.

    Among architectures that break a limit, a smaller violation is better, regardless of the value (the feasibility
    rules of Deb, Computer Methods in Applied Mechanics and Engineering 2000). Penalised values stay within twice the
    range of the observable values, so that they do not distort models of the values.

    Args:
        value: observed values, higher is better; NaN for failed trainings, which stay NaN.
        violation: by how much each value's architecture breaks the limits, 0 for not at all, of the same shape.
        observable: every value that can be observed, higher is better.

    >>> penalised(np.array([3.0, 3.0, 3.0]), np.array([0.0, 1.0, np.inf]), np.array([1.0, 5.0])).tolist()
    [3.0, -1.0, -3.0]
    """
    low, high = float(np.nanmin(observable)), float(np.nanmax(observable))
    span = (high - low) or 1.0
    share = np.where(np.isinf(violation), 1.0, violation / (1.0 + np.where(np.isinf(violation), 0.0, violation)))
    return np.where(np.isnan(value) | (violation == 0), value, low - span * share)


def _text(limits: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {limit:g}" for name, limit in limits.items())
