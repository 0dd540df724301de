"""Reading files of ``torch.save`` without torch, and without giving them a chance to run code.

A torch file is a pickle of everything but the numbers of tensors, and these numbers beside it. Since torch 1.6 both are
members of a zip archive; before, they followed each other in one stream. Here tensors become NumPy arrays.
"""

from __future__ import annotations

import contextlib
import io
import math
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.errors import DataError, first_line
from nasbench_lab.tables.reading.pickle_machine import Machine
from nasbench_lab.tables.reading.unpickle import ALLOWED

MOST_BYTES = 2**26
"""Larger files are not read into memory, and no member of a zip archive may become larger."""

MAGIC = 0x1950A86A20F9469CFC6C
"""The first pickle of a file of the stream form is this number."""
STREAM_VERSION = 1001

PICKLE = "data.pkl"
"""The member of the zip form that has everything but the numbers of tensors."""

_BYTE_ORDER = "byteorder"
_ZIP = b"PK\x03\x04"
_MOST_MEMBERS = 2**16

_DTYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}


def load(data: bytes | Path) -> Any:
    r"""Read a file of ``torch.save``, of either form; tensors become NumPy arrays.

    Args:
        data: the file, or its content.

    Raises:
        DataError: the file is too large, truncated, corrupt, asks for more than data, or is no torch file.

    >>> content = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19." + b"\x80\x02M\xe9\x03." + b"\x80\x02}."
    >>> load(content + b"\x80\x02]q\x00(K\x01K\x02e." + b"\x80\x02].")
    [1, 2]
    """
    content = _read(data) if isinstance(data, Path) else data
    if len(content) > MOST_BYTES:
        raise DataError(f"the torch file has more than {MOST_BYTES} bytes")
    return _load_zip(content) if content.startswith(_ZIP) else _load_stream(content)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(f"{path.name} has more than {MOST_BYTES} bytes")
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or first_line(error)}") from error


class _Storage:
    """The numbers that one or several tensors are views of.

    Args:
        kind: of the numbers.
        length: how many there are.
    """

    def __init__(self, kind: str, length: int) -> None:
        self.numbers: NDArray[Any] = np.zeros(length, _DTYPES[kind])

    def fill(self, content: bytes) -> None:
        """Take the numbers, or raise DataError where their number differs from what the file said."""
        if len(content) != self.numbers.nbytes:
            raise DataError("the torch file has a tensor whose data do not fit its length")
        self.numbers[:] = np.frombuffer(content, self.numbers.dtype)


class _Kind(str):
    """Stands for a class of storages; nobody can call it."""

    __slots__ = ()


class _Storages:
    """The storages of a file, by their keys. What they declare is never more than what the file holds."""

    def __init__(self, most_bytes: int, content: Callable[[str], bytes] | None) -> None:
        self._left, self._content = most_bytes, content
        self.by_key: dict[str, _Storage] = {}

    def find(self, reference: Any) -> _Storage:
        """Return the storage that a pickle refers to as ``("storage", kind, key, device, length, ...)``."""
        match reference:
            case ("storage", _Kind() as kind, str(key), str(), int(length), *_) if length >= 0:
                pass
            case _:
                raise DataError("the torch file refers to something outside of it that is no tensor's data")
        if len(reference) > 5 and reference[5] is not None:
            raise DataError("the torch file has views of storages, which are not supported")
        if key not in self.by_key:
            self._left -= length * np.dtype(_DTYPES[kind]).itemsize
            if self._left < 0:
                raise DataError("the torch file declares larger tensors than it holds")
            storage = _Storage(kind, length)
            if self._content is not None:
                storage.fill(self._content(key))
            self.by_key[key] = storage
        return self.by_key[key]


def _rebuild_tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> NDArray[Any]:
    """Stand for torch's ``_rebuild_tensor`` and ``_rebuild_tensor_v2``: a view of a storage, and not beyond it."""
    if not isinstance(storage, _Storage) or not _are_lengths((offset,)):
        raise DataError("the torch file has a damaged tensor")
    if not _are_lengths(shape) or not _are_lengths(strides) or len(shape) != len(strides):
        raise DataError("the torch file has a tensor with a damaged shape")
    last = offset + sum((length - 1) * stride for length, stride in zip(shape, strides, strict=True))
    items = math.prod(shape)
    if items and last >= len(storage.numbers):
        raise DataError("the torch file has a tensor that reaches beyond its data")
    if items > len(storage.numbers):  # strides of 0 repeat numbers without end
        raise DataError("the torch file has a tensor with more numbers than its data")
    size = storage.numbers.itemsize
    if not items:
        return np.empty(shape, storage.numbers.dtype)
    return np.lib.stride_tricks.as_strided(storage.numbers[offset:], shape, [stride * size for stride in strides])


def _rebuild_parameter(tensor: Any, *_: Any) -> Any:
    """Stand for torch's ``_rebuild_parameter``: of a parameter, only its numbers are data."""
    return tensor


