"""Finding arbitrary labelled cells, one or many at a time, and that no two cells are the same."""

import itertools

import numpy as np
import pytest
from cell101_oracle import canonical, codes, plain_hash, pruned
from hypothesis import given, settings
from hypothesis import strategies as st

from nasbench_lab.errors import OutOfSpaceError
from nasbench_lab.spaces.cell101 import INPUT, OPERATIONS, OUTPUT, Cell101Space
from nasbench_lab.spaces.module_hash import module_hashes

SIX, SEVEN = Cell101Space(6), Cell101Space()


def drawn(random, vertices):
    """A random drawing, nothing about it guaranteed."""
    matrix = np.triu(random.random((vertices, vertices)) < random.uniform(0.2, 0.8), 1).astype(int).tolist()
    return matrix, [-1, *random.integers(3, size=vertices - 2).tolist(), -2]


def names(labels):
    return [OPERATIONS[label] for label in labels[1:-1]]


def test_all_cells_of_six_vertices_are_different_under_every_order_of_their_vertices():
    """Brute force over whole arrays: the smallest of all drawings identifies a cell; it is different for all."""
    every = SIX.codes(np.arange(SIX.size)).astype(np.int64)
    every = every[(every[:, -1] > 0)]
    matrix = np.zeros((len(every), 6, 6), dtype=np.int64)
    matrix[:, *np.triu_indices(6, 1)] = every[:, :15]
    smallest = np.full(len(every), np.iinfo(np.int64).max)
    weights = 2 ** np.arange(36).reshape(6, 6)
    for order in itertools.permutations(range(1, 5)):
        whole = [0, *order, 5]
        number = (matrix[:, whole][:, :, whole] * weights).sum(axis=(1, 2)) * 81
        number += every[:, [14 + vertex for vertex in order]] @ 3 ** np.arange(4)
        smallest = np.minimum(smallest, number)
    assert len(np.unique(smallest)) == len(every) == 62_010


def test_many_random_drawings_are_the_right_cells():
    """Of every number of vertices, against pruning, hashing and permuting in plain Python."""
    random = np.random.default_rng(5)
    kept, found = [], []
    for vertices in (2, 3, 4, 5, 6, 6, 7, 7) * 40:
        matrix, labels = drawn(random, vertices)
        cell = pruned(matrix, labels)
        if cell is not None and sum(map(sum, cell[0])) <= 9:
            kept.append(cell)
            found.append((matrix, labels))
    assert len(kept) > 150
    index = SEVEN.index([codes(SEVEN, *drawing) for drawing in found]).tolist()
    assert index == [SEVEN.index_of_cell(matrix, names(labels)) for matrix, labels in found]
    assert SEVEN.module_hashes(index) == [plain_hash(*cell) for cell in kept]
    for cell, one in zip(kept[::4], index[::4], strict=True):
        adjacency, operations = SEVEN.cell(one)
        labels = [-1, *map(OPERATIONS.index, operations), -2]
        assert canonical(*cell) == canonical(adjacency.astype(int).tolist(), labels)


def test_hashes_are_those_of_the_official_package():
    model_spec = pytest.importorskip("nasbench_pytorch.model.model_spec")
    random = np.random.default_rng(6)
    drawings = SEVEN.random_codes(random, 100)
    for row, index in zip(drawings.tolist(), SEVEN.index(drawings).tolist(), strict=True):
        adjacency, operations = SEVEN.drawing(row)
        spec = model_spec.ModelSpec(adjacency.astype(int), [INPUT, *operations, OUTPUT])
        spec.matrix = spec.matrix.numpy()  # NumPy 2 can not sum the columns of torch's tensors
        assert spec.hash_spec(list(OPERATIONS)) == SEVEN.module_hash(index)


def test_hashes_of_all_drawings_of_a_cell_are_equal():
    """Over whole arrays, also for matrices that are no upper triangles."""
    index = np.random.default_rng(7).choice(SEVEN.size, 60, replace=False)
    every = SEVEN.codes(index).astype(np.int64)
    index, every = index[every[:, -1] > 0], every[every[:, -1] > 0]
    order = np.array([(0, *inner, 6) for inner in itertools.permutations(range(1, 6))])
    matrix = np.zeros((len(every), 7, 7), dtype=bool)
    matrix[:, *np.triu_indices(7, 1)] = every[:, :21]
    redrawn = matrix[:, order[:, :, None], order[:, None, :]].reshape(-1, 7, 7)
    labels = every[:, 20 + order[:, 1:-1]].reshape(-1, 5) - 1
    digests = [digest.tobytes().hex() for digest in module_hashes(redrawn, labels)]
    assert digests == np.repeat(SEVEN.module_hashes(index), len(order)).tolist()


