"""The conditions under which strategies are compared on a table."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from nasbench_lab.simulation import Budget
from nasbench_lab.simulation.engine import prepare
from nasbench_lab.simulation.measurements import Measurements, RepeatPolicy
from nasbench_lab.tables import Table


@dataclasses.dataclass(frozen=True)
class Conditions:
    """All that a simulation is told besides the table, the strategy and the runs; see `simulate` for each.

    Attributes:
        budget: limits of every run.
        fidelity: training epochs of every evaluation; None for the table's highest.
        repeat: which repeat an evaluation observes.
        workers: how many evaluations of a run happen at the same time.
        objectives: further metrics that strategies are told.
        limits: what an architecture has to keep, by metric.
        seed: root seed.
    """

    budget: Budget
    fidelity: int | None = None
    repeat: RepeatPolicy = "sample"
    workers: int = 1
    objectives: tuple[str, ...] = ()
    limits: Mapping[str, float] = dataclasses.field(default_factory=dict)
    seed: int = 0

    def check(self, table: Table) -> Measurements:
        """Return what is measured on a table under these conditions.

        Raises:
            UnknownNameError: the table has no such fidelity or metric.
            ParameterError: a number makes no sense.
            MissingDataError: the table lacks what they ask for.
        """
        options = (self.budget, self.fidelity, self.repeat, self.workers, self.objectives, self.limits)
        return prepare(table, *options)[0]

    @property
    def options(self) -> dict[str, Any]:
        """The arguments of `simulate`."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def to_data(self) -> dict[str, Any]:
        """Return plain data that JSON can hold."""
        return dataclasses.asdict(self)

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> Conditions:
        """Read what `to_data` gave."""
        changed = {"budget": Budget(**data["budget"]), "objectives": tuple(data["objectives"])}
        return cls(**{**data, **changed})
