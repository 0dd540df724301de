"""What else was measured of the architectures of the topology space: one number each, from another publication."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import DataError
from nasbench_lab.tables.description import Direction, Metric
from nasbench_lab.tables.fetching.sources import GitHubFile
from nasbench_lab.tables.recipe import Arrays

SIZE = 15_625
"""Number of architectures."""


class Columns(NamedTuple):
    """Metrics of one publication, to be added to a table of the topology space.

    Attributes:
        metrics: what was measured, on the axis of architectures only.
        files: where the numbers are.
        read: turns the contents of the files into one array per metric, shape (15625,).
        citation: BibTeX of the publication.
        notes: what a reader must know before publishing these numbers.
    """

    metrics: tuple[Metric, ...]
    files: tuple[GitHubFile, ...]
    read: Callable[[Sequence[bytes]], Arrays]
    citation: str
    notes: tuple[str, ...]


def metric(name: str, unit: str, direction: Direction, description: str) -> Metric:
    """Describe a metric that is one number of an architecture."""
    return Metric(name, "none", unit, direction, description, ("architecture",))


def read_csv(data: bytes) -> dict[str, list[str]]:
    """Read a CSV file with a header and a row per architecture: name of a column to its cells.

    Raises:
        DataError: it is no such file.
    """
    try:
        header, *rows = csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
    except (UnicodeDecodeError, ValueError, csv.Error) as error:
        raise DataError(f"the file is not a CSV file: {error}") from error
    if len(rows) != SIZE or any(len(row) != len(header) for row in rows):
        raise DataError(f"the CSV file does not have {SIZE} rows of {len(header)} cells")
    return dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))


def numbers(table: dict[str, list[str]], name: str) -> FloatArray:
    """Return one column of a CSV file as numbers.

    Raises:
        DataError: there is no such column, or something in it is not a number.
    """
    try:
        return np.array([float(cell) for cell in table[name]])
    except (KeyError, ValueError) as error:
        raise DataError(f"the CSV file does not have a number {name!r} in every row: {error!r}") from error


def indexed_numbers(data: bytes, names: Sequence[str]) -> dict[str, FloatArray]:
    """Return columns of a CSV file whose column ``index`` counts the architectures in official order.

    Raises:
        DataError: it is no such file.
    """
    table = read_csv(data)
    if table.get("index") != [str(index) for index in range(SIZE)]:
        raise DataError(f"the CSV file does not list the {SIZE} architectures in official order")
    return {name: numbers(table, name) for name in names}
