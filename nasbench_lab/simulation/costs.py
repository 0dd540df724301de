"""Costs of evaluations besides epochs and seconds, for budgets that limit them."""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import MissingDataError
from nasbench_lab.simulation.budget import Budget
from nasbench_lab.simulation.evaluator import Outcome
from nasbench_lab.simulation.measurements import MEAN, AnyMeasurements, Measurements, check_positive
from nasbench_lab.tables.any_table import ENERGY, AnyTable
from nasbench_lab.tables.computed import ComputedTable
from nasbench_lab.tables.table import Table


@final
@dataclass(frozen=True)
class Cost:
    """A kind of cost that tables may have.

    Attributes:
        name: name of the limit in `Budget`.
        noun: plural noun for messages.
        metric: the metric of a training from its start to a fidelity, in tables that compute it.
        known: function that returns whether a table has this cost.
        limit: function that returns the limit of a budget, in the unit of a table that has this cost.
        training: function that returns, for a stored table, the cost of a training from its start to a fidelity, for
            all architectures, shape (architectures, repeats), or (architectures, 1) if all repeats cost the same.
    """

    name: str
    noun: str
    metric: str
    known: Callable[[AnyTable], bool]
    limit: Callable[[Budget, AnyTable], float | None]
    training: Callable[[Table, int], FloatArray]


COSTS = (
    Cost(
        "energy",
        "energies",
        ENERGY,
        known=lambda table: table.energy_unit is not None,
        limit=lambda budget, table: budget.energy_in(str(table.energy_unit)),
        training=Table.energy_cost,
    ),
)
"""All kinds of costs. Each has a field with its name in `Budget`."""


class AnySpending(abc.ABC):
    """One kind of cost of the evaluations of a table, and the limit of it per run.

    Args:
        limit: the limit of the budget, in the table's unit.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit

    @abc.abstractmethod
    def training(self, epochs: int, architecture: IntArray, repeat: NDArray[np.int16]) -> FloatArray:
        """Return the cost of trainings from their start, in the same shape as the architectures.

        Where the mean over repeats was observed, it is the mean cost over the repeats that have one.
        """

    def of(self, outcome: Outcome, fidelity: int) -> FloatArray:
        """Return the cost of evaluations, shape (runs, k). A resumed training costs the difference.

        Args:
            outcome: outcome of the evaluations.
            fidelity: epochs of all evaluations, used if the outcome has no fidelities.
        """
        architecture = np.maximum(outcome.architecture, 0)
        if outcome.fidelity is None or outcome.epochs is None:
            return self.training(fidelity, architecture, outcome.repeat)
        spent = np.zeros(architecture.shape)
        started = outcome.fidelity - outcome.epochs
        for epochs in np.unique(outcome.fidelity).tolist():
            here = outcome.fidelity == epochs
            spent[here] += self.training(epochs, architecture[here], outcome.repeat[here])
        for epochs in np.unique(started[started > 0]).tolist():
            here = started == epochs
            spent[here] -= self.training(epochs, architecture[here], outcome.repeat[here])
        return spent


@final
class Spending(AnySpending):
    """One kind of cost of the evaluations of a stored table.

    Args:
        cost: the kind of cost.
        table: the table.
        limit: the limit of the budget, in the table's unit.
    """

    def __init__(self, cost: Cost, table: Table, limit: float) -> None:
        super().__init__(limit)
        self._cost, self._table = cost, table
        self._arrays: dict[int, FloatArray] = {}

    def every_training(self, epochs: int) -> FloatArray:
        """Return the cost of every training from its start to a fidelity, shape (architectures, repeats or 1)."""
        if epochs not in self._arrays:
            self._arrays[epochs] = self._cost.training(self._table, epochs)
        return self._arrays[epochs]

    def training(self, epochs: int, architecture: IntArray, repeat: NDArray[np.int16]) -> FloatArray:
        """Return the cost of trainings from their start, in the same shape as the architectures.

        Where the mean over repeats was observed, it is the mean cost over the repeats that have one.
        """
        costs = self.every_training(epochs)
        if costs.shape[1] == 1:
            return costs[architecture, 0]
        single = costs[architecture, np.maximum(repeat, 0)]
        mean = repeat == MEAN
        if mean.any():
            rows = costs[architecture[mean]]
            with np.errstate(invalid="ignore"):
                single[mean] = np.nansum(rows, axis=-1) / (~np.isnan(rows)).sum(axis=-1)
        return single


@final
class ComputedSpending(AnySpending):
    """One kind of cost of the evaluations of a table that computes its answers."""

    def __init__(self, cost: Cost, table: ComputedTable, limit: float, advice: str) -> None:
        super().__init__(limit)
        self._cost, self._table, self._advice = cost, table, advice

    def training(self, epochs: int, architecture: IntArray, repeat: NDArray[np.int16]) -> FloatArray:
        """Return the cost of trainings from their start; raise MissingDataError where it is not positive."""
        costs = self._table.known(architecture, epochs, repeat, self._cost.metric)
        done = ~np.isnan(costs)  # a run that has ended does not train
        check_positive(self._table.name, self._cost.noun, costs[done], self._advice)
        return np.where(done, costs, 0.0)


def spendings(budget: Budget, table: AnyTable, measurements: AnyMeasurements) -> tuple[AnySpending, ...]:
    """Return the costs that a budget limits.

    Raises:
        MissingDataError: the table has no cost of a kind that the budget limits, or it is missing or not positive for
            some evaluations.
    """
    found: list[AnySpending] = []
    for cost in COSTS:
        if getattr(budget, cost.name) is None:
            continue
        advice = (
            f"so a budget in {cost.name} is impossible; give the budget in evaluations, epochs, seconds or trainings"
        )
        limit = cost.limit(budget, table) if cost.known(table) else None
        if limit is None:
            raise MissingDataError(f"table {table.name!r} has no {cost.noun}, {advice}")
        if isinstance(table, ComputedTable):
            found.append(ComputedSpending(cost, table, limit, advice))
            continue
        assert isinstance(table, Table)  # noqa: S101 - there are two kinds of tables
        assert isinstance(measurements, Measurements)  # noqa: S101
        spending = Spending(cost, table, limit)
        costs = spending.training(measurements.fidelity, *measurements.choices())
        check_positive(table.name, cost.noun, costs, advice)
        found.append(spending)
    return tuple(found)


def allowed_trainings(spending: Sequence[AnySpending], fidelity: int) -> tuple[float, float]:
    """Return how many of the cheapest and of the average trainings all limits allow; infinite without limits.

    It is infinite, too, for a table that computes its answers, whose costs are not known in advance.

    Args:
        spending: the limited costs.
        fidelity: epochs of the trainings.
    """
    cheapest = average = float("inf")
    for each in spending:
        if not isinstance(each, Spending):
            continue
        costs = each.every_training(fidelity)
        cheapest = min(cheapest, each.limit / float(np.nanmin(costs)))
        average = min(average, each.limit / float(np.nanmean(costs)))
    return cheapest, average
