"""Reading TFRecord files in bounded memory, with verified checksums and without TensorFlow.

A record is the length of its data (8 bytes, little-endian), a checksum of these 8 bytes (4 bytes), the data, and a
checksum of the data (4 bytes). A checksum is a CRC-32C, rotated and shifted by a constant ("masked"), as TensorFlow
documents it.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.errors import DataError

LONGEST = 2**20
"""Longer records, in bytes of data, are refused by default."""

_LENGTH = struct.Struct("<Q")
_HEAD, _TAIL = 12, 4  # bytes before and after the data
_CHUNK = 2**20  # bytes per read; larger chunks are slower, as they do not fit into the cache of a processor
_ROTATION, _SHIFT = 15, np.uint32(0xA282EAD8)  # of the mask


@dataclasses.dataclass(frozen=True)
class RecordBatch:
    """Consecutive, verified records of a file.

    Attributes:
        name: name of the file, for messages.
        data: data of every record.
        number: number of the first record in the file, counted from 0.
        offsets: start of every record in the file, in bytes.
        end: end of the last record in the file, in bytes.
    """

    name: str
    data: list[bytes]
    number: int
    offsets: Sequence[int]
    end: int

    def error(self, position: int, what: str) -> DataError:
        """Return an error about the record at a position of the batch."""
        return _error(self.name, self.number + position, int(self.offsets[position]), what)


def batches(stream: BinaryIO, name: str, *, longest: int = LONGEST) -> Iterator[RecordBatch]:
    r"""Yield records in batches of about a megabyte.

    Args:
        stream: an open file.
        name: name of the file, for messages.
        longest: longer records, in bytes of data, are refused before memory is reserved.

    Raises:
        DataError: a record is damaged, truncated or too long; the message has its number (from 0) and offset.

    >>> import io
    >>> record = bytes.fromhex("020000000000000078270b34686913d60856")
    >>> [batch.data for batch in batches(io.BytesIO(record * 2), "two.tfrecord")]
    [[b'hi', b'hi']]
    >>> next(batches(io.BytesIO(record[:-1]), "cut.tfrecord"))
    Traceback (most recent call last):
    nasbench_lab.errors.DataError: cut.tfrecord, record 0 at byte 0: the file ends inside the record
    """
    buffer, offset, number = b"", 0, 0  # bytes read but not yet yielded, and their position in the file
    while chunk := stream.read(max(_CHUNK, longest)):
        buffer += chunk
        starts, data, end = _cut(buffer, longest)
        if data:
            batch = RecordBatch(name, data, number, (starts + offset).tolist(), offset + end)
            _verify(batch, buffer, starts)
            yield batch
        buffer, offset, number = buffer[end:], offset + end, number + len(data)
        _refuse_length(buffer, longest, name, number, offset)
    if buffer:
        raise _error(name, number, offset, "the file ends inside the record")


def _cut(buffer: bytes, longest: int) -> tuple[NDArray[np.intp], list[bytes], int]:
    """Return the starts and the data of all complete records, and the end of the last one."""
    starts, data, position, limit = [], [], 0, len(buffer) - _HEAD
    unpack = _LENGTH.unpack_from
    while position <= limit:
        (length,) = unpack(buffer, position)
        end = position + _HEAD + length + _TAIL
        if length > longest or end > len(buffer):
            break
        starts.append(position)
        data.append(buffer[position + _HEAD : end - _TAIL])
        position = end
    return np.array(starts, dtype=np.intp), data, position


def _verify(batch: RecordBatch, buffer: bytes, starts: NDArray[np.intp]) -> None:
    """Verify the checksums of all records of a batch, which start at ``starts`` in the buffer."""
    octets = np.frombuffer(buffer, dtype=np.uint8)
    lengths = octets[starts[:, None] + np.arange(_LENGTH.size)]
    distinct, which = np.unique(lengths.view("<u8")[:, 0], return_inverse=True)
    of_lengths = _checksums([_LENGTH.pack(length) for length in distinct.tolist()])[which]
    wrong_length = of_lengths != _stored(octets, starts + _LENGTH.size)
    wrong_data = _checksums(batch.data) != _stored(octets, starts + _HEAD + distinct.astype(np.intp)[which])
    wrong = wrong_length | wrong_data
    if wrong.any():
        first = int(wrong.argmax())
        part = "length" if wrong_length[first] else "data"
        raise batch.error(first, f"the {part} does not match its checksum")


def _refuse_length(rest: bytes, longest: int, name: str, number: int, offset: int) -> None:
    """Raise DataError if the length of the record at the start of ``rest`` is damaged or too large."""
    if len(rest) < _HEAD:
        return
    (length,) = _LENGTH.unpack_from(rest)
    if _checksums([rest[: _LENGTH.size]])[0] != np.frombuffer(rest, "<u4", 1, _LENGTH.size)[0]:
        raise _error(name, number, offset, "the length does not match its checksum")
    if length > longest:
        raise _error(name, number, offset, f"it has {length} bytes, more than the allowed {longest}")


def _checksums(data: Sequence[bytes]) -> NDArray[np.uint32]:
    """Return the masked checksums of data, shape (n,)."""
    import google_crc32c

    plain = np.fromiter(map(google_crc32c.value, data), np.uint32, len(data))
    return (plain >> np.uint32(_ROTATION) | plain << np.uint32(32 - _ROTATION)) + _SHIFT


def _stored(octets: NDArray[np.uint8], where: NDArray[np.intp]) -> NDArray[Any]:
    """Return the stored checksums (4 bytes each) at positions of a buffer."""
    return octets[where[:, None] + np.arange(_TAIL)].view("<u4")[:, 0]


def _error(name: str, number: int, offset: int, what: str) -> DataError:
    return DataError(f"{name}, record {number} at byte {offset}: {what}")
