"""The conditions of a search: every setting except the table, the strategy and the runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, final

import numpy as np

from nasbench_lab.checks import AtLeast, AtMost, whole
from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation.budget import Budget
from nasbench_lab.simulation.computed_measurements import measurements_of
from nasbench_lab.simulation.costs import AnySpending, spendings
from nasbench_lab.simulation.measurements import AnyMeasurements, RepeatPolicy
from nasbench_lab.simulation.objectives import AnyGoals, make_goals
from nasbench_lab.streams import check_seed
from nasbench_lab.tables.any_table import AnyTable

MOST_WORKERS = 1024
"""Largest number of simulated workers per run."""


class Prepared(NamedTuple):
    """The result of checking conditions against a table, with everything that a search needs.

    Attributes:
        conditions: the conditions with fidelity and repeat resolved for the table, and trainings as epochs.
        measurements: what an evaluation observes and costs.
        spendings: the costs that the budget limits, besides epochs and seconds.
        goals: further objectives and limits; None if there are none.
    """

    conditions: Conditions
    measurements: AnyMeasurements
    spendings: tuple[AnySpending, ...]
    goals: AnyGoals | None


@final
@dataclasses.dataclass(frozen=True)
class Conditions:
    """The conditions under which strategies search a table.

    The constructor checks everything that can be checked without a table; `on` checks the rest.

    Args:
        budget: limits per run. It may be None in a suite in which every table has its own budget.
        fidelity: training epochs of every evaluation; for multi-fidelity strategies, the highest fidelity. None means
            the table's highest.
        repeat: what an evaluation observes: ``"sample"``, one of the architecture's repeats, drawn for every
            evaluation; ``"mean"``, the mean over its repeats; or the number of a repeat.
        workers: number of simulated workers per run; with more than one, the table must have times.
        objectives: further metrics that the strategy receives with every evaluation.
        limits: the largest allowed value of a metric (the smallest if higher is better), by metric name.
        seed: root seed, 0 <= seed < 2**128.

    Raises:
        ParameterError: a value is invalid.

    >>> Conditions(Budget(evaluations=300), workers=8).workers
    8
    >>> Conditions(Budget(evaluations=300), workers=0)
    Traceback (most recent call last):
    nasbench_lab.errors.ParameterError: workers must be from 1 to 1024, got 0
    """

    budget: Budget | None = None
    fidelity: int | None = None
    repeat: RepeatPolicy = "sample"
    workers: int = 1
    objectives: tuple[str, ...] = ()
    limits: Mapping[str, float] = dataclasses.field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        seed = whole("seed", self.seed)
        check_seed(seed, 0, 1)
        checked = {
            "budget": _budget(self.budget),
            "fidelity": None if self.fidelity is None else whole("fidelity", self.fidelity, AtLeast(1)),
            "repeat": _repeat(self.repeat),
            "workers": whole("workers", self.workers, AtLeast(1), AtMost(MOST_WORKERS)),
            "objectives": _objectives(self.objectives),
            "limits": _limits(self.limits),
            "seed": seed,
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @classmethod
    def of(cls, given: Conditions | Budget) -> Conditions:
        """Return the given conditions, or conditions with the given budget and otherwise defaults."""
        return given if isinstance(given, Conditions) else cls(_budget(given))

    @classmethod
    def take(cls, options: dict[str, Any]) -> Conditions:
        """Remove the arguments of `Conditions` from a dictionary of keyword arguments, and return the conditions."""
        names = [field.name for field in dataclasses.fields(cls) if field.name in options]
        return cls(**{name: options.pop(name) for name in names})

    @property
    def stated_budget(self) -> Budget:
        """The budget; raises ParameterError if it is missing."""
        if self.budget is None:
            raise ParameterError("budget is missing; give a Budget, such as Budget(evaluations=300)")
        return self.budget

    def on(self, table: AnyTable) -> Prepared:
        """Check the conditions against a table, and return everything that a search needs.

        Raises:
            UnknownNameError: the table has no such fidelity or metric.
            ParameterError: the budget is missing, or the table has no such repeat.
            MissingDataError: the table lacks what the conditions need: times, energies, or architectures within limits.
        """
        stated = self.stated_budget
        measurements = measurements_of(table, self.fidelity, self.repeat)
        budget = measurements.resolved(stated)
        measurements.check_budget(budget)
        if self.workers > 1:
            measurements.check_times("several workers are")
        resolved = dataclasses.replace(
            self, budget=budget, fidelity=measurements.fidelity, repeat=measurements.repeat, limits=dict(self.limits)
        )
        goals = make_goals(table, self.objectives, self.limits, measurements.fidelity)
        return Prepared(resolved, measurements, spendings(budget, table, measurements), goals)

    def to_data(self) -> dict[str, Any]:
        """Return the conditions as plain data that JSON can store."""
        data = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {**data, "budget": None if self.budget is None else self.budget.to_data(), "limits": dict(self.limits)}

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> Conditions:
        """Return the conditions that `to_data` converted to plain data."""
        budget = data["budget"]
        objectives = tuple(data["objectives"])
        return cls(**{**data, "budget": None if budget is None else Budget.of_data(budget), "objectives": objectives})

    @classmethod
    def split_data(cls, data: Mapping[str, Any]) -> tuple[Conditions, dict[str, Any]]:
        """Split a record into the conditions and its other entries."""
        names = {field.name for field in dataclasses.fields(cls)}
        own = {name: value for name, value in data.items() if name in names}
        return cls.of_data(own), {name: value for name, value in data.items() if name not in names}


def _budget(budget: Any) -> Budget | None:
    if budget is not None and not isinstance(budget, Budget):
        raise ParameterError(f"budget must be a Budget, such as Budget(evaluations=300), got {budget!r}")
    return budget


def _repeat(repeat: Any) -> RepeatPolicy:
    if isinstance(repeat, str) and repeat in ("sample", "mean"):
        return "sample" if repeat == "sample" else "mean"
    if isinstance(repeat, bool) or not isinstance(repeat, int | np.integer) or repeat < 0:
        raise ParameterError(f'repeat must be "sample", "mean" or a number from 0, got {repeat!r}')
    return int(repeat)


def _objectives(objectives: Any) -> tuple[str, ...]:
    if isinstance(objectives, str) or not isinstance(objectives, Sequence):
        raise ParameterError(f"objectives must be a list of metrics, got {objectives!r}")
    for name in objectives:
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            raise ParameterError(f"objectives must be names of metrics, got {name!r}")
    if len(set(objectives)) != len(objectives):
        raise ParameterError("an objective is listed twice")
    return tuple(objectives)


def _limits(limits: Any) -> Mapping[str, float]:
    if limits is None:
        return {}
    if not isinstance(limits, Mapping):
        raise ParameterError(f"limits must map metrics to numbers, got {limits!r}")
    for name, limit in limits.items():
        if isinstance(limit, bool) or not isinstance(limit, int | float | np.number) or not np.isfinite(limit):
            raise ParameterError(f"a limit must be a number, got {name}={limit!r}")
    return dict(limits)
