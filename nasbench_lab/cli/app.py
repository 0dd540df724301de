"""The command line ``nasbench-lab``. No other folder prints."""

from __future__ import annotations

import sys
import warnings
from typing import Annotated, Any

import typer

import nasbench_lab
from nasbench_lab.cli.check import check
from nasbench_lab.cli.cite import cite
from nasbench_lab.cli.encoding import print_anything
from nasbench_lab.cli.plot import plot
from nasbench_lab.cli.query import query
from nasbench_lab.cli.report import report
from nasbench_lab.cli.run import run
from nasbench_lab.cli.strategies import app as strategies_app
from nasbench_lab.cli.suite import app as suite_app
from nasbench_lab.cli.tables import app as tables_app
from nasbench_lab.cli.validate import validate
from nasbench_lab.errors import NOTED, NasbenchLabError

EXIT_ERROR = 2

app = typer.Typer(
    name="nasbench-lab",
    help="Compare neural-architecture-search strategies over thousands of seeds, in seconds, on real tables.",
    no_args_is_help=True,
    add_completion=False,
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
        typer.echo(f"note: {message}", err=True)
    else:
        _show_warning(message, category, *place, **more)


def main() -> None:
    """Run the command line. A mistake gives one line on standard error and exit code 2."""
    print_anything()
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _print_warning
            app()
    except NasbenchLabError as error:
        typer.echo(f"nasbench-lab: {error}", err=True)
        sys.exit(EXIT_ERROR)
    except MemoryError as error:
        typer.echo(f"nasbench-lab: not enough memory: {error}", err=True)
        sys.exit(EXIT_ERROR)
