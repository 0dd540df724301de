"""Groups of commands: every command is quiet or verbose on request, and every wrong command line gives one line."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from nasbench_lab.cli import verbosity
from nasbench_lab.cli.usage_errors import usage_message
from nasbench_lab.messages import shortened, suggestions

EXIT_ERROR = 2
"""Exit code of errors."""


class Commands(TyperGroup):
    """A group of commands. It adds the options of `nasbench_lab.cli.verbosity` to itself and to its commands."""

    kind = "command"
    """What the first argument names, as a noun for messages."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for command in (self, *self.commands.values()):
            if not isinstance(command, Commands) or command is self:
                command.params.extend(verbosity.options())

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that the first argument names. An unknown one is an error that says what is allowed."""
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            known = self.list_commands(ctx)
            near = suggestions(args[0], known)
            allowed = f"did you mean {' or '.join(map(repr, near))}?" if near else f"commands: {', '.join(known)}"
            raise typer.BadParameter(f"unknown {self.kind} {shortened(args[0])}; {allowed}", ctx=ctx)
        return super().resolve_command(ctx, args)

    def main(self, *arguments: Any, **options: Any) -> NoReturn:
        """Run the command line and exit. A wrong command line is an error of one line."""
        verbosity.verbosity.reset()
        try:
            code = super().main(*arguments, **{**options, "standalone_mode": False})
        except typer.Abort:
            code = 1
        except Exception as error:
            if not hasattr(error, "format_message"):  # no error of the command line
                raise
            if type(error).__name__ == "NoArgsIsHelpError":
                code = _print_help(error)
            else:
                typer.echo(f"nasbench-lab: {usage_message(error, _words(arguments, options))}", err=True)
                code = EXIT_ERROR
        raise SystemExit(code if isinstance(code, int) else 0)


def _print_help(error: Any) -> int:
    """Print the help of a group that was called without a command, and return the exit code."""
    error.show()
    return EXIT_ERROR


def _words(arguments: Sequence[Any], options: Mapping[str, Any]) -> list[str]:
    """Return the words of the command line from the arguments of `Commands.main`."""
    given = options.get("args", arguments[0] if arguments else None)
    return list(sys.argv[1:] if given is None else given)
