"""How long work is shown: bars on a terminal, nothing elsewhere."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from nasbench_lab.tables.progress import Report

INTERRUPTED = 130  # what shells report of a program that Ctrl-C ended


class _Amount(ProgressColumn):
    """Bytes and their speed for downloads, a count for all else."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes, self._speed, self._count = DownloadColumn(), TransferSpeedColumn(), MofNCompleteColumn()

    def render(self, task: Task) -> Text:
        if task.description.startswith("downloading"):
            return Text.assemble(self._bytes.render(task), " ", self._speed.render(task))
        return self._count.render(task) if task.total else Text()


@contextlib.contextmanager
def reporting(stopped: str) -> Iterator[Report]:
    """Show a bar for every step of the work inside the block, on a terminal.

    Args:
        stopped: what to say after Ctrl-C.
    """
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), _Amount(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as bar:
        tasks: dict[str, TaskID] = {}

        def report(name: str, done: int, total: int) -> None:
            if name not in tasks:
                for earlier in tasks.values():
                    bar.stop_task(earlier)
                tasks[name] = bar.add_task(name, total=total or None)
            bar.update(tasks[name], completed=done, total=total or None)

        try:
            yield report
        except KeyboardInterrupt:
            bar.stop()
            typer.echo(f"stopped; {stopped}", err=True)
            raise typer.Exit(INTERRUPTED) from None
