"""The graph neural networks of NAS-Bench-Graph: four nodes in a tree below the input, each with an operation."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.checks import require
from nasbench_lab.errors import OutOfSpaceError
from nasbench_lab.spaces.base import CodeArray, Space
from nasbench_lab.spaces.encodings import COUNTS, Vectors
from nasbench_lab.spaces.graph import Graph, operation_graph
from nasbench_lab.spaces.graph_encodings import GRAPH, GRAPH_FEATURES, WITHOUT_SKIPS, encode_graphs, truncated
from nasbench_lab.spaces.neighbor_lists import mutual, padded
from nasbench_lab.spaces.operation_graphs import OperationGraphs

Links = tuple[int, ...]

OPERATIONS = ("gat", "gcn", "gin", "cheb", "sage", "arma", "graph", "fc", "skip")
PROTEINS_OPERATIONS = ("gcn", "sage", "arma", "fc", "skip")
"""The operations that were run on the proteins data set."""
LINKS: tuple[Links, ...] = (
    (0, 0, 0, 0),
    (0, 0, 0, 1),
    (0, 0, 1, 1),
    (0, 0, 1, 2),
    (0, 0, 1, 3),
    (0, 1, 1, 1),
    (0, 1, 1, 2),
    (0, 1, 2, 2),
    (0, 1, 2, 3),
)
"""The source of each node's input (0: the input, i: node i): the nine rooted trees of five vertices."""

_NODES = 4
_ALL_LINKS: tuple[Links, ...] = tuple(itertools.product(range(1), range(2), range(3), range(_NODES)))
_NO_NODE = _NODES  # in an order: a leading skip that is not a node of the original
_COMMA = r"\s*,\s*"
_NOTATION = re.compile(
    r"(?:Arch)?\s*\(?\s*\[\s*" + _COMMA.join([r"(\d)"] * _NODES) + r"\s*\]\s*,?\s*"
    r"\[\s*" + _COMMA.join([r"['\"]?(\w+)['\"]?"] * _NODES) + r"\s*\]\s*\)?"
)
_LINK_WEIGHTS = np.array([0, 12, 4, 1])  # position of links in _ALL_LINKS


