"""Reading Parquet files with pyarrow, an optional dependency."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from nasbench_lab.errors import DataError, NasbenchLabError, ParameterError
from nasbench_lab.messages import first_line
from nasbench_lab.tables.importers.columns.cells import CellBatch, Cells, ColumnFile

_MOST_CELLS = 2**20  # in a batch
_FREE_ROWS = 2**20
_MOST_ROWS_PER_BYTE = 8  # a measurement takes at least a byte; a row of repeated values takes next to nothing
_FREE_CELLS = 2**24
_MOST_CELLS_PER_BYTE = 32
_FREE_BYTES = 2**27
_MOST_EXPANSION = 200  # as for compressed CSV files


@contextlib.contextmanager
def open_parquet(path: Path) -> Iterator[ColumnFile]:
    """Open a Parquet file. Only columns of numbers, texts, and lists of these are read.

    Raises:
        ParameterError: pyarrow is not installed.
        DataError: the file is damaged. Reading the batches can raise it, too.
    """
    try:
        from pyarrow import parquet
    except ImportError as error:
        message = "reading Parquet files needs pyarrow: pip install 'nasbench-lab[parquet]', or save the file as CSV"
        raise ParameterError(message) from error
    with _errors(path):
        with parquet.ParquetFile(path) as described:
            schema = described.schema_arrow
            _check_size(path, described.metadata)
        names = tuple(field.name for field in schema if _readable(field.type))
        # Equal texts share their memory; one text of a megabyte could otherwise be repeated a million times.
        file = parquet.ParquetFile(path, read_dictionary=[name for name in names if _is_text(schema.field(name).type)])
        rows = file.metadata.num_rows
    with file:
        done = _Counter()
        yield ColumnFile(names, _batches(path, file, names, done), lambda: done.rows, rows)


class _Counter:
    rows = 0


def _check_size(path: Path, metadata: Any) -> None:
    """Raise DataError if a file declares far more than its size allows."""
    size, rows = path.stat().st_size, metadata.num_rows
    if rows > max(_FREE_ROWS, _MOST_ROWS_PER_BYTE * size):
        raise DataError(f"{path.name} claims to have {rows} rows, far more than its size allows")
    cells = rows * metadata.num_columns
    if cells > max(_FREE_CELLS, _MOST_CELLS_PER_BYTE * size):
        raise DataError(f"{path.name} claims to have {cells} cells, far more than its size allows")
    # Not the sizes of single columns: reading those of a damaged column ends the process instead of raising an error.
    expanded = sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
    if expanded > max(_FREE_BYTES, _MOST_EXPANSION * size):
        raise DataError(
            f"{path.name} expands to more than {_MOST_EXPANSION} times its size; if you trust it, save it as CSV"
        )


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind))


def _readable(kind: Any) -> bool:
    """Return whether cells of this type are numbers or texts, or lists of them."""
    from pyarrow import types

    if types.is_dictionary(kind) or _is_list(kind):
        kind = kind.value_type
    numeric = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
    return bool(numeric or types.is_string(kind) or types.is_large_string(kind) or types.is_boolean(kind))


def _is_list(kind: Any) -> bool:
    """Return whether cells of this type are lists."""
    from pyarrow import types

    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _batches(path: Path, file: Any, names: tuple[str, ...], done: _Counter) -> Iterator[CellBatch]:
    with _errors(path):
        for batch in file.iter_batches(max(1, _MOST_CELLS // max(1, len(names))), columns=list(names)):
            first = done.rows + 1
            done.rows += len(batch)
            cells = {name: _cells(batch.column(position)) for position, name in enumerate(names)}
            yield CellBatch(range(first, first + len(batch)), cells)


def _cells(column: Any) -> Cells:
    """Return a column as numbers if it has numbers, else as texts; nulls become NaN or empty texts."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind) and _is_text(kind.value_type):
        distinct = ["" if text is None else text.strip() for text in column.dictionary.to_pylist()]
        return ["" if place is None else distinct[place] for place in column.indices.to_pylist()]
    if pa.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if _is_list(kind):
        return ["" if cell is None else json.dumps(cell, default=str) for cell in column.to_pylist()]
    if pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_boolean(kind):
        return ["" if cell is None else str(cell) for cell in column.to_pylist()]
    if column.null_count and pa.types.is_integer(kind):
        # NumPy has no missing integers, and floating-point numbers would change large integers.
        return ["" if cell is None else str(cell) for cell in column.to_pylist()]
    return np.asarray(column.to_numpy(zero_copy_only=False))


@contextlib.contextmanager
def _errors(path: Path) -> Iterator[None]:
    """Turn errors of pyarrow about the content, raised inside the block, into DataError."""
    import pyarrow as pa

    try:
        yield
    except NasbenchLabError:
        raise
    except (pa.ArrowException, OSError, ValueError, TypeError, LookupError, MemoryError, OverflowError) as error:
        raise DataError(f"{path.name} is damaged: {first_line(error)}") from error
