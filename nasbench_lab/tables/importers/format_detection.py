"""Detecting the format of files by their first bytes."""

from __future__ import annotations

import binascii
import bz2
import codecs
import json
import struct
import zlib
from pathlib import Path

from nasbench_lab.errors import DataError
from nasbench_lab.plain_files import is_folder, open_plain
from nasbench_lab.tables.importers.columns.json_reader import looks_like_json

_HEAD = 2**16  # bytes
_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZIP = b"PK\x03\x04"
_OLD_TORCH = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"  # a pickled magic number, before torch 1.6
_GZIP = b"\x1f\x8b"
_TAR_HEADER = 512  # bytes of the header of a member
_META = "meta.pickle.pbz2"
_LENGTH = struct.Struct("<Q")
_BEFORE_DATA = 12  # bytes of a record: its length and the checksum of that
_EXTRA_FIELDS = frozenset({4, 5, 9})  # energy, carbon dioxide and power in the messages of EC-NAS


def head(path: Path) -> bytes:
    """Return the first bytes of a file; empty for a folder.

    Raises:
        DataError: the file does not exist, or cannot be read.
    """
    if is_folder(path):
        return b""
    try:
        with open_plain(path) as file:
            return file.read(_HEAD)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


def is_table(_path: Path, start: bytes) -> bool:
    """Return whether it is an HDF5 file, such as a table file."""
    return start.startswith(_HDF5)


def is_nas_bench_101(_path: Path, start: bytes) -> bool:
    """Return whether it is a TFRecord file whose first record is a JSON list with a measured cell."""
    return _message(start) is not None


def is_ec_nas(_path: Path, start: bytes) -> bool:
    """Return whether it has the format of NAS-Bench-101, with the additional fields of EC-NAS."""
    message = _message(start)
    return message is not None and bool(_fields(message) & _EXTRA_FIELDS)


def is_nats_bench(path: Path, start: bytes) -> bool:
    """Return whether it is an archive folder or a compressed pickle, with the list of architectures of NATS-Bench."""
    if is_folder(path):
        return (path / _META).is_file()
    if not start.startswith(b"BZh"):
        return False
    try:
        content = bz2.BZ2Decompressor().decompress(start, _HEAD)
    except (OSError, ValueError):
        return False
    # The first bz2 block may be longer than the bytes read; then nothing can be decompressed yet.
    return b"meta_archs" in content if content else True


def is_nas_bench_201(_path: Path, start: bytes) -> bool:
    """Return whether it is a PyTorch file that starts with a list of architectures."""
    return start.startswith((_ZIP, _OLD_TORCH)) and b"meta_archs" in start


def is_trans_nas_bench_101(_path: Path, start: bytes) -> bool:
    """Return whether it is a PyTorch file with the tasks of TransNAS-Bench-101."""
    return start.startswith((_ZIP, _OLD_TORCH)) and b"class_scene" in start


def is_nas_bench_graph(path: Path, start: bytes) -> bool:
    """Return whether it is a pickle with learning curves ("dur"), or a folder with ``.bench`` files."""
    if is_folder(path):
        return any(path.glob("*.bench"))
    return start.startswith(b"\x80") and b"dur" in start


def is_accel_nasbench(_path: Path, start: bytes) -> bool:
    """Return whether it is a compressed tar archive whose first member has a name of Accel-NASBench."""
    if not start.startswith(_GZIP):
        return False
    try:
        content = zlib.decompressobj(wbits=31).decompress(start, _TAR_HEADER)
    except zlib.error:
        return False
    return content[257:262] == b"ustar" and b"anb_dataset" in content[:100]


def is_columns(_path: Path, start: bytes) -> bool:
    """Return whether it is Parquet or JSON, or text whose first line has several cells; perhaps compressed by gzip."""
    if start.startswith((b"PAR1", _GZIP)) or looks_like_json(start):
        return True
    if b"\0" in start:
        return False
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(start)  # the last character may be incomplete
    except UnicodeDecodeError:  # perhaps in another encoding, which the reader asks for
        text = start.decode("latin-1")
        if not all(character.isprintable() or character in "\t\r\n" for character in text):
            return False
    header = next((line for line in text.splitlines() if line.strip()), "")
    return not header.lstrip().startswith(("{", "[")) and any(delimiter in header for delimiter in ",\t;|")


def _message(start: bytes) -> bytes | None:
    """Return the protobuf message in the first record of a file in the format of NAS-Bench-101, or None."""
    if len(start) < _BEFORE_DATA:
        return None
    (length,) = _LENGTH.unpack_from(start)
    data = start[_BEFORE_DATA : _BEFORE_DATA + length]
    if len(data) != length or not data.startswith(b"["):
        return None
    try:
        row = json.loads(data)
        return binascii.a2b_base64(row[4]) if len(row) == 5 else None
    except (ValueError, TypeError, RecursionError):
        return None


def _fields(message: bytes) -> set[int]:
    """Return the numbers of the outermost fields of a protobuf message, up to the first error."""
    found, position = set(), 0
    while position < len(message):
        key, position = _varint(message, position)
        found.add(key >> 3)
        kind = key & 7
        if kind == 0:
            _, position = _varint(message, position)
        elif kind == 2:
            length, position = _varint(message, position)
            position += length
        elif kind in (1, 5):
            position += 8 if kind == 1 else 4
        else:
            break
    return found


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """Return a varint (seven bits per byte), and the position after it."""
    value = shift = 0
    while position < len(message):
        byte = message[position]
        value |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            break
    return value, position
