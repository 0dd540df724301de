"""Reading files of ``torch.save`` without torch, and without running code from the file.

A torch file has a pickle of everything except the numbers of tensors, and separately these numbers. Since torch 1.6,
both are members of a zip archive; older files are one stream with the pickle first. Tensors become NumPy arrays.
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

from nasbench_lab.errors import DataError
from nasbench_lab.messages import first_line
from nasbench_lab.plain_files import read_plain
from nasbench_lab.tables.reading.pickle_machine import PickleMachine
from nasbench_lab.tables.reading.unpickle import ALLOWED

MOST_BYTES = 2**26
"""Larger files are refused, before they are read into memory."""

MAGIC = 0x1950A86A20F9469CFC6C
"""The number in the first pickle of a file in stream form."""
STREAM_VERSION = 1001

PICKLE = "data.pkl"
"""The member of the zip form with everything except the numbers of tensors."""

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


def load(data: bytes | Path, most: int | None = None) -> Any:
    r"""Read a file of ``torch.save``, in zip or stream form; tensors become NumPy arrays.

    Args:
        data: the content of the file, or its path.
        most: number of bytes that it may have; by default `MOST_BYTES`.

    Raises:
        DataError: the file is too large, truncated or corrupt, asks for a name that is not allowed, or is not a torch
            file.

    >>> content = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19." + b"\x80\x02M\xe9\x03." + b"\x80\x02}."
    >>> load(content + b"\x80\x02]q\x00(K\x01K\x02e." + b"\x80\x02].")
    [1, 2]
    """
    limit = MOST_BYTES if most is None else most
    content = _read(data, limit) if isinstance(data, Path) else data
    if len(content) > limit:
        raise DataError(f"the torch file has more than {limit} bytes")
    return _load_zip(content) if content.startswith(_ZIP) else _load_stream(content)


def _read(path: Path, most: int) -> bytes:
    try:
        return read_plain(path, most)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or first_line(error)}") from error


class _Storage:
    """The numbers of one or several tensors, which are views of them.

    Args:
        kind: name of the storage class.
        length: number of elements.
    """

    def __init__(self, kind: str, length: int) -> None:
        self.numbers: NDArray[Any] = np.zeros(length, _DTYPES[kind])

    def fill(self, content: bytes) -> None:
        """Fill in the numbers; raise DataError if there are more or fewer than declared."""
        if len(content) != self.numbers.nbytes:
            raise DataError("the torch file has a tensor whose data does not fit its length")
        self.numbers[:] = np.frombuffer(content, self.numbers.dtype)


class _Kind(str):
    """Replaces a class of storages; a pickle cannot call it."""

    __slots__ = ()


class _Storages:
    """The storages of a file, by key. Together they never declare more bytes than the file has."""

    def __init__(self, most_bytes: int, content: Callable[[str], bytes] | None) -> None:
        self._left, self._content = most_bytes, content
        self.by_key: dict[str, _Storage] = {}

    def find(self, reference: Any) -> _Storage:
        """Return the storage for the persistent id ``("storage", kind, key, device, length, ...)``."""
        match reference:
            case ("storage", _Kind() as kind, str(key), str(), int(length), *_) if length >= 0:
                pass
            case _:
                raise DataError("the torch file has a persistent id that is not the data of a tensor")
        if len(reference) > 5 and reference[5] is not None:
            raise DataError("the torch file has views of storages, which are not supported")
        if key not in self.by_key:
            self._left -= length * np.dtype(_DTYPES[kind]).itemsize
            if self._left < 0:
                raise DataError("the torch file declares more data than it has")
            storage = _Storage(kind, length)
            if self._content is not None:
                storage.fill(self._content(key))
            self.by_key[key] = storage
        return self.by_key[key]


def _rebuild_tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> NDArray[Any]:
    """Replace torch's ``_rebuild_tensor`` and ``_rebuild_tensor_v2``: return a view within a storage."""
    if not isinstance(storage, _Storage) or not _are_lengths((offset,)):
        raise DataError("the torch file has a damaged tensor")
    if not _are_lengths(shape) or not _are_lengths(strides) or len(shape) != len(strides):
        raise DataError("the torch file has a tensor with a damaged shape")
    last = offset + sum((length - 1) * stride for length, stride in zip(shape, strides, strict=True))
    items = math.prod(shape)
    if items and last >= len(storage.numbers):
        raise DataError("the torch file has a tensor that reaches beyond its data")
    if items > len(storage.numbers):  # strides of 0 can repeat numbers without limit
        raise DataError("the torch file has a tensor with more numbers than its data")
    size = storage.numbers.itemsize
    if not items:
        return np.empty(shape, storage.numbers.dtype)
    return np.lib.stride_tricks.as_strided(storage.numbers[offset:], shape, [stride * size for stride in strides])


