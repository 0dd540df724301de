"""The cells of NAS-Bench-101: small acyclic graphs from an input to an output, an operation at every inner vertex."""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_lab.errors import OutOfSpaceError, ParameterError
from nasbench_lab.spaces.base import CodeArray, Space
from nasbench_lab.spaces.cell101_edits import edits_of
from nasbench_lab.spaces.cell101_enumeration import (
    MAX_EDGES,
    MAX_VERTICES,
    OPERATIONS,
    SIZES,
    Adjacency,
    Cells,
    enumerate_cells,
    operations_of,
    prune,
)
from nasbench_lab.spaces.dag_enumeration import edge_bit
from nasbench_lab.spaces.neighbor_lists import mutual, padded
from nasbench_lab.streams import FloatArray, IntArray, scale

INPUT, OUTPUT = "input", "output"

_BATCH = 16_384
_MOST_TABLE_ENTRIES = 2**28
_HASH = re.compile(r"[0-9a-fA-F]{32}")
_ROW = r"\[\s*[01](?:\s*,\s*[01])*\s*\]"
_NAME = r"['\"][\w-]+['\"]"
_NOTATION = re.compile(
    rf"\[?\s*(?P<matrix>\[\s*{_ROW}(?:\s*,\s*{_ROW})*\s*\])\s*,?\s*(?P<names>\[\s*{_NAME}(?:\s*,\s*{_NAME})*\s*\])\s*\]?"
)


