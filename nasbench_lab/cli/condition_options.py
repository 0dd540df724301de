"""The conditions of a search as options, the same for every command that simulates."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from nasbench_lab.cli.options import parse_repeat
from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation import Budget, Conditions
from nasbench_lab.simulation.budget import KINDS

_OPTIONS: dict[str, Any] = {
    **{kind.name: Annotated[kind.type | None, typer.Option(help=kind.help)] for kind in KINDS},
    "fidelity": Annotated[int | None, typer.Option(help="Epochs per evaluation. [default: the table's highest]")],
    "repeat": Annotated[
        str | None, typer.Option(help="What an evaluation observes: sample, mean, number or seed. [default: sample]")
    ],
    "workers": Annotated[
        int | None, typer.Option(help="Simulated workers per run, which evaluate in parallel. [default: 1]")
    ],
    "objective": Annotated[
        list[str] | None, typer.Option(help="A further metric that strategies receive; may be repeated.")
    ],
    "limit": Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC=NUMBER",
            help="Largest allowed value of a metric (smallest if higher is better); may be repeated.",
        ),
    ],
    "seed": Annotated[int | None, typer.Option(help="Root seed. [default: 0]")],
}  # fmt: skip
"""The options by name. An option is None or empty unless the user gives it."""


@dataclass(frozen=True)
class GivenConditions:
    """The conditions that the user gave on the command line.

    Attributes:
        values: values of the given options, by name.
    """

    values: Mapping[str, Any]

    @property
    def options(self) -> list[str]:
        """The names of the given options, with dashes."""
        return [f"--{name}" for name in self.values]

    def conditions(self) -> Conditions:
        """Return the conditions, with defaults for options that were not given.

        Raises:
            ParameterError: a value is invalid, or the budget is missing.
        """
        given = dict(self.values)
        budget = Budget(**{kind.name: given.pop(kind.name, None) for kind in KINDS})
        if "repeat" in given:
            given["repeat"] = parse_repeat(given["repeat"])
        if "objective" in given:
            given["objectives"] = tuple(given.pop("objective"))
        if "limit" in given:
            given["limits"] = parse_limits(given.pop("limit"))
        return Conditions(budget, **given)


def with_conditions(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `Conditions`, in place of its parameter ``given`` (a `GivenConditions`)."""
    signature = inspect.signature(command, eval_str=True)

    @functools.wraps(command)
    def wrapper(**arguments: Any) -> None:
        values = {name: arguments.pop(name) for name in _OPTIONS}
        given = {name: value for name, value in values.items() if value is not None and value != []}
        command(**arguments, given=GivenConditions(given))

    parameters: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        if parameter.name != "given":
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
            continue
        parameters += [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
            for name, annotation in _OPTIONS.items()
        ]
    # typer and the reference of the command line read these. They would otherwise follow __wrapped__ to the command.
    del wrapper.__wrapped__
    wrapper.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return wrapper


def parse_limits(texts: Sequence[str]) -> dict[str, float]:
    """Return the limits of metrics, parsed from METRIC=NUMBER.

    >>> parse_limits(["parameters=0.5", "edgegpu_latency=5"])
    {'parameters': 0.5, 'edgegpu_latency': 5.0}
    """
    limits: dict[str, float] = {}
    for text in texts:
        name, _, number = text.partition("=")
        try:
            limit = float(number)
        except ValueError:
            raise ParameterError(f"a limit must be METRIC=NUMBER, like parameters=0.5, got {text!r}") from None
        if name in limits:
            raise ParameterError(f"the limit of {name!r} is given twice")
        limits[name] = limit
    return limits
