"""The progress of a simulation: how many of its runs are done, for a bar or for a function of the user."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from nasbench_lab.errors import ParameterError
from nasbench_lab.progress_bars import progress_bar
from nasbench_lab.simulation.clock import Clock

BETWEEN_REPORTS = 0.1
"""Shortest time between two reports, seconds."""


class SearchProgress(NamedTuple):
    """The progress of a simulation.

    Attributes:
        strategy: label of the strategy.
        table: name of the table.
        done: number of finished runs. Runs that go on count by the part of their budget that they have used.
        runs: number of all runs.
    """

    strategy: str
    table: str
    done: float
    runs: int


Progress = bool | Callable[[SearchProgress], None]
"""Whether to show a bar, or a function that is called with the progress several times a second."""


def check_progress(progress: Any) -> None:
    """Raise ParameterError unless it is True, False or a function.

    >>> check_progress("yes")
    Traceback (most recent call last):
    nasbench_lab.errors.ParameterError: progress must be True, False or a function, got 'yes'
    """
    if not isinstance(progress, bool) and not callable(progress):
        raise ParameterError(f"progress must be True, False or a function, got {progress!r}")


@contextlib.contextmanager
def reported(progress: Progress, strategy: str, table: str, runs: int) -> Iterator[Callable[[float], None] | None]:
    """Give a function to call with the number of finished runs; None if nobody wants to know.

    Args:
        progress: see `Progress`.
        strategy: label of the strategy.
        table: name of the table.
        runs: number of all runs.
    """
    if progress is False:
        yield None
    elif progress is True:
        with progress_bar(f"{strategy} on {table}") as update:
            update(f"0 of {runs:,} runs", 0, runs)
            yield lambda done: update(f"{int(done):,} of {runs:,} runs", done, runs)
    else:
        tell = progress
        tell(SearchProgress(strategy, table, 0.0, runs))
        yield lambda done: tell(SearchProgress(strategy, table, done, runs))


class Watch:
    """Reports the progress of the clocks of one log, and never more than ten times a second.

    Args:
        report: called with the number of finished runs.
    """

    def __init__(self, report: Callable[[float], None]) -> None:
        self._report = report
        self._last = time.monotonic()

    def __call__(self, clock: Clock) -> None:
        """Report how many runs are done: those of earlier clocks, and those of this one."""
        now = time.monotonic()
        if clock.finished or now - self._last >= BETWEEN_REPORTS:
            self._last = now
            self._report(clock.first + clock.runs_done)
