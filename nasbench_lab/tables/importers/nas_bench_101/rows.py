"""The rows of NAS-Bench-101 files: a JSON list of the cell's hash, epochs, matrix, operations and measurements.

For example ``["0019...", 108, "0111000000000000", "input,conv3x3-bn-relu,maxpool3x3,output", "CiQJAAAA..."]``: the
module hash, the epochs of the training, the bits of the adjacency matrix row by row, the operation of every vertex, and
a protobuf message in Base64. A file has up to five million rows, so batches of rows in exactly this form are split at
their quotation marks; other rows are parsed as JSON.
"""

from __future__ import annotations

import binascii
import functools
import json
import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.messages import first_line
from nasbench_lab.spaces.cell101_enumeration import MAX_VERTICES, OPERATIONS
from nasbench_lab.tables.reading.tfrecord import RecordBatch

Column = Sequence[bytes]
"""One field of all rows."""

Row = tuple[bytes, bytes, bytes, bytes, bytes]
"""Hash, epochs, bits of the matrix, operations, and Base64."""

_FIELDS = tuple(
    re.compile(field)
    for field in (
        rb"[0-9a-f]{32}",
        rb"[1-9][0-9]{0,5}",
        rb"[01]{1,64}",
        rb"[a-z0-9,-]{1,512}",
        rb"[A-Za-z0-9+/=]+",
    )
)
_EPOCHS = re.compile(rb", ([1-9][0-9]{0,5}), ")
_WORDS = ("module hash", "number of epochs", "adjacency matrix", "list of operations", "Base64 text")
_DIGIT = {name: digit for digit, name in enumerate(OPERATIONS, start=1)}
_DISTINCT = 2**16  # size of the caches of matrices and lists of operations
_EDGES = MAX_VERTICES * (MAX_VERTICES - 1) // 2


class ModelRows(NamedTuple):
    """The parsed rows of a batch.

    Attributes:
        hashes: raw module hashes, shape (n, 16).
        epochs: numbers of epochs, shape (n,).
        vertices: numbers of vertices of the drawn cells, shape (n,).
        drawings: the drawn cells as numbers, see `codes_of`, shape (n,).
        messages: the protobuf message of every row.
    """

    hashes: NDArray[np.uint8]
    epochs: IntArray
    vertices: IntArray
    drawings: IntArray
    messages: list[bytes]


def parse_rows(batch: RecordBatch) -> ModelRows:
    """Parse the rows of a batch.

    Raises:
        DataError: a row does not have the format of this module; the message names the record.
    """
    try:
        return _numbers(*_plain_columns(batch))
    except ValueError:  # parse row by row, to name the invalid row, or to read JSON in another layout
        rows = [_json_row(batch, position) for position in range(len(batch.data))]
        for position, row in enumerate(rows):
            try:
                _numbers(*([part] for part in row))
            except ValueError as error:
                raise batch.error(position, first_line(error)) from error
        return _numbers(*zip(*rows, strict=True))


def codes_of(drawings: IntArray, vertices: int) -> IntArray:
    """Return the codes of drawn cells in the space of cells with at most ``vertices`` vertices (see `Cell101Space`).

    A drawing is a number: 21 bits for the upper triangle of a matrix of seven vertices, row by row, most significant
    bit first, then a digit from 0 to 3 for each of five inner vertices, with 0 for a vertex that does not exist.

    Args:
        drawings: the drawings, shape (n,), with at most ``vertices`` vertices.
        vertices: largest number of vertices of the space.

    Returns:
        The codes, shape (n, codes of the space).
    """
    _, target = np.triu_indices(MAX_VERTICES, 1)
    inner = MAX_VERTICES - 2
    edges = drawings[:, None] >> (2 * inner + np.arange(_EDGES - 1, -1, -1)) & 1
    operations = drawings[:, None] >> 2 * np.arange(inner - 1, -1, -1) & 3
    return np.concatenate([edges[:, target < vertices], operations[:, : vertices - 2]], axis=1)


