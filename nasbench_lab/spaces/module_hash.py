"""The module hash of NAS-Bench-101, which names a cell: an MD5 that does not depend on the order of the vertices."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.spaces.md5 import Bytes, hexadecimal, md5

_INPUT, _OUTPUT = -1, -2
_BATCH = 65_536  # cells at a time, to bound memory
_TEXT = "S32"  # a digest in hexadecimal


def module_hashes(adjacency: NDArray[np.bool_], operations: IntArray) -> Bytes:
    """Return the module hashes of cells with the same number of vertices (`hash_module` of the official package).

    The text of a vertex starts as the digest of its numbers of outgoing and incoming edges and its operation. Once per
    vertex of the cell, each text is replaced by the digest of the sorted texts of the predecessors, those of the
    successors, and the text itself. The hash of the cell is the digest of the sorted texts of its vertices.

    Args:
        adjacency: which vertex (row) leads to which (column), shape (cells, vertices, vertices).
        operations: of the inner vertices, counted from 0, shape (cells, vertices - 2).

    Returns:
        Raw digests, shape (cells, 16).

    >>> module_hashes(np.array([[[0, 1], [0, 0]]], dtype=bool), np.empty((1, 0), dtype=int)).tobytes().hex()
    '043721b9c7fe8c5fad811d47d83132ec'
    """
    hashes = np.empty((len(adjacency), 16), dtype=np.uint8)
    for first in range(0, len(adjacency), _BATCH):
        batch = slice(first, first + _BATCH)
        hashes[batch] = _hash_batch(adjacency[batch], operations[batch])
    return hashes


def _hash_batch(adjacency: NDArray[np.bool_], operations: IntArray) -> Bytes:
    cells, vertices = adjacency.shape[:2]
    labels = np.pad(operations, ((0, 0), (1, 1)), constant_values=((0, 0), (_INPUT, _OUTPUT)))
    number, first_texts = _first_texts(adjacency, labels)
    groups = _group_by_degrees(adjacency)
    texts = first_texts[number]
    for turn in range(vertices):
        last, texts = texts, np.empty_like(texts)
        for rows, predecessors, successors in groups:
            if turn == 0:  # vertices of many cells have equal texts: hash them once
                one, alike = _distinct(number, len(first_texts), rows, predecessors, successors)
                texts[rows] = _next_texts(last, rows[one], predecessors[one], successors[one])[alike]
            else:
                texts[rows] = _next_texts(last, rows, predecessors, successors)
    return _fingerprints(texts.reshape(cells, vertices))


def _next_texts(
    last: NDArray[np.bytes_], rows: IntArray, predecessors: IntArray, successors: IntArray
) -> NDArray[np.bytes_]:
    """Return the texts of vertices after a round, given all texts of the round before and the vertices around them."""
    before, after = _sorted_characters(last[predecessors]), _sorted_characters(last[successors])
    return _text(md5(before, b"|", after, b"|", _sorted_characters(last[rows, None])))


def _first_texts(adjacency: NDArray[np.bool_], labels: IntArray) -> tuple[IntArray, NDArray[np.bytes_]]:
    """Return the number of every vertex's text before the first round, shape (cells * vertices,), and these texts."""
    vertices, kinds = adjacency.shape[1], int(labels.max(initial=0)) + 3
    described = itertools.product(range(vertices), range(vertices), range(_OUTPUT, kinds + _OUTPUT))
    digests = [hashlib.md5(str(one).encode(), usedforsecurity=False).hexdigest() for one in described]
    number = (adjacency.sum(axis=2) * vertices + adjacency.sum(axis=1)) * kinds + labels - _OUTPUT
    return number.reshape(-1), np.array(digests, dtype=_TEXT)


def _distinct(
    number: IntArray, numbers: int, rows: IntArray, predecessors: IntArray, successors: IntArray
) -> tuple[IntArray, IntArray]:
    """Find vertices with the same text, and the same texts before and after them.

    Args:
        number: of the text of every vertex.
        numbers: of different texts: at most 245 for 7 vertices, so that the numbers of a vertex and all others fit
            into 63 bits.
        rows: vertices with the same numbers of predecessors and successors, shape (n,).
        predecessors: of these vertices, shape (n, a).
        successors: of these vertices, shape (n, b).

    Returns:
        The position of one vertex of every kind, and the kind of every vertex.
    """
    columns = [np.sort(number[predecessors], axis=1), np.sort(number[successors], axis=1), number[rows, None]]
    key = np.zeros(len(rows), dtype=np.int64)
    for column in np.concatenate(columns, axis=1).T:
        key = key * numbers + column
    _, one, alike = np.unique(key, return_index=True, return_inverse=True)
    return one, alike


def _group_by_degrees(adjacency: NDArray[np.bool_]) -> list[tuple[IntArray, IntArray, IntArray]]:
    """Group vertices whose messages have the same length in both parts.

    Returns:
        For every group its vertices, shape (n,), their predecessors (n, a) and successors (n, b), all as positions
        among the vertices of all cells.
    """
    vertices = adjacency.shape[1]
    incoming = adjacency.transpose(0, 2, 1).reshape(-1, vertices)
    outgoing = adjacency.reshape(-1, vertices)
    degrees = incoming.sum(axis=1) * vertices + outgoing.sum(axis=1)
    groups = []
    for degree in np.unique(degrees).tolist():
        rows = np.flatnonzero(degrees == degree)
        first = rows[:, None] // vertices * vertices
        predecessors, successors = (
            first + np.nonzero(edges[rows])[1].reshape(len(rows), many)
            for edges, many in zip((incoming, outgoing), divmod(degree, vertices), strict=True)
        )
        groups.append((rows, predecessors, successors))
    return groups


def _fingerprints(texts: NDArray[np.bytes_]) -> Bytes:
    """Return digests of Python's text of the sorted list of texts; shape (cells, vertices) to (cells, 16)."""
    cells, vertices = texts.shape
    template = str(["?" * 32] * vertices).encode()
    message = np.tile(np.frombuffer(template, dtype=np.uint8), (cells, 1))
    message[:, message[0] == ord("?")] = _sorted_characters(texts)
    return md5(message)


def _sorted_characters(texts: NDArray[np.bytes_]) -> Bytes:
    """Sort the texts in every row and join them, shape (n, k) to (n, 32 k)."""
    rows, columns = texts.shape
    if columns > 1:
        texts = np.sort(texts, axis=1)
    return np.ascontiguousarray(texts).view(np.uint8).reshape(rows, 32 * columns)


def _text(digests: Bytes) -> NDArray[np.bytes_]:
    return hexadecimal(digests).view(_TEXT)[:, 0]
