"""Budgets: limits on what a run may spend."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np

from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import shortened

JOULES = {"J": 1.0, "kJ": 1e3, "MJ": 1e6, "Wh": 3.6e3, "kWh": 3.6e6}
"""Units of energy, in joules."""

_MOST = 10**15
"""Largest budget of any kind (energy: in joules). Real budgets are far smaller, larger ones would never end, and a
clock counts fractions of a second only up to about 1e15 seconds."""

_ENERGY = re.compile(r"\s*(?P<number>[0-9.]+(?:[eE][+-]?[0-9]+)?)\s*(?P<unit>[A-Za-z]+)\s*")
_ALWAYS_STORED = ("evaluations", "epochs", "seconds")


class BudgetKind(NamedTuple):
    """One kind of limit. It defines the key in TOML files and the option of the command line.

    Attributes:
        name: name of the field of `Budget`.
        type: ``int``, ``float`` or ``str``.
        help: help text of the option, one line.
        shown: format string for a limit, with a replacement field for its value.
    """

    name: str
    type: type[int | float | str]
    help: str
    shown: str


KINDS = (
    BudgetKind("evaluations", int, "Budget per run in evaluations.", "{} evaluations"),
    BudgetKind("epochs", int, "Budget per run in training epochs.", "{} epochs"),
    BudgetKind("seconds", float, "Budget per run in simulated seconds.", "{:g} s"),
    BudgetKind("energy", str, "Budget per run in energy with its unit, such as '0.5 kWh' or '900 kJ'.", "{}"),
    BudgetKind("trainings", int, "Budget per run in full trainings (at the highest fidelity).", "{} trainings"),
    BudgetKind("mean_trainings", float, "Budget per run in mean seconds of a full training.", "{:g} mean trainings"),
)  # fmt: skip
"""All kinds of limits. A new kind needs a field of `Budget`, a line here, and a cost in `simulation.costs`."""


@final
@dataclass(frozen=True, repr=False)
class Budget:
    """Limits per run. A run ends at the first evaluation that would exceed any of them.

    An evaluation counts if the total, including this evaluation, is at most every limit. The first evaluation that
    exceeds a limit ends the run and does not count.

    Args:
        evaluations: number of evaluations.
        epochs: training epochs, summed over evaluations.
        seconds: simulated seconds; only for tables with times.
        energy: a number and a unit (J, kJ, MJ, Wh or kWh), such as ``"0.5 kWh"``, summed over evaluations; only for
            tables with energies.
        trainings: number of full trainings, that is, trainings at the highest fidelity of the search. The limit is
            their total number of epochs. It gives single-fidelity and multi-fidelity strategies the same budget on
            every table, with or without times.
        mean_trainings: the simulated seconds that this number of full trainings takes on average over all architectures
            of the table. It gives strategies the same budget in time on every table with times.

    Raises:
        ParameterError: no limit is given, or one is not positive or larger than any real budget.

    >>> Budget(evaluations=300)
    Budget(evaluations=300)
    >>> Budget(energy="0.50kWh"), Budget(trainings=300).at(12)
    (Budget(energy='0.5 kWh'), Budget(epochs=3600))
    >>> Budget(seconds=0)
    Traceback (most recent call last):
    nasbench_lab.errors.ParameterError: a budget must be positive, got seconds=0
    """

    evaluations: int | None = None
    epochs: int | None = None
    seconds: float | None = None
    energy: str | None = None
    trainings: int | None = None
    mean_trainings: float | None = None

    def __post_init__(self) -> None:
        if not self._given():
            *names, last = [kind.name for kind in KINDS]
            raise ParameterError(f"a budget needs {', '.join(names)} or {last}")
        for kind in KINDS:
            limit = getattr(self, kind.name)
            if limit is not None:
                checked = _energy_text(limit) if kind.type is str else _number(kind.name, limit, kind.type)
                object.__setattr__(self, kind.name, checked)

    def at(self, fidelity: int) -> Budget:
        """Return the budget with trainings converted to epochs, given the highest fidelity of the search in epochs."""
        if self.trainings is None:
            return self
        epochs = [limit for limit in (self.epochs, self.trainings * fidelity) if limit is not None]
        return dataclasses.replace(self, epochs=min(epochs), trainings=None)

    def in_seconds(self, training_seconds: float) -> Budget:
        """Return the budget with mean trainings converted to seconds.

        Args:
            training_seconds: seconds of a full training, averaged over all architectures.

        >>> Budget(mean_trainings=100).in_seconds(12.5)
        Budget(seconds=1250.0)
        """
        if self.mean_trainings is None:
            return self
        seconds = [limit for limit in (self.seconds, self.mean_trainings * training_seconds) if limit is not None]
        return dataclasses.replace(self, seconds=min(seconds), mean_trainings=None)

    def max_evaluations(self, fidelity: int) -> int | None:
        """Return how many evaluations at a fidelity (in epochs) the budget allows; None if nothing limits the number.

        >>> Budget(evaluations=10, epochs=100).max_evaluations(12)
        8
        """
        limits = [self.evaluations, None if self.epochs is None else self.epochs // fidelity, self.trainings]
        return min((limit for limit in limits if limit is not None), default=None)

    def energy_in(self, unit: str) -> float | None:
        """Return the energy limit in a unit; None if energy is not limited.

        >>> Budget(energy="0.5 kWh").energy_in("kWh"), Budget(energy="0.5 kWh").energy_in("J")
        (0.5, 1800000.0)
        """
        if self.energy is None:
            return None
        number, own = self.energy.split(" ")
        return float(number) if own == unit else float(number) * JOULES[own] / JOULES[unit]

    def to_data(self) -> dict[str, Any]:
        """Return the budget as plain data that JSON can store."""
        data = dataclasses.asdict(self)
        return {name: limit for name, limit in data.items() if limit is not None or name in _ALWAYS_STORED}

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> Budget:
        """Return the budget that `to_data` converted to plain data."""
        return cls(**data)

    def _given(self) -> dict[str, Any]:
        """Return the limits that are set, by name."""
        return {name: limit for name, limit in dataclasses.asdict(self).items() if limit is not None}

    def __str__(self) -> str:
        given = self._given()
        return ", ".join(kind.shown.format(given[kind.name]) for kind in KINDS if kind.name in given)

    def __repr__(self) -> str:
        return f"Budget({', '.join(f'{name}={limit!r}' for name, limit in self._given().items())})"


def _number(name: str, limit: Any, kind: type[Any]) -> int | float:
    """Return a limit as a plain int or float, or raise ParameterError."""
    if isinstance(limit, bool) or not isinstance(limit, int | float | np.integer | np.floating):
        raise ParameterError(f"a budget must be a number, got {name}={limit!r}")
    if not limit > 0:
        raise ParameterError(f"a budget must be positive, got {name}={shortened(limit)}")
    if limit > _MOST:
        raise ParameterError(f"a budget in {name} must be at most {_MOST:g}, got {shortened(limit)}")
    if kind(limit) != limit:
        raise ParameterError(f"a budget in {name} must be a whole number, got {name}={limit}")
    return kind(limit)


def _energy_text(limit: Any) -> str:
    """Return an energy as a text with number, space and unit, or raise ParameterError."""
    found = _ENERGY.fullmatch(limit) if isinstance(limit, str) else None
    units = ", ".join(JOULES)
    if not found or found["unit"] not in JOULES:
        raise ParameterError(f"a budget in energy is a number and a unit ({units}), like '0.5 kWh', got {limit!r}")
    try:
        number = float(found["number"])
    except ValueError:
        raise ParameterError(f"a budget in energy is a number and a unit ({units}), got {limit!r}") from None
    most = _MOST / JOULES[found["unit"]]
    if not 0 < number <= most:
        raise ParameterError(f"a budget in energy must be above 0 and at most {most:g} {found['unit']}, got {limit!r}")
    return f"{number:.15g} {found['unit']}"
