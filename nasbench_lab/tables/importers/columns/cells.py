"""The cells of a file in batches of rows, as the readers give them, and their conversion to numbers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray
from nasbench_lab.spaces.named_choices import label

Cells = list[str] | NDArray[Any]
"""The cells of a column: texts; or integers or floating-point numbers if the file stores types."""

_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none"})
"""Texts that mark a missing number, in lower case."""


class CellBatch(NamedTuple):
    """A batch of rows of a file.

    Attributes:
        rows: row numbers, for messages. In a CSV file the header is row 1, as in spreadsheets.
        columns: column name to the cells of the column.
    """

    rows: Sequence[int]
    columns: dict[str, Cells]


class ColumnFile(NamedTuple):
    """An open file of columns.

    Attributes:
        names: names of the columns, in order.
        batches: all rows, in order; can be read once.
        done: returns how much of ``total`` was read so far.
        total: size of the file, in bytes (CSV) or rows (Parquet).
    """

    names: tuple[str, ...]
    batches: Iterator[CellBatch]
    done: Callable[[], int]
    total: int


class NotANumberError(Exception):
    """A cell is not a finite number. Always caught and reported with the row number."""

    def __init__(self, position: int, cell: str) -> None:
        super().__init__(position, cell)
        self.position, self.cell = position, cell


def texts(cells: Cells) -> list[str]:
    """Return cells as texts without surrounding spaces; a missing number is an empty text.

    >>> texts(np.array([12.0, 0.5, np.nan])), texts([" a ", "b"])
    (['12', '0.5', ''], ['a', 'b'])
    """
    if isinstance(cells, list):
        return list(map(str.strip, cells))
    # Only NaN differs from itself.
    return ["" if value != value else label(value) for value in cells.tolist()]


def numbers(cells: Cells) -> FloatArray:
    """Return cells as numbers, NaN where a cell is empty or marks a missing number.

    Raises:
        NotANumberError: a cell has another text, or an infinite number.

    >>> numbers(["0.5", " 1e3", "", "NA"]).tolist()
    [0.5, 1000.0, nan, nan]
    """
    values = _from_texts(cells) if isinstance(cells, list) else cells.astype(np.float64)
    infinite = np.isinf(values)
    if infinite.any():
        position = int(infinite.argmax())
        raise NotANumberError(position, str(cells[position]))
    return values


def _from_texts(cells: list[str]) -> FloatArray:
    # Python reads "1_000" as a number, but in a file, a text such as "1_0" is more likely a name.
    if "_" not in "".join(cells):
        with contextlib.suppress(ValueError):
            return np.fromiter(map(float, cells), np.float64, len(cells))
    return np.array([_from_text(position, cell) for position, cell in enumerate(cells)])


def _from_text(position: int, cell: str) -> float:
    text = cell.strip()
    if text.lower() in _MISSING:
        return float("nan")
    try:
        if "_" in text:
            raise ValueError
        return float(text)
    except ValueError:
        raise NotANumberError(position, cell) from None
