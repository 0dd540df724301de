"""The cells of NAS-Bench-201, which are the topology space of NATS-Bench: four nodes, six edges, five operations."""

from __future__ import annotations

import random
import re
from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from typing import ClassVar, final

import numpy as np
from numpy.typing import ArrayLike

from nasbench_lab.arrays import IntArray
from nasbench_lab.errors import OutOfSpaceError
from nasbench_lab.spaces.edge_cells import codes_of_nodes, encode_cells
from nasbench_lab.spaces.encodings import COUNTS, Vectors
from nasbench_lab.spaces.graph import Graph, cell_graph
from nasbench_lab.spaces.graph_encodings import GRAPH, GRAPH_FEATURES, WITHOUT_SKIPS, truncated
from nasbench_lab.spaces.product import ProductSpace
from nasbench_lab.spaces.topology_form import canonical_form

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""Edges (from, to) in the order of the notation: all that end in node 1, then in node 2, then in node 3."""

_OFFICIAL_SHUFFLE_SEED = 88
_EDGE = re.compile(r"([^|~]*)~(\d+)")


@final
class TopologySpace(ProductSpace):
    """All 5**6 = 15,625 cells (Dong and Yang, "NAS-Bench-201", ICLR 2020; Dong et al., "NATS-Bench", TPAMI 2021).

    The codes are the operations of the six `EDGES`, as positions in `OPERATIONS`. The official order is that of the
    published archives: Python's ``random.Random(88).shuffle`` of the enumeration by edges.

    >>> space = TopologySpace()
    >>> space.format(6111)
    '|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|'
    >>> space.parse(space.format(6111))
    6111
    """

    encodings: ClassVar[tuple[str, ...]] = (
        *ProductSpace.encodings,
        "adjacency",
        "path",
        *truncated(2),
        WITHOUT_SKIPS,
        COUNTS,
        GRAPH_FEATURES,
        GRAPH,
    )

    def __init__(self) -> None:
        super().__init__("topology", (len(OPERATIONS),) * len(EDGES))

    @cached_property
    def official_order(self) -> IntArray:
        """Odometer number of every official index, shape (15625,)."""
        order = list(range(self.size))
        random.Random(_OFFICIAL_SHUFFLE_SEED).shuffle(order)  # noqa: S311 - the published order, not a secret
        return np.array(order, dtype=np.int64)

    @property
    def code_groups(self) -> Mapping[str, tuple[int, ...]]:
        """The edges into every node."""
        return codes_of_nodes(EDGES)

    def make_encoding(self, index: ArrayLike, encoding: str) -> Vectors:
        """Return cells as vectors for models, shape (...) to (..., length).

        Args:
            index: cells.
            encoding: ``"path"``, length 155: for every sequence of one, two and three operations, whether a path from
                the first node to the last has it (White, Neiswanger and Savani, "BANANAS", AAAI 2021, section 4).
                Operations a, b, c of a path, as positions in `OPERATIONS`, are entry a, 5 + a + 5 b or
                30 + a + 5 b + 25 c. For the others, see `encode_cells`.

        >>> TopologySpace().encode(0, "path").nonzero()[0].tolist()
        [2, 12, 14, 64]
        >>> TopologySpace().encode(0, "counts").tolist()
        [0.0, 3.0, 2.0, 0.0, 1.0]
        """
        if encoding in ProductSpace.encodings:
            return super().make_encoding(index, encoding)
        return encode_cells(self.codes(index), EDGES, len(OPERATIONS), encoding)

    def network_form(self, codes: Sequence[int]) -> Hashable:
        """Return what is equal for cells that are the same network: 5,234 different forms."""
        return canonical_form([OPERATIONS[code] for code in codes], EDGES)

    def labels(self, index: int) -> tuple[str, ...]:
        """Return the operations of the six `EDGES`."""
        return tuple(OPERATIONS[code] for code in self.codes(index).tolist())

    def graph(self, index: int) -> Graph:
        """Return four nodes and six edges with their operations."""
        return cell_graph(self.labels(index), EDGES)

    def unique_string(self, index: int, *, consider_none: bool = True) -> str:
        """Return the published text that cells share when they are considered isomorphic.

        A node is written as the sum of its inputs, sorted as text. An input through ``skip_connect`` is the text of
        its source; any other is the bracketed source and the operation. With ``consider_none``, an input through
        ``none``, or from a node whose text is ``#``, is ``#`` (zero).

        The rule is not exact: sums of zeros are not recognised as zero, sums are sorted before they are flattened,
        and a cell that uses the output of one convolution twice is merged with one that has two such convolutions.

        >>> TopologySpace().unique_string(0)
        '(0)@avg_pool_3x3+(0)@avg_pool_3x3+(0)@nor_conv_1x1+(0)@nor_conv_1x1'
        """
        return _unique_string(self.codes(index).tolist(), consider_none)

    def isomorphism_classes(self, *, consider_none: bool = True) -> IntArray:
        """Number the classes of cells with the same `unique_string`, shape (15625,), by their first member.

        Args:
            consider_none: merge by ``none`` and ``skip_connect`` (6,466 classes), or by ``skip_connect`` only (12,751).

        >>> int(TopologySpace().isomorphism_classes().max()) + 1
        6466
        """
        seen: dict[str, int] = {}
        cells = self.codes(np.arange(self.size)).tolist()
        return np.array([seen.setdefault(_unique_string(cell, consider_none), len(seen)) for cell in cells])

    def parse_one(self, text: str) -> tuple[int, ...]:
        """Return the codes of a cell in official notation."""
        nodes = text.strip().split("+")
        if len(nodes) != 3 or any(not (n.startswith("|") and n.endswith("|") and len(n) > 1) for n in nodes):
            raise OutOfSpaceError(
                f"malformed cell {text!r}; write |operation~0|+|operation~0|operation~1|+"
                "|operation~0|operation~1|operation~2|"
            )
        codes = []
        for target, node in enumerate(nodes, start=1):
            inputs = node[1:-1].split("|")
            if len(inputs) != target:
                raise OutOfSpaceError(f"node {target} of {text!r} has {len(inputs)} inputs; it must have {target}")
            codes += [_parse_edge(edge, source, target) for source, edge in enumerate(inputs)]
        return tuple(codes)

    def format_one(self, codes: Sequence[int]) -> str:
        """Return the official notation of a cell."""
        operations = [OPERATIONS[code] for code in codes]
        nodes = (operations[0:1], operations[1:3], operations[3:6])
        return "+".join("|" + "|".join(f"{op}~{i}" for i, op in enumerate(node)) + "|" for node in nodes)


def _parse_edge(text: str, source: int, target: int) -> int:
    match = _EDGE.fullmatch(text)
    if match is None:
        raise OutOfSpaceError(f"malformed edge {text!r} into node {target}; write operation~source")
    operation, origin = match[1], int(match[2])
    if operation not in OPERATIONS:
        raise OutOfSpaceError(
            f"unknown operation {operation!r} on edge {source}->{target}; allowed: {', '.join(OPERATIONS)}"
        )
    if origin != source:
        raise OutOfSpaceError(f"edge {text!r} into node {target} must come from node {source}, in this order")
    return OPERATIONS.index(operation)


def _unique_string(codes: Sequence[int], consider_none: bool) -> str:
    nodes: list[list[str]] = [["0"], [], [], []]
    for code, (source, target) in zip(codes, EDGES, strict=True):
        origin, operation = "+".join(sorted(nodes[source])), OPERATIONS[code]
        if consider_none and (operation == "none" or origin == "#"):
            nodes[target].append("#")
        elif operation == "skip_connect":
            nodes[target].append(origin)
        else:
            nodes[target].append(f"({origin})@{operation}")
    return "+".join(sorted(nodes[-1]))
