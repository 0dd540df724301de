"""The cells of TransNAS-Bench-101: four nodes, six edges, four operations, in one fixed skeleton."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from typing import ClassVar, final

from numpy.typing import ArrayLike

from nasbench_lab.errors import OutOfSpaceError
from nasbench_lab.spaces.edge_cells import codes_of_nodes, encode_cells
from nasbench_lab.spaces.encodings import COUNTS, Vectors
from nasbench_lab.spaces.graph import Graph, cell_graph
from nasbench_lab.spaces.graph_encodings import GRAPH, GRAPH_FEATURES, WITHOUT_SKIPS, truncated
from nasbench_lab.spaces.product import ProductSpace

OPERATIONS = ("none", "skip_connect", "conv1x1", "conv3x3")
"""The operations of an edge, in the order of the digits of the notation."""
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""Edges (from, to) in the order of the notation: all that end in node 1, then in node 2, then in node 3."""

_PREFIX = "64-41414-"  # channels of the first module, and the kinds of the five modules: the same for all cells
_NOTATION = re.compile(re.escape(_PREFIX) + r"([0-9])_([0-9]{2})_([0-9]{3})", re.ASCII)


@final
class TransMicroSpace(ProductSpace):
    """All 4**6 = 4,096 cells (Duan et al., "TransNAS-Bench-101", CVPR 2021).

    The codes are the operations of the six `EDGES`, as positions in `OPERATIONS`. The order is that of the published
    file, where the cells come after the 3,256 macro skeletons: ascending notation.

    >>> space = TransMicroSpace()
    >>> space.size, space.parse("64-41414-1_02_333"), space.format(0)
    (4096, 1215, '64-41414-0_00_000')
    """

    encodings: ClassVar[tuple[str, ...]] = (
        *ProductSpace.encodings,
        "adjacency",
        *truncated(3),
        WITHOUT_SKIPS,
        COUNTS,
        GRAPH_FEATURES,
        GRAPH,
    )

    def __init__(self) -> None:
        super().__init__("trans-micro", (len(OPERATIONS),) * len(EDGES))

    @property
    def code_groups(self) -> Mapping[str, tuple[int, ...]]:
        """The edges into every node."""
        return codes_of_nodes(EDGES)

    def make_encoding(self, index: ArrayLike, encoding: str) -> Vectors:
        """Return cells as vectors for models, shape (...) to (..., length); see `encode_cells`.

        >>> TransMicroSpace().encode(1215, "counts").tolist()
        [1.0, 1.0, 1.0, 3.0]
        """
        if encoding in ProductSpace.encodings:
            return super().make_encoding(index, encoding)
        return encode_cells(self.codes(index), EDGES, len(OPERATIONS), encoding)

    def network_form(self, codes: Sequence[int]) -> Hashable:
        """Return what is equal for cells that are the same network.

        Edges into a node from which nothing leads to the output have no effect, and the two inner nodes can be
        exchanged where no edge joins them. A skip connection is kept as it is: where a cell halves the image, it is a
        convolution.
        """
        to_1, to_2, inner, to_3, from_1, from_2 = codes
        if not from_2:
            to_2 = inner = 0
        if not (inner or from_1):
            to_1 = 0
        if inner:
            return to_1, to_2, inner, to_3, from_1, from_2
        return to_3, *sorted([(to_1, from_1), (to_2, from_2)])

    def labels(self, index: int) -> tuple[str, ...]:
        """Return the operations of the six `EDGES`."""
        return tuple(OPERATIONS[code] for code in self.codes(index).tolist())

    def graph(self, index: int) -> Graph:
        """Return four nodes and six edges with their operations."""
        return cell_graph(self.labels(index), EDGES)

    def parse_one(self, text: str) -> tuple[int, ...]:
        """Return the codes of a cell in official notation."""
        match = _NOTATION.fullmatch(text.strip())
        if match is None:
            raise OutOfSpaceError(f"malformed cell {text!r}; write it like {_PREFIX}1_02_333")
        codes = tuple(int(digit) for digit in "".join(match.groups()))
        for code, (source, target) in zip(codes, EDGES, strict=True):
            if code >= len(OPERATIONS):
                raise OutOfSpaceError(f"unknown operation {code} on edge {source}->{target} of {text!r}; allowed: 0..3")
        return codes

    def format_one(self, codes: Sequence[int]) -> str:
        """Return the official notation of a cell."""
        a, b, c, d, e, f = codes
        return f"{_PREFIX}{a}_{b}{c}_{d}{e}{f}"
