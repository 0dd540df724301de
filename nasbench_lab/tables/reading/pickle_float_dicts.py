r"""Fast reading of pickled dictionaries of floats: sequences ("runs") of items ``key: float`` are read together.

Files of learning curves consist almost entirely of such dictionaries: ``{0: 4.2, 1: 7.3, ...}`` and ``{"x-valid@0":
4.4, ...}``. In a pickle, an item is the operation that makes the key (``K`` and a byte; ``\x8c``, a length, a text, and
``\x94``, which stores it in the memo; ``h`` or ``j`` and a number of the memo), and ``G`` with the eight bytes of the
number.

The reader returns the items from a position on, or None if there is no run or it is ambiguous. The pickle machine then
reads operation by operation. Texts of keys have at most 255 characters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_NUMBERED = re.compile(rb"(?:K.G.{8})++", re.DOTALL)
_FETCHED = {b"h": re.compile(rb"(?:h.G.{8})++", re.DOTALL), b"j": re.compile(rb"(?:j.{4}G.{8})++", re.DOTALL)}
_NAMED = re.compile(rb"(?:\x8c.[ -~]{1,255}+\x94G.{8})++", re.DOTALL)
_NAMED_ITEM = re.compile(rb"\x8c(.)([ -~]{1,255}+)\x94G(.{8})", re.DOTALL)
_OLD_NAMED = re.compile(rb"(?:X.\0\0\0[ -~]{1,255}?(?:q.|r.{4})G.{8})++", re.DOTALL)
_OLD_NAMED_ITEM = re.compile(rb"X(.)\0\0\0([ -~]{1,255}?)(?:q(.)|r(.{4}))G(.{8})", re.DOTALL)

_KEY = {
    length: np.dtype([("operation", "u1"), ("key", kind), ("float", "u1"), ("value", ">f8")])
    for length, kind in ((1, "u1"), (4, "<u4"))
}
_FRAME = 12  # bytes of a named item without its text: \x8c, length, \x94, G, and the number
_MOST_TEMPLATES = 256
_LEAST_WASTED = 2**10  # bytes that take as long as the rest of a comparison
_LONGEST_TEMPLATE = 2**15  # bytes


class FloatItems(NamedTuple):
    """A run of items.

    Attributes:
        keys: the keys, or their numbers in the memo.
        values: the floats.
        end: position after the last item.
    """

    keys: Sequence[Any]
    values: Sequence[float]
    end: int


class FloatItemReader:
    """Reads runs of items.

    Every training has the same keys. So the bytes of a run of named items are remembered as a template: if the next run
    equals it in all bytes except its numbers, the keys are reused.
    """

    def __init__(self) -> None:
        self.wasted = 0
        """Number of bytes that were scanned or compared without a result."""
        self._templates: dict[bytes, list[_Template]] = {}
        self._count = 0

    def numbered(self, buffer: bytes, at: int) -> FloatItems | None:
        """Read items whose keys are numbers below 256."""
        run = _NUMBERED.match(buffer, at)
        return None if run is None else _of_one_size(buffer, at, run.end(), 1)

    def fetched(self, buffer: bytes, at: int) -> FloatItems | None:
        """Read items whose keys are fetched from the memo."""
        operation = buffer[at : at + 1]
        run = _FETCHED[operation].match(buffer, at)
        return None if run is None else _of_one_size(buffer, at, run.end(), 1 if operation == b"h" else 4)

    def old_named(self, buffer: bytes, at: int, number: int) -> FloatItems | None:
        """Read items with new texts as keys, numbered in the memo from ``number`` on, as before protocol 4."""
        run = _OLD_NAMED.match(buffer, at)
        if run is None:
            return None
        lengths, texts, put1, put4, values = zip(*_OLD_NAMED_ITEM.findall(buffer, at, run.end()), strict=True)
        puts = [int.from_bytes(short or long, "little") for short, long in zip(put1, put4, strict=True)]
        # A text may contain bytes that look like its end, or have another number.
        if b"".join(lengths) != bytes(map(len, texts)) or puts != list(range(number, number + len(puts))):
            self.wasted += run.end() - at
            return None
        return FloatItems([text.decode("ascii") for text in texts], _floats(b"".join(values)), run.end())

    def named(self, buffer: bytes, at: int) -> FloatItems | None:
        """Read items with new texts as keys, as written by protocol 4."""
        first = buffer[at : at + 2 + buffer[at + 1]] if at + 1 < len(buffer) else b""
        for template in self._templates.get(first, ()):
            same = template.values(buffer, at)
            if same is not None:
                return FloatItems(template.keys, same, at + template.length)
            self.wasted += template.length + _LEAST_WASTED
        run = _NAMED.match(buffer, at)
        if run is None:
            return None
        lengths, texts, values = zip(*_NAMED_ITEM.findall(buffer, at, run.end()), strict=True)
        if b"".join(lengths) != bytes(map(len, texts)):  # a text contains bytes that look like its end
            self.wasted += run.end() - at
            return None
        keys = [text.decode("ascii") for text in texts]
        if self._count < _MOST_TEMPLATES and run.end() - at <= _LONGEST_TEMPLATE:
            self._count += 1
            self._templates.setdefault(first, []).append(_Template(keys, buffer[at : run.end()]))
        return FloatItems(keys, _floats(b"".join(values)), run.end())


def _of_one_size(buffer: bytes, at: int, end: int, key: int) -> FloatItems:
    item = _KEY[key]
    items = np.frombuffer(buffer, item, (end - at) // item.itemsize, at)
    return FloatItems(items["key"].tolist(), items["value"].tolist(), end)


class _Template:
    """The bytes of a run of named items, without its numbers.

    Args:
        keys: the texts.
        content: the bytes of the run.
    """

    def __init__(self, keys: list[str], content: bytes) -> None:
        self.keys, self.length = keys, len(content)
        ends = np.cumsum([len(key) + _FRAME for key in keys])
        self._is_number: NDArray[np.bool_] = np.zeros(len(content), dtype=bool)
        self._is_number[(ends[:, None] - 8 + np.arange(8)).reshape(-1)] = True
        self._rest = np.frombuffer(content, np.uint8)[~self._is_number].tobytes()

    def values(self, buffer: bytes, at: int) -> list[float] | None:
        """Return the numbers of the run at a position if it matches the template, else None."""
        if at + self.length > len(buffer):
            return None
        content = np.frombuffer(buffer, np.uint8, self.length, at)
        if content[~self._is_number].tobytes() != self._rest:
            return None
        return _floats(content[self._is_number].tobytes())


def _floats(content: bytes) -> list[float]:
    numbers: list[float] = np.frombuffer(content, ">f8").tolist()
    return numbers
