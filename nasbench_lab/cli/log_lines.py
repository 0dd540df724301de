"""Progress where nobody watches, such as in a log: now and then a line with what is done and the time left."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import final

import typer

FIRST = 15.0
"""Seconds until the first line."""
MOST = 60.0
"""Most seconds between two lines. The third line is that far from the second."""

_TICK = 1.0  # seconds


@final
class LogLines:
    """Lines about long work: the first after fifteen seconds, later ones with growing distance, at most a minute.

    Args:
        clock: returns seconds; the origin does not matter.

    >>> now = 0
    >>> lines = LogLines(lambda: now)
    >>> for now in (0, 5, 15, 20, 45, 90, 105):
    ...     lines.update("simulating", f"{now} of 300 shards", now, 300)
    ...     if line := lines.due():
    ...         print(line)
    simulating: 15 of 300 shards, about 5 minutes left
    simulating: 45 of 300 shards, about 4 minutes left
    simulating: 105 of 300 shards, about 3 minutes left
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()
        self._wait = FIRST
        self._step = self._told = ""
        self._begin = self._now = (self._last, 0.0)
        self._total = 0.0

    def update(self, step: str, told: str, done: float, total: float) -> None:
        """Note the progress.

        Args:
            step: what is done; a new step starts to measure the speed again.
            told: the progress in words; may be empty.
            done: the progress as a number. Work done before the first call does not count towards the speed.
            total: the number at the end; 0 if it is unknown.
        """
        now = self._clock()
        if step != self._step or total != self._total:
            self._begin = (now, done)
        self._step, self._told, self._total = step, told, total
        self._now = (now, done)

    def due(self) -> str | None:
        """Return a line, or None if it is too early for one."""
        now = self._clock()
        if not self._step or now - self._last < self._wait:
            return None
        self._last, self._wait = now, min(2 * self._wait, MOST)
        return f"{self._step}{self._told and ': '}{self._told}, {self._time(now)}"

    def _time(self, now: float) -> str:
        """Return the time left, or the time since the step began if nothing has been done since."""
        (begun, before), (reached, done) = self._begin, self._now
        if self._total and done > before and reached > begun:
            left = (self._total - done) * (reached - begun) / (done - before) - (now - reached)
            return f"about {in_words(max(left, 1))} left"
        return f"for {in_words(now - begun)}"


def in_words(seconds: float) -> str:
    """Return an approximate duration.

    >>> in_words(0), in_words(23), in_words(60), in_words(3500), in_words(9000)
    ('10 seconds', '30 seconds', '1 minute', '58 minutes', '2.5 hours')
    """
    if seconds <= 50:
        return f"{max(10 * math.ceil(seconds / 10), 10)} seconds"
    minutes = max(round(seconds / 60), 1)
    return f"{seconds / 3600:.1f} hours" if minutes >= 90 else f"{minutes} minute{'s' if minutes > 1 else ''}"


@contextlib.contextmanager
def logged(lines: LogLines) -> Iterator[None]:
    """Print the lines on standard error while the block runs, even if it reports nothing for a long time."""
    end = threading.Event()

    def watch() -> None:
        while not end.wait(_TICK):
            if line := lines.due():
                typer.echo(line, err=True)

    watcher = threading.Thread(target=watch, name="nasbench-lab-log", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        end.set()
        watcher.join()
