"""Random cells of NAS-Bench-101 and random changes of cells, as in the published example.

The example is ``random_spec`` and ``mutate_spec`` in ``NASBench.ipynb`` of github.com/google-research/nasbench. Both
work on drawings that are not pruned, and try again until the pruned drawing is a cell.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.spaces.base import CodeArray
from nasbench_lab.spaces.cell101_enumeration import OPERATIONS, kept_cells, operations_of, powers_of
from nasbench_lab.spaces.cell101_lookup import edges_of
from nasbench_lab.spaces.dag_enumeration import edge_bit

_BATCH = 16_384  # drawings at a time, so that they stay in the processor's cache


def random_drawings(random: np.random.Generator, count: int, vertices: int) -> tuple[IntArray, IntArray]:
    """Return masks and labelings of full drawings that are cells, all equally likely, both of shape (count,)."""
    entry = kept_cells(vertices)["entry"]
    masks = [np.empty(0, dtype=np.int64)]
    missing = count
    while missing > 0:
        drawn = random.integers(len(entry), size=min(2 * missing + 16, _BATCH))
        masks.append(drawn[entry.take(drawn) >= 0][:missing])
        missing -= len(masks[-1])
    return np.concatenate(masks), random.integers(len(OPERATIONS) ** (vertices - 2), size=count)


def mutate_drawings(
    mask: IntArray, labeling: IntArray, vertices: int, random: np.random.Generator, rate: float
) -> tuple[IntArray, IntArray]:
    """Return full drawings with some edges flipped and some operations replaced, all of them cells.

    Every edge is flipped with probability ``rate / vertices``, and every inner vertex gets another operation with
    probability ``rate / (vertices - 2)``, even if it will be pruned. A drawing that is not a cell is mutated again from
    the same parent.
    """
    entry = kept_cells(vertices)["entry"]
    mask, labeling = mask.copy(), labeling.copy()
    parents, parent_labelings = mask.copy(), labeling.copy()
    waiting = np.arange(len(mask))
    while len(waiting):
        for first in range(0, len(waiting), _BATCH):
            rows = waiting[first : first + _BATCH]
            mask[rows] = parents[rows] ^ _flips(len(rows), vertices, random, rate)
            labeling[rows] = _replace(parent_labelings[rows], vertices, random, rate)
        waiting = waiting[entry.take(mask[waiting]) < 0]
    return mask, labeling


def codes_of_drawings(mask: IntArray, labeling: IntArray, vertices: int) -> CodeArray:
    """Return the codes of full drawings, shape (n,) to (n, codes)."""
    bits = np.asarray(edge_bit(*edges_of(vertices)), dtype=np.int32)
    codes = np.empty((len(mask), len(bits) + vertices - 2), dtype=np.int8)
    for first in range(0, len(mask), _BATCH):
        batch = slice(first, first + _BATCH)
        codes[batch, : len(bits)] = mask[batch, None].astype(np.int32) >> bits & 1
        codes[batch, len(bits) :] = operations_of(labeling[batch], vertices) + 1
    return codes


def _flips(count: int, vertices: int, random: np.random.Generator, rate: float) -> IntArray:
    """Return masks whose bits are 1 with probability ``rate / vertices``."""
    bits = np.arange(int(edge_bit(0, vertices)))
    flipped = random.random((count, len(bits))) < rate / vertices
    return (flipped @ np.exp2(bits)).astype(np.int64)


def _replace(labeling: IntArray, vertices: int, random: np.random.Generator, rate: float) -> IntArray:
    """Replace every operation by another with probability ``rate / (vertices - 2)``."""
    inner = vertices - 2
    if not inner:
        return labeling
    operations = operations_of(labeling, vertices)
    replaced: NDArray[np.bool_] = random.random((len(labeling), inner)) < rate / inner
    step = random.integers(1, len(OPERATIONS), size=(len(labeling), inner))
    return np.where(replaced, (operations + step) % len(OPERATIONS), operations) @ powers_of(vertices)
