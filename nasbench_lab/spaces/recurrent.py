"""Listed cells of recurrent networks, such as those of NAS-Bench-NLP: graphs of operations with states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.errors import OutOfSpaceError, ParameterError
from nasbench_lab.spaces.base import CodeArray, Space
from nasbench_lab.spaces.encodings import COUNTS, Vectors
from nasbench_lab.spaces.graph import Graph, GraphEdge, GraphNode
from nasbench_lab.spaces.neighbor_lists import mutual_pairs, padded
from nasbench_lab.spaces.recurrent_graphs import ENDS, MOST_NODES, MOST_STATES, OPERATIONS, RecurrentCell
from nasbench_lab.spaces.subset_distances import connected_groups

_INPUTS = 3
_NAMES = tuple(OPERATIONS)


@final
class RecurrentCellSpace(Space):
    r"""Some cells of recurrent networks (Klyuchnikov et al., "NAS-Bench-NLP", IEEE Access 2022), in the order given.

    A cell computes new states from a word and the states of the word before: a directed acyclic graph of linear layers,
    activations, sums, products and blends. The notation is a recipe, as the original code reads it: a JSON object of
    name to operation and inputs. Names other than ``x``, ``h_prev_i`` and ``h_new_i`` are free, and neither they nor
    the order of nodes and of inputs that commute matter.

    The codes of a cell are, for each of 15 nodes, its operation and three inputs, 0 for none; then the nodes of three
    new states. Most combinations are no cell, so strategies that move use neighbours. The distance of two cells is the
    number of operations and of pairs of operations in a row that one has and the other has not. For every distance, in
    ascending order, cells at that distance are neighbours if no chain of nearer neighbours connects them, so that every
    cell can be reached.

    Args:
        cells: different cells in the short form, see `RecurrentCell.short`, in any order of
            nodes; one text with one cell per line.

    Raises:
        ParameterError: a cell is malformed or given twice, or there is none.

    >>> space = RecurrentCellSpace("Lx,a;T0|1\nLx,a;S0|1")
    >>> space.size, space.neighbors(0).tolist()
    (2, [1])
    >>> linear = '"f": {"op": "linear", "input": ["h_prev_0", "x"]}'
    >>> space.parse('{"h_new_0": {"op": "activation_sigm", "input": ["f"]}, ' + linear + "}")
    1
    """

    encodings: ClassVar[tuple[str, ...]] = (*Space.encodings, COUNTS)

    def __init__(self, cells: str) -> None:
        try:
            given = [RecurrentCell.from_short(line) for line in cells.split("\n")]
            self.cells = tuple(RecurrentCell.from_recipe(cell.recipe()) for cell in given)
            rows = [_codes(cell) for cell in self.cells]
            right = True
        except (AttributeError, ValueError, LookupError, TypeError):
            right = False
        if not right or len(set(rows)) != len(rows):
            raise ParameterError("recurrent cells must be different cells in the short form, such as 'Lx,a;T0|1'")
        self.name = "recurrent-cells"
        self.size = len(rows)
        sources = 1 + len(ENDS) + MOST_NODES
        self.cardinalities = (1 + len(OPERATIONS), *(sources,) * _INPUTS) * MOST_NODES + (1 + MOST_NODES,) * MOST_STATES
        self._codes = np.array(rows, dtype=np.int8)

    def spec(self) -> Mapping[str, Any]:
        """Return the plain data from which `nasbench_lab.spaces.make_space` makes the same space again."""
        return {"name": self.name, "cells": "\n".join(cell.short() for cell in self.cells)}

    def codes(self, index: ArrayLike) -> CodeArray:
        """Return the codes of cells: index of shape (...) to codes of shape (..., 63)."""
        return self._codes[self.check_index(index)]

    def index(self, codes: ArrayLike) -> IntArray:
        """Return the indices of cells given by codes, shape (..., 63) to (...).

        Raises:
            OutOfSpaceError: a code is out of range, or the codes are not those of a listed cell.
        """
        index = self.find(codes)
        if (index < 0).any():
            raise OutOfSpaceError(f"a recurrent cell is not among the {self.size} listed")
        return index

    def find(self, codes: ArrayLike) -> IntArray:
        """Return what `index` returns, but -1 for codes of cells that are not listed."""
        checked = self.check_codes(codes).astype(np.int8)
        rows = checked.reshape(-1, checked.shape[-1])
        found = [self._index_of.get(row.tobytes(), -1) for row in rows]
        return np.array(found, dtype=np.int64).reshape(checked.shape[:-1])

    @cached_property
    def _index_of(self) -> dict[bytes, int]:
        return {row.tobytes(): index for index, row in enumerate(self._codes)}

    def make_neighbor_table(self) -> NDArray[np.int32]:
        """Return the neighbours of every cell, shape (size, max degree), padded with -1 at the end."""
        if self.size == 1:
            return np.full((1, 1), -1, dtype=np.int32)
        return _nearest(self._distances())

    def _distances(self) -> IntArray:
        """Return the distances of all pairs, shape (size, size)."""
        every = [cell.features() for cell in self.cells]
        names = {name: place for place, name in enumerate(dict.fromkeys(name for each in every for name in each))}
        counts = np.zeros((self.size, len(names)), dtype=np.int64)
        for row, found in enumerate(every):
            for name, count in found.items():
                counts[row, names[name]] = count
        return np.stack([np.abs(counts - row).sum(axis=1) for row in counts])

    def make_encoding(self, index: ArrayLike, encoding: str) -> Vectors:
        """Return cells as vectors for models; ``"counts"`` says how often each operation occurs, shape (..., 7)."""
        if encoding != COUNTS:
            return super().make_encoding(index, encoding)
        operation = self.codes(index)[..., : (1 + _INPUTS) * MOST_NODES : 1 + _INPUTS]
        return (operation[..., None] == np.arange(1, 1 + len(OPERATIONS))).sum(axis=-2).astype(np.float32)

    def size_of(self, index: ArrayLike) -> IntArray:
        """Return the number of nodes of cells."""
        return self.encode(index, COUNTS).sum(axis=-1).astype(np.int64)

    def labels(self, index: int) -> tuple[str, ...]:
        """Return the operations of the nodes."""
        return tuple(_word(operation) for operation, _ in self.cells[int(self.check_index(index))].nodes)

    def graph(self, index: int) -> Graph:
        """Return the operations between the word and the old states and the new states."""
        cell = self.cells[int(self.check_index(index))]
        used = sorted({i for _, inputs in cell.nodes for i in inputs if i < len(ENDS)})
        at = {i: place for place, i in enumerate(used)}
        at |= {len(ENDS) + node: len(used) + node for node in range(len(cell.nodes))}
        nodes = [GraphNode(ENDS[i].replace("h_prev_", "h"), "end") for i in used]
        nodes += [GraphNode(label) for label in self.labels(index)]
        edges = {(at[i], len(used) + node): None for node, (_, inputs) in enumerate(cell.nodes) for i in inputs}
        for state, node in enumerate(cell.states):
            edges[len(used) + node, len(nodes)] = None
            nodes.append(GraphNode(f"new h{state}", "end"))
        return Graph(tuple(nodes), tuple(GraphEdge(*edge) for edge in edges), "layers")

    def parse_one(self, text: str) -> tuple[int, ...]:
        """Return the codes of a cell given by its recipe."""
        codes = _codes(RecurrentCell.from_recipe(text))
        if np.array(codes, dtype=np.int8).tobytes() not in self._index_of:
            raise OutOfSpaceError(f"the recurrent cell is not among the {self.size} listed")
        return codes

    def format_one(self, codes: Sequence[int]) -> str:
        """Return the recipe of a cell."""
        return self.cells[self._index_of[np.array(codes, dtype=np.int8).tobytes()]].recipe()


def _codes(cell: RecurrentCell) -> tuple[int, ...]:
    codes: list[int] = []
    for operation, inputs in cell.nodes:
        codes += [1 + _NAMES.index(operation), *(1 + i for i in inputs), *(0,) * (_INPUTS - len(inputs))]
    codes += [0] * ((1 + _INPUTS) * MOST_NODES - len(codes))
    return (*codes, *(1 + state for state in cell.states), *(0,) * (MOST_STATES - len(cell.states)))


def _word(operation: str) -> str:
    return operation.removeprefix("activation_").removeprefix("elementwise_").replace("_", " ")


def _nearest(distance: IntArray) -> NDArray[np.int32]:
    """Return the union of all minimum spanning trees as lists of neighbours."""
    size = len(distance)
    edges = [(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))]
    groups = np.arange(size, dtype=np.int32)
    for step in np.unique(distance):
        row, column = np.nonzero((distance == step) & (groups[:, None] != groups))
        edges.append((row, column))
        groups = connected_groups(edges, size)
        if groups.max() == 0:
            break
    source, target = (np.concatenate(ends) for ends in zip(*edges, strict=True))
    return padded(*mutual_pairs(source, target, size))
