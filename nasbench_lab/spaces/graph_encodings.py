"""The encodings of cells that follow from their graphs, by name."""

from __future__ import annotations

from nasbench_lab.spaces.encodings import COUNTS, Vectors
from nasbench_lab.spaces.operation_graphs import OperationGraphs

WITHOUT_SKIPS = "path-without-skips"
GRAPH_FEATURES = "graph-features"
GRAPH = "graph"


def truncated(longest: int) -> tuple[str, ...]:
    """Return the names of path encodings with at most 1, 2, ..., ``longest`` operations.

    >>> truncated(3)
    ('path-1', 'path-2', 'path-3')
    """
    return tuple(f"path-{length}" for length in range(1, longest + 1))


def encode_graphs(graphs: OperationGraphs, encoding: str) -> Vectors:
    """Return an encoding of graphs: the graphs themselves, counts, graph features or a kind of paths.

    Args:
        graphs: the architectures.
        encoding: ``"graph"`` (`OperationGraphs.matrix`), ``"counts"`` (`OperationGraphs.counts`), ``"graph-features"``
            (`OperationGraphs.graph_features`), or one of `OperationGraphs.paths`: ``"path"``; ``"path-N"`` with at most
            N operations; or ``"path-without-skips"``.
    """
    if encoding == GRAPH:
        return graphs.matrix()
    if encoding == COUNTS:
        return graphs.counts()
    if encoding == GRAPH_FEATURES:
        return graphs.graph_features()
    if encoding == WITHOUT_SKIPS:
        return graphs.paths(skips=False)
    return graphs.paths(int(encoding.removeprefix("path-")) if encoding != "path" else None)
