"""The command line ``nasbench-lab``. No other folder prints."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from typing import Annotated, Any

import typer

import nasbench_lab
from nasbench_lab.cli.check import check
from nasbench_lab.cli.cite import cite
from nasbench_lab.cli.commands import EXIT_ERROR, Commands
from nasbench_lab.cli.current_folder import importable_from_here
from nasbench_lab.cli.encoding import print_anything
from nasbench_lab.cli.interrupts import INTERRUPTED, noticed_interrupts
from nasbench_lab.cli.one_shot import app as one_shot_app
from nasbench_lab.cli.plot import plot
from nasbench_lab.cli.query import query
from nasbench_lab.cli.report import report
from nasbench_lab.cli.result_folders import app as results_app
from nasbench_lab.cli.run import run
from nasbench_lab.cli.strategies import app as strategies_app
from nasbench_lab.cli.streams import guarded_streams
from nasbench_lab.cli.suite import app as suite_app
from nasbench_lab.cli.tables import app as tables_app
from nasbench_lab.cli.validate import validate
from nasbench_lab.cli.verbosity import note, verbosity
from nasbench_lab.errors import NOTED, NasbenchLabError
from nasbench_lab.messages import described, place_in_user_code

TRACEBACK_VARIABLE = "NASBENCH_LAB_TRACEBACK"
"""Name of the environment variable that adds the traceback to the message of an error."""


class _Commands(Commands):
    """All commands. Ctrl-C in any of them ends it with the usual exit code."""

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
app.command()(run)
app.command()(query)
app.command()(validate)
app.command()(cite)
app.command()(plot)
app.command()(report)
app.command()(check)
app.add_typer(suite_app, name="suite")
app.add_typer(one_shot_app, name="one-shot")
app.add_typer(results_app, name="results")
app.add_typer(tables_app, name="tables")
app.add_typer(strategies_app, name="strategies")


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
