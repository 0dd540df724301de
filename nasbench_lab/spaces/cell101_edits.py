"""The edits of the cells of NAS-Bench-101, which decide which cells are neighbours."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.spaces.cell101_cache import Arrays, KeptArrays
from nasbench_lab.spaces.cell101_drawings import full
from nasbench_lab.spaces.cell101_enumeration import (
    OPERATIONS,
    Adjacency,
    adjacency_of,
    keeping_name,
    kept_cells,
    operations_of,
    powers_of,
)
from nasbench_lab.spaces.cell101_lookup import edges_of, find_entries
from nasbench_lab.spaces.dag_enumeration import edge_bit
from nasbench_lab.spaces.neighbor_lists import mutual


@functools.cache
def kept_neighbors(vertices: int) -> KeptArrays:
    """Return two arrays: ``neighbors`` of all cells one after the other, and ``starts`` of each cell's part of it.

    The neighbours end with a -1. A table with one row per cell, as other spaces have it, would be mostly padding: a few
    small cells have thousands of neighbours.
    """

    def compute() -> Arrays:
        starts, neighbors = mutual(edits_of(vertices))
        return {"starts": starts, "neighbors": np.append(neighbors, np.int32(-1))}

    return KeptArrays(keeping_name(vertices, "neighbors"), compute)


@functools.cache
def most_neighbors(vertices: int) -> int:
    """Return the largest number of neighbours."""
    return int(np.diff(kept_neighbors(vertices)["starts"]).max())


def edits_of(vertices: int) -> Iterator[IntArray]:
    """Yield the cell that every possible edit of a drawing makes of every cell, shape (size,); -1 for no cell."""
    cells = kept_cells(vertices)
    graph, labeling = cells["graph"].astype(np.int64), cells["labeling"].astype(np.int64)
    inner = cells["vertices"].astype(np.int64) - 2
    operations = operations_of(labeling, vertices)
    for vertex, power in enumerate(powers_of(vertices).tolist()):
        for step in range(1, len(OPERATIONS)):
            old = operations[:, vertex]
            changed = labeling + ((old + step) % len(OPERATIONS) - old) * power
            yield np.where(vertex < inner[graph], cells["cell"][graph, changed], -1)
    drawing = full(cells["mask"].astype(np.int64), inner, vertices)
    # An edge from or to a missing vertex is pruned again: the edit gives the same cell, which does no harm.
    for bit in range(int(edge_bit(0, vertices))):
        entry = cells["entry"][drawing ^ 1 << bit][graph]
        yield np.where(entry >= 0, find_entries(entry, labeling, vertices), -1)
    for changed_drawing, weights in _backward_edges(adjacency_of(drawing, vertices)):
        entry = cells["entry"][changed_drawing][graph]
        redrawn = (operations * weights[graph]).sum(axis=1)
        yield np.where(entry >= 0, find_entries(entry, redrawn, vertices), -1)


def _backward_edges(adjacency: Adjacency) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield graphs with one more edge, against the order of the vertices, where it closes no cycle.

    Such an edge is drawn with the vertices in another order: vertices that lead to its start come first.

    Yields:
        Masks of the new drawings, shape (n,), and the weights of the inner vertices, in the old order, in a labeling of
        the new drawing, shape (n, vertices - 2).
    """
    vertices = adjacency.shape[1]
    leads = _closure(adjacency)
    for target, source in itertools.combinations(range(1, vertices - 1), 2):
        possible = ~leads[:, target, source]
        first = leads[:, :, source] | np.isin(np.arange(vertices), [0, source])
        order = np.argsort(~first, axis=1, kind="stable")
        order[~possible] = np.arange(vertices)
        changed = adjacency.copy()
        changed[:, source, target] |= possible
        changed = np.take_along_axis(np.take_along_axis(changed, order[:, :, None], 1), order[:, None, :], 2)
        place = np.argsort(order, axis=1)[:, 1:-1] - 1
        yield _masks(changed), powers_of(vertices)[place]


def _masks(adjacency: NDArray[np.bool_]) -> IntArray:
    source, target = edges_of(adjacency.shape[1])
    return (adjacency[:, source, target].astype(np.int64) << edge_bit(source, target)).sum(axis=1)


def _closure(adjacency: Adjacency) -> Adjacency:
    """Return which vertex (row) leads to which (column) over any path."""
    leads = adjacency.copy()
    for middle in range(adjacency.shape[1]):
        leads |= leads[:, :, middle, None] & leads[:, None, middle, :]
    return leads
