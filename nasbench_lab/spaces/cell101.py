"""The cells of NAS-Bench-101: small acyclic graphs from an input to an output with operations at the inner vertices."""

from __future__ import annotations

import bisect
import functools
import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, final, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import AtLeast, AtMost, Below, number, whole
from nasbench_lab.errors import OutOfSpaceError, ParameterError
from nasbench_lab.spaces.base import CodeArray, Space
from nasbench_lab.spaces.cell101_cache import KeptArrays
from nasbench_lab.spaces.cell101_drawings import full
from nasbench_lab.spaces.cell101_edits import kept_neighbors, most_neighbors
from nasbench_lab.spaces.cell101_encodings import CELL_ENCODINGS, encode_drawings
from nasbench_lab.spaces.cell101_enumeration import (
    MAX_VERTICES,
    MIN_VERTICES,
    OPERATIONS,
    SIZES,
    Adjacency,
    kept_cells,
    operations_of,
)
from nasbench_lab.spaces.cell101_lookup import cell_finder, edges_of, find_codes, find_codes_or_none, full_drawings
from nasbench_lab.spaces.cell101_notation import INPUT, OUTPUT, read_cell, write_cell
from nasbench_lab.spaces.cell101_random import codes_of_drawings, mutate_drawings, random_drawings
from nasbench_lab.spaces.dag_enumeration import edge_bit
from nasbench_lab.spaces.encodings import Vectors
from nasbench_lab.spaces.graph import Graph, operation_graph
from nasbench_lab.spaces.neighbor_lists import padded
from nasbench_lab.streams import scale

__all__ = ["INPUT", "OPERATIONS", "OUTPUT", "Cell101Space"]

_BATCH = 16_384
_MOST_TABLE_ENTRIES = 2**28
_HASH = re.compile(r"[0-9a-fA-F]{32}")


