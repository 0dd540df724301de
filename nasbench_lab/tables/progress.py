"""How long work tells how far it is: plain functions, so that only the command line needs to know how it is shown."""

from __future__ import annotations

import functools
from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called now and then with what is done and the total, in the same unit; a total of 0 is unknown."""

Report = Callable[[str, int, int], None]
"""Called now and then with the name of a step, what of it is done, and its total; a total of 0 is unknown."""


def silent(_step: str, _done: int, _total: int) -> None:
    """Report nothing."""


def step(report: Report, name: str) -> Progress:
    """Return the progress of one step of a report.

    >>> lines = []
    >>> step(lambda *line: lines.append(line), "converting")(3, 10)
    >>> lines
    [('converting', 3, 10)]
    """
    return functools.partial(report, name)
