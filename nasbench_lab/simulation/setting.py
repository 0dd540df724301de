"""The setting of a simulation: what was searched, by which strategy, under which conditions."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
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
        training: of a search that trained networks itself (see `Trace.from_recommendations`), the facts of that
            training, as plain data that JSON can store; empty for searches that evaluate architectures of the table.
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
    training: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def trains_networks(self) -> bool:
        """Whether the search trained networks itself. Its steps are recommendations: it evaluated nothing."""
        return bool(self.training)

    @property
    def budget(self) -> Budget:
        """The budget of the conditions."""
        return self.conditions.stated_budget

    @property
    def fidelity(self) -> int:
        """The fidelity of the conditions, resolved for the table."""
        assert self.conditions.fidelity is not None  # noqa: S101 - `Conditions.on` makes sure
        return self.conditions.fidelity


def same_but_runs(setting: Setting) -> Setting:
    """Return what the settings of all parts of a simulation share: not the first run, and not what was measured."""
    return dataclasses.replace(setting, first_run=0, training=dict.fromkeys(setting.training))


def joined_setting(settings: Sequence[Setting]) -> Setting:
    """Return the setting of a simulation, given those of its parts in order.

    What was measured in the training of networks can differ between parts: it becomes the list of the values.

    >>> from nasbench_lab.simulation import Conditions
    >>> from nasbench_lab.tables.description import Metric
    >>> metric = Metric("accuracy", "valid", "%", "maximize", "")
    >>> one, other = (
    ...     Setting("table", "", "darts", "darts", {}, Conditions(), 0, metric, training={"seconds": n, "epochs": 50})
    ...     for n in (8.5, 9.1)
    ... )
    >>> joined_setting([one, other]).training
    {'seconds': [8.5, 9.1], 'epochs': 50}
    """
    if all(each.training == settings[0].training for each in settings):
        return settings[0]
    training = {key: _joined([each.training[key] for each in settings]) for key in settings[0].training}
    return dataclasses.replace(settings[0], training=training)


def _joined(values: Sequence[Any]) -> Any:
    if all(value == values[0] for value in values):
        return values[0]
    return [each for value in values for each in (value if isinstance(value, list) else [value])]
