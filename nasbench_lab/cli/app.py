"""The command line ``nasbench-lab``. No other folder prints."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from typing import Annotated, Any

import typer

import nasbench_lab
from nasbench_lab.cli.commands import EXIT_ERROR, Commands
from nasbench_lab.cli.commands_on_demand import CommandsOnDemand
from nasbench_lab.cli.current_folder import importable_from_here
from nasbench_lab.cli.encoding import print_anything
from nasbench_lab.cli.interrupts import INTERRUPTED, noticed_interrupts
from nasbench_lab.cli.streams import guarded_streams
from nasbench_lab.cli.verbosity import note, verbosity
from nasbench_lab.errors import NOTED, NasbenchLabError
from nasbench_lab.messages import described, place_in_user_code

TRACEBACK_VARIABLE = "NASBENCH_LAB_TRACEBACK"
"""Name of the environment variable that adds the traceback to the message of an error."""


COMMANDS = {
    "run": "nasbench_lab.cli.run:run",
    "query": "nasbench_lab.cli.query:query",
    "validate": "nasbench_lab.cli.validate:validate",
    "cite": "nasbench_lab.cli.cite:cite",
    "plot": "nasbench_lab.cli.plot:plot",
    "landscape": "nasbench_lab.cli.landscape:landscape",
    "report": "nasbench_lab.cli.report:report",
    "check": "nasbench_lab.cli.check:check",
    "suite": "nasbench_lab.cli.suite:app",
    "one-shot": "nasbench_lab.cli.one_shot:app",
    "predictors": "nasbench_lab.cli.predictors:app",
    "proxies": "nasbench_lab.cli.proxies:app",
    "results": "nasbench_lab.cli.result_folders:app",
    "tables": "nasbench_lab.cli.tables:app",
    "strategies": "nasbench_lab.cli.strategies:app",
    "spaces": "nasbench_lab.cli.spaces:app",
}
"""All commands and groups of commands in the order of the help, and where each is defined."""


class _Commands(Commands):
    """All commands. Ctrl-C in any of them ends it with the usual exit code."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = CommandsOnDemand(COMMANDS)  # type: ignore[assignment] # commands are never added

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands."""
        return list(self.commands)

    def invoke(self, ctx: Any) -> Any:
        try:
            with importable_from_here():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("stopped", err=True)
            raise typer.Exit(INTERRUPTED) from None


app = typer.Typer(
    name="nasbench-lab",
    cls=_Commands,
    help="Compare neural-architecture-search strategies over thousands of seeds, in seconds, on real tables.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(nasbench_lab.__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


_show_warning = warnings.showwarning


def _print_warning(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
    """Print a warning of this package as a note, others as Python does."""
    if issubclass(category, NOTED):
        note(str(message))
    else:
        _show_warning(message, category, *place, **more)


def main() -> None:
    """Run the command line. A mistake gives one line on standard error and exit code 2."""
    print_anything()
    with guarded_streams(), noticed_interrupts() as interrupts, warnings.catch_warnings():
        warnings.showwarning = _print_warning
        code = _run()
        if interrupts.noticed and not code:
            code = INTERRUPTED
    sys.exit(code)


def _run() -> str | int | None:
    """Run the command line and return the exit code."""
    try:
        code = _called()
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except SystemExit as end:  # standard output has no reader
        return end.code
    except NasbenchLabError as error:
        return _refuse(error, described(error))
    except MemoryError as error:
        return _refuse(error, f"not enough memory: {error}")
    except Exception as error:
        # A mistake in the code of the user, such as a strategy. Any other error is one of this package: its traceback
        # is needed to mend it.
        notes = "; ".join(getattr(error, "__notes__", ()))
        if not (notes or place_in_user_code(error.__traceback__)):
            raise
        told = ": ".join(filter(None, (notes, described(error))))
        return _refuse(error, f"{told}; to see the traceback, use --verbose")


def _called() -> str | int | None:
    try:
        app(prog_name="nasbench-lab")
    except SystemExit as end:
        return end.code
    return 0


def _refuse(error: BaseException, message: str) -> int:
    """Print an error in one line, after its traceback if the user asked for that, and return the exit code."""
    if verbosity.verbose or os.environ.get(TRACEBACK_VARIABLE):
        traceback.print_exception(error)
    typer.echo(f"nasbench-lab: {message}", err=True)
    return EXIT_ERROR
