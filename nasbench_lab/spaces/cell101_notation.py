"""The notation of the cells of NAS-Bench-101: a matrix and operations, as text or as nested lists."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from nasbench_lab.errors import OutOfSpaceError
from nasbench_lab.spaces.cell101_enumeration import OPERATIONS, Adjacency

INPUT, OUTPUT = "input", "output"

_NUMBERS = (int, float, np.number, np.bool_)

_ROW = r"\[\s*[01](?:\s*,\s*[01])*\s*\]"
_NAME = r"['\"][\w-]+['\"]"
_NOTATION = re.compile(
    rf"\[?\s*(?P<matrix>\[\s*{_ROW}(?:\s*,\s*{_ROW})*\s*\])\s*,?\s*(?P<names>\[\s*{_NAME}(?:\s*,\s*{_NAME})*\s*\])\s*\]?"
)
_WORD = re.compile(r"[\w-]+")


def read_cell(text: str) -> tuple[list[list[int]], list[str]]:
    """Return the matrix and the names of all vertices that a text gives; it is not checked whether they are a cell.

    Raises:
        OutOfSpaceError: the text is malformed.

    >>> read_cell("[[0,1],[0,0]] ['input','output']")
    ([[0, 1], [0, 0]], ['input', 'output'])
    """
    match = _NOTATION.fullmatch(text)
    if match is None:
        raise OutOfSpaceError(
            f"malformed cell {text!r}; write its module hash, or matrix and operations like "
            f"[[0,1,0],[0,0,1],[0,0,0]] ['{INPUT}','{OPERATIONS[0]}','{OUTPUT}']"
        )
    rows = match["matrix"].split("]")[:-2]
    return [[int(digit) for digit in row if digit in "01"] for row in rows], _WORD.findall(match["names"])


def write_cell(adjacency: Adjacency, operations: Iterable[str]) -> str:
    """Return the text of a matrix and the names of its inner vertices' operations."""
    rows = ",".join("[" + ",".join(map(str, row)) + "]" for row in adjacency.astype(int).tolist())
    return f"[{rows}] [{','.join(repr(name) for name in (INPUT, *operations, OUTPUT))}]"


def check_cell(adjacency: Any, operations: Any, vertices: int) -> tuple[list[list[int]], list[int]]:
    """Check a matrix and operations, of the inner vertices alone or with input and output.

    Returns:
        The matrix as zeros and ones, and the inner vertices' operations as positions in `OPERATIONS`.

    Raises:
        OutOfSpaceError: they are malformed; it is not checked whether the vertices are connected, or by too many edges.
    """
    rows, names = _lists(adjacency), _names(operations)
    size = len(rows)
    if any(len(row) != size for row in rows):
        raise OutOfSpaceError(f"the matrix of a cell must be square, its {size} rows have {_lengths(rows)} entries")
    if not 2 <= size <= vertices:
        raise OutOfSpaceError(f"a cell of this space has 2 to {vertices} vertices, this one has {size}")
    _check_entries(rows)
    return rows, [_number(name, vertex) for vertex, name in enumerate(_inner(names, size), start=1)]


def _lists(adjacency: Any) -> list[list[Any]]:
    try:
        return [list(row) for row in (adjacency.tolist() if isinstance(adjacency, np.ndarray) else adjacency)]
    except TypeError as error:
        raise OutOfSpaceError("the matrix of a cell must be rows of zeros and ones") from error


def _names(operations: Any) -> list[Any]:
    try:
        return list(operations)
    except TypeError as error:
        raise OutOfSpaceError(f"the operations of a cell must be a list of names, got {operations!r}") from error


def _check_entries(rows: list[list[Any]]) -> None:
    for row, column in itertools.combinations_with_replacement(range(len(rows)), 2):
        for source, target in ((row, column), (column, row)):
            if not isinstance(rows[source][target], _NUMBERS) or rows[source][target] not in (0, 1):
                raise OutOfSpaceError(
                    f"the entry from vertex {source} to {target} of a cell's matrix is {rows[source][target]!r}; "
                    "allowed: 0, 1"
                )
        if rows[column][row]:
            raise OutOfSpaceError(
                f"the matrix of a cell must be upper triangular; it has an edge from vertex {column} to {row}"
            )


def _inner(names: list[Any], size: int) -> Sequence[Any]:
    """Return the names of the inner vertices, without those of input and output if they are given."""
    if len(names) == size and names[0] == INPUT and names[-1] == OUTPUT:
        return names[1:-1]
    if len(names) != size - 2:
        raise OutOfSpaceError(
            f"a cell of {size} vertices has {size} names, first {INPUT!r}, last {OUTPUT!r}; "
            f"got {', '.join(map(str, names))}"
        )
    return names


def _number(name: Any, vertex: int) -> int:
    if name not in OPERATIONS:
        raise OutOfSpaceError(f"unknown operation {name!r} of vertex {vertex}; allowed: {', '.join(OPERATIONS)}")
    return OPERATIONS.index(name)


def _lengths(rows: list[list[Any]]) -> str:
    return ", ".join(str(len(row)) for row in rows)
