"""Helpers for several commands: shared options, their parsing, and printing of grids."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table as Grid

from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation.measurements import RepeatPolicy

if TYPE_CHECKING:
    from nasbench_lab.train.callbacks import Callback

_UNLIMITED = 100_000  # columns
_GAP = 2  # columns between cells

Processes = Annotated[int | None, typer.Option(min=1, help="Parallel trainings. [default: one per processor]")]
Threads = Annotated[int, typer.Option(min=1, help="Threads per training.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1, ...")]
Precision = Annotated[str, typer.Option(help="float32, or bfloat16 for mixed precision.")]
Checkpoint = Annotated[
    bool, typer.Option(help="Save unfinished trainings after every epoch, for trainings that take hours.")
]
Log = Annotated[
    list[str] | None,
    typer.Option(
        "--log",
        help="Log all epochs: tensorboard:FOLDER, mlflow:FOLDER (or a tracking URI) or wandb:PROJECT; may be repeated.",
    ),
]


def loggers(texts: Sequence[str] | None) -> tuple[Callback, ...]:
    """Return the loggers that ``--log`` names."""
    from nasbench_lab.train.callbacks import logger

    return tuple(map(logger, texts or ()))


def make_grid(*headings: str) -> Grid:
    """Return a grid without lines whose cells may fold."""
    grid = Grid(box=None, pad_edge=False)
    for heading in headings:
        grid.add_column(heading, overflow="fold")
    return grid


def print_grid(grid: Grid, *, fold: bool = False) -> None:
    """Print a grid in full. On a narrow terminal, lines wrap, but no text is cut.

    Args:
        grid: the grid to print.
        fold: whether cells wrap inside their columns on a terminal, instead of whole lines.
    """
    console = Console(highlight=False)
    if fold and console.is_terminal:
        _keep_words_whole(grid, console.width)
        console.print(grid, markup=False)
        return
    needed = Measurement.get(console, console.options.update(width=_UNLIMITED), grid).maximum
    if needed > console.width:
        console = Console(highlight=False, width=needed)
    console.print(grid, markup=False)


def _keep_words_whole(grid: Grid, width: int) -> None:
    """Wrap cells only between words, so that names can be copied, if the terminal is wide enough.

    If it is not, only the first column, which names the rows, is kept whole, provided that it takes at most half of the
    width.
    """
    texts = [[str(column.header), *map(str, column.cells)] for column in grid.columns]
    words = [max(len(word) for text in column for word in text.split() or [""]) for column in texts]
    wanted = [max(map(len, column)) for column in texts]
    spare = width - sum(words) - _GAP * (len(words) - 1)
    if spare < 0:
        if 2 * words[0] <= width:
            grid.columns[0].width = words[0]
        return
    for place in sorted(range(len(words)), key=lambda place: wanted[place] - words[place]):
        more = min(wanted[place] - words[place], spare)
        grid.columns[place].width = words[place] + more
        spare -= more


def parse_repeat(text: str) -> RepeatPolicy:
    """Return a repeat policy, parsed from ``sample``, ``mean`` or a number.

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


def check_ending(option: str, path: Path | None, *endings: str) -> None:
    """Raise ParameterError if a file to write has another ending than its content.

    >>> check_ending("--csv", Path("trials.csv"), ".csv"), check_ending("--csv", None, ".csv")
    (None, None)
    >>> check_ending("--csv", Path("trials.pdf"), ".csv")
    Traceback (most recent call last):
    nasbench_lab.errors.ParameterError: --csv must be a file that ends in .csv, got 'trials.pdf'
    """
    if path is not None and path.suffix.lower() not in endings:
        raise ParameterError(f"{option} must be a file that ends in {' or '.join(endings)}, got {path.name!r}")


def needs_torch() -> None:
    """Raise ParameterError with an installation hint if torch is not installed."""
    if importlib.util.find_spec("torch") is None:
        raise ParameterError("this command trains networks and needs torch: pip install 'nasbench-lab[torch]'")


def parse_number_of(text: str) -> tuple[int, int]:
    """Return the two numbers of a shard, parsed from a text like ``2/5``.

    >>> parse_number_of("2/5")
    (2, 5)
    """
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise ParameterError(f"shard must be N/M with N from 1 to M, like 2/5, got {text!r}")
    return int(found[1]), int(found[2])