@final
class Cell101Space(Space):
    """The cells of NAS-Bench-101 (Ying et al., ICML 2019) with at most ``vertices`` vertices, 423,624 of them for 7.

    A cell has an input vertex, an output vertex, one of three `OPERATIONS` at every vertex between them and at most 9
    edges; every vertex is on a path from input to output. Cells that differ only in the order of their vertices are the
    same. The official order is that of their module hashes (`module_hash`), by which the publication names them.

    The codes are the upper triangle of the adjacency matrix, row by row, then the inner vertices' operations: 0 for no
    such vertex, 1 to 3 for a position in `OPERATIONS` plus one. A cell with fewer vertices comes first in the matrix
    and has zeros after it, so its output is the vertex after the last operation. Of all drawings of a cell, the
    canonical one is that which the published generator finds first: the smallest matrix read as a binary number with
    the edges (0, 1), (0, 2), (1, 2), (0, 3), ... from the least significant bit, then the smallest operations. Any
    other drawing is found too, and vertices that are not on a path from input to output are pruned, as published.

    Two cells are neighbours where one edit of a drawing, an edge more or less or another operation, and pruning turn
    one into the other. So a small cell has many neighbours: those that an edit cuts down to it.

    The cells are enumerated when they are first needed, once a process: 0.3 s for 5 vertices, about 13 s for 7.

    Args:
        vertices: 2 to 7, with input and output.

    Raises:
        ParameterError: ``vertices`` is out of range.

    >>> space = Cell101Space(vertices=4)
    >>> names = "['input','maxpool3x3','conv1x1-bn-relu','output']"
    >>> index = space.parse(f"[[0,0,1,0],[0,0,0,0],[0,0,0,1],[0,0,0,0]] {names}")
    >>> space.format(index)
    "[[0,1,0],[0,0,1],[0,0,0]] ['input','conv1x1-bn-relu','output']"
    >>> space.size, space.module_hash(index)
    (91, 'd1269d9156ddc027c40473008192958a')
    """

    def __init__(self, vertices: int = MAX_VERTICES) -> None:
        if not isinstance(vertices, int) or vertices not in SIZES:
            raise ParameterError(f"a cell has 2 to {MAX_VERTICES} vertices, got {vertices!r}")
        self.name = "cell101"
        self.vertices = vertices
        self.size = SIZES[vertices]
        self._pairs = tuple(itertools.combinations(range(vertices), 2))
        self.cardinalities = (2,) * len(self._pairs) + (len(OPERATIONS) + 1,) * (vertices - 2)

    def spec(self) -> Mapping[str, Any]:
        """Return the plain data from which `nasbench_lab.spaces.make` makes the same space again."""
        return {"name": self.name, "vertices": self.vertices}

    def codes(self, index: ArrayLike) -> CodeArray:
        """Return the canonical codes of cells, shape (...) to (..., edges + vertices - 2)."""
        checked = self.check_index(index)
        cells = self._cells
        graph = cells.graph[checked]
        source, target = np.array(self._pairs).T
        edges = cells.dags.mask[graph][..., None] >> edge_bit(source, target) & 1
        present = np.arange(self.vertices - 2) < cells.dags.vertices[graph][..., None] - 2
        operations = np.where(present, operations_of(cells.labeling[checked], self.vertices) + 1, 0)
        return np.concatenate([edges, operations], axis=-1).astype(np.int8)

    def index(self, codes: ArrayLike) -> IntArray:
        """Return the indices of cells given by the codes of any drawing.

        Raises:
            OutOfSpaceError: a code is out of range, operations are given after a missing vertex, an edge ends at a
                missing vertex, the input does not lead to the output, or there are too many edges.
        """
        checked = self.check_codes(codes)
        flat = checked.reshape(-1, checked.shape[-1])
        found = [self._index_batch(flat[first : first + _BATCH]) for first in range(0, len(flat), _BATCH)]
        return np.concatenate([np.empty(0, dtype=np.int64), *found]).reshape(checked.shape[:-1])

    def cell(self, index: int) -> tuple[Adjacency, list[str]]:
        """Return which vertex (row) leads to which (column) in a cell, and the names of its inner vertices' operations.

        >>> adjacency, operations = Cell101Space(4).cell(0)
        >>> adjacency.astype(int).tolist(), operations
        ([[0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]], ['maxpool3x3', 'maxpool3x3'])
        """
        return self.drawing(self.codes(index).tolist())

    def drawing(self, codes: Sequence[int]) -> tuple[Adjacency, list[str]]:
        """Return what `cell` returns, for the codes of one cell, drawn as they say; nothing is checked or pruned."""
        names = [OPERATIONS[code - 1] for code in codes[len(self._pairs) :] if code]
        adjacency = np.zeros((self.vertices, self.vertices), dtype=bool)
        adjacency[tuple(np.array(self._pairs).T)] = codes[: len(self._pairs)]
        used = len(names) + 2
        return adjacency[:used, :used], names

    def module_hash(self, index: int) -> str:
        """Return the hash, 32 hexadecimal digits, by which the publication names a cell.

        >>> Cell101Space(5).module_hash(0)
        '001a6fcc8b38cbc515be788a86bdc804'
        """
        return self._cells.hashes[self.check_index(index)].tobytes().hex()

    def neighbors(self, index: ArrayLike) -> IntArray:
        """Return the cells one edit away: of one cell, or of an array of them.

        Being a neighbour is mutual. No cell is its own neighbour or listed twice.

        Returns:
            For a single index its neighbours, shape (degree,). For indices of shape (...), shape (..., max degree),
            padded with -1 at the end.
        """
        checked = self.check_index(index)
        starts, neighbors = self._neighbor_lists
        if not checked.ndim:
            return neighbors[starts[checked] : starts[checked + 1]].astype(np.int64)
        place = np.arange(max(1, int(self._degrees.max())))
        present = place < self._degrees[checked][..., None]
        return neighbors[np.where(present, starts[checked][..., None] + place, -1)].astype(np.int64)

    def mutate(self, index: IntArray, uniform: FloatArray) -> IntArray:
        """Return one neighbour each, chosen uniformly: ``index`` and ``uniform`` in [0, 1) of one shape."""
        starts, neighbors = self._neighbor_lists
        degree = self._degrees.take(index)
        mutated = neighbors.take(starts.take(index) + scale(uniform, degree)).astype(np.int64)
        return np.where(degree > 0, mutated, index)

    @cached_property
    def _degrees(self) -> IntArray:
        return np.diff(self._neighbor_lists[0])

    @cached_property
    def _neighbor_lists(self) -> tuple[IntArray, NDArray[np.int32]]:
        """Where the neighbours of every cell start in the array of all, and that array, with a -1 at its end.

        A table of them as other spaces have it would be mostly padding: a few small cells have thousands.
        """
        starts, neighbors = mutual(edits_of(self._cells))
        return starts, np.append(neighbors, np.int32(-1))

    def _make_neighbor_table(self) -> NDArray[np.int32]:
        most = int(self._degrees.max())
        if most * self.size > _MOST_TABLE_ENTRIES:
            raise ParameterError(
                f"cells of {self.vertices} vertices have up to {most} neighbours, too many for one table; "
                "use fewer vertices, or neighbors() and mutate()"
            )
        starts, neighbors = self._neighbor_lists
        return padded(starts, neighbors[:-1])

    @property
    def _cells(self) -> Cells:
        return enumerate_cells(self.vertices)

    def _index_batch(self, codes: IntArray) -> IntArray:
        """Indices of checked codes, shape (n, codes) to (n,)."""
        operations = codes[:, len(self._pairs) :]
        inner = (operations > 0).sum(axis=1)
        adjacency = np.zeros((len(codes), self.vertices, self.vertices), dtype=bool)
        adjacency[(slice(None), *np.array(self._pairs).T)] = codes[:, : len(self._pairs)]
        _refuse_gaps(operations, inner, adjacency)
        mask, place = prune(adjacency, inner + 1)
        _refuse_masks(mask)
        graph, weights = self._cells.locate(mask, place, inner)
        return self._cells.index_of[graph, (np.maximum(operations - 1, 0) * weights).sum(axis=1)].astype(np.int64)

    def _parse_one(self, text: str) -> tuple[int, ...]:
        text = text.strip()
        if _HASH.fullmatch(text):
            return tuple(self.codes(self._index_of_hash(text)).tolist())
        match = _NOTATION.fullmatch(text)
        if match is None:
            raise OutOfSpaceError(
                f"malformed cell {text!r}; write its module hash, or matrix and operations like "
                f"[[0,1,0],[0,0,1],[0,0,0]] ['{INPUT}','{OPERATIONS[0]}','{OUTPUT}']"
            )
        rows = [[int(digit) for digit in re.findall("[01]", row)] for row in re.findall(_ROW, match["matrix"])]
        names = re.findall(r"[\w-]+", match["names"])
        return self._codes_of(rows, names)

    def _index_of_hash(self, text: str) -> int:
        hashes, wanted = self._cells.hashes, bytes.fromhex(text)
        index = bisect.bisect_left(range(self.size), wanted, key=lambda cell: hashes[cell].tobytes())
        if index == self.size or hashes[index].tobytes() != wanted:
            raise OutOfSpaceError(f"no cell of at most {self.vertices} vertices has the module hash {text}")
        return index

    def _codes_of(self, rows: list[list[int]], names: list[str]) -> tuple[int, ...]:
        """Codes of a matrix and all its vertices' names."""
        size = len(rows)
        if any(len(row) != size for row in rows):
            raise OutOfSpaceError(f"the matrix of a cell must be square, its {size} rows have {_lengths(rows)} entries")
        if not 2 <= size <= self.vertices:
            raise OutOfSpaceError(f"a cell of this space has 2 to {self.vertices} vertices, this one has {size}")
        for row, column in itertools.combinations_with_replacement(range(size), 2):
            if rows[column][row]:
                raise OutOfSpaceError(
                    f"the matrix of a cell must be upper triangular; it has an edge from vertex {column} to {row}"
                )
        if len(names) != size or names[0] != INPUT or names[-1] != OUTPUT:
            raise OutOfSpaceError(
                f"a cell of {size} vertices has {size} names, first {INPUT!r}, last {OUTPUT!r}; got {', '.join(names)}"
            )
        for vertex, name in enumerate(names[1:-1], start=1):
            if name not in OPERATIONS:
                raise OutOfSpaceError(
                    f"unknown operation {name!r} of vertex {vertex}; allowed: {', '.join(OPERATIONS)}"
                )
        edges = [rows[i][j] if j < size else 0 for i, j in self._pairs]
        operations = [OPERATIONS.index(name) + 1 for name in names[1:-1]]
        return (*edges, *operations, *[0] * (self.vertices - size))

    def _format_one(self, codes: Sequence[int]) -> str:
        adjacency, operations = self.drawing(codes)
        rows = ",".join("[" + ",".join(map(str, row)) + "]" for row in adjacency.astype(int).tolist())
        return f"[{rows}] [{','.join(repr(name) for name in (INPUT, *operations, OUTPUT))}]"


