"""The file format of tables: one HDF5 file, opened in milliseconds, shared between processes by memory-mapping.

Layout, format version 2::

    /                     attributes: format, format_version, description (JSON), checksum
    /values/<metric>      the metric's array over its axes, contiguous, uncompressed, little-endian
    /means/<metric>       the means that were published instead of single repeats, float64
    /digests              JSON: name of every array to the SHA-256 of each of its blocks of 4 MiB

``checksum`` is the SHA-256 of the description and the digests. It is verified when a file is opened; a block of an
array is verified when it is first used. So a damaged file never gives wrong numbers, and one architecture of a table of
gigabytes is looked up without reading the rest.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nasbench_lab import spaces
from nasbench_lab.errors import DataError, NasbenchLabError, first_line
from nasbench_lab.files import atomic_path
from nasbench_lab.tables.description import Description
from nasbench_lab.tables.hdf5_writing import writable_file
from nasbench_lab.tables.table import Table

FORMAT = "nasbench-lab table"
FORMAT_VERSION = 2

_GROUPS = ("values", "means")
_BLOCK = 2**22  # bytes
_NEW_FILE = {"libver": "v110", "alignment_threshold": 64, "alignment_interval": 64}  # aligned numbers are read faster


class _Extent(NamedTuple):
    """The position of an array in its file."""

    offset: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]


class _Mapped(NamedTuple):
    """A mapped array, and a flag per block: whether it was verified."""

    array: NDArray[Any]
    verified: NDArray[np.bool_]


class MappedArrays(Mapping[str, NDArray[Any]]):
    """The arrays of one group of a file, memory-mapped; every block is verified when it is first used."""

    def __init__(
        self, path: Path, extents: Mapping[str, _Extent], digests: Mapping[str, list[str]], remedy: str
    ) -> None:
        self._path, self._extents, self._digests, self._remedy = path, extents, digests, remedy
        self._open: dict[str, _Mapped] = {}

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an array without touching it."""
        return self._extents[name].shape

    def unverified(self, name: str) -> NDArray[Any]:
        """Return an array without verifying it; call `verify_rows` before using its rows."""
        return self._map(name).array

    def verify_rows(self, name: str, first: int, end: int) -> None:
        """Verify the rows ``first`` to ``end - 1`` of an array, and as few other rows as possible."""
        array = self._map(name).array
        length = array.nbytes // max(1, len(array))
        self._verify(name, first * length // _BLOCK, -(-min(end, len(array)) * length // _BLOCK))

    def __getitem__(self, name: str) -> NDArray[Any]:
        mapped = self._map(name)
        self._verify(name, 0, len(mapped.verified))
        return mapped.array

    def _map(self, name: str) -> _Mapped:
        if name not in self._open:
            offset, dtype, shape = self._extents[name]
            try:
                array = np.memmap(self._path, dtype=dtype, mode="r", offset=offset, shape=shape)
            except (OSError, ValueError) as error:
                raise DataError(f"{self._path} is truncated or unreadable: {error}{self._remedy}") from error
            self._open[name] = _Mapped(array, np.zeros(len(self._digests[name]), dtype=bool))
        return self._open[name]

    def _verify(self, name: str, first: int, end: int) -> None:
        """Verify the blocks ``first`` to ``end - 1`` that have not been verified."""
        array, verified = self._open[name]
        if verified[first:end].all():
            return
        content = array.data.cast("B")
        for block in first + np.flatnonzero(~verified[first:end]):
            found = hashlib.sha256(content[block * _BLOCK : (block + 1) * _BLOCK]).hexdigest()
            if found != self._digests[name][block]:
                raise DataError(f"{self._path} is corrupt: {name!r} does not match its checksum{self._remedy}")
            verified[block] = True

    def __getstate__(self) -> dict[str, Any]:
        # A copy maps the file again, whatever the current folder of its process is, and verifies it again.
        return {**vars(self), "_path": self._path.absolute(), "_open": {}}

    def __contains__(self, name: object) -> bool:
        return name in self._extents

    def __iter__(self) -> Iterator[str]:
        return iter(self._extents)

    def __len__(self) -> int:
        return len(self._extents)


class Draft(NamedTuple):
    """The arrays of a table that is being written: memory-mapped, filled with NaN, writable in any order."""

    values: Mapping[str, NDArray[Any]]
    means: Mapping[str, NDArray[Any]]


@contextlib.contextmanager
def writing(
    description: Description,
    path: str | os.PathLike[str],
    *,
    means: Iterable[str] = (),
    dtypes: Mapping[str, DTypeLike] | None = None,
) -> Iterator[Draft]:
    """Yield the arrays of a new table to fill; the complete file appears when the block ends without an error.

    The arrays are in the file, not in memory, so a table can be larger than memory.

    Args:
        description: the description of the table.
        path: the file to write.
        means: names of the metrics with published means.
        dtypes: metric to floating-point dtype; by default float64.

    Raises:
        OutputError: the file cannot be written; an older file stays unchanged.

    >>> import tempfile
    >>> from nasbench_lab.testing import synthetic_table
    >>> table = synthetic_table("chain")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with writing(table.description, f"{folder}/mine.h5") as draft:
    ...         for metric, array in draft.values.items():
    ...             array[:] = table.values(metric)
    ...     open_table(f"{folder}/mine.h5").lookup([7]) == table.lookup([7])
    array([ True])
    """
    import h5py

    shapes = _shapes(description, means)
    with atomic_path(Path(path)) as temporary:
        with writable_file(temporary, "w", **_NEW_FILE) as file:
            for key, shape in shapes.items():
                dtype = np.dtype((dtypes or {}).get(key.partition("/")[2], np.float64)).newbyteorder("<")
                array = file.create_dataset(key, shape, dtype, fillvalue=np.nan, fill_time="alloc", track_times=False)
                # Writing the first number makes HDF5 allocate the whole array, so that a full disk is an error here.
                # When the memory map is filled, it would be a signal that kills the process.
                array[(0,) * len(shape)] = np.nan
        with h5py.File(temporary, "r") as file:
            extents = {group: _extents(file, group, temporary) for group in _GROUPS}
        maps = {
            f"{group}/{name}": np.memmap(temporary, dtype=e.dtype, mode="r+", offset=e.offset, shape=e.shape)
            for group in _GROUPS
            for name, e in extents[group].items()
        }
        yield Draft(_group(maps, "values"), _group(maps, "means"))
        for array in maps.values():
            array.flush()
        _seal(temporary, description, maps)


def write(table: Table, path: str | os.PathLike[str]) -> None:
    """Write a table to an HDF5 file, atomically.

    Raises:
        OutputError: the file cannot be written; an older file stays unchanged.
    """
    arrays = {f"values/{name}": table.values(name) for name in table.metrics}
    for name in table.metrics:
        published = table.published_means(name)
        if published is not None:
            arrays[f"means/{name}"] = published
    plain = {key: _little_endian(array) for key, array in arrays.items()}
    with atomic_path(Path(path)) as temporary:
        with writable_file(temporary, "w", **_NEW_FILE) as file:
            for key, array in plain.items():
                file.create_dataset(key, data=array, track_times=False)
        _seal(temporary, table.description, plain)


def _seal(path: Path, description: Description, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Add the description and the checksums to a file with complete arrays."""
    text = description.to_json()
    digests = json.dumps({key: _digests(array) for key, array in arrays.items()}, sort_keys=True)
    with writable_file(path, "r+", libver="v110") as file:
        file.attrs["format"] = FORMAT
        file.attrs["format_version"] = FORMAT_VERSION
        file.attrs["description"] = text
        file.attrs["checksum"] = _checksum(text, digests)
        file.create_dataset("digests", data=np.frombuffer(digests.encode(), np.uint8), track_times=False)


def _shapes(description: Description, means: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all arrays of a new table."""
    lengths = {
        "architecture": spaces.make_space(description.space).size,
        "fidelity": len(description.fidelities),
        "repeat": len(description.repeats),
    }
    shapes = {f"values/{m.name}": tuple(lengths[axis] for axis in m.axes) for m in description.metrics}
    for name in means:
        shapes[f"means/{description.metric(name).name}"] = (lengths["architecture"], lengths["fidelity"])
    return shapes


def _group(arrays: Mapping[str, NDArray[Any]], group: str) -> dict[str, NDArray[Any]]:
    return {key.partition("/")[2]: array for key, array in arrays.items() if key.startswith(f"{group}/")}


def open_table(path: str | os.PathLike[str], *, remedy: str = "") -> Table:
    """Open a table file. Its arrays are memory-mapped when they are first used.

    Args:
        path: the file.
        remedy: what to do about a damaged file; appended to the message of every DataError.

    Raises:
        DataError: the file is missing, truncated, corrupt, of another format version, or not a table.

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
            description, digests, checksum = _read_header(file, where)
            extents = {group: _extents(file, group, where) for group in _GROUPS}
    except NasbenchLabError:
        raise
    except Exception as error:  # a damaged file can raise almost any exception
        raise DataError(f"{where} is not a readable HDF5 file: {first_line(error)}") from error
    missing = [f"{g}/{n}" for g in _GROUPS for n, extent in extents[g].items() if not _covers(digests, g, n, extent)]
    if missing:
        raise DataError(f"{where} is corrupt: it has no checksums of {', '.join(map(repr, missing))}")
    values, means = (
        MappedArrays(where, extents[group], {n: digests[f"{group}/{n}"] for n in extents[group]}, remedy)
        for group in _GROUPS
    )
    return Table(Description.from_json(description), values, means, checksum=checksum)


def _read_header(file: Any, where: Path) -> tuple[str, dict[str, list[str]], str]:
    attributes = dict(file.attrs)
    if attributes.get("format") != FORMAT:
        raise DataError(f"{where} is an HDF5 file, but not a table of nasbench-lab")
    version = int(attributes["format_version"])
    if version != FORMAT_VERSION:
        raise DataError(f"{where} has format version {version}; this release reads version {FORMAT_VERSION}")
    description, digests = str(attributes["description"]), file["digests"][:].tobytes().decode()
    if attributes["checksum"] != _checksum(description, digests):
        raise DataError(f"{where} is corrupt: its description does not match its checksum")
    known = json.loads(digests)
    if not isinstance(known, dict):
        raise DataError(f"{where} is corrupt: its digests are not an object")
    return description, known, str(attributes["checksum"])


def _extents(file: Any, group: str, where: Path) -> dict[str, _Extent]:
    """Return the positions of the arrays of a group, without reading them."""
    extents = {}
    size = where.stat().st_size
    for name, dataset in file.get(group, {}).items():
        offset = dataset.id.get_offset()
        if offset is None or dataset.dtype.kind not in "fiu":
            raise DataError(f"{where}: {group}/{name} is not a contiguous array of numbers")
        if offset + dataset.nbytes > size:
            raise DataError(f"{where} is truncated: {group}/{name} ends after the end of the file")
        # Memory views refuse the explicit byte order of dtypes from HDF5. Making the dtype again removes a native one.
        extents[name] = _Extent(offset, np.dtype(dataset.dtype.str), dataset.shape)
    return extents


def _covers(digests: Mapping[str, list[str]], group: str, name: str, extent: _Extent) -> bool:
    """Return whether every block of an array has a checksum."""
    nbytes = math.prod(extent.shape) * extent.dtype.itemsize
    return len(digests.get(f"{group}/{name}", ())) == -(-nbytes // _BLOCK)


def _little_endian(array: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))


def _digests(array: NDArray[Any]) -> list[str]:
    """Return the SHA-256 of every block of an array."""
    content = array.data.cast("B")
    return [hashlib.sha256(content[first : first + _BLOCK]).hexdigest() for first in range(0, len(content), _BLOCK)]


def _checksum(description: str, digests: str) -> str:
    return hashlib.sha256(f"{description}\n{digests}".encode()).hexdigest()