def _plain_columns(batch: RecordBatch) -> tuple[Column, Column, Column, Column, Column]:
    """Return the columns of rows in the form of the published files; ValueError if a row has another form."""
    pieces = b"\n".join(batch.data).split(b'"')
    between, hashes, epochs, bits, comma, names, another, texts = (pieces[first::8] for first in range(8))
    # No other piece may have a line break, so the line breaks between rows are the ends of the records.
    rows = len(texts)
    if len(pieces) != 8 * rows + 1 or between != [b"[", *[b"]\n["] * (rows - 1), b"]"] or {*comma, *another} != {b", "}:
        raise ValueError("a row is not plain")
    found = {piece: _EPOCHS.fullmatch(piece) for piece in set(epochs)}
    numbers = {piece: match[1] for piece, match in found.items() if match}
    if len(numbers) != len(found) or {*map(len, hashes)} != {32}:
        raise ValueError("a number of epochs or a hash is not plain")
    joined = b'"'.join(texts).replace(b"\\n", b"")  # a line break is two characters in JSON
    return hashes, list(map(numbers.__getitem__, epochs)), bits, names, joined.split(b'"')


def _json_row(batch: RecordBatch, position: int) -> Row:
    """Parse one row of JSON in any layout, and check every field."""
    try:
        row = json.loads(batch.data[position])
    except (ValueError, RecursionError) as error:
        raise batch.error(position, f"not JSON: {first_line(error)}") from error
    if not isinstance(row, list) or len(row) != len(_WORDS) or type(row[1]) is not int:
        raise batch.error(position, f"not a list of {', '.join(_WORDS)}")
    parts = [_octets(part) for part in row]
    for part, field, word in zip(parts, _FIELDS, _WORDS, strict=True):
        if not field.fullmatch(part):
            raise batch.error(position, f"malformed {word} {part[:40]!r}")
    return (parts[0], parts[1], parts[2], parts[3], parts[4])


def _octets(part: Any) -> bytes:
    """Return a field as it is written in plain rows; an invalid field becomes a text that matches no pattern."""
    if type(part) is int:
        return b"%d" % part if abs(part) < 10**9 else b"-"
    return part.replace("\n", "").encode("ascii", "replace") if isinstance(part, str) else b""


def _numbers(hashes: Column, epochs: Column, bits: Column, names: Column, texts: Column) -> ModelRows:
    """Convert columns of texts to numbers; ValueError if a text is invalid."""
    count = len(hashes)
    integers = {text: int(text) for text in set(epochs)}
    edges = np.fromiter(map(_edges, bits), np.int64, count)
    operations = np.fromiter(map(_operations, names), np.int64, count)
    vertices = edges & 7
    if (vertices != operations & 7).any():
        raise ValueError("the matrix and the list of operations have different numbers of vertices")
    return ModelRows(
        np.frombuffer(binascii.unhexlify(b"".join(hashes)), np.uint8).reshape(count, 16),
        np.fromiter(map(integers.__getitem__, epochs), np.int64, count),
        vertices,
        (edges >> 3 << 2 * (MAX_VERTICES - 2)) + (operations >> 3),
        [binascii.a2b_base64(text, strict_mode=True) for text in texts],
    )


@functools.lru_cache(_DISTINCT)
def _edges(bits: bytes) -> int:
    """Return the edges of a matrix as a number, followed by three bits for the number of vertices."""
    size = math.isqrt(len(bits))
    if bits.strip(b"01"):
        raise ValueError(f"the matrix has other entries than 0 and 1: {bits[:64]!r}")
    if size * size != len(bits) or not 2 <= size <= MAX_VERTICES:
        raise ValueError(f"the matrix has {len(bits)} entries; a cell has 2 to {MAX_VERTICES} vertices")
    rows = [bits[size * row : size * (row + 1)] for row in range(size)]
    if any(b"1" in rows[row][: row + 1] for row in range(size)):
        raise ValueError("the matrix is not upper triangular")
    upper = "".join(row[first:].decode().ljust(MAX_VERTICES - first, "0") for first, row in enumerate(rows, start=1))
    return int(upper.ljust(_EDGES, "0"), 2) << 3 | size


@functools.lru_cache(_DISTINCT)
def _operations(names: bytes) -> int:
    """Return the inner operations as a number, followed by three bits for the number of all vertices."""
    first, *inner, last = names.decode().split(",") if b"," in names else ("", "")
    if first != "input" or last != "output" or len(inner) > MAX_VERTICES - 2:
        raise ValueError(f"{len(inner) + 2} operations are not 2 to {MAX_VERTICES}, from 'input' to 'output'")
    unknown = [name for name in inner if name not in _DIGIT]
    if unknown:
        raise ValueError(f"unknown operation {unknown[0]!r}; allowed: {', '.join(OPERATIONS)}")
    digits = [_DIGIT[name] for name in inner] + [0] * (MAX_VERTICES - 2 - len(inner))
    number = 0
    for digit in digits:
        number = number << 2 | digit
    return number << 3 | len(inner) + 2
