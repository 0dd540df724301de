"""Extra metrics of the topology space from other publications: one number per architecture."""

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


class ExtraMetrics(NamedTuple):
    """Metrics of one publication that are added to a table of the topology space.

    Attributes:
        metrics: the metrics, with only the axis of architectures.
        files: the published files.
        read: converts the contents of the files to one array per metric, shape (15625,).
        citation: BibTeX of the publication.
        notes: notes for readers who publish these numbers.
    """

    metrics: tuple[Metric, ...]
    files: tuple[GitHubFile, ...]
    read: Callable[[Sequence[bytes]], Arrays]
    citation: str
    notes: tuple[str, ...]


def metric(name: str, unit: str, direction: Direction, description: str) -> Metric:
    """Return a metric with one number per architecture."""
    return Metric(name, "none", unit, direction, description, ("architecture",))


def read_csv(data: bytes) -> dict[str, list[str]]:
    """Return column name to cells of a CSV file with a header and one row per architecture.

    Raises:
        DataError: the file is not such a CSV file.
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
        DataError: the column is missing, or a cell is not a number.
    """
    try:
        return np.array([float(cell) for cell in table[name]])
    except (KeyError, ValueError) as error:
        raise DataError(f"the CSV file does not have a number {name!r} in every row: {error!r}") from error


def indexed_numbers(data: bytes, names: Sequence[str]) -> dict[str, FloatArray]:
    """Return columns of a CSV file whose column ``index`` numbers the architectures in official order.

    Raises:
        DataError: the file is not such a CSV file.
    """
    table = read_csv(data)
    if table.get("index") != [str(index) for index in range(SIZE)]:
        raise DataError(f"the CSV file does not list the {SIZE} architectures in official order")
    return {name: numbers(table, name) for name in names}
