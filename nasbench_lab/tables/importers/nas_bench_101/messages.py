"""Reading numbers from batches of small protobuf messages with the same structure.

A message is a sequence of fields, each a tag (number and wire type) and a value. The messages of a file have the same
fields in the same order, so their numbers are at the same positions. The first message is parsed field by field, and
the bits of its structure (tags and lengths) are remembered. All messages with the same structure are then read
together, by slicing arrays. A message with a new structure is parsed in the same way. Unknown fields are skipped, as
protobuf requires.
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
_LARGEST_FIELD = 2**29 - 1  # of field numbers; 0 is not one
_MOST_LAYOUTS = 256
_MORE = 0x80  # this bit of a byte means that the varint continues


class WireField(NamedTuple):
    """The location of a number in a message.

    Attributes:
        path: field numbers from the outermost message inwards, each followed by the number of its occurrence, from 0.
            ``(1, 2, 5)`` is field 5 in the third message of field 1.
        kind: ``"double"``, or ``"count"``: a number from 0 to 2**32 - 1, stored as a varint.
        required: whether a message without this field is an error.
    """

    path: tuple[int, ...]
    kind: Literal["double", "count"] = "double"
    required: bool = False


class _Layout(NamedTuple):
    """The common structure of messages.

    Attributes:
        mask: mask of the bits that are structure, shape (length,).
        structure: the values of these bits.
        places: field name to the position of its first byte, and the position after its last byte.
    """

    mask: Octets
    structure: Octets
    places: dict[str, tuple[int, int]]


class MalformedError(ValueError):
    """A message is damaged, or lacks a required field.

    Attributes:
        position: position of the message in the batch.
    """

    def __init__(self, position: int, what: str) -> None:
        super().__init__(what)
        self.position = position


@final
class MessageReader:
    """Reads messages, and remembers their structures between calls.

    Args:
        fields: name to the field to read.

    >>> messages = MessageReader({"a": WireField((1,), "count"), "b": WireField((2, 0, 1))})
    >>> messages.read([bytes.fromhex("0807" "1209" "09000000000000f83f"), bytes.fromhex("0809")])
    {'a': array([7., 9.]), 'b': array([1.5, nan])}
    """

    def __init__(self, fields: Mapping[str, WireField]) -> None:
        self._fields = {field.path: (name, field) for name, field in fields.items()}
        self._inner = {f.path[:end] for f in fields.values() for end in range(2, len(f.path), 2)}
        self._required = [name for name, field in fields.items() if field.required]
        self._layouts: dict[int, list[_Layout]] = {}

    def read(self, messages: Sequence[bytes]) -> dict[str, FloatArray]:
        """Return field name to its numbers, shape (messages,); NaN where a message lacks the field.

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
        """Read the messages with this structure, and return the other messages."""
        alike = ((block & layout.mask) == layout.structure).all(axis=1)
        if not alike.any():
            return rows, block
        taken, mine = (rows, block) if alike.all() else (rows[alike], block[alike])
        for name, (first, end) in layout.places.items():
            values[name][taken] = _numbers(mine[:, first:end])
        return rows[~alike], block[~alike]

    def _learn(self, message: bytes, position: int) -> _Layout:
        """Parse a message, and remember its structure."""
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
        """Parse the message at ``path``: mark its structure in ``mask``, and add its fields to ``places``."""
        seen: dict[int, int] = {}
        while at < end:
            tag, value = _varint(message, at, end)
            mask[at:value] = 0xFF
            number, wire = tag >> 3, tag & 7
            if not 1 <= number <= _LARGEST_FIELD:
                raise ValueError(f"there is no field number {number}")
            after, first = self._end_of(message, value, end, wire, mask)
            name, field = self._fields.get((*path, number), ("", None))
            if field is not None and wire == (_DOUBLE if field.kind == "double" else _VARINT):
                if wire == _VARINT and after - first > _LONGEST_NUMBER:
                    raise ValueError(f"{name} is negative or too large")
                places[name] = (first, after)  # if a field occurs twice, the last one is used
            within = (*path, number, seen.get(number, 0))
            seen[number] = within[-1] + 1
            if wire == _LENGTH and within in self._inner:
                self._walk(message, first, after, within, mask, places)
            at = after

    def _end_of(self, message: bytes, at: int, end: int, wire: int, mask: Octets) -> tuple[int, int]:
        """Return the positions after a value and of its content, and mark its structure."""
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
    """Return a varint, and the position after it."""
    number = 0
    for place in range(at, min(end, at + _LONGEST_VARINT)):
        number |= (message[place] & 0x7F) << 7 * (place - at)
        if message[place] < _MORE:
            return number, place + 1
    raise ValueError("a number does not end")


def _numbers(octets: Octets) -> FloatArray:
    """Decode numbers from their bytes, shape (n, bytes) to (n,): eight bytes are a double, up to five a varint."""
    if octets.shape[1] == _WIDTHS[_DOUBLE]:
        return np.ascontiguousarray(octets).view("<f8")[:, 0]
    digits = (octets & 0x7F).astype(np.int64)
    number: FloatArray = (digits << 7 * np.arange(octets.shape[1])).sum(axis=1).astype(np.float64)
    return number


def find_text(message: bytes, path: Sequence[int]) -> str:
    """Return the text of a field inside a message; an empty text if there is none, or the message is damaged.

    Args:
        message: the message.
        path: field numbers from the outermost message inwards; the first field with each number counts.

    >>> find_text(bytes([0x1A, 5, 0x0A, 3]) + b"gpu", (3, 1)), find_text(b"", (3, 1))
    ('gpu', '')
    """
    for number in path:
        inner = _first_field(message, number)
        if inner is None:
            return ""
        message = inner
    return message.decode("ascii", errors="ignore")


def _first_field(message: bytes, wanted: int) -> bytes | None:
    """Return the content of the first field with a number, if it has a length; None if there is no such field."""
    position = 0
    while position < len(message):
        tag, position = _small_varint(message, position)
        if tag & 7 == _VARINT:
            _, position = _small_varint(message, position)
        elif tag & 7 == _LENGTH:
            length, position = _small_varint(message, position)
            if tag >> 3 == wanted:
                return message[position : position + length]
            position += length
        elif tag & 7 in _WIDTHS:
            position += _WIDTHS[tag & 7]
        else:
            return None
    return None


def _small_varint(message: bytes, position: int) -> tuple[int, int]:
    """Return a number and the position after it; bits after the end of the message are 0."""
    number = shift = 0
    while position < len(message):
        octet = message[position]
        number |= (octet & ~_MORE) << shift
        position, shift = position + 1, shift + 7
        if not octet & _MORE or shift >= 7 * _LONGEST_VARINT:
            break
    return number, position
