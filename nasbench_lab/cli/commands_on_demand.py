"""Commands whose modules are imported when they are used, so that a command does not wait for the others."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

import typer

from nasbench_lab.cli import verbosity


class CommandsOnDemand(Mapping[str, Any]):
    """The commands of the command line by name, each made when it is first asked for.

    Args:
        places: by the name of a command, where it is defined: ``"package.module:function"``, or
            ``"package.module:app"`` for a group of commands.

    >>> commands = CommandsOnDemand({"cite": "nasbench_lab.cli.cite:cite"})
    >>> list(commands), commands["cite"].name
    (['cite'], 'cite')
    """

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = dict(places)
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        """Return a command; import its module if this was not done before."""
        if name not in self._made:
            self._made[name] = _make(name, self._places[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        """Return the names in order; nothing is imported."""
        return iter(self._places)

    def __len__(self) -> int:
        """Return the number of commands."""
        return len(self._places)


def _make(name: str, place: str) -> Any:
    module, _, attribute = place.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    if isinstance(found, typer.Typer):
        group = typer.main.get_group(found)
        group.name = name
        return group
    alone = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    alone.command(name)(found)
    command = typer.main.get_command(alone)
    command.params.extend(verbosity.options())
    return command
