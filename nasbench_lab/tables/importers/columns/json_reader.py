"""Reading JSON files of measurements as rows and columns.

These forms are recognised, compressed with gzip or not:

- a list of records: ``[{"arch": "a", "val_acc": 0.9}, ...]``;
- a dictionary of architectures: ``{"a": {"val_acc": 0.9}, ...}``; the value can also be a number, a list of records,
  or a dictionary of epochs, ``{"12": {"val_acc": 0.5}, "200": {"val_acc": 0.9}}``;
- one such dictionary inside another, as NASLib writes them: ``{"cifar10": {"(4, 0, 3, 1, 4, 3)": {...}}}``;
- a dictionary of columns, as pandas writes it: ``{"arch": ["a", "b"], "val_acc": [0.9, 0.8]}``, or with dictionaries
  of rows in place of the lists.

A dictionary inside a record becomes several columns: ``{"synflow": {"score": 1.5}}`` is column ``synflow.score``.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nasbench_lab.errors import DataError
from nasbench_lab.messages import first_line
from nasbench_lab.tables.importers.columns.cells import CellBatch, Cells, ColumnFile
from nasbench_lab.tables.importers.columns.options import is_architecture_name

ARCHITECTURE = "arch"
"""Name of the column with the keys of a dictionary of architectures."""
EPOCH = "epoch"
"""Name of the column with the keys of a dictionary of epochs."""
VALUE = "value"
"""Name of the column with the numbers of a dictionary that has only one number per architecture."""

_MOST_BYTES = 2**29
_MOST_CELLS = 2**15  # in a batch
_MOST_COLUMNS = 2**12
_FREE_CELLS = 2**24
_MOST_CELLS_PER_BYTE = 4  # a number with its key takes several bytes

_Record = dict[str, Any]


@contextlib.contextmanager
def open_json(path: Path, encoding: str) -> Iterator[ColumnFile]:
    """Open a JSON file; it is read into memory.

    Raises:
        DataError: the file is damaged, too large, or has another form.
    """
    size = path.stat().st_size
    records = _records(path.name, _parsed(path, encoding))
    names = tuple(dict.fromkeys(name for record in records for name in record))
    if len(names) > _MOST_COLUMNS or len(names) * len(records) > max(_FREE_CELLS, _MOST_CELLS_PER_BYTE * size):
        raise DataError(f"{path.name} has {len(records)} records with {len(names)} different names")
    yield ColumnFile(names, _batches(records, names), lambda: size, size)


def looks_like_json(start: bytes) -> bool:
    """Return whether the first bytes of a file, compressed with gzip or not, are those of JSON with measurements.

    >>> looks_like_json(b' [{"arch": "a"'), looks_like_json(b"arch,val_acc"), looks_like_json(b"[arch],val_acc")
    (True, False, False)
    """
    if start.startswith(b"\x1f\x8b"):
        try:
            start = zlib.decompressobj(wbits=31).decompress(start, 2**12)
        except zlib.error:
            return False
    begin = b"".join(start.removeprefix(b"\xef\xbb\xbf").split())[:2]  # without white space
    return begin in (b"[{", b'{"', b"[]", b"{}")


def _parsed(path: Path, encoding: str) -> Any:
    try:
        with path.open("rb") as raw:
            compressed = raw.read(2) == b"\x1f\x8b"
        with gzip.open(path) if compressed else path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise DataError(f"{path.name} has more than {_MOST_BYTES // 2**20} MiB of JSON; save it as CSV or Parquet")
        plain = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
        return json.loads(content.decode(plain), object_pairs_hook=_object)
    except _RepeatedKeyError as error:
        raise DataError(f"{path.name} has the key {error.args[0][:80]!r} twice in one object") from None
    except UnicodeError as error:
        raise DataError(f"{path.name} is not encoded in {encoding}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path.name} is not readable JSON: {first_line(error)}") from error
    except (EOFError, zlib.error, OSError, MemoryError) as error:
        raise DataError(f"{path.name} is damaged: {first_line(error)}") from error


class _RepeatedKeyError(Exception):
    """An object has a key twice. Always caught."""


def _object(pairs: Sequence[tuple[str, Any]]) -> _Record:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _RepeatedKeyError(next(name for name in names if names.count(name) > 1))
    return found


def _records(file: str, content: Any) -> list[_Record]:
    """Return one record per row, whose values are numbers, texts, lists or None."""
    if isinstance(content, list):
        for number, record in enumerate(content, 1):
            if not isinstance(record, dict):
                raise DataError(f"element {number} of {file} is not an object with names and values")
        found = content
    elif any(map(is_architecture_name, content)):
        found = _of_columns(file, content)
    else:
        found = [record for key, value in _unwrapped(file, content).items() for record in _of_key(file, key, value)]
    if not found:
        raise DataError(f"{file} has no records")
    return [dict(_flat(record)) for record in found]


def _of_columns(file: str, content: _Record) -> list[_Record]:
    """Return the records of a dictionary of columns, which are lists or dictionaries of rows."""
    columns = {
        name: dict(enumerate(column)) if isinstance(column, list) else column for name, column in content.items()
    }
    first = next(iter(columns.values()))
    if not all(isinstance(column, dict) and column.keys() == first.keys() for column in columns.values()):
        raise DataError(f"the columns of {file} do not have the same rows")
    return [{name: column[row] for name, column in columns.items()} for row in first]


def _unwrapped(file: str, content: _Record) -> _Record:
    """Return a dictionary of architectures that may be the only entry of another dictionary."""
    if not content or any(map(_is_notation, content)) or not all(map(_has_architectures, content.values())):
        return content
    if len(content) == 1:
        return next(iter(content.values()))
    known = ", ".join(map(repr, list(content)[:5]))
    raise DataError(f"{file} has the architectures of {len(content)} data sets ({known}); save one of them alone")


def _has_architectures(value: Any) -> bool:
    """Return whether a value is a dictionary whose keys are notations of architectures."""
    return isinstance(value, dict) and bool(value) and all(map(_is_notation, value))


def _is_notation(text: str) -> bool:
    """Return whether a text is an architecture rather than a name: a tuple, a cell, or a long text."""
    return text.startswith(("(", "[", "|", "{")) or len(text) >= 32


def _of_key(file: str, key: str, value: Any) -> Iterator[_Record]:
    """Yield the records of one architecture."""
    head = {ARCHITECTURE: key}
    if isinstance(value, dict) and _are_epochs(value):
        for epoch, inner in value.items():
            yield {**head, EPOCH: epoch, **(inner if isinstance(inner, dict) else {VALUE: inner})}
    elif isinstance(value, dict):
        yield {**head, **{("name" if name == ARCHITECTURE else name): inner for name, inner in value.items()}}
    elif isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        for each in value:
            yield {**head, **each}
    elif isinstance(value, int | float | list) and not isinstance(value, bool):
        yield {**head, VALUE: value}
    else:
        raise DataError(f"key {key[:80]!r} of {file} has no measurements, but {json.dumps(value)[:80]}")


def _are_epochs(value: Mapping[str, Any]) -> bool:
    """Return whether all keys of a dictionary are numbers of epochs."""
    return bool(value) and all(name.isascii() and name.isdigit() and len(name) < 10 for name in value)


def _flat(record: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the entries of a record; those of inner dictionaries get names with dots."""
    for name, value in record.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}".strip(), value


def _batches(records: Sequence[_Record], names: Sequence[str]) -> Iterator[CellBatch]:
    step = max(1, _MOST_CELLS // max(1, len(names)))
    for first in range(0, len(records), step):
        part = records[first : first + step]
        columns: dict[str, Cells] = {name: [_cell(record.get(name)) for record in part] for name in names}
        yield CellBatch(range(first + 1, first + 1 + len(part)), columns)


def _cell(value: Any) -> str:
    """Return a value as the text of a cell; a list stays JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
