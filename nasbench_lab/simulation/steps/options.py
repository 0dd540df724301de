"""The options of an import, and what the rows of a log are called in messages."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

from nasbench_lab.checks import AtLeast, flag, one_of, whole
from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import shortened, unknown

Clock = Literal["log", "table", "none"]
Order = Literal["auto", "step", "seconds", "rows"]

SCALES: Mapping[str, float] = {"percent": 100.0, "fraction": 1.0}
"""Units in which accuracies are given, and what all of them is."""

RowName = Callable[[int], str]
"""Returns the name of a row for messages, given its position from 0."""


def row_number(position: int) -> str:
    """Return the name of a row in memory."""
    return f"row {position}"


@dataclasses.dataclass(frozen=True)
class StepOptions:
    """How steps are to be read. Everything has a default, and `check` finds most mistakes.

    Attributes:
        unit: unit of the values: ``"percent"``, ``"fraction"``, or None for that of the table.
        error: whether the values are errors, that is, 100 percent minus an accuracy.
        negated: whether the values have the opposite sign, as a search that can only minimise needs it.
        durations: whether seconds are those of each evaluation alone, and not elapsed since the start of the run.
        clock: where the time of a trace comes from: the seconds of the ``"log"``, the costs of the ``"table"``, or
            ``"none"``. The sources are never mixed.
        order: what orders the evaluations of a run: ``"step"``, ``"seconds"`` or ``"rows"``; ``"auto"`` takes the first
            that the log has.
        fidelity: training epochs of evaluations whose log does not say them; None for the highest of the table.
        check: whether values that cannot be from the table are an error.

    Raises:
        ParameterError: a value is not allowed.
    """

    unit: str | None = None
    error: bool = False
    negated: bool = False
    durations: bool = False
    clock: Clock = "log"
    order: Order = "auto"
    fidelity: int | None = None
    check: bool = True

    def __post_init__(self) -> None:
        if self.unit is not None:
            one_of("unit", self.unit, tuple(SCALES))
        for name in ("error", "negated", "durations", "check"):
            object.__setattr__(self, name, flag(name, getattr(self, name)))
        for name, allowed in (("clock", Clock), ("order", Order)):
            one_of(name, getattr(self, name), get_args(allowed))
        if self.fidelity is not None:
            object.__setattr__(self, "fidelity", whole("fidelity", self.fidelity, AtLeast(1)))


def step_options(given: Mapping[str, Any]) -> StepOptions:
    """Return options given by name.

    Raises:
        UnknownNameError: an option does not exist.
        ParameterError: a value is not allowed.
    """
    names = [field.name for field in dataclasses.fields(StepOptions)]
    for name in given:
        if name not in names:
            raise unknown("option", name, names)
    return StepOptions(**given)


def name_of_strategy(name: Any) -> str:
    """Return the name of a strategy, or raise ParameterError."""
    if not isinstance(name, str) or not name.strip() or not name.isprintable() or len(name) > _LONGEST_NAME:
        raise ParameterError(
            f"the name of a strategy must be one printable line of at most {_LONGEST_NAME} characters, "
            f"got {shortened(name)}"
        )
    return name.strip()


_LONGEST_NAME = 200
