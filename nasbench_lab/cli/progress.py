"""Progress of long work: a bar on a terminal, a line now and then elsewhere, nothing if the command is quiet."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

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

from nasbench_lab.cli.interrupts import INTERRUPTED, interrupts
from nasbench_lab.cli.log_lines import LogLines, logged
from nasbench_lab.cli.verbosity import verbosity
from nasbench_lab.tables.progress_callbacks import Progress as Count
from nasbench_lab.tables.progress_callbacks import Report

_DOWNLOAD = "downloading"
"""First word of the steps that are counted in bytes."""


class Tell(Protocol):
    """Show how far a step is."""

    def __call__(self, step: str, done: float, total: float, *, said: str = "") -> None:
        """Show how far a step is.

        Args:
            step: name of the step. A new name starts a new bar.
            done: the progress as a number.
            total: the number at the end; 0 if it is unknown.
            said: the progress in words, if not in these numbers.
        """


@contextlib.contextmanager
def shown_progress(stopped: str) -> Iterator[Tell]:
    """Show the progress of the work inside the block. Ctrl-C ends the command with a message.

    Args:
        stopped: the message after Ctrl-C; empty for none, and KeyboardInterrupt is raised.
    """
    console = Console(stderr=True)
    show = _bars(console) if console.is_terminal else _lines()
    with _silence() if verbosity.quiet else show as tell:
        try:
            yield tell
        except KeyboardInterrupt:
            if not stopped:
                raise
        else:
            return
    typer.echo(f"stopped; {stopped}", err=True)
    raise typer.Exit(INTERRUPTED)


@contextlib.contextmanager
def reporting(stopped: str) -> Iterator[Report]:
    """Show the progress of every step of the work inside the block, see `shown_progress`.

    Args:
        stopped: message after Ctrl-C.
    """
    with shown_progress(stopped) as tell:
        yield tell


@contextlib.contextmanager
def training_progress(folder: Path) -> Iterator[Count]:
    """Show the progress of trainings, see `shown_progress`. After Ctrl-C, say how to continue.

    Args:
        folder: the folder in which finished trainings are stored.
    """
    with shown_progress(f"finished trainings are kept in {folder}; run the same command again to continue") as tell:
        tell("trainings", 0, 0)
        yield lambda done, total: tell("trainings", done, total)


@contextlib.contextmanager
def _silence() -> Iterator[Tell]:
    def tell(step: str, done: float, total: float, *, said: str = "") -> None:  # noqa: ARG001
        interrupts.check()

    yield tell


@contextlib.contextmanager
def _lines() -> Iterator[Tell]:
    lines = LogLines()

    def tell(step: str, done: float, total: float, *, said: str = "") -> None:
        interrupts.check()
        lines.update(step, said or _in_words(step, done, total), done, total)

    with logged(lines):
        yield tell


def _in_words(step: str, done: float, total: float) -> str:
    """Return how far a step is.

    >>> _in_words("trainings", 3, 1200), _in_words("downloading x", 1_500_000, 20e6), _in_words("analysing", 0, 0)
    ('3 of 1,200', '1.5 of 20.0 MB', '')
    """
    if not total:
        return ""
    if step.startswith(_DOWNLOAD):
        return f"{done / 1e6:,.1f} of {total / 1e6:,.1f} MB"
    return f"{done:,.0f} of {total:,.0f}"


@contextlib.contextmanager
def _bars(console: Console) -> Iterator[Tell]:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), _Amount(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as bar:
        tasks: dict[tuple[str, float], TaskID] = {}

        def tell(step: str, done: float, total: float, *, said: str = "") -> None:
            interrupts.check()
            if (step, total) not in tasks:
                for earlier in tasks.values():
                    bar.stop_task(earlier)
                # What was done before says nothing about the speed, so the bar starts there.
                tasks[step, total] = bar.add_task(step, total=total or None, completed=done)  # type: ignore[arg-type]
            bar.update(tasks[step, total], completed=done, description=step, said=said)

        yield tell


class _Amount(ProgressColumn):
    """The progress in words if they were given; otherwise bytes and speed of a download, or the count of steps."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes, self._speed, self._count = DownloadColumn(), TransferSpeedColumn(), MofNCompleteColumn()

    def render(self, task: Task) -> Text:
        if task.fields.get("said"):
            return Text(task.fields["said"])
        if task.description.startswith(_DOWNLOAD):
            return Text.assemble(self._bytes.render(task), " ", self._speed.render(task))
        return self._count.render(task) if task.total else Text()