def _are_lengths(values: Any) -> bool:
    return type(values) is tuple and len(values) <= 32 and all(type(v) is int and 0 <= v < 2**62 for v in values)


TORCH_ALLOWED = {
    **ALLOWED,
    **{("torch", kind): _Kind(kind) for kind in _DTYPES},
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    ("torch", "Size"): lambda lengths=(): tuple(lengths),
}
"""Names that are harmless in a torch file."""


def _load_zip(content: bytes) -> Any:
    with zip_errors(), zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = zip_members(archive, len(content))
        pickle = archive.read(members[PICKLE])
        if _BYTE_ORDER in members and archive.read(members[_BYTE_ORDER]) != b"little":
            raise DataError("the torch file has numbers of another byte order, which is not supported")
        most = sum(info.file_size for info in members.values())
        storages = _Storages(most, lambda key: _storage_bytes(archive, members, key))
        return Machine(pickle, TORCH_ALLOWED, encoding="utf-8", persistent=storages.find).load()


@contextlib.contextmanager
def zip_errors() -> Iterator[None]:
    """Turn whatever a damaged zip archive raises inside the block into a DataError."""
    try:
        yield
    except DataError:
        raise
    except _ZIP_ERRORS as error:
        raise DataError(f"the torch file is a damaged zip archive: {first_line(error)}") from error


_ZIP_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, OSError, EOFError, struct.error),
    *(
        ValueError,
        NotImplementedError,
        RuntimeError,
        KeyError,
        IndexError,
        OverflowError,
    ),  # crafted or encrypted members
)


def zip_members(archive: zipfile.ZipFile, content_size: int) -> dict[str, zipfile.ZipInfo]:
    """Return the members of a torch file by their names inside its one folder.

    Args:
        archive: the file.
        content_size: bytes of the file.

    Raises:
        DataError: members with hostile or repeated names, outside the folder, or larger than the file (torch does not
            compress).
    """
    members: dict[str, zipfile.ZipInfo] = {}
    folders = set()
    for info in archive.infolist():
        path = PurePosixPath(info.filename)
        if path.is_absolute() or ".." in path.parts or len(path.parts) < 2 or "\\" in info.filename:
            raise DataError(f"the torch file has the member {info.filename[:80]!a}, which is not in its folder")
        folders.add(path.parts[0])
        inside = "/".join(path.parts[1:])
        if inside in members:
            raise DataError(f"the torch file has the member {inside[:80]!a} twice")
        members[inside] = info
    if len(folders) != 1 or len(members) > _MOST_MEMBERS or PICKLE not in members:
        raise DataError("the zip archive is no torch file: it must have one folder with a data.pkl")
    total = sum(info.file_size for info in members.values())
    if total > content_size or any(info.compress_type != zipfile.ZIP_STORED for info in members.values()):
        raise DataError("the torch file has compressed members; torch does not compress")
    return members


def _storage_bytes(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], key: str) -> bytes:
    if f"data/{key}" not in members:
        raise DataError(f"the torch file has no data of its tensor {key[:80]!a}")
    return archive.read(members[f"data/{key}"])


def _load_stream(content: bytes) -> Any:
    position = stream_header(content)
    storages = _Storages(len(content), None)
    machine = Machine(content[position:], TORCH_ALLOWED, encoding="utf-8", persistent=storages.find)
    result = machine.load()
    position += machine.position
    machine = Machine(content[position:], {})
    keys = machine.load()
    position += machine.position
    if not isinstance(keys, list) or len(keys) != len(storages.by_key) or not all(isinstance(k, str) for k in keys):
        raise DataError("the torch file lists other storages than it uses")
    for key in keys:
        position = _fill(storages.by_key.get(key), content, position)
    return result


def _fill(storage: _Storage | None, content: bytes, position: int) -> int:
    """Fill a storage from the stream, where its length and numbers are, and return where they end."""
    start = position + 8
    if storage is None or content[position:start] != struct.pack("<q", len(storage.numbers)):
        raise DataError("the torch file is truncated or corrupt: its storages do not have the lengths it says")
    end = start + storage.numbers.nbytes
    storage.fill(content[start:end])
    return end


def stream_header(content: bytes) -> int:
    """Check the beginning of a file of the stream form: three small pickles.

    Args:
        content: the file, or enough of its beginning.

    Returns:
        Where the pickle of the content begins.

    Raises:
        DataError: it is no torch file.
    """
    position, found = 0, []
    for _ in range(3):
        machine = Machine(content[position : position + 2**12], {})
        try:
            found.append(machine.load())
        except DataError as error:
            raise DataError(f"it is no file of torch.save: {error}") from error
        position += machine.position
    magic, version, system = found
    if (magic, version) != (MAGIC, STREAM_VERSION) or not isinstance(system, dict):
        raise DataError("it is no file of torch.save, or of a version that is not supported")
    if system.get("little_endian") is False:
        raise DataError("the torch file has numbers of another byte order, which is not supported")
    return position
