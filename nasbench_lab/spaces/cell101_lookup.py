"""Finding the cells of NAS-Bench-101 from drawings: many at once, or a single one without the overhead of NumPy."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.errors import OutOfSpaceError
from nasbench_lab.spaces.cell101_drawings import ARRANGEMENT_BITS, DISCONNECTED, edges_after_pruning, full
from nasbench_lab.spaces.cell101_enumeration import MAX_EDGES, OPERATIONS, kept_cells, powers_of
from nasbench_lab.spaces.cell101_notation import INPUT, OUTPUT, check_cell
from nasbench_lab.spaces.dag_enumeration import edge_bit

_ARRANGEMENT = (1 << ARRANGEMENT_BITS) - 1
_Ints = NDArray[np.integer[Any]]


def edges_of(vertices: int) -> tuple[IntArray, IntArray]:
    """Return sources and targets of all possible edges, in the order of the codes."""
    source, target = np.triu_indices(vertices, 1)
    return source, target


@functools.cache
def weights_of_codes(vertices: int) -> NDArray[np.float32]:
    """Return the weights of the codes of a drawing in its mask and in its labeling, shape (codes, 2).

    Mask and labeling are below 2**24, so that a matrix product in float32 is exact; it is by far the fastest way.
    """
    edges, inner = vertices * (vertices - 1) // 2, vertices - 2
    weights = np.zeros((edges + inner, 2), dtype=np.float32)
    weights[:edges, 0] = 1 << edge_bit(*edges_of(vertices))
    weights[edges:, 1] = powers_of(vertices)
    return weights


def find_codes(codes: _Ints, vertices: int) -> IntArray:
    """Return the cells of codes that are in range, shape (n, codes) to (n,).

    Raises:
        OutOfSpaceError: operations are given after a missing vertex, an edge ends at a missing vertex, the input does
            not lead to the output, or there are too many edges.
    """
    mask, labeling = full_drawings(codes, vertices)
    return find_drawings(mask, labeling, vertices)


def find_codes_or_none(codes: _Ints, vertices: int) -> IntArray:
    """Return the cells of codes that are in range, shape (n, codes) to (n,); -1 where they draw no cell."""
    present = codes[:, vertices * (vertices - 1) // 2 :] > 0
    inner = present.sum(axis=1)
    sums = codes.astype(np.float32) @ weights_of_codes(vertices)
    mask, labeling = sums.T.astype(np.int64)
    labeling -= (present @ powers_of(vertices).astype(np.float32)).astype(np.int64)
    moved = full(mask, inner, vertices)
    gap = (~present[:, :-1] & present[:, 1:]).any(axis=1)
    drawn = ~gap & (moved >> edge_bit(0, vertices) == 0)
    entry = kept_cells(vertices)["entry"].take(np.where(drawn, moved, 0))
    return np.where(drawn & (entry >= 0), find_entries(entry, labeling, vertices), -1)


def full_drawings(codes: _Ints, vertices: int) -> tuple[IntArray, IntArray]:
    """Return masks and labelings of the full drawings that codes in range describe; missing vertices get operation 0.

    Raises:
        OutOfSpaceError: operations are given after a missing vertex, or an edge ends at a missing vertex.
    """
    operations = codes[:, vertices * (vertices - 1) // 2 :]
    present = operations > 0
    sums = codes.astype(np.float32) @ weights_of_codes(vertices)
    mask, labeling = sums.T.astype(np.int64)
    labeling -= (present @ powers_of(vertices).astype(np.float32)).astype(np.int64)  # codes count operations from 1
    if present.all():
        return mask, labeling
    _refuse_gaps(present)
    inner = present.sum(axis=1)
    moved = full(mask, inner, vertices)
    _refuse_beyond_output(codes, inner, moved, vertices)
    return moved, labeling


def find_drawings(mask: IntArray, labeling: IntArray, vertices: int) -> IntArray:
    """Return the cells of full drawings, masks and labelings of shape (n,).

    Raises:
        OutOfSpaceError: the input does not lead to the output, or there are too many edges.
    """
    cells = kept_cells(vertices)
    entry = cells["entry"].take(mask)
    if len(entry) and entry.min() < 0:
        worst = entry.argmin() if (entry != DISCONNECTED).all() else (entry == DISCONNECTED).argmax()
        _refuse(int(mask[worst]), int(entry[worst]), vertices)
    return find_entries(entry, labeling, vertices)


def find_entries(entry: NDArray[np.int32], labeling: IntArray, vertices: int) -> IntArray:
    """Return the cells of entries of `Cells.entry` and labelings of the drawings, both (n,).

    For a negative entry the result is meaningless.
    """
    cells = kept_cells(vertices)
    labelings = cells["cell"].shape[1]
    relabeled = cells["relabeling"].reshape(-1).take((entry & _ARRANGEMENT) * labelings + labeling, mode="clip")
    found = cells["cell"].reshape(-1).take((entry >> ARRANGEMENT_BITS) * labelings + relabeled, mode="clip")
    return found.astype(np.int64)


class CellFinder:
    """Finds single cells given as matrix and operations, within about two microseconds.

    It looks up dictionaries and views of the arrays, which give plain Python integers.
    """

    def __init__(self, vertices: int) -> None:
        cells = kept_cells(vertices)
        self._vertices, self._labelings = vertices, cells["cell"].shape[1]
        self._entry = cells["entry"].data
        self._relabeling = cells["relabeling"].reshape(-1).data
        self._cell = cells["cell"].reshape(-1).data
        self._rows = {size: _bits_of_rows(size, vertices) for size in range(2, vertices + 1)}
        self._names = {size: _labelings_of_names(size - 2, vertices) for size in range(2, vertices + 1)}
        self._bytes = {
            size: [{bytes(row): bits for row, bits in known.items()} for known in rows]
            for size, rows in self._rows.items()
        }

    def __call__(self, adjacency: Any, operations: Any) -> int:
        """Return the cell; see `Cell101Space.index_of_cell`."""
        try:
            rows = adjacency.tolist() if isinstance(adjacency, np.ndarray) else adjacency
            known = self._rows[len(rows)]
            mask = 0
            for bits, row in zip(known, rows, strict=True):
                mask |= bits[tuple(row)]
            labeling = self._names[len(rows)][tuple(operations)]
            entry = self._entry[mask]
        except (KeyError, TypeError):
            return self._check_and_find(adjacency, operations)
        return self._found(mask, entry, labeling)

    def of_bytes(self, entries: bytes, names: tuple[Any, ...]) -> int:
        """Return the cell of a matrix with one byte per entry, in half of the time.

        Args:
            entries: the matrix, row by row, every byte 0 or 1.
            names: the operations of all vertices, from input to output.

        Raises:
            OutOfSpaceError: there is no such cell.
        """
        size, mask, start = len(names), 0, 0
        try:
            for bits in self._bytes[size]:
                mask |= bits[entries[start : start + size]]
                start += size
            labeling = self._names[size][names]
        except (KeyError, TypeError):
            raise OutOfSpaceError("the matrix and operations are not those of a cell") from None
        return self._found(mask, self._entry[mask], labeling)

    def _found(self, mask: int, entry: int, labeling: int) -> int:
        if entry < 0:
            _refuse(mask, entry, self._vertices)
        relabeled = self._relabeling[(entry & _ARRANGEMENT) * self._labelings + labeling]
        return self._cell[(entry >> ARRANGEMENT_BITS) * self._labelings + relabeled]

    def _check_and_find(self, adjacency: Any, operations: Any) -> int:
        """Find cells that are written in an unusual way, or raise an error that says what is wrong."""
        rows, numbers = check_cell(adjacency, operations, self._vertices)
        return self([[int(entry) for entry in row] for row in rows], [OPERATIONS[number] for number in numbers])


@functools.cache
def cell_finder(vertices: int) -> CellFinder:
    """Return the finder of a space; all copies of the space share it."""
    return CellFinder(vertices)


def _bits_of_rows(size: int, vertices: int) -> list[Mapping[tuple[int, ...], int]]:
    """Return for every row of an upper triangular matrix the bits that each possible content adds to the full mask."""
    place = [*range(size - 1), vertices - 1]
    return [
        {
            (*[0] * (row + 1), *entries): sum(
                entry << int(edge_bit(row, place[column])) for column, entry in enumerate(entries, start=row + 1)
            )
            for entries in itertools.product((0, 1), repeat=size - row - 1)
        }
        for row in range(size)
    ]


def _labelings_of_names(inner: int, vertices: int) -> Mapping[tuple[str, ...], int]:
    """Return the labelings of all operations of ``inner`` vertices, by their names, also with input and output."""
    powers = powers_of(vertices).tolist()
    labelings = {}
    for numbers in itertools.product(range(len(OPERATIONS)), repeat=inner):
        names = tuple(OPERATIONS[number] for number in numbers)
        labelings[names] = sum(number * power for number, power in zip(numbers, powers, strict=False))
        labelings[INPUT, *names, OUTPUT] = labelings[names]
    return labelings


def _refuse_gaps(present: NDArray[np.bool_]) -> None:
    """Raise an error where a vertex after a missing one has an operation."""
    gap = ~present[:, :-1] & present[:, 1:]
    if gap.any():
        vertex = int(np.argwhere(gap)[0, 1]) + 1
        raise OutOfSpaceError(f"vertex {vertex} has no operation, but a vertex after it has")


def _refuse_beyond_output(codes: _Ints, inner: IntArray, mask: IntArray, vertices: int) -> None:
    """Raise an error where an edge ends after the output."""
    beyond = mask >> edge_bit(0, vertices) != 0
    if beyond.any():
        row = int(beyond.argmax())
        output = int(inner[row]) + 1
        edges = zip(*(ends.tolist() for ends in edges_of(vertices)), codes[row].tolist(), strict=False)
        source, target = next((source, target) for source, target, edge in edges if edge and target > output)
        raise OutOfSpaceError(f"there is an edge from vertex {source} to {target}, but the output is vertex {output}")


def _refuse(mask: int, entry: int, vertices: int) -> None:
    """Raise an error about a drawing that is not a cell."""
    if entry == DISCONNECTED:
        raise OutOfSpaceError("the input of the cell does not lead to its output")
    edges = edges_after_pruning(mask, vertices)
    raise OutOfSpaceError(f"a cell has at most {MAX_EDGES} edges, this one has {edges} after pruning")
