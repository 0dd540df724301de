"""``nasbench-lab one-shot``: searches that train one network for all architectures, and how well its weights rank."""

from __future__ import annotations

import typer

from nasbench_lab.cli.commands import Commands
from nasbench_lab.cli.one_shot_methods import methods, protocols
from nasbench_lab.cli.one_shot_rank import rank
from nasbench_lab.cli.one_shot_run import run

app = typer.Typer(
    cls=Commands,
    help="Search with shared weights, and check them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command()(run)
app.command()(rank)
app.command()(methods)
app.command()(protocols)
