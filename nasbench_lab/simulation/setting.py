"""The setting of a simulation: what was searched, by which strategy, under which conditions."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from nasbench_lab.simulation.budget import Budget
from nasbench_lab.simulation.conditions import Conditions
from nasbench_lab.tables.description import Metric


@dataclasses.dataclass(frozen=True)
class Setting:
    """The setting of a simulation, as plain data.

    Attributes:
        table: name of the table.
        checksum: digest of the table's content; empty for a table made in memory.
        strategy: name of the strategy.
        version: version of the strategy, raised whenever its traces change on purpose.
        label: its name with the parameters that differ from their defaults, for legends.
        parameters: its parameters.
        conditions: budget, fidelity, repeat, workers, objectives, limits and root seed. The fidelity is that of every
            evaluation; for multi-fidelity strategies, the highest.
        first_run: number of the first run.
        objective: the metric that was searched on.
        origin: of imported results, where they come from and what of the conditions is not known (see
            `Trace.from_steps`), as plain data that JSON can store; empty for simulations.
    """

    table: str
    checksum: str
    strategy: str
    label: str
    parameters: Mapping[str, Any]
    conditions: Conditions
    first_run: int
    objective: Metric
    version: int = 1
    origin: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def budget(self) -> Budget:
        """The budget of the conditions."""
        return self.conditions.stated_budget

    @property
    def fidelity(self) -> int:
        """The fidelity of the conditions, resolved for the table."""
        assert self.conditions.fidelity is not None  # noqa: S101 - `Conditions.on` makes sure
        return self.conditions.fidelity
