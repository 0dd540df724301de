"""Reading all rows of a file once: cells become numbers, kept in a temporary file until the axes are known."""

from __future__ import annotations

import collections
import dataclasses
import itertools
import math
import tempfile
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import IO, NamedTuple

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import DataError, OutputError
from nasbench_lab.tables.importers.columns.cells import CellBatch, ColumnFile, NotANumberError, numbers, texts
from nasbench_lab.tables.importers.columns.hints import option_name
from nasbench_lab.tables.importers.columns.options import KeyColumns
from nasbench_lab.tables.progress_callbacks import Progress

_IN_MEMORY = 2**27  # bytes


class Distinct:
    """The distinct values of a column, or of several columns together, numbered in order of first appearance.

    >>> values = Distinct()
    >>> values.encode(["b", "a", "b"], range(2, 5)).tolist(), values.values, values.rows
    ([0, 1, 0], ['b', 'a'], [2, 3])
    """

    def __init__(self) -> None:
        # A missing key takes the next number; no Python code runs per value.
        self._numbers: dict[Hashable, int] = collections.defaultdict(itertools.count().__next__)
        self.rows: list[int] = []
        """The row of the first appearance of every value."""

    @property
    def values(self) -> list[Hashable]:
        """All values, in the order of their numbers."""
        return list(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def encode(self, cells: Iterable[Hashable], rows: Sequence[int]) -> IntArray:
        """Return the number of each value, shape (rows,)."""
        codes = np.fromiter(map(self._numbers.__getitem__, cells), np.int64, len(rows))
        if len(self._numbers) > len(self.rows):
            new, first = np.unique(codes, return_index=True)
            self.rows += [rows[position] for position in first[new >= len(self.rows)].tolist()]
        return codes


class RowBlock(NamedTuple):
    """A block of rows of the file as numbers.

    Attributes:
        row: row numbers, shape (rows,).
        architecture, epochs, repeat: numbers of the distinct values, shape (rows,).
        values: shape (metrics, rows), NaN where missing.
    """

    row: IntArray
    architecture: IntArray
    epochs: IntArray
    repeat: IntArray
    values: FloatArray


class Spool:
    """All rows as numbers, in memory up to a limit, then in a temporary file."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed by close()
        self._shapes: list[tuple[int, int]] = []

    def append(self, part: RowBlock) -> None:
        """Store a block of rows."""
        keys = np.stack([part.row, part.architecture, part.epochs, part.repeat])
        self._shapes.append(part.values.shape)
        try:
            self._file.write(keys.tobytes())
            self._file.write(part.values.tobytes())
        except OSError as error:
            raise OutputError(f"cannot write to {tempfile.gettempdir()}: {error.strerror or error}") from error

    def __iter__(self) -> Iterator[RowBlock]:
        self._file.seek(0)
        for metrics, rows in self._shapes:
            keys = np.frombuffer(self._file.read(4 * 8 * rows), np.int64).reshape(4, rows)
            values = np.frombuffer(self._file.read(metrics * 8 * rows), np.float64).reshape(metrics, rows)
            row, architecture, epochs, repeat = keys
            yield RowBlock(row, architecture, epochs, repeat, values)

    def close(self) -> None:
        """Delete the temporary file."""
        self._file.close()


@dataclasses.dataclass(frozen=True)
class ParsedRows:
    """The parsed rows of a file.

    Attributes:
        count: number of rows.
        architectures, epochs, repeats: the distinct cells of these columns. Architectures are tuples of cells. A
            missing column counts as one empty text.
        metrics: names of the columns of numbers.
        low, high: minimum and maximum of each of them, shape (metrics,); NaN if all values are missing.
        unused: columns without numbers, which are omitted.
        spool: all rows as numbers.
    """

    count: int
    architectures: Distinct
    epochs: Distinct
    repeats: Distinct
    metrics: tuple[str, ...]
    low: FloatArray
    high: FloatArray
    unused: tuple[str, ...]
    spool: Spool


def read_rows(file: str, source: ColumnFile, keys: KeyColumns, progress: Progress | None) -> ParsedRows:
    """Read all rows of an open file.

    Args:
        file: name of the file, for messages.
        source: the open file.
        keys: the key columns and the columns that may be measurements.
        progress: called with the amount read so far, and the total.

    Raises:
        DataError: a cell does not fit its column, or the file has no rows.
    """
    distinct = Distinct(), Distinct(), Distinct()
    spool = Spool()
    try:
        metrics: tuple[str, ...] | None = None
        count, low, high = 0, np.empty(0), np.empty(0)
        for batch in source.batches:
            if metrics is None:
                metrics = tuple(name for name in keys.metrics if name in keys.required or _has_numbers(batch, name))
                low, high = np.full(len(metrics), np.nan), np.full(len(metrics), np.nan)
            part = _part(file, batch, keys, metrics, distinct)
            low = np.fmin(low, np.fmin.reduce(part.values, axis=1))
            high = np.fmax(high, np.fmax.reduce(part.values, axis=1))
            spool.append(part)
            count += len(part.row)
            if progress is not None:
                progress(source.done(), source.total)
        if metrics is None:
            raise DataError(f"{file} has a header but no rows")
        unused = tuple(name for name in source.names if name and name in keys.metrics and name not in metrics)
        return ParsedRows(count, *distinct, metrics, low, high, unused, spool)
    except BaseException:
        spool.close()
        raise


def _has_numbers(batch: CellBatch, name: str) -> bool:
    """Return whether some cells of a column are numbers."""
    cells = batch.columns[name]
    try:
        return not np.isnan(numbers(cells)).all()
    except NotANumberError:
        return any(_is_number(str(cell)) for cell in cells)


def _is_number(cell: str) -> bool:
    """Return whether a cell has a number, possibly infinite, which is refused later."""
    try:
        return "_" not in cell and not math.isnan(float(cell))
    except ValueError:
        return False


def _part(
    file: str, batch: CellBatch, keys: KeyColumns, metrics: Sequence[str], distinct: tuple[Distinct, Distinct, Distinct]
) -> RowBlock:
    """Convert a batch of rows to numbers."""
    rows = batch.rows
    columns = [_complete(file, batch, name) for name in keys.architecture]
    architecture = distinct[0].encode(zip(*columns, strict=True), rows)
    epochs, repeat = (
        values.encode(_complete(file, batch, name) if name is not None else itertools.repeat("", len(rows)), rows)
        for values, name in zip(distinct[1:], (keys.epochs, keys.repeat), strict=True)
    )
    values = np.array([_numbers(file, batch, name, keys) for name in metrics]).reshape(len(metrics), len(rows))
    return RowBlock(np.asarray(rows, dtype=np.int64), architecture, epochs, repeat, values)


def _complete(file: str, batch: CellBatch, name: str) -> list[str]:
    """Return the cells of a column; DataError if one is empty."""
    cells = texts(batch.columns[name])
    if "" in cells:
        raise DataError(f"row {batch.rows[cells.index('')]} of {file} has an empty cell in column {name!r}")
    return cells


def _numbers(file: str, batch: CellBatch, name: str, keys: KeyColumns) -> FloatArray:
    try:
        return numbers(batch.columns[name])
    except NotANumberError as error:
        hint = "; write numbers with a decimal point" if "," in error.cell else ""
        if name not in keys.required:
            hint += f"; if the column is not a measurement, list the measurements with {option_name('metrics')}"
        raise DataError(
            f"row {batch.rows[error.position]} of {file} has {error.cell[:80]!r} in column {name!r}, "
            f"which is not a finite number{hint}"
        ) from None
