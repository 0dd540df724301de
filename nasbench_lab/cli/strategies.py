"""``nasbench-lab strategies``: list the strategies, or show the parameters of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from nasbench_lab.cli.commands import Commands
from nasbench_lab.cli.described_classes import DescribedClass, described_class, print_described
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
    described = described_class(kind)
    if as_json:
        print_json(
            {
                "name": name,
                "version": plain_version(kind),
                "family": getattr(kind, "family", "") or _UNSAID,
                "needs": registry.needs_of(kind),
                "asynchronous": getattr(kind, "asynchronous", False),
                "reference": getattr(kind, "reference", ""),
                "description": described.text,
                "parameters": described.parameters,
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
    print_described(rows, described)
    tell(f"\nuse it       {as_command('run', '--strategy', _example(name, described))} ...")


def _defined(name: str) -> Any:
    """Return the class of a strategy, or the function that makes one, given by name or place."""
    place, _ = split_path(name)
    kind = import_path(place) if place else registry.strategy_class(name)
    if isinstance(kind, type) and not (issubclass(kind, Strategy) or registry.is_plain(kind)):
        raise ParameterError(f"{name} is not a class of strategies: it has no ask and tell")
    return kind


def _example(name: str, described: DescribedClass) -> str:
    """Return a strategy with its first parameter in the notation of the command line."""
    first = next(iter(described.parameters), None)
    return name if first is None else f"{name}:{first.name}={first.default}"
