"""The cells of NAS-Bench-101 in their official order, as graphs and the operations of their vertices."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.spaces.cell101_cache import KeptArrays
from nasbench_lab.spaces.cell101_drawings import ARRANGEMENT_BITS, Drawings, every_drawing
from nasbench_lab.spaces.dag_enumeration import Dags, edge_bit, enumerate_dags
from nasbench_lab.spaces.md5 import Bytes
from nasbench_lab.spaces.module_hash import module_hashes

OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
MIN_VERTICES, MAX_VERTICES, MAX_EDGES = 2, 7, 9
SIZES = {2: 1, 3: 7, 4: 91, 5: 2_532, 6: 64_542, 7: 423_624}
"""The number of cells with at most n vertices, by n."""

VERSION = 1
"""Part of the name under which the arrays are kept; raise it when any of them changes."""

Adjacency = NDArray[np.bool_]


class Cells(NamedTuple):
    """All cells of a space, in the official order.

    A *labeling* is the operations of the inner vertices as a number with the first vertex as the most significant
    digit; missing vertices have the digit 0.

    Attributes:
        mask: canonical drawing of every graph (see `dag_enumeration`), shape (graphs,).
        vertices: number of vertices of every graph, shape (graphs,).
        graph: of every cell, shape (size,).
        labeling: of every cell's canonical drawing, shape (size,).
        high: the first half of every module hash, as a number, shape (size,); ascending.
        low: the second half.
        cell: of every graph and labeling of its canonical drawing, shape (graphs, labelings); -1 where the labeling
            has more vertices than the graph.
        entry: of every full drawing, see `Drawings`.
        relabeling: the labeling of the canonical drawing for every arrangement of `Drawings` and labeling of the
            drawing, shape (arrangements, labelings). The operations of pruned vertices do not matter.
        drawings_before: how many full drawings with operations draw cells before this one; shape (size + 1,).
    """

    mask: NDArray[np.int32]
    vertices: NDArray[np.uint8]
    graph: NDArray[np.int16]
    labeling: NDArray[np.uint8]
    high: NDArray[np.uint64]
    low: NDArray[np.uint64]
    cell: NDArray[np.int32]
    entry: NDArray[np.int32]
    relabeling: NDArray[np.uint8]
    drawings_before: IntArray


_KEPT_FROM = 5
"""Spaces of fewer vertices are enumerated faster than a file is opened."""


@functools.cache
def kept_cells(vertices: int) -> KeptArrays:
    """Return the arrays of `Cells` by name; a space that is made again, or copied, shares them."""
    return KeptArrays(keeping_name(vertices, "cells"), lambda: enumerate_cells(vertices)._asdict())


def keeping_name(vertices: int, what: str) -> str | None:
    """Return the name under which arrays of a space are kept on disk; None where computing them takes no time."""
    return f"cell101-{vertices}-{what}-v{VERSION}" if vertices >= _KEPT_FROM else None


def enumerate_cells(vertices: int) -> Cells:
    """Enumerate, hash and sort all cells."""
    dags = enumerate_dags(vertices, MAX_EDGES)
    drawings = every_drawing(dags, vertices)
    smallest = _smallest_labelings(dags, vertices)
    graph, labeling = np.nonzero(smallest == np.arange(smallest.shape[1]))
    hashes = _hashes(dags, graph, labeling, vertices)
    high, low = hashes.view(">u8").T.astype(np.uint64)
    order = np.lexsort((low, high))
    if len(order) != SIZES[vertices]:
        raise RuntimeError(f"{len(order)} cells of {vertices} vertices were enumerated, not {SIZES[vertices]}")
    graph, labeling = graph[order], labeling[order]
    number = np.full(smallest.shape, -1, dtype=np.int32)
    number[graph, labeling] = np.arange(len(order))
    cell = np.where(smallest >= 0, np.take_along_axis(number, smallest, axis=1), -1).astype(np.int32)
    return Cells(
        mask=dags.mask.astype(np.int32),
        vertices=dags.vertices.astype(np.uint8),
        graph=graph.astype(np.int16),
        labeling=labeling.astype(np.uint8),
        high=high[order],
        low=low[order],
        cell=cell,
        entry=drawings.entry,
        relabeling=_relabeling(drawings, vertices),
        drawings_before=_drawings_before(drawings, dags, graph, cell, vertices),
    )


def powers_of(vertices: int) -> IntArray:
    """Return the weights of the inner vertices in a labeling."""
    return len(OPERATIONS) ** np.arange(vertices - 3, -1, -1, dtype=np.int64)


def operations_of(labeling: IntArray, vertices: int) -> IntArray:
    """Return the operations of the inner vertices, shape (...) to (..., vertices - 2)."""
    return labeling[..., None] // powers_of(vertices) % len(OPERATIONS)


def adjacency_of(mask: IntArray, vertices: int) -> Adjacency:
    """Return the matrices of masks, shape (n,) to (n, vertices, vertices)."""
    source, target = np.triu_indices(vertices, 1)
    adjacency = np.zeros((len(mask), vertices, vertices), dtype=bool)
    adjacency[:, source, target] = mask[:, None] >> edge_bit(source, target) & 1
    return adjacency


def _smallest_labelings(dags: Dags, vertices: int) -> IntArray:
    """Return the smallest labeling of the same cell, for every graph and labeling, shape (graphs, labelings).

    Labelings of a graph's canonical drawing are the same cell where a symmetry of the graph turns one into the other;
    -1 where the labeling has more vertices than the graph.
    """
    every, powers = np.arange(len(OPERATIONS) ** (vertices - 2)), powers_of(vertices)
    operations = operations_of(every, vertices)
    smallest = np.full((len(dags.mask), len(every)), -1, dtype=np.int64)
    for size, symmetries in dags.symmetries.items():
        fitting = np.flatnonzero((operations[:, size - 2 :] == 0).all(axis=1))
        of_size = np.tile(fitting, (len(symmetries), 1))
        for order, symmetric in zip(dags.orders[size], symmetries.T, strict=True):
            turned = operations[fitting, : size - 2] @ powers[order]
            of_size[symmetric] = np.minimum(of_size[symmetric], turned)
        smallest[np.ix_(dags.vertices == size, fitting)] = of_size
    return smallest


def _hashes(dags: Dags, graph: IntArray, labeling: IntArray, vertices: int) -> Bytes:
    """Return the module hashes of cells, shape (n, 16)."""
    hashes = np.empty((len(graph), 16), dtype=np.uint8)
    for size in dags.orders:
        rows = np.flatnonzero(dags.vertices[graph] == size)
        operations = operations_of(labeling[rows], vertices)[:, : size - 2]
        hashes[rows] = module_hashes(adjacency_of(dags.mask[graph[rows]], size), operations)
    return hashes


def _relabeling(drawings: Drawings, vertices: int) -> NDArray[np.uint8]:
    """Return `Cells.relabeling`."""
    operations = operations_of(np.arange(len(OPERATIONS) ** (vertices - 2)), vertices)
    weights = np.where(drawings.place >= 0, powers_of(vertices)[drawings.place], 0)
    return (weights @ operations.T).astype(np.uint8)


def _drawings_before(
    drawings: Drawings, dags: Dags, graph: IntArray, cell: NDArray[np.int32], vertices: int
) -> IntArray:
    """Return `Cells.drawings_before`.

    A cell has a drawing for every mask that prunes to its graph, every labeling that is the same cell, and all
    operations of the pruned vertices.
    """
    masks = np.bincount(drawings.entry[drawings.entry >= 0] >> ARRANGEMENT_BITS, minlength=len(dags.mask))
    labelings = np.bincount(cell[cell >= 0], minlength=len(graph))
    of_pruned = len(OPERATIONS) ** (vertices - dags.vertices)
    return np.concatenate([[0], np.cumsum(masks[graph] * labelings * of_pruned[graph])])
