"""What several commands share: options, and the width of what they print."""

from __future__ import annotations

from rich.console import Console

from nasbench_lab.errors import ParameterError
from nasbench_lab.simulate.measurement import RepeatPolicy


def wide_console(least: int) -> Console:
    """Return a console for standard output that is at least so many columns wide, so that tables keep their shape."""
    console = Console(highlight=False)
    return console if console.width >= least else Console(highlight=False, width=least)


def parse_repeat(text: str) -> RepeatPolicy:
    """Read a repeat policy: ``sample``, ``mean`` or a number.

    >>> parse_repeat("mean"), parse_repeat("2")
    ('mean', 2)
    """
    if text == "sample":
        return "sample"
    if text == "mean":
        return "mean"
    if text.isdecimal():
        return int(text)
    raise ParameterError(f"repeat must be sample, mean or a number, got {text!r}")
