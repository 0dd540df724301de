"""Packed table files: small enough to ship, compressed, and with identical rows of measurements stored once.

Layout, format version 2::

    /                     attributes: format, format_version, checksum
    /description          JSON
    /rows/<metric>        measurements of the distinct rows, (rows, ...), compressed
    /row_of_architecture  row number of each architecture, (architectures,), compressed
    /single/<metric>      metrics with one value per architecture, (architectures,), compressed

The checksum is the SHA-256 of the description and all arrays. A packed file is unpacked into the cache on first use,
as an unpacked table opens faster and is shared between processes.

Files of version 1, where the description is an attribute and the lengths of texts vary, are read too.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab import spaces
from nasbench_lab.errors import DataError, ParameterError
from nasbench_lab.files import atomic_path
from nasbench_lab.plain_files import read_plain
from nasbench_lab.tables.description import AXES, Description
from nasbench_lab.tables.hdf5_writing import writable_file
from nasbench_lab.tables.reading.hdf5_file import Hdf5Group, open_hdf5
from nasbench_lab.tables.recipe import Arrays
from nasbench_lab.tables.table import Table

FORMAT = "nasbench-lab packed table"
FORMAT_VERSION = 2
_READABLE = (1, FORMAT_VERSION)

_COMPRESSED = {"compression": "gzip", "compression_opts": 9, "shuffle": True, "track_times": False}
_DESCRIPTION, _ROWS = "description", "row_of_architecture"


def pack(table: Table, path: str | os.PathLike[str]) -> None:
    """Write a table to a packed file, atomically.

    Raises:
        ParameterError: the table has published means, which the format does not support.
        OutputError: the file cannot be written; an older file stays unchanged.

    >>> import tempfile
    >>> from nasbench_lab.testing import synthetic_table
    >>> table = synthetic_table("chain")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pack(table, f"{folder}/small.h5")
    ...     description, _ = read_header(f"{folder}/small.h5")
    ...     values, _ = unpack(description, [Path(f"{folder}/small.h5").read_bytes()])
    >>> np.array_equal(values["valid_accuracy"], table.values("valid_accuracy"), equal_nan=True)
    True
    """
    if any(table.published_means(name) is not None for name in table.metrics):
        raise ParameterError(f"table {table.name!r} has published means, which packed files do not support")
    single = [metric.name for metric in table.description.metrics if metric.axes == AXES[:1]]
    shared = [name for name in table.metrics if name not in single]
    row_of_architecture, first = _distinct_rows([table.values(name) for name in shared], table.space.size)
    arrays = {_ROWS: row_of_architecture}
    arrays |= {f"rows/{name}": np.ascontiguousarray(table.values(name)[first]) for name in shared}
    arrays |= {f"single/{name}": np.ascontiguousarray(table.values(name)) for name in single}
    description = table.description.to_json()
    with atomic_path(Path(path)) as temporary, writable_file(temporary, "w", libver="v110") as file:
        file.attrs["format"] = np.bytes_(FORMAT)
        file.attrs["format_version"] = FORMAT_VERSION
        file.attrs["checksum"] = np.bytes_(_checksum(description, arrays))
        for name, array in {_DESCRIPTION: np.frombuffer(description.encode(), np.uint8), **arrays}.items():
            file.create_dataset(name, data=array, **_COMPRESSED)


def read_header(path: str | os.PathLike[str]) -> tuple[Description, str]:
    """Return the description and checksum of a packed table, without reading its numbers.

    Raises:
        DataError: the file is damaged, or not a packed table.
    """
    try:
        with open_hdf5(Path(path)) as file:
            description, checksum = _read_header(file)
    except DataError as error:
        raise DataError(f"{os.fspath(path)} cannot be read: {error}") from error
    return Description.from_json(description), checksum


def is_packed(path: str | os.PathLike[str]) -> bool:
    """Return whether a file says that it is a packed table."""
    try:
        with open_hdf5(Path(path)) as file:
            return file.is_of_format(FORMAT)
    except DataError:
        return False


def open_packed(path: str | os.PathLike[str]) -> Table:
    """Return a packed table, unpacked in memory.

    Raises:
        DataError: the file is damaged, or not a packed table.
    """
    description, checksum = read_header(path)
    values, means = unpack(description, [read_plain(Path(path))])
    return Table(description, values, means, checksum=checksum)


def unpack(description: Description, contents: Sequence[bytes]) -> tuple[Arrays, Arrays]:
    """Return values and published means (none) of a packed table; an `Importer` as for published files.

    Args:
        description: the description that the file must have.
        contents: the content of the file.

    Raises:
        DataError: the content is damaged, or has another description.
    """
    (content,) = contents
    text, arrays = _read(content)
    if text != description.to_json():
        raise DataError(f"packed table {description.name!r} has changed since its header was read")
    rows = arrays[_ROWS]
    _check_rows(description, rows)
    values = {name.partition("/")[2]: array for name, array in arrays.items() if name.startswith("single/")}
    values |= {name.partition("/")[2]: array[rows] for name, array in arrays.items() if name.startswith("rows/")}
    return values, {}


def _check_rows(description: Description, rows: NDArray[Any]) -> None:
    """Raise DataError unless there is one row per architecture, as a wrong number could need any amount of memory."""
    size = spaces.make_space(description.space).size
    if rows.shape != (size,) or rows.dtype.kind not in "iu":
        raise DataError(f"packed table {description.name!r} does not have one row for each of {size:,} architectures")


def _distinct_rows(arrays: list[NDArray[Any]], size: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the row number of each architecture, and the first architecture with each row."""
    if not arrays:
        return np.zeros(size, dtype=np.int32), np.zeros(1, dtype=np.int64)
    flat = [np.ascontiguousarray(array).reshape(size, -1).view(np.uint8) for array in arrays]
    joined = np.ascontiguousarray(np.concatenate(flat, axis=1))
    whole = joined.view(np.dtype((np.void, joined.shape[1])))[:, 0]
    _, first, inverse = np.unique(whole, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return place[inverse].astype(np.int32), first[order]


def _read(content: bytes) -> tuple[str, dict[str, NDArray[Any]]]:
    """Return the description and all arrays, after verifying the checksum."""
    try:
        with open_hdf5(content) as file:
            description, checksum = _read_header(file)
            arrays = {_ROWS: file.array(_ROWS)}
            for group in ("rows", "single"):
                if file.has(group):
                    arrays |= {f"{group}/{name}": array for name, array in file.group(group).arrays().items()}
    except DataError as error:
        raise DataError(f"a packed table cannot be read: {error}") from error
    if checksum != _checksum(description, arrays):
        raise DataError("a packed table does not match its checksum")
    return description, arrays


def _read_header(file: Hdf5Group) -> tuple[str, str]:
    """Return the description and the checksum."""
    if not file.is_of_format(FORMAT):
        raise DataError("it is not a packed table of nasbench-lab")
    return file.described(_DESCRIPTION, _READABLE), file.text("checksum")


def _checksum(description: str, arrays: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256(description.encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
