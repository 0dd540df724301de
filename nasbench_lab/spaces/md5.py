"""The MD5 of many short messages at once.

MD5 is used as published benchmarks use it, to name architectures, never for security. `hashlib` takes about one
microsecond per message; for many messages of equal length, the algorithm over whole arrays is several times faster.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
_Words = NDArray[np.uint32]

_BLOCK = 64
_BATCH = 16_384  # messages at a time, so that their words stay in the processor's cache
_ROWS = 1024  # messages that are joined at a time, before they are read in another order
_START = np.array([0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476], dtype=np.uint32)
_CONSTANTS = np.array([int(2**32 * abs(math.sin(step + 1))) for step in range(64)], dtype=np.uint32)
_ROTATIONS = np.repeat(
    np.array([[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]], dtype=np.uint32), 4, axis=0
).ravel()
_ORDER = np.array([(factor * i + first) % 16 for first, factor in ((0, 1), (1, 5), (5, 3), (0, 7)) for i in range(16)])
_HEX = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), dtype=np.uint16)
_HEX_OF_PAIR = _HEX[np.arange(2**16, dtype=np.uint16).view(np.uint8)].view(np.uint32)


def md5(*parts: Bytes | bytes) -> Bytes:
    """Return the MD5 digests of messages of equal length (Rivest, RFC 1321, 1992).

    Args:
        *parts: the parts of the messages in order: at least one array of shape (messages, bytes), and bytes that are
            the same in all messages.

    Returns:
        Raw digests, shape (messages, 16).

    >>> md5(np.frombuffer(b"message ", dtype=np.uint8)[None], b"digest").tobytes().hex()
    'f96b697d7cb7938d525a2f31aaf161d0'
    """
    count = max(len(part) for part in parts if not isinstance(part, bytes))
    length = sum(len(part) if isinstance(part, bytes) else part.shape[1] for part in parts)
    ending = b"\x80" + bytes(-(length + 9) % _BLOCK) + (8 * length).to_bytes(8, "little")
    digests = np.empty((count, 4), dtype="<u4")
    for first in range(0, count, _BATCH):
        batch = slice(first, min(first + _BATCH, count))
        digests[batch] = _digests([*parts, ending], batch, length).T
    return digests.view(np.uint8)


def _digests(parts: list[Bytes | bytes], batch: slice, length: int) -> _Words:
    """Return the digests of a batch as words, shape (4, messages); the last part fills the last block."""
    words = np.empty((-(-(length + 9) // _BLOCK) * 16, batch.stop - batch.start), dtype=np.uint32)
    for first in range(batch.start, batch.stop, _ROWS):
        rows = slice(first, min(first + _ROWS, batch.stop))
        words[:, rows.start - batch.start : rows.stop - batch.start] = _join(parts, rows).view("<u4").T
    state = np.repeat(_START[:, None], words.shape[1], axis=1)
    for first in range(0, len(words), 16):
        _add_block(state, words[first : first + 16], -(-length // 4) - first)
    return state


def _join(parts: list[Bytes | bytes], rows: slice) -> Bytes:
    columns = [np.frombuffer(part, dtype=np.uint8)[None] if isinstance(part, bytes) else part[rows] for part in parts]
    joined = np.empty((rows.stop - rows.start, sum(part.shape[1] for part in columns)), dtype=np.uint8)
    end = 0
    for part in columns:
        joined[:, end : end + part.shape[1]] = part
        end += part.shape[1]
    return joined


def hexadecimal(digests: Bytes) -> Bytes:
    """Return an even number of bytes, shape (..., n), as characters 0-9 and a-f, shape (..., 2 n).

    >>> hexadecimal(np.array([1, 171], dtype=np.uint8)).tobytes()
    b'01ab'
    """
    return _HEX_OF_PAIR[digests.view(np.uint16)].view(np.uint8)


def _add_block(state: _Words, words: _Words, different: int) -> None:
    """Update the states, shape (4, messages), by one block of every message, shape (16, messages).

    The first ``different`` words differ between messages; the others are equal in all of them.
    """
    a, b, c, d = state.copy()
    mixed, shifted = np.empty_like(a), np.empty_like(a)
    constants = _CONSTANTS + np.where(different > _ORDER, np.uint32(0), words[_ORDER, 0])
    for step, word in enumerate(_ORDER.tolist()):
        _mix(step // 16, b, c, d, mixed)
        mixed += a
        if word < different:
            mixed += words[word]
        mixed += constants[step]
        np.right_shift(mixed, np.uint32(32) - _ROTATIONS[step], out=shifted)
        mixed <<= _ROTATIONS[step]
        mixed |= shifted
        mixed += b
        # The four words rotate; the array of the oldest is free for the next result.
        a, b, c, d, mixed = d, mixed, b, c, a
    state += np.stack([a, b, c, d])


def _mix(quarter: int, b: _Words, c: _Words, d: _Words, out: _Words) -> None:
    """Compute the function F, G, H or I of the RFC into ``out``."""
    if quarter == 0:  # d where b has zeros, c where it has ones
        np.bitwise_xor(c, d, out=out)
        out &= b
        out ^= d
    elif quarter == 1:  # c where d has zeros, b where it has ones
        np.bitwise_xor(b, c, out=out)
        out &= d
        out ^= c
    elif quarter == 2:
        np.bitwise_xor(b, c, out=out)
        out ^= d
    else:
        np.bitwise_not(d, out=out)
        out |= b
        out ^= c
