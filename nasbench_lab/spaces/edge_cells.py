"""The encodings of cells that have an operation on every edge of one graph: NAS-Bench-201 and TransNAS-Bench-101."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.spaces.encodings import COUNTS, Vectors, counts, upper_triangle
from nasbench_lab.spaces.graph_encodings import WITHOUT_SKIPS, encode_graphs
from nasbench_lab.spaces.operation_graphs import line_graphs

_NONE, _SKIP = 0, 1
"""The codes of the operations that both spaces have: nothing, and the input unchanged."""

Edges = tuple[tuple[int, int], ...]


def encode_cells(codes: NDArray[np.int8], edges: Edges, operations: int, encoding: str) -> Vectors:
    """Return cells as vectors for models.

    - ``"adjacency"``: the upper triangle of the matrix of nodes, row by row, with the codes of operations;
    - ``"path"``: for every sequence of operations, whether a path from the first node to the last has it. "None" is an
      operation like the others. Sequences are numbered from the shortest to the longest; codes a, b, c from the input
      on are number a + k b + k**2 c among those of their length, where k is the number of operations;
    - ``"path-N"``: the sequences of at most N operations;
    - ``"path-without-skips"``: the paths along which data flows: those through "none" are left out, and skips are
      removed from the others; the first entry stands for paths of skips alone. So cells that differ only in useless
      operations are the same;
    - ``"counts"``: how often each operation occurs;
    - ``"graph-features"``: see `OperationGraphs.graph_features`; "none" is no operation there;
    - ``"graph"``: see `OperationGraphs.matrix`. The vertices are the edges of the cell, except those with "none".

    Args:
        codes: operation of every edge, shape (..., edges); 0 is "none", 1 is "skip".
        edges: nodes (from, to), all that end in a node before those that start there.
        operations: number of operations, with "none".
        encoding: one of the names above.
    """
    if encoding == "adjacency":
        return upper_triangle(codes.astype(np.int64), edges)
    if encoding == COUNTS:
        return counts(codes, operations)
    flat = codes.reshape(-1, codes.shape[-1]).astype(np.int64)
    if encoding == "path" or encoding.removeprefix("path-").isdigit():
        longest = int(encoding.removeprefix("path-")) if encoding != "path" else len(edges)
        vectors = _paths(flat, edges, operations, longest)
    else:
        graphs = line_graphs(flat, edges, operations - 1, _SKIP)
        if encoding == WITHOUT_SKIPS:
            vectors = graphs.paths(max(map(len, _routes(edges))), skips=False)
        else:
            vectors = encode_graphs(graphs, encoding)
    return vectors.reshape(*codes.shape[:-1], vectors.shape[-1])


def _paths(codes: NDArray[np.int64], edges: Edges, operations: int, longest: int) -> Vectors:
    """Return which sequences of operations, "none" among them, the paths have, shape (n, edges) to (n, sequences)."""
    routes = [route for route in _routes(edges) if len(route) <= longest]
    sizes = [operations**length for length in range(max(map(len, routes)) + 1)]
    encoding = np.zeros((len(codes), sum(sizes[1:])), dtype=np.float32)
    for route in routes:
        digits = codes[:, list(route)] @ np.array(sizes[: len(route)])
        encoding[np.arange(len(codes)), sum(sizes[1 : len(route)]) + digits] = 1.0
    return encoding


def codes_of_nodes(edges: Edges) -> dict[str, tuple[int, ...]]:
    """Return the positions of the edges into every node, for `Space.code_groups`."""
    targets = sorted({target for _, target in edges})
    return {f"node{node}": tuple(place for place, edge in enumerate(edges) if edge[1] == node) for node in targets}


@functools.cache
def _routes(edges: Edges) -> tuple[Sequence[int], ...]:
    """Return the paths from the first node to the last, as positions of their edges."""
    last = max(target for _, target in edges)

    def onward(node: int) -> list[tuple[int, ...]]:
        if node == last:
            return [()]
        steps = [(place, target) for place, (source, target) in enumerate(edges) if source == node]
        return [(place, *rest) for place, target in steps for rest in onward(target)]

    return tuple(onward(0))
