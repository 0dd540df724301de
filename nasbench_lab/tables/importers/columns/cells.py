"""Rows of a file, some thousand at a time: what the readers of CSV and Parquet give, and how cells become numbers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import DataError
from nasbench_lab.spaces.choices import label

Cells = list[str] | NDArray[Any]
"""The cells of a column: texts, or integers or floating-point numbers where the file has types."""

_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none"})
"""What an empty cell may have in it, in lower case."""


class CellBatch(NamedTuple):
    """Some rows of a file.

    Attributes:
        rows: their numbers, for messages. In a CSV file the header is row 1, as in spreadsheets.
        columns: the cells of every column by its name.
    """

    rows: Sequence[int]
    columns: dict[str, Cells]


class Source(NamedTuple):
    """An open file of columns.

    Attributes:
        names: of the columns, in order.
        batches: all rows, in order; to be read once.
        done: tells how much was read of ``total``: bytes or rows.
        total: what ``done`` will be at the end.
    """

    names: tuple[str, ...]
    batches: Iterator[CellBatch]
    done: Callable[[], int]
    total: int


class NotANumberError(Exception):
    """A cell is no finite number. Always caught, to be reported with the number of its row."""

    def __init__(self, position: int, cell: str) -> None:
        super().__init__(position, cell)
        self.position, self.cell = position, cell


def texts(cells: Cells) -> list[str]:
    """Return cells as texts without spaces around; a missing number is an empty text.

    >>> texts(np.array([12.0, 0.5, np.nan])), texts([" a ", "b"])
    (['12', '0.5', ''], ['a', 'b'])
    """
    if isinstance(cells, list):
        return list(map(str.strip, cells))
    # Only NaN is not itself.
    return ["" if value != value else label(value) for value in cells.tolist()]


def numbers(cells: Cells) -> FloatArray:
    """Return cells as numbers, NaN where a cell is empty or says that there is none.

    Raises:
        NotANumberError: a cell is something else, or infinite.

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
    # Python reads "1_000" as a number; in a file, "1_0" is rather a name.
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


@contextlib.contextmanager
def opened(path: Path, delimiter: str | None, encoding: str) -> Iterator[Source]:
    """Open a CSV or Parquet file; which of them it is, its first bytes say.

    Args:
        path: the file; a CSV file may be compressed with gzip.
        delimiter: what separates the cells of a CSV file; None to take it from the header.
        encoding: of a CSV file.

    Raises:
        DataError: the file is not there, damaged, or something else. The batches raise it too.
    """
    from nasbench_lab.tables.importers.columns.parquet import open_parquet
    from nasbench_lab.tables.importers.columns.text import open_text

    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise DataError(f"{path.name} is an archive or a spreadsheet; save it as CSV")
    source = open_parquet(path) if start.startswith(b"PAR1") else open_text(path, delimiter, encoding)
    with source as found:
        _check_names(path, found.names)
        yield found


def _check_names(path: Path, names: tuple[str, ...]) -> None:
    """Raise DataError unless every column with a name has one of its own."""
    named = [name for name in names if name]
    if len(set(named)) != len(named):
        twice = next(name for name in named if named.count(name) > 1)
        raise DataError(f"{path.name} has two columns {twice!r}")
    if len(named) < 2:
        raise DataError(
            f"{path.name} has one column only, {(named or [''])[0][:80]!r}; "
            "if its cells are separated by something unusual, say so with delimiter"
        )
