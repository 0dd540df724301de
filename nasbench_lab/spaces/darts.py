"""The cells of DARTS: a normal and a reduction cell, 10**18 pairs of them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.checks import AtLeast, AtMost, require, whole
from nasbench_lab.messages import shortened
from nasbench_lab.spaces import darts_notation
from nasbench_lab.spaces.darts_cells import CELLS, INPUTS, Cell, DartsCells, canonical_cell
from nasbench_lab.spaces.darts_configuration import codes_of_configuration, configuration_of
from nasbench_lab.spaces.darts_moves import DartsMoves
from nasbench_lab.spaces.encodings import COUNTS, Vectors
from nasbench_lab.spaces.graph import Graph, GraphEdge, GraphNode, joined_graph
from nasbench_lab.spaces.graph_encodings import truncated
from nasbench_lab.spaces.product import ProductSpace

OPERATIONS = tuple(darts_notation.SHORT)
"""The operations, in the order of the original code, without "none", which no architecture has."""

_NODES = 4
_MOST_NODES = 6
_WITH_WEIGHTS = ("sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5")
_TRUNCATED = 3


@final
class DartsSpace(ProductSpace):
    """The cells of DARTS, (1 x 3 x 6 x 10 x 7^8)^2 = 1.08e18 pairs (Liu, Simonyan and Yang, "DARTS", ICLR 2019).

    A cell has two inputs, the outputs of the two cells before it (nodes 0 and 1), and intermediate nodes 2 to 5. Each
    of these is the sum of two operations on two different earlier nodes; all of them are concatenated. NAS-Bench-301
    (Zela et al., ICLR 2022) is about the same space.

    For every node of the normal and then of the reduction cell, the codes are its pair of inputs (but for node 2, which
    has no choice), and the operations on the edges from the smaller and from the larger input, as positions in
    ``operations``. The last code turns fastest in the index order. The notation is the genotype that the original code
    prints; the two inputs of a node may be in any order. It may also be written in short (see `short`).

    Two architectures are neighbours if they differ in the operation on one edge, or in one input of one node, which
    keeps its operation: 120 neighbours each.

    Args:
        nodes: intermediate nodes of a cell, 1 to 6.
        operations: some of the seven operations, for a smaller space.

    Raises:
        ParameterError: there are not 1 to 6 nodes, the operations are not different ones of the seven, or there are
            more than 2**63 - 1 architectures.

    >>> space = DartsSpace()
    >>> space.size == (1 * 3 * 6 * 10 * 7**8) ** 2
    True
    >>> print(space.format(0)[:72])
    Genotype(normal=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('max_pool_3x
    >>> space.short(space.size - 1)
    'dil5~0,dil5~1+dil5~1,dil5~2+dil5~2,dil5~3+dil5~3,dil5~4/dil5~0,dil5~1+dil5~1,dil5~2+dil5~2,dil5~3+dil5~3,dil5~4'
    >>> space.parse(space.short(123456789)), space.parse(space.format(123456789))
    (123456789, 123456789)
    """

    encodings: ClassVar[tuple[str, ...]] = (
        *ProductSpace.encodings,
        "adjacency",
        "edges",
        "path",
        *truncated(_TRUNCATED),
        COUNTS,
    )

    def __init__(self, nodes: int = _NODES, operations: Sequence[str] = OPERATIONS) -> None:
        self.nodes = whole("nodes", nodes, AtLeast(1), AtMost(_MOST_NODES))
        self.operations = _checked(operations)
        self._cells = DartsCells(self.nodes, len(self.operations))
        self._moves = DartsMoves(self._cells)
        super().__init__("darts", self._cells.cardinalities)

    def spec(self) -> Mapping[str, Any]:
        """Return the plain data from which `nasbench_lab.spaces.make_space` makes the same space again."""
        nodes = {} if self.nodes == _NODES else {"nodes": self.nodes}
        operations = {} if self.operations == OPERATIONS else {"operations": list(self.operations)}
        return {"name": self.name, **nodes, **operations}

    @property
    def code_groups(self) -> Mapping[str, tuple[int, ...]]:
        """The normal and the reduction cell."""
        half = len(self.cardinalities) // 2
        return {"normal": tuple(range(half)), "reduce": tuple(range(half, 2 * half))}

    def cells(self, codes: Sequence[int]) -> tuple[Cell, Cell]:
        """Return the normal and the reduction cell of an architecture, given its codes.

        A cell is a tuple of nodes, a node a pair of edges, and an edge an operation, as position in ``operations``, and
        the node that it takes.

        >>> space = DartsSpace(nodes=1)
        >>> space.cells([2, 3, 0, 1])
        ((((2, 0), (3, 1)),), (((0, 0), (1, 1)),))
        """
        return self._cells.cells(codes)

    def parse_one(self, text: str) -> tuple[int, ...]:
        """Return the codes of a genotype, or of an architecture in short form."""
        return self._cells.codes(darts_notation.parse(text, self.nodes, self.operations))

    def format_one(self, codes: Sequence[int]) -> str:
        """Return the genotype of an architecture, as the original code prints it."""
        return darts_notation.format_genotype(self.cells(codes), self.operations)

    def short(self, index: int) -> str:
        """Return an architecture in short form, which `parse` reads too.

        Every node is written as its two operations and inputs, such as ``sep3~0,skip~1``, with ``+`` between nodes and
        ``/`` between the cells.
        """
        return darts_notation.format_short(self.cells(self.codes(index).tolist()), self.operations)

    def configuration(self, index: int) -> dict[str, str]:
        """Return an architecture as a configuration of NAS-Bench-301: operations of edges, and inputs of nodes.

        >>> DartsSpace().configuration(0)["NetworkSelectorDatasetInfo:darts:inputs_node_normal_3"]
        '0_1'
        """
        return configuration_of(self.cells(self.codes(index).tolist()), self.operations)

    def from_configuration(self, configuration: Mapping[str, str]) -> int:
        """Return the index of a configuration of NAS-Bench-301.

        Raises:
            OutOfSpaceError: the configuration lacks something or has too much, or is not in the space.

        >>> space = DartsSpace()
        >>> space.from_configuration(space.configuration(987654321))
        987654321
        """
        cells = codes_of_configuration(configuration, self.nodes, self.operations)
        return int(self.index(self._cells.codes(cells)))

    @property
    def _degree(self) -> int:
        return self._moves.degree

    def _neighbor_at(self, index: IntArray, change: NDArray[np.integer]) -> IntArray:
        """Return the architectures after the moves with these numbers; the shapes broadcast."""
        index, moves = np.broadcast_arrays(index, change.astype(np.int64, copy=False))
        return self._moves.apply(index.reshape(-1), moves.reshape(-1)).reshape(index.shape)

    def make_encoding(self, index: ArrayLike, encoding: str) -> Vectors:
        """Return architectures as vectors for models, shape (...) to (..., length).

        Args:
            index: architectures.
            encoding: ``"adjacency"``, length 28: the operation on every possible edge, counted from 1, 0 for none, node
                by node of the normal cell, then of the reduction cell. ``"edges"``, length 196: for each of these edges
                and every operation, whether the cell has it. ``"path"``, length 11,200, and ``"path-1"`` to
                ``"path-3"``: for every cell, input and sequence of operations, whether a path from this input to the
                output has them (see `DartsCells.paths`). ``"counts"``, length 14: how often each operation occurs in
                the normal and in the reduction cell.

        >>> space = DartsSpace()
        >>> space.encode(0, "counts").tolist()
        [8.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 8.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
        >>> space.encode(0, "path").nonzero()[0].tolist()  # both inputs lead through a max pooling to the output
        [0, 2800, 5600, 8400]
        """
        if encoding in ProductSpace.encodings:
            return super().make_encoding(index, encoding)
        codes = self.codes(index)
        flat = codes.reshape(-1, codes.shape[-1])
        if encoding == "adjacency":
            vectors = self._cells.adjacency(flat)
        elif encoding == "edges":
            vectors = self._cells.edge_operations(flat)
        elif encoding == COUNTS:
            vectors = self._cells.counts(flat)
        else:
            longest = self.nodes if encoding == "path" else int(encoding.removeprefix("path-"))
            vectors = self._cells.paths(flat, min(longest, self.nodes))
        return vectors.reshape(*codes.shape[:-1], vectors.shape[-1])

    def size_of(self, index: ArrayLike) -> IntArray:
        """Return the number of convolutions in both cells, 0 to 16.

        >>> DartsSpace().size_of([0, 3, -1 + 7**2]).tolist()
        [0, 1, 2]
        """
        has_weights = np.array([operation in _WITH_WEIGHTS for operation in self.operations])
        return np.count_nonzero(has_weights[self.codes(index)[..., self._operation_places]], axis=-1)

    @property
    def _operation_places(self) -> list[int]:
        return [place for cell in self._cells.places for node in cell for place in node.operations]

    def network_form(self, codes: Sequence[int]) -> Hashable:
        """Return what is equal for architectures whose cells differ in the order of their nodes only.

        The order of nodes only changes the order of the channels that a cell concatenates, so a network is the same up
        to naming its weights.
        """
        return tuple(map(canonical_cell, self.cells(codes)))

    def labels(self, index: int) -> tuple[str, ...]:
        """Return the operation and the input of every edge, such as ``"normal 2: sep_conv_3x3~0"``."""
        cells = self.cells(self.codes(index).tolist())
        return tuple(
            f"{name} {number}: {self.operations[code]}~{source}"
            for name, cell in zip(CELLS, cells, strict=True)
            for number, node in enumerate(cell, start=INPUTS)
            for code, source in node
        )

    def graph(self, index: int) -> Graph:
        """Return both cells, with operations between their nodes."""
        normal, reduce = (self._cell_graph(cell) for cell in self.cells(self.codes(index).tolist()))
        return joined_graph([("normal cell", normal), ("reduction cell", reduce)])

    def _cell_graph(self, cell: Cell) -> Graph:
        numbers = range(INPUTS, INPUTS + len(cell))
        nodes = [GraphNode("0: cell k-2", "end"), GraphNode("1: cell k-1", "end")]
        nodes += [GraphNode(str(number), "state") for number in numbers]
        edges = [
            GraphEdge(source, number, self.operations[code])
            for number, node in zip(numbers, cell, strict=True)
            for code, source in node
        ]
        edges += [GraphEdge(number, len(nodes)) for number in numbers]
        return Graph((*nodes, GraphNode("concatenation", "end")), tuple(edges), "layers")


def _checked(operations: Sequence[str]) -> tuple[str, ...]:
    listed = not isinstance(operations, str) and isinstance(operations, Sequence)
    chosen = tuple(operations) if listed else ()
    known = all(operation in OPERATIONS for operation in chosen if isinstance(operation, str))
    require(
        0 < len(chosen) == len({*map(str, chosen)}) and known and all(isinstance(each, str) for each in chosen),
        f"operations must be different ones of {', '.join(OPERATIONS)}, got {shortened(operations)}",
    )
    return chosen