def _rebuild_parameter(tensor: Any, *_: Any) -> Any:
    """Replace torch's ``_rebuild_parameter``: return the tensor of the parameter."""
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
"""Names that are safe in a torch file."""


def _load_zip(content: bytes) -> Any:
    with zip_errors(), zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = zip_members(archive, len(content))
        pickle = archive.read(members[PICKLE])
        if _BYTE_ORDER in members and archive.read(members[_BYTE_ORDER]) != b"little":
            raise DataError("the torch file has big-endian numbers, which are not supported")
        most = sum(info.file_size for info in members.values())
        storages = _Storages(most, lambda key: _storage_bytes(archive, members, key))
        return PickleMachine(pickle, TORCH_ALLOWED, encoding="utf-8", persistent=storages.find).load()


@contextlib.contextmanager
def zip_errors() -> Iterator[None]:
    """Turn errors about a damaged zip archive, raised inside the block, into DataError."""
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
    """Return the members of a torch file by their names inside its only folder.

    Args:
        archive: the file.
        content_size: number of bytes of the file.

    Raises:
        DataError: a member has a hostile or repeated name, is outside the folder, or is compressed (torch does not
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
        raise DataError("the zip archive is not a torch file: it must have one folder with a data.pkl")
    total = sum(info.file_size for info in members.values())
    if total > content_size or any(info.compress_type != zipfile.ZIP_STORED for info in members.values()):
        raise DataError("the torch file has compressed members; torch does not compress")
    return members


def _storage_bytes(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], key: str) -> bytes:
    if f"data/{key}" not in members:
        raise DataError(f"the torch file has no data for its tensor {key[:80]!a}")
    return archive.read(members[f"data/{key}"])


def _load_stream(content: bytes) -> Any:
    position = stream_header(content)
    storages = _Storages(len(content), None)
    machine = PickleMachine(content[position:], TORCH_ALLOWED, encoding="utf-8", persistent=storages.find)
    result = machine.load()
    position += machine.position
    machine = PickleMachine(content[position:], {})
    keys = machine.load()
    position += machine.position
    if not isinstance(keys, list) or len(keys) != len(storages.by_key) or not all(isinstance(k, str) for k in keys):
        raise DataError("the torch file does not list exactly the storages that it uses")
    for key in keys:
        position = _fill(storages.by_key.get(key), content, position)
    return result


def _fill(storage: _Storage | None, content: bytes, position: int) -> int:
    """Fill a storage from its length and numbers in the stream, and return the position after them."""
    start = position + 8
    if storage is None or content[position:start] != struct.pack("<q", len(storage.numbers)):
        raise DataError("the torch file is truncated or corrupt: a storage does not have its declared length")
    end = start + storage.numbers.nbytes
    storage.fill(content[start:end])
    return end


def stream_header(content: bytes) -> int:
    """Check the header of a file in stream form: three small pickles.

    Args:
        content: the file, or enough of its beginning.

    Returns:
        The position of the pickle with the content.

    Raises:
        DataError: the file is not a torch file, or not supported.
    """
    position, found = 0, []
    for _ in range(3):
        machine = PickleMachine(content[position : position + 2**12], {})
        try:
            found.append(machine.load())
        except DataError as error:
            raise DataError(f"it is not a file of torch.save: {error}") from error
        position += machine.position
    magic, version, system = found
    if (magic, version) != (MAGIC, STREAM_VERSION) or not isinstance(system, dict):
        raise DataError("it is not a file of torch.save, or its version is not supported")
    if system.get("little_endian") is False:
        raise DataError("the torch file has big-endian numbers, which are not supported")
    return position
