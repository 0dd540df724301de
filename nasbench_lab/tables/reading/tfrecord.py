"""Reading TFRecord files: records one after the other, each verified by its checksums, in bounded memory.

A record is the length of its data (8 bytes, little-endian), a checksum of these 8 bytes (4 bytes), the data, and a
checksum of the data (4 bytes). A checksum is a CRC-32C, rotated and shifted by a constant ("masked"), as TensorFlow
documents it. Nothing of TensorFlow is needed to read them.
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
"""Records of more bytes than this are refused by default."""

_LENGTH = struct.Struct("<Q")
_HEAD, _TAIL = 12, 4  # bytes before and after the data
_CHUNK = 2**20  # bytes that are read at once; larger ones are slower, as they do not fit into a processor's cache
_ROTATION, _SHIFT = 15, np.uint32(0xA282EAD8)  # of the mask


@dataclasses.dataclass(frozen=True)
class RecordBatch:
    """Some records of a file, one after the other, verified.

    Attributes:
        name: of the file, for messages.
        data: of every record.
        number: of the first record in the file, counted from 0.
        offsets: where every record begins in the file, in bytes.
        end: where the last one ends.
    """

    name: str
    data: list[bytes]
    number: int
    offsets: Sequence[int]
    end: int

    def error(self, position: int, what: str) -> DataError:
        """Return the error that says what is wrong with the record at a position of the batch."""
        return _error(self.name, self.number + position, int(self.offsets[position]), what)


def batches(stream: BinaryIO, name: str, *, longest: int = LONGEST) -> Iterator[RecordBatch]:
    r"""Read records in batches of about a megabyte.

    Args:
        stream: an open file.
        name: what messages call it.
        longest: records with more bytes of data are refused, before memory is given to them.

    Raises:
        DataError: a record is damaged, truncated or too long; its number (from 0) and its offset are named.

    >>> import io
    >>> record = bytes.fromhex("020000000000000078270b34686913d60856")
    >>> [batch.data for batch in batches(io.BytesIO(record * 2), "two.tfrecord")]
    [[b'hi', b'hi']]
    >>> next(batches(io.BytesIO(record[:-1]), "cut.tfrecord"))
    Traceback (most recent call last):
    nasbench_lab.errors.DataError: cut.tfrecord, record 0 at byte 0: the file ends inside the record
    """
    buffer, offset, number = b"", 0, 0  # what is read but not yet given away, and where it is in the file
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
    """Cut the records that are complete: where each begins, its data, and where the last one ends."""
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
    """Compare the checksums of all records of a batch, which begin at ``starts`` in the buffer."""
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
    """Raise an error where the record that the rest of a buffer begins with can never be read."""
    if len(rest) < _HEAD:
        return
    (length,) = _LENGTH.unpack_from(rest)
    if _checksums([rest[: _LENGTH.size]])[0] != np.frombuffer(rest, "<u4", 1, _LENGTH.size)[0]:
        raise _error(name, number, offset, "the length does not match its checksum")
    if length > longest:
        raise _error(name, number, offset, f"it has {length} bytes, more than the allowed {longest}")


def _checksums(data: Sequence[bytes]) -> NDArray[np.uint32]:
    """Masked checksums, shape (n,)."""
    import google_crc32c

    plain = np.fromiter(map(google_crc32c.value, data), np.uint32, len(data))
    return (plain >> np.uint32(_ROTATION) | plain << np.uint32(32 - _ROTATION)) + _SHIFT


def _stored(octets: NDArray[np.uint8], where: NDArray[np.intp]) -> NDArray[Any]:
    """Numbers of four bytes at places of a buffer."""
    return octets[where[:, None] + np.arange(_TAIL)].view("<u4")[:, 0]


def _error(name: str, number: int, offset: int, what: str) -> DataError:
    return DataError(f"{name}, record {number} at byte {offset}: {what}")
