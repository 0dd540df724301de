"""How much a command tells: ``--quiet`` and ``--verbose``, which every command has.

Results go to standard output, everything else to standard error. With ``--quiet``, only results and errors are printed.
With ``--verbose``, details are added: what was opened, and the traceback of an error.
"""

from __future__ import annotations

import enum
import platform
from typing import Any

import typer

import nasbench_lab
from nasbench_lab.cache import cache_folder


class _Level(enum.IntEnum):
    quiet = 0
    normal = 1
    verbose = 2


class Verbosity:
    """How much the command that is running tells."""

    def __init__(self) -> None:
        self._level = _Level.normal

    @property
    def quiet(self) -> bool:
        """Whether only results and errors are printed."""
        return self._level is _Level.quiet

    @property
    def verbose(self) -> bool:
        """Whether details are printed too."""
        return self._level is _Level.verbose

    def reset(self) -> None:
        """Start a command with the default."""
        self._level = _Level.normal

    def set(self, level: _Level) -> None:
        """Set the level that the user asked for.

        Raises:
            typer.BadParameter: the user asked for the opposite too.
        """
        if {self._level, level} == {_Level.quiet, _Level.verbose}:
            raise typer.BadParameter("--quiet and --verbose exclude each other")
        self._level = level


verbosity = Verbosity()
"""That of the command that is running."""


def note(text: str) -> None:
    """Print a note on standard error, unless the command is quiet."""
    if not verbosity.quiet:
        typer.echo(f"note: {text}", err=True)


def detail(text: str) -> None:
    """Print a detail on standard error if the command is verbose."""
    if verbosity.verbose:
        typer.echo(text, err=True)


def tell(text: str) -> None:
    """Print what is no result, such as the path of a written file or the next command, unless the command is quiet."""
    if not verbosity.quiet:
        typer.echo(text)


def options() -> list[Any]:
    """Return the options ``--quiet`` and ``--verbose``, to be added to a command."""
    return list(_OPTIONS)


def _set_quiet(wanted: bool) -> None:
    if wanted:
        verbosity.set(_Level.quiet)


def _set_verbose(wanted: bool) -> None:
    if wanted and not verbosity.verbose:
        verbosity.set(_Level.verbose)
        detail(f"nasbench-lab {nasbench_lab.__version__}, Python {platform.python_version()}, cache {cache_folder()}")


_template = typer.Typer(add_completion=False)


@_template.command()
def _with_options(
    quiet: bool = typer.Option(
        False, "--quiet", "-q", callback=_set_quiet, expose_value=False, help="Print only results and errors."
    ),
    verbose: bool = typer.Option(
        False, "--verbose", "-v", callback=_set_verbose, expose_value=False, help="Print details and tracebacks too."
    ),
) -> None:
    """A command from which typer makes the options."""


NAMES = ("quiet", "verbose")
"""Names of the options that every command has."""

_OPTIONS = [each for each in typer.main.get_command(_template).params if each.name in NAMES]
