"""``nasbench-lab proxies``: scores of networks that are not trained, and how well they rank."""

from __future__ import annotations

import typer

from nasbench_lab.cli.commands import Commands
from nasbench_lab.cli.proxies_list import list_command
from nasbench_lab.cli.proxies_run import run

app = typer.Typer(
    cls=Commands,
    help="Score networks without training them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command()(run)
app.command("list")(list_command)
