"""The file format of tables: one HDF5 file, opened in milliseconds, shared between processes by memory-mapping.

Layout, format version 3::

    /                     attributes: format, format_version, checksum
    /description          JSON
    /values/<metric>      the metric's array over its axes, contiguous, uncompressed, little-endian
    /means/<metric>       the means that were published instead of single repeats, float64
    /digests              JSON: name of every array to the SHA-256 of each of its blocks of 4 MiB

``checksum`` is the SHA-256 of the description and the digests. It is verified when a file is opened; a block of an
array is verified when it is first used. So a damaged file never gives wrong numbers, and one architecture of a table of
gigabytes is looked up without reading the rest.

Texts have fixed lengths: HDF5 keeps texts of variable length in a part of the file without checksums, and a few wrong
bytes there make it search for ever. Files of version 2, where the description is an attribute and the lengths of texts
vary, are read too.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import math
import os
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nasbench_lab import spaces
from nasbench_lab.errors import DataError
from nasbench_lab.files import atomic_path
from nasbench_lab.messages import shortened
from nasbench_lab.plain_files import is_folder, is_plain
from nasbench_lab.tables.description import Description
from nasbench_lab.tables.hdf5_writing import writable_file
from nasbench_lab.tables.reading.hdf5_file import Hdf5Group, open_hdf5
from nasbench_lab.tables.table import Table

_LONGEST_PATH = 4096  # characters

FORMAT = "nasbench-lab table"
FORMAT_VERSION = 3
_READABLE = (2, FORMAT_VERSION)

_GROUPS = ("values", "means")
_DESCRIPTION, _DIGESTS = "description", "digests"
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
    """The arrays of a table that is being written: memory-mapped, filled with NaN, writable in any order.

    Attributes:
        values: metric to its values.
        means: metric to its published means.
        notes: further notes for the description, which may be appended until the table is complete.
    """

    values: Mapping[str, NDArray[Any]]
    means: Mapping[str, NDArray[Any]]
    notes: list[str]


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
            extents = {group: _new_extents(file.get(group, {})) for group in _GROUPS}
        maps = {
            f"{group}/{name}": np.memmap(temporary, dtype=e.dtype, mode="r+", offset=e.offset, shape=e.shape)
            for group in _GROUPS
            for name, e in extents[group].items()
        }
        draft = Draft(_group(maps, "values"), _group(maps, "means"), [])
        yield draft
        for array in maps.values():
            array.flush()
        noted = dataclasses.replace(description, notes=(*description.notes, *draft.notes))
        _seal(temporary, noted, maps)


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
        file.attrs["format"] = np.bytes_(FORMAT)
        file.attrs["format_version"] = FORMAT_VERSION
        file.attrs["checksum"] = np.bytes_(_checksum(text, digests))
        for name, content in ((_DESCRIPTION, text), (_DIGESTS, digests)):
            file.create_dataset(name, data=np.frombuffer(content.encode(), np.uint8), track_times=False)


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


def size_of(description: Description, means: Iterable[str] = ()) -> int:
    """Return how many bytes the arrays of a new table take, as float64.

    >>> from nasbench_lab.testing import synthetic_table
    >>> table = synthetic_table("chain")
    >>> size_of(table.description) == 8 * sum(table.values(name).size for name in table.metrics)
    True
    """
    return 8 * sum(math.prod(shape) for shape in _shapes(description, means).values())


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


def _missing(where: Path) -> str:
    """Return that there is no such file, and how to finish the build that would have written it."""
    if len(str(where)) > _LONGEST_PATH:
        return f"there is no file {shortened(str(where))}"
    if not is_folder(where.with_suffix(".build")):
        return f"there is no file {where}"
    spec = where.with_suffix(".toml")
    command = f"nasbench-lab tables build {shlex.quote(str(spec) if is_plain(spec) else 'SPEC.toml')}"
    return f"there is no file {where}; if its build was stopped, finish it first: {command}"


def _open(where: Path, remedy: str) -> Table:
    if not is_plain(where):
        raise DataError(_missing(where))
    try:
        with open_hdf5(where) as file:
            description, digests, checksum = _read_header(file)
            extents = {group: _extents(file, group, where) for group in _GROUPS}
    except DataError as error:
        raise DataError(f"{where} is not a readable table: {error}") from error
    missing = [f"{g}/{n}" for g in _GROUPS for n, extent in extents[g].items() if not _covers(digests, g, n, extent)]
    if missing:
        raise DataError(f"{where} is corrupt: it has no checksums of {', '.join(map(repr, missing))}")
    values, means = (
        MappedArrays(where, extents[group], {n: digests[f"{group}/{n}"] for n in extents[group]}, remedy)
        for group in _GROUPS
    )
    return Table(Description.from_json(description), values, means, checksum=checksum)


def _read_header(file: Hdf5Group) -> tuple[str, dict[str, list[str]], str]:
    """Return the description, the digests and the checksum, after verifying the checksum."""
    if not file.is_of_format(FORMAT):
        raise DataError("it is an HDF5 file, but not a table of nasbench-lab")
    description = file.described(_DESCRIPTION, _READABLE)
    digests = file.array(_DIGESTS).tobytes().decode()
    checksum = file.text("checksum")
    if checksum != _checksum(description, digests):
        raise DataError("its description does not match its checksum")
    return description, _parse_digests(digests), checksum


def _parse_digests(text: str) -> dict[str, list[str]]:
    digests = json.loads(text)
    if not isinstance(digests, dict) or not all(
        isinstance(blocks, list) and all(isinstance(digest, str) for digest in blocks) for blocks in digests.values()
    ):
        raise DataError("its digests are not lists of texts")
    return digests


def _extents(file: Hdf5Group, group: str, where: Path) -> dict[str, _Extent]:
    """Return the positions of the arrays of a group, without reading them."""
    if not file.has(group):
        return {}
    arrays = file.group(group)
    extents = _new_extents({name: arrays.dataset(name) for name in arrays.names()})
    size = where.stat().st_size
    for name, (offset, dtype, shape) in extents.items():
        if offset + math.prod(shape) * dtype.itemsize > size:
            raise DataError(f"it is truncated: {group}/{name} ends after the end of the file")
    return extents


def _new_extents(datasets: Mapping[str, Any]) -> dict[str, _Extent]:
    """Return the positions of contiguous arrays of numbers."""
    extents = {}
    for name, dataset in datasets.items():
        offset, dtype = dataset.id.get_offset(), dataset.dtype
        if offset is None or dtype.kind not in "fiu":
            raise DataError(f"{name} is not a contiguous array of numbers")
        # Memory views refuse the explicit byte order of dtypes from HDF5. Making the dtype again removes a native one.
        extents[name] = _Extent(offset, np.dtype(dtype.str), dataset.shape)
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