@final
class GnnSpace(Space):
    """The 26,206 architectures of NAS-Bench-Graph (Qin et al., NeurIPS 2022 Datasets and Benchmarks).

    The codes are the tree, as a position in `LINKS`, and the operations of the four nodes, as positions in
    ``operations``. All leaves are concatenated into the output. Many codes describe the same network; they are
    canonicalised as the publication does: a ``skip`` that changes nothing (it has a child, or no sibling, or repeats
    the input) moves to the front as a chain, and among equal trees the smallest codes are canonical. A network of skips
    alone is not in the space. The official order is the enumeration by operations, then by tree.

    Two architectures are neighbours where one change, of one operation or of one node's input, turns the canonical
    form of one into the other.

    Args:
        operations: those that a node may have, with ``"skip"``; by default all nine.

    Raises:
        ParameterError: an operation is unknown or given twice, or ``"skip"`` is missing.

    >>> space = GnnSpace()
    >>> index = space.parse("Arch([0, 1, 2, 1], ['gcn', 'gin', 'fc', 'cheb'])")
    >>> space.format(index)
    "Arch([0, 1, 1, 2], ['gcn', 'gin', 'cheb', 'fc'])"
    >>> space.size, GnnSpace(PROTEINS_OPERATIONS).size
    (26206, 2021)
    """

    encodings: ClassVar[tuple[str, ...]] = (
        *Space.encodings,
        "adjacency",
        *truncated(_NODES),
        WITHOUT_SKIPS,
        COUNTS,
        GRAPH_FEATURES,
        GRAPH,
    )

    def __init__(self, operations: Sequence[str] = OPERATIONS) -> None:
        texts = isinstance(operations, Sequence) and all(isinstance(each, str) for each in operations)
        different = texts and len(set(operations)) == len(operations)
        require(
            different and {"skip"} <= set(operations) <= set(OPERATIONS),
            f"operations must be different ones of {', '.join(OPERATIONS)}, with skip, got {operations!r}",
        )
        self.name = "gnn"
        self.operations = tuple(operations)
        self.cardinalities = (len(LINKS), *(len(operations),) * _NODES)
        self.size = len(self._members)

    def spec(self) -> Mapping[str, Any]:
        """Return the plain data from which `nasbench_lab.spaces.make_space` makes the same space again."""
        return {"name": self.name, "operations": list(self.operations)}

    def codes(self, index: ArrayLike) -> CodeArray:
        """Return the canonical codes (tree, four operations) of architectures, shape (...) to (..., 5)."""
        number = self._members[self.check_index(index)]
        operations = number[..., None] // len(LINKS) // self._weights % len(self.operations)
        return np.concatenate([number[..., None] % len(LINKS), operations], axis=-1).astype(np.int8)

    def index(self, codes: ArrayLike) -> IntArray:
        """Return the indices of architectures given by codes, canonical or not, shape (..., 5) to (...)."""
        index = self.find(codes)
        if (index < 0).any():
            raise OutOfSpaceError("an architecture of skip operations alone is not in the space")
        return index

    def find(self, codes: ArrayLike) -> IntArray:
        """Return what `index` returns, but -1 for skip operations alone."""
        checked = self.check_codes(codes)
        return self._lookup(np.array(LINKS)[checked[..., 0]], checked[..., 1:])

    def make_encoding(self, index: ArrayLike, encoding: str) -> Vectors:
        """Return architectures as vectors for models, shape (...) to (..., length).

        The graph has the input, four nodes and the output, to which all leaves lead. With k operations:

        - ``"adjacency"`` and ``"graph"``, 15 + 4: the upper triangle of the matrix, row by row, then the operations,
          counted from 1;
        - ``"path-1"`` to ``"path-4"``: for every sequence of at most 1 to 4 operations whether a path from input to
          output has it; operations a, b, c, ... are entry a + k b + k**2 c + ... among those of their length. For nine
          operations, they have 10, 91, 820 and 7,381 entries: encode very many architectures in pieces;
        - ``"path-without-skips"``: the same with skips removed from paths;
        - ``"counts"``: how often each operation occurs;
        - ``"graph-features"``: see `OperationGraphs.graph_features`.

        >>> space = GnnSpace()
        >>> index = space.parse("Arch([0, 1, 1, 2], ['gcn', 'gin', 'cheb', 'fc'])")
        >>> space.encode(index, "counts").astype(int).tolist()
        [0, 1, 1, 1, 0, 0, 0, 1, 0]
        >>> space.encode(index, "path-2").nonzero()[0].tolist()
        [38]
        """
        if encoding in Space.encodings:
            return super().make_encoding(index, encoding)
        codes = self.codes(index).astype(np.int64)
        flat = codes.reshape(-1, codes.shape[-1])
        edge = _matrices()[flat[:, 0]]
        graphs = OperationGraphs(flat[:, 1:], edge, len(self.operations), self.operations.index("skip"))
        vectors = encode_graphs(graphs, GRAPH if encoding == "adjacency" else encoding)
        return vectors.reshape(*codes.shape[:-1], vectors.shape[-1])

    def labels(self, index: int) -> tuple[str, ...]:
        """Return the operations of the four nodes."""
        return tuple(self.operations[code] for code in self.codes(index).tolist()[1:])

    def graph(self, index: int) -> Graph:
        """Return the tree below the input, and its leaves, which are concatenated, leading to the output."""
        origins = LINKS[self.codes(index).tolist()[0]]
        leaves = [node for node in range(1, _NODES + 1) if node not in origins]
        links = [(origin, node) for node, origin in enumerate(origins, start=1)]
        return operation_graph(self.labels(index), [*links, *((leaf, _NODES + 1) for leaf in leaves)])

    def _lookup(self, links: IntArray, operations: IntArray) -> IntArray:
        """Return the indices of architectures given by links and operations, both (..., 4); -1 for skips alone."""
        return self._index_of_raw[links @ _LINK_WEIGHTS, operations @ self._weights]

    @cached_property
    def _weights(self) -> IntArray:
        return len(self.operations) ** np.arange(_NODES - 1, -1, -1)

    @cached_property
    def _canonical_numbers(self) -> IntArray:
        """Canonical form of all 24 links x all operations, as a number: operations before tree; -1 for skips alone."""
        n = len(self.operations)
        grid = np.array(list(itertools.product(range(n), repeat=_NODES)))
        skips = grid == self.operations.index("skip")
        patterns = skips @ (1 << np.arange(_NODES))
        with_leading_skip = np.column_stack([grid, np.full(len(grid), self.operations.index("skip"))])
        numbers = np.full((len(_ALL_LINKS), len(grid)), -1, dtype=np.int64)
        for pattern in range(2**_NODES - 1):
            rows = np.flatnonzero(patterns == pattern)
            for position, links in enumerate(_ALL_LINKS):
                tree, drawings = _canonical_drawings(links, pattern)
                operations = with_leading_skip[rows][:, drawings] @ self._weights
                numbers[position, rows] = operations.min(axis=1) * len(LINKS) + tree
        return numbers

    @cached_property
    def _members(self) -> IntArray:
        """Canonical number of every index, ascending."""
        numbers = np.unique(self._canonical_numbers)
        return numbers[numbers >= 0]

    @cached_property
    def _index_of_raw(self) -> IntArray:
        """Index of all 24 links x all operations; -1 for skips alone."""
        numbers = self._canonical_numbers
        return np.where(numbers >= 0, np.searchsorted(self._members, numbers), -1)

    def make_neighbor_table(self) -> NDArray[np.int32]:
        """Return the neighbours of every architecture, shape (size, max degree), padded with -1 at the end."""
        codes = self.codes(np.arange(self.size)).astype(np.int64)
        links, operations = np.array(LINKS)[codes[:, 0]], codes[:, 1:]
        tree_number, operation_number = links @ _LINK_WEIGHTS, operations @ self._weights
        reached = []
        for node, origin in ((n, o) for n in range(1, _NODES) for o in range(n + 1)):
            moved = tree_number + (origin - links[:, node]) * _LINK_WEIGHTS[node]
            reached.append(self._index_of_raw[moved, operation_number])
        for node, operation in itertools.product(range(_NODES), range(len(self.operations))):
            changed = operation_number + (operation - operations[:, node]) * self._weights[node]
            reached.append(self._index_of_raw[tree_number, changed])
        return padded(*mutual(reached))

    def parse_one(self, text: str) -> tuple[int, ...]:
        """Return the codes of an architecture in official notation."""
        match = _NOTATION.fullmatch(text.strip())
        if match is None:
            raise OutOfSpaceError(
                f"malformed architecture {text!r}; write it like Arch([0, 1, 2, 1], ['gcn', 'gin', 'fc', 'cheb'])"
            )
        numbers, words = [int(n) for n in match.groups()[:_NODES]], match.groups()[_NODES:]
        for node, origin in enumerate(numbers):
            if origin > node:
                raise OutOfSpaceError(f"node {node + 1} cannot take its input from {origin}; allowed: 0..{node}")
        for node, word in enumerate(words, start=1):
            if word not in self.operations:
                raise OutOfSpaceError(
                    f"unknown operation {word!r} of node {node}; allowed: {', '.join(self.operations)}"
                )
        operations = np.array([self.operations.index(word) for word in words])
        index = int(self._lookup(np.array(numbers), operations))
        if index < 0:
            raise OutOfSpaceError(f"{text!r} has skip operations alone and is not in the space")
        return tuple(self.codes(index).tolist())

    def format_one(self, codes: Sequence[int]) -> str:
        """Return the official notation of an architecture."""
        return f"Arch({list(LINKS[codes[0]])}, {[self.operations[code] for code in codes[1:]]})"