def test_lookups_of_more_drawings_than_fit_into_a_batch():
    drawings = SEVEN.random_codes(np.random.default_rng(8), 40_000)
    index = SEVEN.index(drawings)
    assert np.array_equal(SEVEN.index(drawings.reshape(100, 400, 26)), index.reshape(100, 400))
    for row in (0, 16_383, 16_384, 39_999):
        assert SEVEN.index(drawings[row]) == index[row] == SEVEN.index_of_cell(*SEVEN.drawing(drawings[row].tolist()))
    drawings[39_999] = 0
    with pytest.raises(OutOfSpaceError, match="does not lead to its output"):
        SEVEN.index(drawings)


@given(st.integers(0, 423_623))
@settings(max_examples=50)
def test_a_cell_is_found_however_it_is_written(index):
    adjacency, operations = SEVEN.cell(index)
    lists = adjacency.astype(int).tolist()
    for matrix in (adjacency, lists, adjacency.astype(np.int8), adjacency.astype(float), list(adjacency)):
        assert SEVEN.index_of_cell(matrix, operations) == index
    whole = [INPUT, *operations, OUTPUT]
    for written in (tuple(operations), whole, tuple(whole), np.array(whole)):
        assert SEVEN.index_of_cell(lists, written) == index
    assert type(SEVEN.index_of_cell(lists, operations)) is int


TWO, THREE = [[0, 1], [0, 0]], [[0, 1, 0], [0, 0, 1], [0, 0, 0]]


@pytest.mark.parametrize(
    ("matrix", "operations", "reason"),
    [
        ([[0, 1], [0, 0, 0]], [], "must be square, its 2 rows have 2, 3 entries"),
        ([[0, 1, 1], [0, 0, 1]], [], "must be square, its 2 rows have 3, 3 entries"),
        ([], [], "2 to 7 vertices, this one has 0"),
        ([[0]], [], "2 to 7 vertices, this one has 1"),
        (np.zeros((8, 8)), ["maxpool3x3"] * 6, "2 to 7 vertices, this one has 8"),
        (np.zeros((2, 2, 2)), [], r"from vertex 0 to 0 of a cell's matrix is \[0.0, 0.0\]; allowed: 0, 1"),
        ([[0, 2], [0, 0]], [], "entry from vertex 0 to 1 of a cell's matrix is 2; allowed: 0, 1"),
        ([[0, "1"], [0, 0]], [], "from vertex 0 to 1 of a cell's matrix is '1'"),
        ([[0, float("nan")], [0, 0]], [], "from vertex 0 to 1 of a cell's matrix is nan"),
        ([[0, 1], [1, 0]], [], "upper triangular; it has an edge from vertex 1 to 0"),
        ([[1, 1], [0, 0]], [], "upper triangular; it has an edge from vertex 0 to 0"),
        ([[0, 1], 0], [], "must be rows of zeros and ones"),
        (None, [], "must be rows of zeros and ones"),
        (TWO, None, "must be a list of names, got None"),
        (TWO, ["maxpool3x3"], "a cell of 2 vertices has 2 names, first 'input', last 'output'; got maxpool3x3"),
        (THREE, ["input", "maxpool3x3"], "a cell of 3 vertices has 3 names"),
        (THREE, ["output", "maxpool3x3", "input"], "a cell of 3 vertices has 3 names"),
        (THREE, ["conv5x5"], "unknown operation 'conv5x5' of vertex 1; allowed: conv3x3-bn-relu, conv1x1"),
        (THREE, [0], "unknown operation 0 of vertex 1"),
        (THREE, [[]], r"unknown operation \[\] of vertex 1"),
        ([[0, 0], [0, 0]], [], "the input of the cell does not lead to its output"),
        (np.triu(np.ones((7, 7)), 1), ["maxpool3x3"] * 5, "at most 9 edges, this one has 21 after pruning"),
    ],
)
def test_what_is_no_cell_is_refused(matrix, operations, reason):
    with pytest.raises(OutOfSpaceError, match=reason):
        SEVEN.index_of_cell(matrix, operations)


def test_edges_are_counted_after_pruning():
    dense = np.triu(np.ones((7, 7), dtype=int), 1)
    dense[0, 2:] = 0
    dense[1, 2:6] = 0
    assert dense.sum() == 12
    index = SEVEN.index_of_cell(dense, ["maxpool3x3"] * 5)
    assert SEVEN.format(index) == "[[0,1,0],[0,0,1],[0,0,0]] ['input','maxpool3x3','output']"
    assert SEVEN.index([*dense[np.triu_indices(7, 1)], 3, 1, 2, 3, 1]) == index
