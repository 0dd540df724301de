"""What several commands share: reading an option, and printing a grid."""

from __future__ import annotations

import re

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table as Grid

from nasbench_lab.errors import ParameterError
from nasbench_lab.simulate.measurement import RepeatPolicy

_UNLIMITED = 100_000  # columns


def print_grid(grid: Grid) -> None:
    """Print a grid in full: on a narrow terminal its lines wrap, but nothing of them is left out."""
    console = Console(highlight=False)
    needed = Measurement.get(console, console.options.update(width=_UNLIMITED), grid).maximum
    if needed > console.width:
        console = Console(highlight=False, width=needed)
    console.print(grid, markup=False)


def parse_repeat(text: str) -> RepeatPolicy:
    """Read a repeat policy: ``sample``, ``mean`` or a number.

    >>> parse_repeat("mean"), parse_repeat("2")
    ('mean', 2)
    """
    if text == "sample":
        return "sample"
    if text == "mean":
        return "mean"
    if re.fullmatch(r"[0-9]{1,9}", text):
        return int(text)
    raise ParameterError(f"repeat must be sample, mean or a number, got {text!r}")