@final
class Cell101Space(Space):
    """The cells of NAS-Bench-101 (Ying et al., ICML 2019) with at most ``vertices`` vertices, 423,624 of them for 7.

    A cell has an input vertex, an output vertex, one of three `OPERATIONS` at every vertex between them and at most 9
    edges; every vertex is on a path from input to output. Cells that differ only in the order of their vertices are the
    same. The official order is that of their module hashes (`module_hash`), by which the publication names them.

    The codes are the upper triangle of the adjacency matrix, row by row, then the inner vertices' operations: 0 for no
    such vertex, 1 to 3 for a position in `OPERATIONS` plus one. A cell with fewer vertices comes first in the matrix
    and has zeros after it, so its output is the vertex after the last operation. Of all drawings of a cell, the
    canonical one is the first that the published generator finds: the smallest matrix read as a binary number with the
    edges (0, 1), (0, 2), (1, 2), (0, 3), ... from the least significant bit, then the smallest operations. Any
    other drawing is found too, and vertices that are not on a path from input to output are pruned, as published.

    Two cells are neighbours where one edit of a drawing (adding or removing an edge, or changing an operation) and
    pruning turn one into the other. So a small cell has many neighbours: all cells that one edit reduces to it.

    The cells are enumerated once per machine, when they are first needed (0.2 s for 5 vertices, about 10 s for 7), and
    kept in the cache folder, as are the neighbours. Later, and in other processes, they are mapped into memory within
    milliseconds. Looking up a table by indices does not need them.

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

    encodings: ClassVar[tuple[str, ...]] = (*Space.encodings, *CELL_ENCODINGS)

    def __init__(self, vertices: int = MAX_VERTICES) -> None:
        vertices = whole("vertices", vertices, AtLeast(MIN_VERTICES), AtMost(MAX_VERTICES))
        self.name = "cell101"
        self.vertices = vertices
        self.size = SIZES[vertices]
        self._pairs = tuple(itertools.combinations(range(vertices), 2))
        self.cardinalities = (2,) * len(self._pairs) + (len(OPERATIONS) + 1,) * (vertices - 2)

    def spec(self) -> Mapping[str, Any]:
        """Return the plain data from which `nasbench_lab.spaces.make_space` makes the same space again."""
        return {"name": self.name, "vertices": self.vertices}

    def codes(self, index: ArrayLike) -> CodeArray:
        """Return the canonical codes of cells, shape (...) to (..., edges + vertices - 2)."""
        checked = self.check_index(index)
        graph, labeling = self._cells["graph"][checked], self._cells["labeling"][checked]
        edges, operations = _codes_of_graphs(self.vertices)
        inner = self._cells["vertices"][graph] - 2
        return np.concatenate([edges[graph], operations[inner, labeling]], axis=-1)

    def index(self, codes: ArrayLike) -> IntArray:
        """Return the indices of cells given by the codes of any drawing.

        Raises:
            OutOfSpaceError: a code is out of range, operations are given after a missing vertex, an edge ends at a
                missing vertex, the input does not lead to the output, or there are too many edges.
        """
        array = np.asarray(codes)
        if array.ndim == 0 or array.shape[-1] != len(self.cardinalities):
            self.check_codes(array)  # says what is wrong
        flat = array.reshape(-1, array.shape[-1])
        index = np.empty(len(flat), dtype=np.int64)
        for first in range(0, len(flat), _BATCH):
            batch = self.check_codes(flat[first : first + _BATCH])
            index[first : first + _BATCH] = find_codes(batch, self.vertices)
        return index.reshape(array.shape[:-1])

    def find(self, codes: ArrayLike) -> IntArray:
        """Return what `index` returns, but -1 where the codes draw no cell."""
        checked = self.check_codes(codes)
        flat = checked.reshape(-1, checked.shape[-1])
        found = [
            find_codes_or_none(flat[first : first + _BATCH], self.vertices) for first in range(0, len(flat), _BATCH)
        ]
        return np.concatenate([np.empty(0, dtype=np.int64), *found]).reshape(checked.shape[:-1])

    def index_of_cell(self, adjacency: Any, operations: Any) -> int:
        """Return the index of one cell given by any drawing of it, within microseconds; the inverse of `cell`.

        Args:
            adjacency: which vertex (row) leads to which (column), nested lists or an array of zeros and ones, upper
                triangular, with 2 to ``vertices`` rows. Vertices that are not on a path from input to output are
                pruned, as published.
            operations: names of the operations of the inner vertices, or of all vertices, then with ``"input"`` first
                and ``"output"`` last.

        Raises:
            OutOfSpaceError: this is not a drawing of a cell; the message says what is wrong.

        >>> space = Cell101Space(4)
        >>> space.index_of_cell([[0, 1, 1], [0, 0, 1], [0, 0, 0]], ["input", "maxpool3x3", "output"])
        49
        >>> space.index_of_cell(*space.cell(49))
        49
        """
        return cell_finder(self.vertices)(adjacency, operations)

    def cell(self, index: int) -> tuple[Adjacency, list[str]]:
        """Return which vertex (row) leads to which (column) in a cell, and the names of its inner vertices' operations.

        >>> adjacency, operations = Cell101Space(4).cell(0)
        >>> adjacency.astype(int).tolist(), operations
        ([[0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]], ['maxpool3x3', 'maxpool3x3'])
        """
        return self.drawing(self.codes(index).tolist())

    def drawing(self, codes: Sequence[int]) -> tuple[Adjacency, list[str]]:
        """Return what `cell` returns, for the codes of any drawing; nothing is checked or pruned."""
        names = [OPERATIONS[code - 1] for code in codes[len(self._pairs) :] if code]
        adjacency = np.zeros((self.vertices, self.vertices), dtype=bool)
        adjacency[edges_of(self.vertices)] = codes[: len(self._pairs)]
        used = len(names) + 2
        return adjacency[:used, :used], names

    def module_hash(self, index: int) -> str:
        """Return the hash, 32 hexadecimal digits, by which the publication names a cell.

        >>> Cell101Space(5).module_hash(0)
        '001a6fcc8b38cbc515be788a86bdc804'
        """
        checked = self.check_index(index)
        return f"{self._cells['high'].item(checked):016x}{self._cells['low'].item(checked):016x}"

    def module_hashes(self, index: ArrayLike) -> list[str]:
        """Return the module hashes of an array of cells, as a flat list.

        >>> Cell101Space(3).module_hashes([0, 1])
        ['043721b9c7fe8c5fad811d47d83132ec', '09fc2d10bdd6225e167a6f81a22a3f06']
        """
        checked = self.check_index(index).reshape(-1)
        halves = self._cells["high"][checked].tolist(), self._cells["low"][checked].tolist()
        return [f"{high:016x}{low:016x}" for high, low in zip(*halves, strict=True)]

    def sample_published(self, uniform: FloatArray) -> IntArray:
        """Turn uniforms in [0, 1) into cells distributed as ``random_spec`` of the official example draws them.

        ``NASBench.ipynb`` of github.com/google-research/nasbench draws a random upper triangular matrix and random
        operations, all equally likely, until they can be pruned to a cell. So the probability of a cell is proportional
        to its number of drawings (`drawing_counts`), and small cells are much more likely than with `sample`.

        >>> Cell101Space(3).sample_published(np.array([0.0, 0.2, 0.5, 0.9])).tolist()
        [0, 0, 0, 5]
        """
        before = self._cells["drawings_before"]
        return np.searchsorted(before, scale(uniform, int(before[-1])), side="right") - 1

    def drawing_counts(self, index: ArrayLike) -> IntArray:
        """Return the numbers of drawings with all vertices, pruned or not, that cells have, of the shape of ``index``.

        Of all 2**21 * 3**5 drawings of seven vertices, 373,754,169 are cells.

        >>> Cell101Space(3).drawing_counts(np.arange(7)).tolist()
        [9, 1, 1, 1, 1, 1, 1]
        """
        checked, before = self.check_index(index), self._cells["drawings_before"]
        return before[checked + 1] - before[checked]

    def random_codes(self, random: np.random.Generator, count: int) -> CodeArray:
        """Draw as ``random_spec`` of the official example does, and return the codes of the unpruned drawings.

        Every entry of the matrix above the diagonal is 0 or 1 and every operation one of three, all equally likely and
        independent; a drawing that cannot be pruned to a cell is drawn again (``NASBench.ipynb`` of
        github.com/google-research/nasbench). The cells are distributed as those of `sample_published`.

        Returns:
            Shape (count, edges + vertices - 2).

        >>> space = Cell101Space(4)
        >>> codes = space.random_codes(np.random.default_rng(0), 3)
        >>> codes.tolist()
        [[0, 1, 0, 1, 1, 1, 3, 1], [0, 0, 1, 0, 0, 1, 1, 1], [1, 0, 0, 0, 1, 0, 2, 1]]
        >>> space.index(codes).tolist()
        [71, 3, 79]
        """
        return codes_of_drawings(*random_drawings(random, count, self.vertices), self.vertices)

    def mutate_codes(self, codes: ArrayLike, random: np.random.Generator, rate: float = 1.0) -> CodeArray:
        """Mutate drawings as ``mutate_spec`` of the official example does; the results are not pruned.

        Every entry of the matrix above the diagonal is flipped with probability ``rate / vertices``, and every
        operation replaced by one of the other two with probability ``rate / (vertices - 2)``, vertices that will be
        pruned included: for seven vertices and ``rate = 1`` three edges and one operation are expected to change. The
        publication's comment: "In expectation, V edges flipped (note that most end up being pruned)"; 21 / 7 is 3. A
        result that cannot be pruned to a cell is mutated again, from the same parent. A result may equal its parent
        (``NASBench.ipynb`` of github.com/google-research/nasbench).

        Args:
            codes: drawings, shape (..., codes), such as `random_codes` and this method return. A drawing with fewer
                vertices is first completed: its output moves to the end, and the missing vertices, which have no edges,
                get the first of `OPERATIONS`.
            random: source of random numbers.
            rate: ``mutation_rate``, at least 0 and below ``vertices``, where all edges would be flipped.

        Returns:
            The shape of ``codes``.

        Raises:
            OutOfSpaceError: codes do not draw cells.
            ParameterError: ``rate`` is out of range.

        >>> space = Cell101Space(4)
        >>> parents = space.random_codes(np.random.default_rng(0), 3)
        >>> space.mutate_codes(parents, np.random.default_rng(1)).tolist()
        [[0, 1, 0, 0, 1, 1, 2, 3], [0, 1, 1, 0, 1, 1, 3, 1], [1, 0, 1, 0, 1, 0, 2, 1]]
        """
        number("rate", rate, AtLeast(0), Below(self.vertices))
        self.index(codes)  # raises where a parent is not a cell
        array = np.asarray(codes)
        parents = full_drawings(array.reshape(-1, array.shape[-1]), self.vertices)
        mutated = mutate_drawings(*parents, self.vertices, random, rate)
        return codes_of_drawings(*mutated, self.vertices).reshape(array.shape)

    def make_encoding(self, index: ArrayLike, encoding: str) -> Vectors:
        """Return cells as vectors for models, in one of the encodings that publications compare.

        All but ``"one-hot"`` and ``"codes"`` draw the cell with its output as the last of all vertices, so that an
        entry always means the same; missing vertices have no edges. With E = vertices * (vertices - 1) / 2 possible
        edges, 21 for seven vertices, and V = vertices - 2 operations, in the order of the canonical drawing:

        - ``"adjacency"`` or ``"graph"``, E + V: the upper triangle of the matrix, row by row, then the operations: 0
          for no vertex, 1 to 3 for a position in `OPERATIONS` plus one;
        - ``"categorical-adjacency"``, 9 + V (E + V if E is less): the numbers, from 1, of the cell's edges, ascending,
          then zeros; the operations;
        - ``"continuous-adjacency"``, E + V + 1: what ``"adjacency"`` gives, then the number of edges;
        - ``"path"``, 1 + 3 + ... + 3**V (364 for seven vertices): for every sequence of operations whether a path from
          input to output has it, from the shortest to the longest; operations a, b, c, ..., counted from 1 from the
          input on, are entry a + 3 b + 9 c + ...;
        - ``"path-1"`` to ``"path-4"``: the paths of at most 1 to 4 operations, 4, 13, 40 or 121;
        - ``"counts"``, 3: how often each operation occurs;
        - ``"graph-features"``, 49: see `OperationGraphs.graph_features`;
        - ``"one-hot"``, 2 E + 4 V: what `features` returns, one-hot codes.

        Source: White, Neiswanger, Nolen and Savani, "A Study on Neural Network Encodings for NAS", NeurIPS 2020; the
        path encoding is from White, Neiswanger and Savani, "BANANAS", AAAI 2021. It does not depend on the drawing, and
        different cells may have the same.

        Returns:
            Shape (..., length). Paths take 1.5 kB per cell, so encode very many cells in pieces.

        >>> space = Cell101Space(4)
        >>> index = space.parse("[[0,1,1],[0,0,1],[0,0,0]] ['input','maxpool3x3','output']")
        >>> space.encode(index, "adjacency").astype(int).tolist()
        [1, 0, 1, 0, 1, 0, 3, 0]
        >>> space.encode(index, "path").nonzero()[0].tolist()
        [0, 3]
        """
        if encoding in Space.encodings:
            return super().make_encoding(index, encoding)
        checked = self.check_index(index)
        graph, labeling = self._cells["graph"][checked.reshape(-1)], self._cells["labeling"][checked.reshape(-1)]
        edges, operations = _codes_of_graphs(self.vertices, output_last=True)
        vectors = encode_drawings(edges[graph], operations[self._cells["vertices"][graph] - 2, labeling], encoding)
        return vectors.reshape(*checked.shape, vectors.shape[1])

    def size_of(self, index: ArrayLike) -> IntArray:
        """Return the numbers of vertices of cells, of the shape of ``index``.

        >>> np.bincount(Cell101Space(4).size_of(range(91))).tolist()
        [0, 0, 1, 6, 84]
        """
        return 2 + np.count_nonzero(self.codes(index)[..., len(self._pairs) :], axis=-1)

    def labels(self, index: int) -> tuple[str, ...]:
        """Return the operations of the inner vertices."""
        return tuple(self.cell(index)[1])

    def graph(self, index: int) -> Graph:
        """Return the canonical drawing of a cell."""
        adjacency, operations = self.cell(index)
        return operation_graph(operations, [(int(source), int(target)) for source, target in np.argwhere(adjacency)])

    @property
    def has_neighbors(self) -> bool:
        """Whether any cell has a neighbour: where there is more than one cell."""
        return self.size > 1

    @overload
    def parse(self, text: str) -> int: ...
    @overload
    def parse(self, text: list[str] | tuple[str, ...]) -> IntArray: ...
    def parse(self, text: str | list[str] | tuple[str, ...]) -> int | IntArray:
        """Return the index of a cell given by its module hash or its matrix and operations, or the indices of several.

        Raises:
            OutOfSpaceError: the text is malformed, or the cell is not in the space.
        """
        if isinstance(text, str):
            return self._find_one(text.strip())
        return np.array([self._find_one(one.strip()) for one in text], dtype=np.int64)

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
        place = np.arange(max(1, most_neighbors(self.vertices)))
        present = place < self.degree(checked)[..., None]
        return neighbors[np.where(present, starts[checked][..., None] + place, -1)].astype(np.int64)

    def degree(self, index: ArrayLike) -> IntArray:
        """Return the number of neighbours of cells, of the same shape as ``index``."""
        checked, starts = self.check_index(index), self._neighbor_lists[0]
        return starts[checked + 1] - starts[checked]

    def neighbor_at(self, index: ArrayLike, place: ArrayLike) -> IntArray:
        """Return the neighbour at ``place``, 0 to degree - 1, among those of a cell in ascending order.

        So strategies can go through the neighbours of cells that have thousands without a list for every run.

        Raises:
            OutOfSpaceError: a cell has fewer neighbours.

        >>> space = Cell101Space(4)
        >>> space.neighbors(3)[:3].tolist(), space.neighbor_at([3, 3], [0, 2]).tolist()
        ([1, 5, 6], [1, 6])
        """
        checked, chosen = self.check_index(index), np.asarray(place)
        starts, neighbors = self._neighbor_lists
        first, end = starts[checked], starts[checked + 1]
        if ((chosen < 0) | (chosen >= end - first)).any():
            raise OutOfSpaceError("a neighbour's place must be at least 0 and below the degree of its cell")
        return neighbors[first + chosen].astype(np.int64)

    def mutate(self, index: IntArray, uniform: FloatArray) -> IntArray:
        """Return a uniformly chosen neighbour of each cell: ``index`` and ``uniform`` in [0, 1) of one shape."""
        starts, neighbors = self._neighbor_lists
        first = starts.take(index)
        degree = starts.take(index + 1) - first
        mutated = neighbors.take(first + scale(uniform, degree)).astype(np.int64)
        return np.where(degree > 0, mutated, index)

    @property
    def _neighbor_lists(self) -> tuple[IntArray, NDArray[np.int32]]:
        """The starts of each cell's neighbours in one array of all neighbours, and that array, with a -1 at its end."""
        kept = kept_neighbors(self.vertices)
        return kept["starts"], kept["neighbors"]

    def make_neighbor_table(self) -> NDArray[np.int32]:
        """Return the neighbours of every architecture, shape (size, max degree), padded with -1 at the end."""
        most = most_neighbors(self.vertices)
        if most * self.size > _MOST_TABLE_ENTRIES:
            raise ParameterError(
                f"cells of {self.vertices} vertices have up to {most} neighbours, too many for one table; "
                "use fewer vertices, or neighbors() and mutate()"
            )
        starts, neighbors = self._neighbor_lists
        return padded(starts, neighbors[:-1])

    @property
    def _cells(self) -> KeptArrays:
        return kept_cells(self.vertices)

    def _find_one(self, text: str) -> int:
        if _HASH.fullmatch(text):
            return self._find_hash(text)
        return cell_finder(self.vertices)(*read_cell(text))

    def _find_hash(self, text: str) -> int:
        high, low = int(text[:16], 16), int(text[16:], 16)
        # Bisection of a view has less overhead than NumPy's. No two cells have the same first half.
        index = bisect.bisect_left(self._cells["high"].data, high)
        if index == self.size or self._cells["high"].item(index) != high or self._cells["low"].item(index) != low:
            raise OutOfSpaceError(f"no cell of at most {self.vertices} vertices has the module hash {text}")
        return index

    def parse_one(self, text: str) -> tuple[int, ...]:
        """Return the codes of a cell given by its module hash or its matrix and operations."""
        return tuple(self.codes(self._find_one(text.strip())).tolist())

    def format_one(self, codes: Sequence[int]) -> str:
        """Return the official notation of a cell."""
        return write_cell(*self.drawing(codes))


@functools.cache
def _codes_of_graphs(vertices: int, *, output_last: bool = False) -> tuple[CodeArray, CodeArray]:
    """Return codes of the edges of every graph, (graphs, edges), and of operations, (inner, labelings, vertices - 2).

    With ``output_last``, they are those of the full drawing, where missing vertices come before the output.
    """
    cells = kept_cells(vertices)
    mask = cells["mask"].astype(np.int64)
    if output_last:
        mask = full(mask, cells["vertices"].astype(np.int64) - 2, vertices)
    edges = mask[:, None] >> edge_bit(*edges_of(vertices)) & 1
    operations = operations_of(np.arange(len(OPERATIONS) ** (vertices - 2)), vertices) + 1
    place = np.arange(vertices - 2)
    present = place < np.arange(vertices - 1)[:, None, None]
    return edges.astype(np.int8), np.where(present, operations, 0).astype(np.int8)
