"""Cells of NAS-Bench-101 in plain Python, one at a time, as (matrix, labels), nested lists.

Labels are -1 for the input, 0 to 2 for a position in `OPERATIONS`, and -2 for the output.
"""

import hashlib
import itertools

import numpy as np

from nasbench_lab.spaces.cell101 import INPUT, OPERATIONS, OUTPUT


def plain_hash(matrix, labels):
    """The published hash, written again from its definition."""

    def digest(text):
        return hashlib.md5(text.encode()).hexdigest()

    vertices = range(len(matrix))
    before = [[u for u in vertices if matrix[u][v]] for v in vertices]
    after = [[u for u in vertices if matrix[v][u]] for v in vertices]
    texts = [digest(f"({len(after[v])}, {len(before[v])}, {labels[v]})") for v in vertices]
    for _ in vertices:
        joined = [["".join(sorted(texts[u] for u in near[v])) for near in (before, after)] for v in vertices]
        texts = [digest(f"{joined[v][0]}|{joined[v][1]}|{texts[v]}") for v in vertices]
    return digest(str(sorted(texts)))


def pruned(matrix, labels):
    """The cell without vertices that are not on a path from input to output, None if there is no such path."""
    last = len(matrix) - 1

    def reachable(start, leads):
        found = {start}
        for _ in matrix:
            found |= {v for u in found for v in range(last + 1) if leads(u, v)}
        return found

    kept = sorted(reachable(0, lambda u, v: matrix[u][v]) & reachable(last, lambda u, v: matrix[v][u]))
    if len(kept) < 2:
        return None
    return [[matrix[u][v] for v in kept] for u in kept], [labels[v] for v in kept]


def redraw(matrix, labels, order):
    """The same cell with vertex ``order[i]`` in place i."""
    return [[matrix[u][v] for v in order] for u in order], [labels[u] for u in order]


def orders(vertices):
    return [(0, *inner, vertices - 1) for inner in itertools.permutations(range(1, vertices - 1))]


def canonical(matrix, labels):
    """The smallest of all drawings: equal for isomorphic cells only."""
    return min(map(repr, (redraw(matrix, labels, order) for order in orders(len(matrix)))))


def upper_triangular(matrix):
    return not any(matrix[u][v] for u in range(len(matrix)) for v in range(u + 1))


def every_drawing(vertices):
    """Every upper triangular matrix with every labels, pruned or not."""
    pairs = list(itertools.combinations(range(vertices), 2))
    for bits in itertools.product((0, 1), repeat=len(pairs)):
        matrix = [[0] * vertices for _ in range(vertices)]
        for (u, v), bit in zip(pairs, bits, strict=True):
            matrix[u][v] = bit
        for inner in itertools.product(range(3), repeat=vertices - 2):
            yield matrix, [-1, *inner, -2]


def plain(space, index):
    adjacency, names = space.cell(index)
    return adjacency.astype(int).tolist(), [-1, *(OPERATIONS.index(name) for name in names), -2]


def codes(space, matrix, labels):
    size = len(matrix)
    edges = [matrix[u][v] if v < size else 0 for u, v in itertools.combinations(range(space.vertices), 2)]
    return [*edges, *(label + 1 for label in labels[1:-1]), *[0] * (space.vertices - size)]


def text(matrix, labels):
    return f"{matrix} {[INPUT, *(OPERATIONS[label] for label in labels[1:-1]), OUTPUT]}"


def some(space, count=200):
    """Cells of every number of vertices: all of the small ones, random ones of the others."""
    random = np.random.default_rng(0)
    inner = (space.codes(np.arange(space.size))[:, -(space.vertices - 2) :] > 0).sum(axis=1)
    cells = [np.flatnonzero(inner == many) for many in range(space.vertices - 1)]
    return np.concatenate([random.permutation(of_size)[:count] for of_size in cells]).tolist()
