"""What one edit turns the cells of NAS-Bench-101 into."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from nasbench_lab.spaces.cell101_enumeration import (
    OPERATIONS,
    Adjacency,
    Cells,
    adjacency_of,
    operations_of,
    powers_of,
    prune,
)
from nasbench_lab.streams import IntArray


def edits_of(cells: Cells) -> Iterator[IntArray]:
    """Yield where every possible edit of a drawing leads from every cell, shape (size,); -1 for nowhere."""
    vertices = len(cells.digit) - 1
    inner = cells.dags.vertices - 2
    operations = operations_of(cells.labeling, vertices)
    for vertex, power in enumerate(powers_of(vertices).tolist()):
        for step in range(1, len(OPERATIONS)):
            old = operations[:, vertex]
            labeling = cells.labeling + ((old + step) % len(OPERATIONS) - old) * power
            yield np.where(vertex < inner[cells.graph], cells.index_of[cells.graph, labeling], -1)
    for mask, place in _edge_edits(adjacency_of(cells.dags.mask, vertices), inner + 1):
        graph, weights = cells.locate(mask, place, inner)
        # Graphs that are none, or too large, are -1: the last row.
        yield cells.index_of[graph[cells.graph], (operations * weights[cells.graph]).sum(axis=1)]


def _edge_edits(adjacency: Adjacency, last: IntArray) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield every edge more or less, pruned: mask and places as `prune` gives them; mask 0 where there is none.

    An edge against the order of the vertices can be drawn too, unless it closes a cycle, in another order.
    """
    vertices = adjacency.shape[1]
    leads = _closure(adjacency)
    for source, target in itertools.combinations(range(vertices), 2):
        possible = target <= last
        changed = adjacency.copy()
        changed[:, source, target] ^= possible
        mask, place = prune(changed, last)
        yield np.where(possible, mask, 0), place
        # The other way round: the vertices that lead to the new edge's start come first.
        possible = (source > 0) & (target < last) & ~leads[:, source, target]
        before = leads[:, :, target] | (np.arange(vertices) == target)
        order = np.argsort(~before, axis=1, kind="stable")
        changed = adjacency.copy()
        changed[:, target, source] |= possible
        changed = np.take_along_axis(np.take_along_axis(changed, order[:, :, None], 1), order[:, None, :], 2)
        mask, place = prune(changed, last)
        yield np.where(possible, mask, 0), np.take_along_axis(place, np.argsort(order, axis=1), axis=1)


def _closure(adjacency: Adjacency) -> Adjacency:
    """Return which vertex leads to which, over any path."""
    leads = adjacency.copy()
    for middle in range(adjacency.shape[1]):
        leads |= leads[:, :, middle, None] & leads[:, None, middle, :]
    return leads
