"""Numbers out of many small protobuf messages that are built alike, a batch at a time.

A message is a chain of fields, each a tag (number and wire type) and a value. Messages of one file have the same fields
in the same order, so their numbers are at the same places. The first message is walked through field by field, and
which of its bits are structure (tags, lengths) is remembered; every message with the same structure is then read
with the rest by slicing arrays. A message of another structure is walked through, too. Fields that nobody asked for are
skipped, as protobuf demands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray

Octets = NDArray[np.uint8]

_VARINT, _DOUBLE, _LENGTH, _FLOAT = 0, 1, 2, 5  # wire types
_WIDTHS = {_DOUBLE: 8, _FLOAT: 4}
_LONGEST_VARINT = 10
_LONGEST_NUMBER = 5  # bytes of a varint of 32 bits
_MOST_LAYOUTS = 256
_MORE = 0x80  # the bit of a byte that says that the varint goes on


class WireField(NamedTuple):
    """Where in a message a number is.

    Attributes:
        path: field numbers from the outermost message in; after the number of a message which of its occurrences,
            from 0. ``(1, 2, 5)`` is field 5 in the third message of field 1.
        kind: ``"double"``, or ``"count"``, a number from 0 to 2**32 - 1 that is stored as a varint.
        required: whether a message without it is an error.
    """

    path: tuple[int, ...]
    kind: Literal["double", "count"] = "double"
    required: bool = False


class _Layout(NamedTuple):
    """What messages of one structure have in common.

    Attributes:
        mask: which bits are structure, shape (length,).
        structure: these bits.
        places: of every field that the messages have, its first byte and the byte after it.
    """

    mask: Octets
    structure: Octets
    places: dict[str, tuple[int, int]]


class MalformedError(ValueError):
    """A message is damaged, or lacks what it must have.

    Attributes:
        position: of the message among those that were read.
    """

    def __init__(self, position: int, what: str) -> None:
        super().__init__(what)
        self.position = position


@final
class Messages:
    """Reads messages, and remembers how those of earlier calls were built.

    Args:
        fields: what to read, by name.

    >>> messages = Messages({"a": WireField((1,), "count"), "b": Field((2, 0, 1))})
    >>> messages.read([bytes.fromhex("0807" "1209" "09000000000000f83f"), bytes.fromhex("0809")])
    {'a': array([7., 9.]), 'b': array([1.5, nan])}
    """

    def __init__(self, fields: Mapping[str, WireField]) -> None:
        self._fields = {field.path: (name, field) for name, field in fields.items()}
        self._inner = {f.path[:end] for f in fields.values() for end in range(2, len(f.path), 2)}
        self._required = [name for name, field in fields.items() if field.required]
        self._layouts: dict[int, list[_Layout]] = {}

    def read(self, messages: Sequence[bytes]) -> dict[str, FloatArray]:
        """Return the numbers of every field, shape (messages,); NaN where a message lacks the field.

        Raises:
            MalformedError: a message is damaged or lacks a required field.
        """
        values = {name: np.full(len(messages), np.nan) for name, _ in self._fields.values()}
        lengths = np.fromiter(map(len, messages), np.intp, len(messages))
        for length in np.unique(lengths).tolist():
            left = np.flatnonzero(lengths == length)
            block = np.frombuffer(b"".join([messages[i] for i in left.tolist()]), np.uint8).reshape(len(left), length)
            for layout in self._layouts.get(length, ()):
                left, block = self._take(layout, left, block, values)
            while len(left):
                layout = self._learn(block[0].tobytes(), int(left[0]))
                left, block = self._take(layout, left, block, values)
        return values

    def _take(
        self, layout: _Layout, rows: NDArray[np.intp], block: Octets, values: dict[str, FloatArray]
    ) -> tuple[NDArray[np.intp], Octets]:
        """Read the messages that are built like this, and return the others."""
        alike = ((block & layout.mask) == layout.structure).all(axis=1)
        if not alike.any():
            return rows, block
        taken, mine = (rows, block) if alike.all() else (rows[alike], block[alike])
        for name, (first, end) in layout.places.items():
            values[name][taken] = _numbers(mine[:, first:end])
        return rows[~alike], block[~alike]

    def _learn(self, message: bytes, position: int) -> _Layout:
        """Walk through a message, and remember how it is built."""
        mask = np.zeros(len(message), np.uint8)
        places: dict[str, tuple[int, int]] = {}
        try:
            self._walk(message, 0, len(message), (), mask, places)
        except ValueError as error:
            raise MalformedError(position, f"damaged measurements: {error}") from error
        lacking = [name for name in self._required if name not in places]
        if lacking:
            raise MalformedError(position, f"the measurements lack {', '.join(lacking)}")
        layout = _Layout(mask, np.frombuffer(message, np.uint8) & mask, places)
        if sum(map(len, self._layouts.values())) >= _MOST_LAYOUTS:
            self._layouts.clear()
        self._layouts.setdefault(len(message), []).append(layout)
        return layout

    def _walk(
        self,
        message: bytes,
        at: int,
        end: int,
        path: tuple[int, ...],
        mask: Octets,
        places: dict[str, tuple[int, int]],
    ) -> None:
        """Mark the structure of a part of a message, which is the message at ``path``, and note where fields are."""
        seen: dict[int, int] = {}
        while at < end:
            tag, value = _varint(message, at, end)
            mask[at:value] = 0xFF
            number, wire = tag >> 3, tag & 7
            after, first = self._end_of(message, value, end, wire, mask)
            name, field = self._fields.get((*path, number), ("", None))
            if field is not None and wire == (_DOUBLE if field.kind == "double" else _VARINT):
                if wire == _VARINT and after - first > _LONGEST_NUMBER:
                    raise ValueError(f"{name} is negative or too large")
                places[name] = (first, after)  # of a field that is there twice, the last counts
            within = (*path, number, seen.get(number, 0))
            seen[number] = within[-1] + 1
            if wire == _LENGTH and within in self._inner:
                self._walk(message, first, after, within, mask, places)
            at = after

    def _end_of(self, message: bytes, at: int, end: int, wire: int, mask: Octets) -> tuple[int, int]:
        """Where a value ends and where its content begins; marks its structure."""
        first = at
        if wire == _VARINT:
            _, after = _varint(message, at, end)
            mask[at:after] = _MORE
        elif wire == _LENGTH:
            length, first = _varint(message, at, end)
            mask[at:first] = 0xFF
            after = first + length
        elif wire in _WIDTHS:
            after = at + _WIDTHS[wire]
        else:
            raise ValueError(f"wire type {wire} is not supported")
        if after > end:
            raise ValueError("a field ends after the end of its message")
        return after, first


def _varint(message: bytes, at: int, end: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    number = 0
    for place in range(at, min(end, at + _LONGEST_VARINT)):
        number |= (message[place] & 0x7F) << 7 * (place - at)
        if message[place] < _MORE:
            return number, place + 1
    raise ValueError("a number does not end")


def _numbers(octets: Octets) -> FloatArray:
    """Numbers from their bytes, shape (n, bytes) to (n,): eight bytes are a double, up to five a varint."""
    if octets.shape[1] == _WIDTHS[_DOUBLE]:
        return np.ascontiguousarray(octets).view("<f8")[:, 0]
    digits = (octets & 0x7F).astype(np.int64)
    number: FloatArray = (digits << 7 * np.arange(octets.shape[1])).sum(axis=1).astype(np.float64)
    return number
