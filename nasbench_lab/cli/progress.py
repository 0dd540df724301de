"""Progress of long work: bars on a terminal; in a log, one line per minute for work that can take hours."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import final

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
from nasbench_lab.tables.progress_callbacks import Report

_BETWEEN_LINES = 60.0  # seconds


@final
class LogLines:
    """Log lines of long work: at most one per minute, and none in the first minute.

    Args:
        clock: returns seconds; the origin does not matter.

    >>> times = iter([0, 0, 30, 60, 90, 130])
    >>> lines = LogLines(lambda: next(times))
    >>> for done in range(5):
    ...     print(lines.line(f"{done} of 9 shards", done, 9))
    None
    None
    2 of 9 shards, about 4 minutes left
    None
    4 of 9 shards, about 3 minutes left
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()
        self._begin: tuple[float, float] | None = None

    def line(self, said: str, done: float, total: float) -> str | None:
        """Return a line with the remaining time, or None if it is too early for a line.

        Args:
            said: the progress in words.
            done: the progress as a number. Work done before the first call does not count towards the speed.
            total: the number at the end.
        """
        now = self._clock()
        if self._begin is None:
            self._begin = (now, done)
        if now - self._last < _BETWEEN_LINES:
            return None
        self._last = now
        begun, before = self._begin
        if done <= before:
            return said
        left = (total - done) * (now - begun) / (done - before)
        return f"{said}, about {_long(left)} left"


def _long(seconds: float) -> str:
    """Return an approximate duration as text.

    >>> _long(20), _long(60), _long(3500), _long(9000)
    ('1 minute', '1 minute', '58 minutes', '2.5 hours')
    """
    minutes = max(round(seconds / 60), 1)
    return f"{seconds / 3600:.1f} hours" if minutes >= 90 else f"{minutes} minute{'s' if minutes > 1 else ''}"


class _Amount(ProgressColumn):
    """Bytes and speed of a download, or the count of other steps."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes, self._speed, self._count = DownloadColumn(), TransferSpeedColumn(), MofNCompleteColumn()

    def render(self, task: Task) -> Text:
        if task.description.startswith("downloading"):
            return Text.assemble(self._bytes.render(task), " ", self._speed.render(task))
        return self._count.render(task) if task.total else Text()


@contextlib.contextmanager
def reporting(stopped: str) -> Iterator[Report]:
    """Show a bar for every step of the work inside the block, if the output is a terminal.

    Args:
        stopped: message after Ctrl-C.
    """
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), _Amount(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as bar:
        tasks: dict[str, TaskID] = {}

        def report(name: str, done: int, total: int) -> None:
            interrupts.check()
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
