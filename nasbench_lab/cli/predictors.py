"""``nasbench-lab predictors``: how well models predict architectures that they have not seen."""

from __future__ import annotations

import typer

from nasbench_lab.cli.commands import Commands
from nasbench_lab.cli.predictors_list import list_command
from nasbench_lab.cli.predictors_plot import plot
from nasbench_lab.cli.predictors_run import run
from nasbench_lab.cli.predictors_show import show

app = typer.Typer(
    cls=Commands,
    help="Evaluate predictors of performance.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command()(run)
app.command()(show)
app.command()(plot)
app.command("list")(list_command)
