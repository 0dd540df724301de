"""``nasbench-lab strategies``: list the strategies, or show the parameters of one."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from nasbench_lab.checks import domains
from nasbench_lab.cli.commands import Commands
from nasbench_lab.cli.json_output import AsJson, print_json
from nasbench_lab.cli.options import make_grid, print_grid
from nasbench_lab.cli.verbosity import note, tell
from nasbench_lab.errors import NasbenchLabError, ParameterError, UnknownNameError
from nasbench_lab.messages import as_command, suggestions, unknown
from nasbench_lab.strategies import Strategy, registry
from nasbench_lab.strategies.lookup import import_path, split_path
from nasbench_lab.strategies.plain import plain_version


class StrategiesGroup(Commands):
    """Runs ``strategies info NAME`` for ``strategies NAME`` if NAME is a strategy."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that the first argument names."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            if not split_path(name)[0]:
                _check_known(name, self.list_commands(ctx))
            return super().resolve_command(ctx, ["info", *args])
        return super().resolve_command(ctx, args)


def _check_known(name: str, commands: Sequence[str]) -> None:
    """Raise UnknownNameError if a word is neither a command nor a strategy."""
    try:
        registry.full_name(name)
    except UnknownNameError as error:
        if suggestions(name, commands):
            raise unknown("command or strategy", name, [*commands, *registry.list_strategies()]) from error
        raise


app = typer.Typer(cls=StrategiesGroup, help="List all strategies, or show one.", rich_markup_mode=None)

_UNSAID = "other"
"""Family of strategies without one, such as those of users."""


@app.callback(invoke_without_command=True)
def overview(context: typer.Context, as_json: AsJson = False) -> None:
    """List all strategies by family, with what they need and where they were published."""
    if context.invoked_subcommand is not None:
        return
    families: dict[str, list[str]] = {}
    broken: dict[str, NasbenchLabError] = {}
    for name in registry.list_strategies():
        try:
            families.setdefault(registry.family(name) or _UNSAID, []).append(name)
        except NasbenchLabError as error:  # an entry point of another package
            broken[name] = error
    if as_json:
        print_json(
            [
                {
                    "name": name,
                    "family": family,
                    "needs": registry.needs(name),
                    "version": registry.version(name),
                    "reference": registry.reference(name),
                }
                for family in sorted(families)
                for name in families[family]
            ]
        )
        for name, reason in broken.items():
            note(f"{name}: {reason}")
        return
    grid = make_grid("strategy", "needs", "reference")
    for family in sorted(families, key=lambda family: (family == _UNSAID, family)):
        grid.add_row()
        grid.add_row(family.upper())
        for name in families[family]:
            grid.add_row(f"  {name}", ", ".join(registry.needs(name)), registry.reference(name))
    for name, reason in broken.items():
        grid.add_row(f"  {name}", "", f"({reason})")
    print_grid(grid, fold=True)
    for problem in registry.ignored_entry_points():
        note(problem)
    tell("\nshow one with its parameters    nasbench-lab strategies info NAME")


@app.command()
def info(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a strategy, or file.py:Class.")],
    as_json: AsJson = False,
) -> None:
    """Show what a strategy is, its version and reference, and its parameters with their defaults and allowed values."""
    name = name if split_path(name)[0] else registry.full_name(name)
    kind = _defined(name)
    described = inspect.getdoc(kind) or ""
    text, _, arguments = described.partition("\nArgs:\n")
    text, _, _ = text.partition("\n>>> ")
    parameters = parameters_of(kind)
    meanings = _meanings(arguments)
    if as_json:
        print_json(
            {
                "name": name,
                "version": plain_version(kind),
                "family": getattr(kind, "family", "") or _UNSAID,
                "needs": registry.needs_of(kind),
                "asynchronous": getattr(kind, "asynchronous", False),
                "reference": getattr(kind, "reference", ""),
                "description": text.strip(),
                "parameters": [
                    {"name": each, "default": default, "allowed": allowed, "meaning": meanings.get(each, "")}
                    for each, (default, allowed) in parameters.items()
                ],
            }
        )
        return
    rows = {
        "name": name,
        "version": plain_version(kind),
        "family": getattr(kind, "family", "") or _UNSAID,
        "needs": ", ".join(registry.needs_of(kind)) or "only observed values",
        "workers": "asynchronous" if getattr(kind, "asynchronous", False) else "waits for the slowest worker",
        "reference": getattr(kind, "reference", ""),
    }
    for key, value in rows.items():
        typer.echo(f"{key:<12} {value}".rstrip())
    typer.echo(f"\n{text.strip()}")
    if parameters:
        grid = make_grid("parameter", "default", "allowed", "meaning")
        for parameter, (default, allowed) in parameters.items():
            grid.add_row(parameter, default, allowed, meanings.get(parameter, ""))
        typer.echo("")
        print_grid(grid, fold=True)
    tell(f"\nuse it       {as_command('run', '--strategy', _example(name, parameters))} ...")


def _defined(name: str) -> Any:
    """Return the class of a strategy, or the function that makes one, given by name or place."""
    place, _ = split_path(name)
    kind = import_path(place) if place else registry.strategy_class(name)
    if isinstance(kind, type) and not (issubclass(kind, Strategy) or registry.is_plain(kind)):
        raise ParameterError(f"{name} is not a class of strategies: it has no ask and tell")
    return kind


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
    return "(none)" if value is missing else f"{value}"


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


def _example(name: str, parameters: dict[str, tuple[str, str]]) -> str:
    """Return a strategy with its first parameter in the notation of the command line."""
    first = next(iter(parameters), None)
    return name if first is None else f"{name}:{first}={parameters[first][0]}"
