"""Variants of the conditions of a suite: every table is searched once under each."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation.budget import Budget
from nasbench_lab.simulation.conditions import Conditions

_REPLACEABLE = ("budget", "fidelity", "repeat", "workers", "objectives", "limits")


@final
@dataclass(frozen=True)
class Variant:
    """Conditions that replace those of a suite, and a name for them.

    Attributes:
        name: name of the variant, a line of text without parentheses.
        replaced: the conditions that it replaces, by name: budget, fidelity, repeat, workers, objectives or limits.

    Raises:
        ParameterError: the name is empty, or a condition cannot be replaced or has an invalid value.

    >>> Variant("noise-free", {"repeat": "mean"}).of(Conditions(Budget(evaluations=50))).repeat
    'mean'
    """

    name: str
    replaced: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip() or not self.name.isprintable():
            raise ParameterError(f"the name of a variant must be a text, got {self.name!r}")
        if "(" in self.name or ")" in self.name:  # it is in parentheses behind the name of a table
            raise ParameterError(f"the name of a variant must not have parentheses, got {self.name!r}")
        for key in self.replaced:
            if key not in _REPLACEABLE:
                raise ParameterError(
                    f"variant {self.name!r} cannot replace {key!r}; possible are {', '.join(_REPLACEABLE)}"
                )
        try:
            checked = Conditions(**self.replaced)
        except ParameterError as error:
            raise ParameterError(f"variant {self.name!r}: {error}") from error
        object.__setattr__(self, "replaced", {key: getattr(checked, key) for key in self.replaced})

    @property
    def budget(self) -> Budget | None:
        """The budget that it gives; None if it keeps that of the table or of the suite."""
        found: Budget | None = self.replaced.get("budget")
        return found

    def of(self, conditions: Conditions) -> Conditions:
        """Return conditions with those of the variant."""
        return dataclasses.replace(conditions, **self.replaced)

    def to_data(self) -> dict[str, Any]:
        """Return the variant as plain data, with the keys of a TOML file."""
        conditions = Conditions(**self.replaced).to_data()
        return {"name": self.name, **{key: conditions[key] for key in self.replaced}}