def _contract(links: Links, skips: Sequence[bool]) -> tuple[Links, Links]:
    """Move every skip that changes nothing to the front.

    Returns:
        The links of the resulting tree and, for each of its nodes, the original node (_NO_NODE for a leading skip).
    """
    parent = {node: link - 1 for node, link in enumerate(links)}  # -1 is the input
    found = True
    while found:
        found = False
        for node in [n for n in parent if skips[n]]:
            children = [n for n, p in parent.items() if p == node]
            alone = sum(p == parent[node] for p in parent.values()) == 1
            if children or alone or parent[node] == -1:
                for child in children:
                    parent[child] = parent[node]
                del parent[node]
                found = True
    lead = _NODES - len(parent)
    place = {-1: lead, **{node: lead + 1 + i for i, node in enumerate(parent)}}
    return (
        tuple(range(lead)) + tuple(place[p] for p in parent.values()),
        (_NO_NODE,) * lead + tuple(parent),
    )


def _canonical_drawings(links: Links, pattern: int) -> tuple[int, list[list[int]]]:
    """Return the canonical tree of ``links`` where bit i of ``pattern`` is set if node i is a skip.

    Returns:
        The position of the tree in LINKS and every way to draw it: the original node at each of its nodes.
    """
    contracted, nodes = _contract(links, [bool(pattern >> n & 1) for n in range(_NODES)])
    drawings = {order: _redraw(contracted, order) for order in itertools.permutations(range(_NODES))}
    tree = next(t for t, wanted in enumerate(LINKS) if wanted in drawings.values())
    return tree, [[nodes[n] for n in order] for order, drawn in drawings.items() if drawn == LINKS[tree]]


def _redraw(links: Links, order: tuple[int, ...]) -> Links:
    """Return the links of the same tree when its nodes are listed in another order."""
    place = {0: 0, **{node + 1: i + 1 for i, node in enumerate(order)}}
    return tuple(place[links[node]] for node in order)


@functools.cache
def _matrices() -> NDArray[np.bool_]:
    """Return which vertex leads to which for every tree of `LINKS`, shape (trees, 6, 6): input, nodes, output."""
    edge = np.zeros((len(LINKS), _NODES + 2, _NODES + 2), dtype=bool)
    for tree, links in enumerate(LINKS):
        for node, source in enumerate(links, start=1):
            edge[tree, source, node] = True
            edge[tree, node, -1] = node not in links
    return edge
