"""Callbacks that report progress: plain functions, so that only the command line decides how to show it."""

from __future__ import annotations

import functools
from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called regularly as ``progress(done, total)``, both in the same unit; a total of 0 means unknown."""

Report = Callable[[str, int, int], None]
"""Called regularly as ``report(step, done, total)``, with the name of a step; a total of 0 means unknown."""


def silent(_step: str, _done: int, _total: int) -> None:
    """Ignore the report."""


def step(report: Report, name: str) -> Progress:
    """Return a progress callback that reports under the name of a step.

    >>> lines = []
    >>> step(lambda *line: lines.append(line), "converting")(3, 10)
    >>> lines
    [('converting', 3, 10)]
    """
    return functools.partial(report, name)