def _refuse_gaps(operations: IntArray, inner: IntArray, adjacency: Adjacency) -> None:
    """Raise an error where there are operations or edges of vertices that are not there."""
    missing = (operations == 0) & (np.arange(operations.shape[1]) < inner[:, None])
    if missing.any():
        vertex = int(np.argwhere(missing)[0, 1]) + 1
        raise OutOfSpaceError(f"vertex {vertex} has no operation, but a vertex after it has")
    reached = adjacency & (np.arange(adjacency.shape[2]) > inner[:, None, None] + 1)
    if reached.any():
        row, source, target = np.argwhere(reached)[0].tolist()
        raise OutOfSpaceError(
            f"there is an edge from vertex {source} to {target}, but the output is vertex {int(inner[row]) + 1}"
        )


def _refuse_masks(mask: IntArray) -> None:
    """Raise an error where a pruned drawing is no cell."""
    if (mask == 0).any():
        raise OutOfSpaceError("the input of the cell does not lead to its output")
    edges = int(np.bitwise_count(mask).max(initial=0))
    if edges > MAX_EDGES:
        raise OutOfSpaceError(f"a cell has at most {MAX_EDGES} edges, this one has {edges} after pruning")


def _lengths(rows: list[list[int]]) -> str:
    return ", ".join(str(len(row)) for row in rows)
