"""Encodings against plain Python over single cells."""

import itertools

import numpy as np
import pytest
from cell101_oracle import plain, some

from nasbench_lab.errors import OutOfSpaceError, UnknownNameError
from nasbench_lab.spaces.cell101 import OPERATIONS, Cell101Space

FOUR, FIVE, SEVEN = Cell101Space(4), Cell101Space(5), Cell101Space()
LENGTHS = {"adjacency": 26, "categorical-adjacency": 14, "continuous-adjacency": 27, "path": 364, "one-hot": 62}


def at_end(space, matrix, labels):
    """Edges of the upper triangle, row by row, and operations from 1, with the output as the last of all vertices."""
    place = [*range(len(matrix) - 1), space.vertices - 1]
    edges = {(place[u], place[v]) for u, row in enumerate(matrix) for v, edge in enumerate(row) if edge}
    every = list(itertools.combinations(range(space.vertices), 2))
    operations = [label + 1 for label in labels[1:-1]] + [0] * (space.vertices - len(matrix))
    return [int(edge in edges) for edge in every], operations


def paths(matrix, labels, vertex=0):
    """Sequences of operations, from 1, on the way from a vertex to the output."""
    if vertex == len(matrix) - 1:
        return [()]
    onwards = [v for v, edge in enumerate(matrix[vertex]) if edge]
    own = (labels[vertex] + 1,) if vertex else ()
    return [own + rest for v in onwards for rest in paths(matrix, labels, v)]


def plain_encoding(space, index, kind):
    matrix, labels = plain(space, index)
    edges, operations = at_end(space, matrix, labels)
    if kind == "adjacency":
        return [*edges, *operations]
    if kind == "continuous-adjacency":
        return [*edges, *operations, sum(edges)]
    if kind == "categorical-adjacency":
        numbers = [number for number, edge in enumerate(edges, start=1) if edge]
        return [*numbers, *[0] * (min(9, len(edges)) - len(numbers)), *operations]
    # Every sequence there could be, from the shortest on; of one length, the first operation changes fastest.
    every = [
        reversed_sequence[::-1]
        for length in range(space.vertices - 1)
        for reversed_sequence in itertools.product(range(1, len(OPERATIONS) + 1), repeat=length)
    ]
    present = set(paths(matrix, labels))
    return [int(sequence in present) for sequence in every]


@pytest.mark.parametrize("kind", ["adjacency", "categorical-adjacency", "continuous-adjacency", "path"])
@pytest.mark.parametrize("space", [FOUR, FIVE, SEVEN], ids=["4", "5", "7"])
def test_encodings_are_those_of_plain_python(space, kind):
    index = some(space, 40)
    encoded = space.encode(index, kind)
    assert encoded.dtype == np.float32
    assert encoded.tolist() == [plain_encoding(space, one, kind) for one in index]


@pytest.mark.parametrize("kind", LENGTHS)
def test_encodings_of_any_shape(kind):
    assert SEVEN.encode(3, kind).shape == (LENGTHS[kind],)
    assert SEVEN.encode(np.empty((0, 2), dtype=int), kind).shape == (0, 2, LENGTHS[kind])
    block = SEVEN.encode([[1, 2, 3], [4, 5, 6]], kind)
    assert block.shape == (2, 3, LENGTHS[kind])
    assert np.array_equal(block[1, 0], SEVEN.encode(4, kind))


def test_one_hot_is_what_features_are():
    assert np.array_equal(SEVEN.encode([7, 8], "one-hot"), SEVEN.features([7, 8]))


@pytest.mark.parametrize("vertices", [2, 3])
def test_the_smallest_spaces(vertices):
    space = Cell101Space(vertices)
    for kind in ("adjacency", "categorical-adjacency", "continuous-adjacency", "path"):
        every = range(space.size)
        assert space.encode(list(every), kind).tolist() == [plain_encoding(space, one, kind) for one in every]


def test_wrong_names_and_cells_are_refused():
    with pytest.raises(UnknownNameError, match="unknown encoding 'adjacencies'; did you mean 'adjacency'"):
        SEVEN.encode(0, "adjacencies")
    with pytest.raises(OutOfSpaceError, match="architecture 423624 is not in"):
        SEVEN.encode(423_624, "path")
