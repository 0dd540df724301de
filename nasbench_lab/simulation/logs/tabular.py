"""Logs in the documented form: CSV, Parquet, JSON or JSON lines with one row per evaluation."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nasbench_lab.errors import DataError, NasbenchLabError
from nasbench_lab.messages import first_line
from nasbench_lab.simulation.logs.log import LogSource, ReadOptions, SearchLog, row_of
from nasbench_lab.simulation.steps.columns import StepColumns, columns_by_name, ignored_of
from nasbench_lab.tables.importers.columns.cells import Cells
from nasbench_lab.tables.importers.columns.open_file import open_columns
from nasbench_lab.tables.reading.gzip_file import expand

MOST_ROWS = 2**24
_MOST_BYTES = 2**29
_MOST_NAMES = 2**12
_LONGEST_FIRST_LINE = 2**20


def is_lines(source: LogSource) -> bool:
    """Return whether a source is a file of JSON lines."""
    if source.path is None or source.file("") is None:
        return False
    long = source.head.lstrip().startswith(b"{") and b"\n" not in source.head
    return looks_like_lines(source.start("", _LONGEST_FIRST_LINE) if long else source.head)


def looks_like_lines(head: bytes) -> bool:
    """Return whether the first bytes of a file are those of JSON lines.

    >>> looks_like_lines(b'{"run": 0, "value": 0.5}'), looks_like_lines(b"run,value")
    (True, False)
    """
    if head.startswith(b"\x1f\x8b"):
        try:
            head = gzip.GzipFile(fileobj=io.BytesIO(head)).read1(2**12)
        except (OSError, EOFError):
            return False
    text = head.decode("utf-8-sig", errors="replace").lstrip()
    line, ended, rest = text.partition("\n")
    if not line.startswith("{") or (ended and rest.strip() and not rest.lstrip().startswith("{")):
        return False
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return bool(ended and rest.strip()) or not any(isinstance(value, dict | list) for value in record.values())


def read_columns_file(source: LogSource, options: ReadOptions) -> list[SearchLog]:
    """Read a CSV, Parquet or JSON file of steps."""
    path = _file(source)
    return [SearchLog(steps_in(path, options, options.columns), file=path)]


def steps_in(path: Path, options: ReadOptions, renamed: Mapping[str, str], others: Collection[str] = ()) -> StepColumns:
    """Return the steps in a file of columns.

    Args:
        path: the file.
        options: how it is read.
        renamed: for some names of columns, the name in the file.
        others: names of further columns to keep, under these names.

    Raises:
        DataError: the file is damaged or has another format.
    """
    names, cells, numbers = columns_in(path, options)
    places = columns_by_name(names, renamed)
    kept = {name: cells[place] for name, place in places.items()} | {name: cells[name] for name in others}
    return StepColumns(kept, row_of(path, numbers), ignored_of(names, {**places, **{name: name for name in others}}))


def columns_in(path: Path, options: ReadOptions) -> tuple[tuple[str, ...], dict[str, Cells], list[int]]:
    """Return the names of the columns of a file, their cells, and the numbers of the rows.

    Raises:
        DataError: the file is damaged, has another format, or too many rows.
    """
    with open_columns(path, options.delimiter, options.encoding) as file:
        batches = []
        numbers: list[int] = []
        for batch in file.batches:
            batches.append(batch.columns)
            numbers += batch.rows
            if len(numbers) > MOST_ROWS:
                raise DataError(f"{path.name} has more than {MOST_ROWS:,} rows")
        names = tuple(name for name in file.names if name)
    return names, {name: joined_cells([batch[name] for batch in batches]) for name in names}, numbers


def joined_cells(parts: Sequence[Cells]) -> Cells:
    """Return cells below each other: numbers if all are, else texts."""
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    if len(arrays) == len(parts) and arrays:
        return np.concatenate(arrays)
    return [cell for part in parts for cell in (part if isinstance(part, list) else map(_number_text, part.tolist()))]


def _number_text(value: float) -> str:
    return "" if value != value else repr(value)


def read_lines_file(source: LogSource, options: ReadOptions) -> list[SearchLog]:
    """Read a file of JSON lines, one object per evaluation."""
    path = _file(source)
    records, numbers = [], []
    for number, record in json_lines(source, options.encoding):
        records.append(record)
        numbers.append(number)
    names = list(dict.fromkeys(name for record in records for name in record))
    if len(names) > _MOST_NAMES:
        raise DataError(f"{path.name} has {len(names):,} different names")
    places = columns_by_name(names, options.columns)
    rows = list(zip(records, numbers, strict=True))
    cells: dict[str, Cells] = {
        name: [_json_cell(record.get(place), name, number, path) for record, number in rows]
        for name, place in places.items()
    }
    columns = StepColumns(cells, row_of(path, numbers), ignored_of(names, places))
    return [SearchLog(columns, file=path)]


def json_lines(source: LogSource, encoding: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number of each line that is not empty, from 1, and its object.

    Raises:
        DataError: the file is damaged, or a line is no object.
    """
    path = _file(source)
    content = source.content("", _MOST_BYTES)
    try:
        if content.startswith(b"\x1f\x8b"):
            content = expand(io.BytesIO(content), _MOST_BYTES)
        text = content.decode("utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except LookupError:
        raise DataError(f"{path.name} cannot be read: there is no encoding {encoding!r}") from None
    except UnicodeError:
        raise DataError(f"{path.name} is not encoded in {encoding}") from None
    except NasbenchLabError as error:
        raise DataError(f"{path.name} is damaged: {first_line(error)}") from error
    empty = True
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"line {number} of {path.name} is not readable JSON: {first_line(error)}") from None
        if not isinstance(record, dict):
            raise DataError(f"line {number} of {path.name} is not an object with names and values")
        empty = False
        yield number, record
    if empty:
        raise DataError(f"{path.name} is empty")


def _json_cell(value: Any, name: str, number: int, path: Path) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | dict):
        raise DataError(f"line {number} of {path.name}: {name} must be a number or a text")
    try:
        return json.dumps(value)
    except ValueError:  # an integer of thousands of digits
        raise DataError(f"line {number} of {path.name}: {name} is too large") from None


def _file(source: LogSource) -> Path:
    if source.path is None or source.file("") is None:
        raise DataError(f"{source} is not a file")
    return source.path
