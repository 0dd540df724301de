"""The module ``nasbench.lib.graph_util``: graphs as matrices, and their hashes.

``gen_is_edge_fn``, ``is_full_dag``, ``num_edges``, ``hash_module``, ``permute_graph`` and ``is_isomorphic`` give the
answers of the originals. Only `is_isomorphic` is another algorithm: it compares degrees before it tries permutations.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.compat.nasbench101_spec import module_hash

_LabelledGraph = tuple[Any, Sequence[Any]]


def gen_is_edge_fn(bits: int) -> Callable[..., Any]:
    """Return a vectorised function of x and y that tells whether a bit mask has an edge from vertex x to y.

    Bits count through the columns of the upper triangle, from the least significant one: (0, 1), (0, 2), (1, 2), ....

    >>> np.fromfunction(gen_is_edge_fn(0b101), (3, 3), dtype=int).astype(int).tolist()
    [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
    """

    def is_edge(x: int, y: int) -> bool | int:
        return 0 if x >= y else (bits >> (x + y * (y - 1) // 2)) % 2 == 1

    return np.vectorize(is_edge)


def is_full_dag(matrix: Any) -> bool:
    """Return whether every vertex but the last has an edge out, and every vertex but the first an edge in.

    Args:
        matrix: upper triangular matrix, shape (vertices, vertices).
    """
    edges = np.asarray(matrix) != 0
    return bool(edges[:-1].any(axis=1).all() and edges[:, 1:].any(axis=0).all())


def num_edges(matrix: Any) -> Any:
    """Return the number of edges."""
    return np.sum(matrix)


def hash_module(matrix: Any, labeling: Sequence[Any]) -> str:
    """Return the hash of a module, which isomorphic modules share.

    Args:
        matrix: upper triangular matrix, shape (vertices, vertices).
        labeling: label of every vertex: -1 for the input, -2 for the output, from 0 for operations.

    Raises:
        AssertionError: the labels are not as many as the vertices.

    >>> hash_module(np.array([[0, 1], [0, 0]]), [-1, -2])
    '043721b9c7fe8c5fad811d47d83132ec'
    """
    if len(labeling) != len(matrix):
        raise AssertionError(f"there are {len(labeling)} labels for {len(matrix)} vertices")
    return module_hash(np.asarray(matrix), labeling)


def permute_graph(graph: Any, label: Sequence[Any], permutation: Sequence[int]) -> tuple[NDArray[np.bool_], list[Any]]:
    """Return a graph and its labels with vertex ``v`` moved to ``permutation[v]``.

    >>> permute_graph(np.array([[0, 1], [0, 0]]), ["a", "b"], [1, 0])[1]
    ['b', 'a']
    """
    before = np.argsort(np.asarray(permutation), kind="stable")
    return (np.asarray(graph)[np.ix_(before, before)] == 1), [label[vertex] for vertex in before]


def is_isomorphic(graph1: _LabelledGraph, graph2: _LabelledGraph) -> bool:
    """Return whether a permutation turns one labelled graph, a matrix and labels, into another.

    Raises:
        AssertionError: the graphs have different numbers of vertices.
    """
    matrix1, matrix2 = np.asarray(graph1[0]), np.asarray(graph2[0])
    if matrix1.shape != matrix2.shape or len(graph1[1]) != len(graph2[1]):
        raise AssertionError("the graphs have different numbers of vertices")
    kinds1, kinds2 = _kinds(matrix1, graph1[1]), _kinds(matrix2, graph2[1])
    if Counter(kinds1) != Counter(kinds2):
        return False
    return any((matrix1[np.ix_(order, order)] == matrix2).all() for order in _orders(kinds1, kinds2))


def _kinds(matrix: NDArray[Any], labels: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return what isomorphic vertices share: label and degrees."""
    return list(zip(labels, matrix.sum(axis=0).tolist(), matrix.sum(axis=1).tolist(), strict=True))


def _orders(kinds1: list[Any], kinds2: list[Any]) -> Iterator[list[int]]:
    """Yield the orders of the first graph's vertices in which they are of the kinds of the second graph's vertices."""
    places = {kind: [place for place, one in enumerate(kinds1) if one == kind] for kind in dict.fromkeys(kinds2)}
    for chosen in itertools.product(*(itertools.permutations(same) for same in places.values())):
        rest = {kind: iter(order) for kind, order in zip(places, chosen, strict=True)}
        yield [next(rest[kind]) for kind in kinds2]
