"""Classes with parameters, such as strategies, described on the terminal from their fields and docstrings."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import typer

from nasbench_lab.checks import domains
from nasbench_lab.cli.options import make_grid, print_grid


@dataclasses.dataclass(frozen=True)
class DescribedParameter:
    """A parameter of a class: its default and allowed values in words, and what the docstring says."""

    name: str
    default: str
    allowed: str
    meaning: str


class DescribedClass(NamedTuple):
    """The description of a class from its docstring, and its parameters."""

    text: str
    parameters: list[DescribedParameter]


def described_class(kind: Any) -> DescribedClass:
    """Return what a class or factory function is, and its parameters."""
    text, _, arguments = (inspect.getdoc(kind) or "").partition("\nArgs:\n")
    text, _, _ = text.partition("\n>>> ")
    meanings = _meanings(arguments)
    parameters = [
        DescribedParameter(name, default, allowed, _plain(meanings.get(name, "")))
        for name, (default, allowed) in parameters_of(kind).items()
    ]
    return DescribedClass(_plain(text.strip()), parameters)


def print_described(rows: Mapping[str, object], described: DescribedClass) -> None:
    """Print facts about a class, its description and its parameters."""
    for key, value in rows.items():
        typer.echo(f"{key:<12} {value}".rstrip())
    typer.echo(f"\n{described.text}")
    if described.parameters:
        grid = make_grid("parameter", "default", "allowed", "meaning")
        for parameter in described.parameters:
            grid.add_row(*dataclasses.astuple(parameter))
        typer.echo("")
        print_grid(grid, fold=True)


def _plain(text: str) -> str:
    """Return a text of a docstring without the markup of formulas and code.

    >>> _plain("of the loss :math:`L`, see ``order``")
    'of the loss L, see order'
    """
    return re.sub(r":math:`([^`]*)`|``([^`]*)``", lambda found: found[1] or found[2] or "", text)


def parameters_of(kind: type[Any]) -> dict[str, tuple[str, str]]:
    """Return the default of every parameter of a strategy, and what values are allowed, in words."""
    if not dataclasses.is_dataclass(kind):
        signature = list(inspect.signature(kind).parameters.values())[2:]  # after the space and the generator
        return {p.name: (_default(p.default, p.empty), _type_name(p.annotation, p.empty)) for p in signature}
    allowed = domains(kind)
    parameters = {}
    for field in dataclasses.fields(kind):
        factory = field.default_factory
        default = field.default if factory is dataclasses.MISSING else factory()
        words = str(allowed[field.name]) or _type_name(field.type, "")
        parameters[field.name] = (_default(default, dataclasses.MISSING), words)
    return parameters


def _default(value: Any, missing: Any) -> str:
    return "(none)" if value is missing else f"{value}" or "(empty)"


def _type_name(annotation: Any, missing: Any) -> str:
    """Return an annotation as text.

    >>> _type_name(int, None), _type_name("str | None", None)
    ('int', 'str | None')
    """
    if annotation is missing:
        return ""
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")


def _meanings(arguments: str) -> dict[str, str]:
    r"""Return the descriptions of arguments by name, from the section of a docstring in Google style.

    >>> _meanings("    eta: factor between\n        two rungs.\n    rungs: number of rungs.\n\nMore.")
    {'eta': 'factor between two rungs.', 'rungs': 'number of rungs.'}
    """
    meanings: dict[str, str] = {}
    name = ""
    for line in arguments.splitlines():
        if line and not line.startswith(" "):
            break
        head, colon, rest = line.strip().partition(": ")
        if line.startswith("    ") and not line.startswith("     ") and colon and head.isidentifier():
            name = head
            meanings[name] = rest
        elif name:
            meanings[name] = f"{meanings[name]} {line.strip()}".strip()
    return meanings
