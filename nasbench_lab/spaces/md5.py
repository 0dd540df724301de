"""The MD5 of many short messages at once.

MD5 is used as published benchmarks use it, to name architectures, never to protect anything. `hashlib` takes about a
microsecond a message; for many messages of equal length, the algorithm over whole arrays is several times faster.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
_Words = NDArray[np.uint32]

_BLOCK = 64
_BATCH = 8192  # messages at a time, so that the words in work stay in the processor's cache
_START = np.array([0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476], dtype=np.uint32)
_CONSTANTS = np.array([int(2**32 * abs(math.sin(step + 1))) for step in range(64)], dtype=np.uint32)
_ROTATIONS = np.repeat(
    np.array([[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]], dtype=np.uint32), 4, axis=0
).ravel()
_ORDER = [(factor * step + first) % 16 for first, factor in ((0, 1), (1, 5), (5, 3), (0, 7)) for step in range(16)]
_HEX = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), dtype=np.uint16)


def md5(messages: Bytes) -> Bytes:
    """Return the MD5 digests of messages of equal length (Rivest, RFC 1321, 1992).

    Args:
        messages: shape (messages, length).

    Returns:
        Raw digests, shape (messages, 16).

    >>> md5(np.frombuffer(b"message digest", dtype=np.uint8)[None]).tobytes().hex()
    'f96b697d7cb7938d525a2f31aaf161d0'
    """
    count, length = messages.shape
    blocks = (length + 8) // _BLOCK + 1
    ending = np.zeros(blocks * _BLOCK - length, dtype=np.uint8)
    ending[0] = 0x80
    ending[-8:] = np.frombuffer((8 * length).to_bytes(8, "little"), dtype=np.uint8)
    digests = np.empty((count, 4), dtype="<u4")
    for first in range(0, count, _BATCH):
        batch = messages[first : first + _BATCH]
        padded = np.empty((len(batch), blocks * _BLOCK), dtype=np.uint8)
        padded[:, :length], padded[:, length:] = batch, ending
        words = np.ascontiguousarray(padded.view("<u4").T, dtype=np.uint32)
        state = np.repeat(_START[:, None], len(batch), axis=1)
        for block in range(blocks):
            _add_block(state, words[16 * block : 16 * (block + 1)])
        digests[first : first + _BATCH] = state.T
    return digests.view(np.uint8)


def hexadecimal(digests: Bytes) -> Bytes:
    """Write bytes, shape (..., n), as characters 0-9 and a-f, shape (..., 2 n).

    >>> hexadecimal(np.array([1, 171], dtype=np.uint8)).tobytes()
    b'01ab'
    """
    return _HEX[digests].view(np.uint8)


def _add_block(state: _Words, words: _Words) -> None:
    """Update the states, shape (4, messages), by one block of every message, shape (16, messages)."""
    a, b, c, d = state.copy()
    mixed, shifted = np.empty_like(a), np.empty_like(a)
    for step in range(64):
        _mix(step // 16, b, c, d, mixed)
        mixed += a
        mixed += words[_ORDER[step]]
        mixed += _CONSTANTS[step]
        np.right_shift(mixed, np.uint32(32) - _ROTATIONS[step], out=shifted)
        mixed <<= _ROTATIONS[step]
        mixed |= shifted
        mixed += b
        # The four words trade places; the array of the oldest is free for the next result.
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
