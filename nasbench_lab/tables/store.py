"""The file format of tables: one HDF5 file, opened in milliseconds, shared between processes by memory-mapping.

Layout, format version 1::

    /                     attributes: format, format_version, description (JSON), digests (JSON), checksum
    /values/<metric>      the metric's array over its axes, contiguous, uncompressed, little-endian
    /means/<metric>       the means that were published instead of single repeats, float64

``digests`` has the SHA-256 of every array, ``checksum`` that of the description and the digests. The checksum is
verified when a file is opened and an array when it is first used, so a damaged file never answers with wrong numbers.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.errors import DataError, NasbenchLabError, first_line
from nasbench_lab.files import atomic_path
from nasbench_lab.tables.description import Description
from nasbench_lab.tables.table import Table

FORMAT = "nasbench-lab table"
FORMAT_VERSION = 1

_GROUPS = ("values", "means")


class _Extent(NamedTuple):
    """Where an array lies in its file."""

    offset: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]


class MappedArrays(Mapping[str, NDArray[Any]]):
    """The arrays of one group of a file: mapped into memory and verified when first used."""

    def __init__(self, path: Path, extents: Mapping[str, _Extent], digests: Mapping[str, str], remedy: str) -> None:
        self._path, self._extents, self._digests, self._remedy = path, extents, digests, remedy
        self._open: dict[str, NDArray[Any]] = {}

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an array without touching it."""
        return self._extents[name].shape

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self._open:
            offset, dtype, shape = self._extents[name]
            try:
                array = np.memmap(self._path, dtype=dtype, mode="r", offset=offset, shape=shape)
            except (OSError, ValueError) as error:
                raise DataError(f"{self._path} is truncated or unreadable: {error}{self._remedy}") from error
            if _digest(array) != self._digests[name]:
                raise DataError(f"{self._path} is corrupt: {name!r} does not match its checksum{self._remedy}")
            self._open[name] = array
        return self._open[name]

    def __contains__(self, name: object) -> bool:
        return name in self._extents

    def __iter__(self) -> Iterator[str]:
        return iter(self._extents)

    def __len__(self) -> int:
        return len(self._extents)


def write(table: Table, path: str | os.PathLike[str]) -> None:
    """Write a table to an HDF5 file, atomically.

    Raises:
        OutputError: the file cannot be written; an older file is left as it was.
    """
    import h5py

    arrays = {("values", name): table.values(name) for name in table.metrics}
    for name in table.metrics:
        means = table.published_means(name)
        if means is not None:
            arrays["means", name] = means
    plain = {key: _little_endian(array) for key, array in arrays.items()}
    description = table.description.to_json()
    digests = json.dumps({"/".join(key): _digest(array) for key, array in plain.items()}, sort_keys=True)
    with atomic_path(Path(path)) as temporary, h5py.File(temporary, "w", libver="v110") as file:
        file.attrs["format"] = FORMAT
        file.attrs["format_version"] = FORMAT_VERSION
        file.attrs["description"] = description
        file.attrs["digests"] = digests
        file.attrs["checksum"] = _checksum(description, digests)
        for (group, name), array in plain.items():
            file.create_dataset(f"{group}/{name}", data=array, track_times=False)


def open_table(path: str | os.PathLike[str], *, remedy: str = "") -> Table:
    """Open a table file. Its arrays are mapped into memory when they are first used.

    Args:
        path: the file.
        remedy: what to do about a damaged file; appended to the message of every DataError.

    Raises:
        DataError: the file is missing, truncated, corrupt, of a newer format, or no table.

    >>> import tempfile
    >>> from nasbench_lab.testing import synthetic_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(synthetic_table("chain"), f"{folder}/mine.h5")
    ...     open_table(f"{folder}/mine.h5").fidelities
    (4, 12)
    """
    try:
        return _open(Path(path), remedy)
    except DataError as error:
        raise DataError(f"{error}{remedy}") from error


def _open(where: Path, remedy: str) -> Table:
    import h5py

    try:
        if not where.is_file():
            raise DataError(f"there is no file {where}")
        with h5py.File(where, "r") as file:
            description, digests, checksum = _read_attributes(file, where)
            extents = {group: _extents(file, group, where) for group in _GROUPS}
    except NasbenchLabError:
        raise
    except Exception as error:  # a damaged file can raise nearly anything
        raise DataError(f"{where} is not a readable HDF5 file: {first_line(error)}") from error
    missing = [f"{g}/{n}" for g in _GROUPS for n in extents[g] if f"{g}/{n}" not in digests]
    if missing:
        raise DataError(f"{where} is corrupt: no checksum of {', '.join(map(repr, missing))}")
    values, means = (
        MappedArrays(where, extents[group], {n: digests[f"{group}/{n}"] for n in extents[group]}, remedy)
        for group in _GROUPS
    )
    return Table(Description.from_json(description), values, means, checksum=checksum)


def _read_attributes(file: Any, where: Path) -> tuple[str, dict[str, str], str]:
    attributes = dict(file.attrs)
    if attributes.get("format") != FORMAT:
        raise DataError(f"{where} is an HDF5 file, but not a table of nasbench-lab")
    version = int(attributes["format_version"])
    if version != FORMAT_VERSION:
        raise DataError(f"{where} has format version {version}; this release reads version {FORMAT_VERSION}")
    description, digests = str(attributes["description"]), str(attributes["digests"])
    if attributes["checksum"] != _checksum(description, digests):
        raise DataError(f"{where} is corrupt: its description does not match its checksum")
    known = json.loads(digests)
    if not isinstance(known, dict):
        raise DataError(f"{where} is corrupt: its digests are not an object")
    return description, known, str(attributes["checksum"])


def _extents(file: Any, group: str, where: Path) -> dict[str, _Extent]:
    """Find where the arrays of a group lie, without reading them."""
    extents = {}
    size = where.stat().st_size
    for name, dataset in file.get(group, {}).items():
        offset = dataset.id.get_offset()
        if offset is None or dataset.dtype.kind not in "fiu":
            raise DataError(f"{where}: {group}/{name} is not a contiguous array of numbers")
        if offset + dataset.nbytes > size:
            raise DataError(f"{where} is truncated: {group}/{name} ends after the end of the file")
        extents[name] = _Extent(offset, dataset.dtype, dataset.shape)
    return extents


def _little_endian(array: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))


def _digest(array: NDArray[Any]) -> str:
    return hashlib.sha256(array.data.cast("B")).hexdigest()


def _checksum(description: str, digests: str) -> str:
    return hashlib.sha256(f"{description}\n{digests}".encode()).hexdigest()
