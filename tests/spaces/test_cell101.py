"""The cells of NAS-Bench-101 against plain Python over single cells, and against what was published."""

import hashlib
import itertools
import json
import struct

import numpy as np
import pytest
from cell101_oracle import (
    canonical,
    codes,
    every_drawing,
    orders,
    plain,
    plain_hash,
    pruned,
    redraw,
    some,
    text,
    upper_triangular,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from nasbench_lab import spaces
from nasbench_lab.errors import OutOfSpaceError, ParameterError
from nasbench_lab.spaces.cell101 import Cell101Space
from nasbench_lab.spaces.md5 import md5

EC_NAS = "PedramBakh/EC-NAS-Bench/ecnas/ecnas/utils/data/tabular_benchmarks"
CELLS = {2: 1, 3: 6, 4: 84, 5: 2_441, 6: 62_010, 7: 359_082}
"""How many cells have exactly so many vertices."""

FOUR, FIVE, SEVEN = Cell101Space(4), Cell101Space(5), Cell101Space()


# What is in the space, and in which order.


@pytest.mark.parametrize("vertices", range(2, 8))
def test_published_numbers_of_cells(vertices):
    space = Cell101Space(vertices)
    assert space.size == sum(CELLS[size] for size in range(2, vertices + 1))
    every = space.codes(np.arange(space.size))
    sizes = (every[:, vertices * (vertices - 1) // 2 :] > 0).sum(axis=1) + 2
    assert np.bincount(sizes)[2:].tolist() == [CELLS[size] for size in range(2, vertices + 1)]
    assert np.array_equal(space.index(every), np.arange(space.size))


@pytest.mark.parametrize("space", [FOUR, FIVE], ids=["4", "5"])
def test_every_drawing_is_found_and_different_cells_are_not_isomorphic(space):
    """Exhaustive: all drawings, also those that need pruning, against brute force over the orders of vertices."""
    expected, drawings = [], []
    for matrix, labels in every_drawing(space.vertices):
        cell = pruned(matrix, labels)
        if cell is not None and sum(map(sum, cell[0])) <= 9:
            expected.append(canonical(*cell))
            drawings.append(codes(space, matrix, labels))
    found = space.index(drawings).tolist()
    assert set(found) == set(range(space.size))
    assert len(set(expected)) == len(set(zip(found, expected, strict=True))) == space.size


def test_any_order_of_vertices_is_the_same_cell():
    random = np.random.default_rng(1)
    for index in some(SEVEN, 60):
        cell = plain(SEVEN, index)
        drawings = [redraw(*cell, order) for order in orders(len(cell[0]))]
        drawings = [drawing for drawing in drawings if upper_triangular(drawing[0])]
        assert set(SEVEN.index([codes(SEVEN, *drawing) for drawing in drawings]).tolist()) == {index}
        assert SEVEN.parse(text(*drawings[random.integers(len(drawings))])) == index


def test_cells_with_equal_degrees_are_not_isomorphic():
    """Cells that look most alike, by degrees and operations, among many: brute force tells them apart."""
    alike = {}
    for index in np.random.default_rng(2).choice(SEVEN.size, 4000, replace=False).tolist():
        matrix, labels = plain(SEVEN, index)
        looks = sorted(zip(map(sum, matrix), map(sum, zip(*matrix, strict=True)), labels, strict=True))
        alike.setdefault(repr(looks), []).append((matrix, labels))
    groups = [group for group in alike.values() if len(group) > 1][:60]
    assert len(groups) > 20
    for group in groups:
        assert len({canonical(*cell) for cell in group}) == len(group)


@pytest.mark.parametrize("space", [FOUR, FIVE, SEVEN], ids=["4", "5", "7"])
def test_hashes_are_the_published_function_and_the_order(space):
    for index in some(space, 60):
        assert space.module_hash(index) == plain_hash(*plain(space, index))
    hashes = space.module_hashes(np.arange(space.size))
    assert all(before < after for before, after in itertools.pairwise(hashes)), "not ascending, or not all different"


def test_published_hashes():
    # The Inception-like cell of the official documentation, and the first one of the published data.
    inception = (
        "[[0,1,1,1,0,1,0],[0,0,0,0,0,0,1],[0,0,0,0,0,0,1],[0,0,0,0,1,0,0],[0,0,0,0,0,0,1],[0,0,0,0,0,0,1],"
        "[0,0,0,0,0,0,0]] ['input','conv1x1-bn-relu','conv3x3-bn-relu','conv3x3-bn-relu','conv3x3-bn-relu',"
        "'maxpool3x3','output']"
    )
    assert SEVEN.module_hash(SEVEN.parse(inception)) == "28cfc7874f6d200472e1a9dcd8650aa0"
    assert SEVEN.module_hash(0) == "00005c142e6f48ac74fdcf73e3439874"
    assert SEVEN.format(0) == (
        "[[0,1,0,0,1,1,0],[0,0,1,0,0,0,0],[0,0,0,1,0,0,1],[0,0,0,0,0,1,0],[0,0,0,0,0,1,0],[0,0,0,0,0,0,1],"
        "[0,0,0,0,0,0,0]] ['input','conv3x3-bn-relu','maxpool3x3','conv3x3-bn-relu','conv3x3-bn-relu',"
        "'conv1x1-bn-relu','output']"
    )


@pytest.mark.mirror
@pytest.mark.parametrize("space", [FOUR, FIVE], ids=["4", "5"])
def test_published_cells_have_our_hashes_and_our_drawings(mirror, space):
    content = (mirror / EC_NAS / f"energy_{space.vertices}V9E.tfrecord").read_bytes()
    published = {}
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        record, content = content[12 : 12 + length], content[16 + length :]
        module_hash, _, bits, names, _ = json.loads(record)
        size = int(len(bits) ** 0.5)
        rows = [[int(bit) for bit in bits[size * row : size * (row + 1)]] for row in range(size)]
        published[module_hash] = f"{rows} {names.split(',')}".replace(", ", ",")
    assert sorted(published.items()) == [(space.module_hash(i), space.format(i)) for i in range(space.size)]


@pytest.mark.parametrize("length", [0, 1, 55, 56, 63, 64, 119, 120, 252])
def test_many_digests_at_once_are_those_of_hashlib(length):
    messages = np.random.default_rng(length).integers(0, 256, (3, length), dtype=np.uint8)
    assert [d.tobytes() for d in md5(messages)] == [hashlib.md5(m.tobytes()).digest() for m in messages]


def test_digests_of_more_messages_than_fit_into_a_batch():
    messages = np.arange(20_000, dtype=np.uint32)[:, None].view(np.uint8)
    digests = md5(messages)
    for row in (0, 8_191, 8_192, 19_999):
        assert digests[row].tobytes() == hashlib.md5(messages[row].tobytes()).digest()


# Notation, pruning and errors.


@given(st.data())
@settings(max_examples=60)
def test_any_drawing_is_pruned_as_published_or_refused(data):
    size = data.draw(st.integers(2, 7))
    labels = [-1, *data.draw(st.lists(st.integers(0, 2), min_size=size - 2, max_size=size - 2)), -2]
    matrix = [[int(v > u and data.draw(st.booleans())) for v in range(size)] for u in range(size)]
    cell = pruned(matrix, labels)
    if cell is None:
        with pytest.raises(OutOfSpaceError, match="does not lead to its output"):
            SEVEN.parse(text(matrix, labels))
    elif sum(map(sum, cell[0])) > 9:
        with pytest.raises(OutOfSpaceError, match="at most 9 edges"):
            SEVEN.parse(text(matrix, labels))
    else:
        index = SEVEN.parse(text(matrix, labels))
        assert canonical(*plain(SEVEN, index)) == canonical(*cell)
        assert SEVEN.module_hash(index) == plain_hash(*cell)


def test_names_of_a_cell_lead_back_to_it():
    for index in some(SEVEN, 30):
        assert SEVEN.parse(SEVEN.format(index)) == index
        assert SEVEN.resolve(SEVEN.module_hash(index)) == index
        assert SEVEN.parse(f" {SEVEN.module_hash(index).upper()} ") == index
    spaced = SEVEN.format(0).replace(",", " , ").replace("'", '"').replace("]] [", " ] ], [ ")
    assert SEVEN.parse(f"[{spaced}]") == 0


def test_a_cell_is_what_its_network_takes():
    adjacency, names = FIVE.cell(FIVE.parse("[[0,1,1],[0,0,1],[0,0,0]] ['input','maxpool3x3','output']"))
    assert adjacency.dtype == bool
    assert adjacency.tolist() == [[False, True, True], [False, False, True], [False] * 3]
    assert names == ["maxpool3x3"]
    assert Cell101Space(2).cell(0)[1] == []


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("", "malformed cell ''; write its module hash, or matrix"),
        ("[[0,2],[0,0]] ['input','output']", "malformed cell"),
        ("[[0,1],[0,0]]", "malformed cell"),
        ("0" * 32, "no cell of at most 5 vertices has the module hash 0000"),
        ("f" * 32, "no cell of at most 5 vertices has the module hash ffff"),
        ("[[0,1],[0,0,0]] ['input','output']", "must be square, its 2 rows have 2, 3 entries"),
        ("[[0]] ['input']", "2 to 5 vertices, this one has 1"),
        (f"[{','.join(['[0,0,0,0,0,0]'] * 6)}] ['input','output']", "2 to 5 vertices, this one has 6"),
        ("[[0,1],[1,0]] ['input','output']", "upper triangular; it has an edge from vertex 1 to 0"),
        ("[[0,1],[0,1]] ['input','output']", "upper triangular; it has an edge from vertex 1 to 1"),
        ("[[0,1],[0,0]] ['output','input']", "has 2 names, first 'input', last 'output'; got output, input"),
        ("[[0,1],[0,0]] ['input','maxpool3x3','output']", "a cell of 2 vertices has 2 names"),
        ("[[0,1,0],[0,0,1],[0,0,0]] ['input','conv5x5','output']", "unknown operation 'conv5x5' of vertex 1"),
        ("[[0,1,0],[0,0,0],[0,0,0]] ['input','maxpool3x3','output']", "input of the cell does not lead to its output"),
    ],
)
def test_errors_name_the_offending_part(cell, reason):
    with pytest.raises(OutOfSpaceError, match=reason):
        FIVE.parse(cell)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([1, 0, 0, 0, 0, 0, 1, 0], "has 13 integer codes"),
        ([1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 1], "vertex 2 has no operation, but a vertex after it has"),
        ([1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0], "edge from vertex 1 to 4, but the output is vertex 2"),
        ([1] * 10 + [1] * 3, "at most 9 edges, this one has 10 after pruning"),
        ([0] * 13, "does not lead to its output"),
    ],
)
def test_codes_that_are_no_cell_are_refused(row, reason):
    with pytest.raises(OutOfSpaceError, match=reason):
        FIVE.index([FIVE.codes(0).tolist(), row] if len(row) == 13 else row)


@pytest.mark.parametrize("vertices", [1, 8, 5.0, True, "5", None])
def test_spaces_of_other_sizes_are_refused(vertices):
    with pytest.raises(ParameterError, match=r"vertices must be (from 2 to 7|a whole number), got"):
        Cell101Space(vertices)


def test_the_space_is_made_from_its_description():
    assert spaces.make_space({"name": "cell101", "vertices": 5}).size == 2_532
    assert spaces.make_space({"name": "cell101"}).size == 423_624


# Neighbours.


def plain_neighbors(space, edits_of):
    """Every edit of every drawing of the given cells, by brute force: pairs (cell, where it leads)."""
    pairs = set()
    for index in edits_of:
        matrix, labels = plain(space, index)
        size = len(matrix)
        edited = []
        for order in orders(size):
            redrawn, names = redraw(matrix, labels, order)
            if not upper_triangular(redrawn):
                continue
            for u, v in itertools.combinations(range(size), 2):
                changed = [row[:] for row in redrawn]
                changed[u][v] ^= 1
                edited.append((changed, names))
        for vertex, label in itertools.product(range(1, size - 1), range(3)):
            edited.append((matrix, [*labels[:vertex], label, *labels[vertex + 1 :]]))
        for cell in edited:
            small = pruned(*cell)
            if small is not None and sum(map(sum, small[0])) <= 9:
                pairs.add((index, int(space.index(codes(space, *small)))))
    return {(one, other) for one, other in pairs if one != other}


def listed(space, cells):
    return {(one, other) for one in cells for other in space.neighbors(one).tolist()}


def test_neighbors_are_one_edit_away_one_way_or_the_other():
    edits = plain_neighbors(FOUR, range(FOUR.size))
    assert listed(FOUR, range(FOUR.size)) == edits | {(other, one) for one, other in edits}


def test_neighbors_of_large_cells():
    cells = np.random.default_rng(3).choice(SEVEN.size, 6, replace=False).tolist()
    edits = plain_neighbors(SEVEN, cells)
    there = listed(SEVEN, cells)
    assert edits <= there
    only_back = sorted(there - edits)[:8]
    back = plain_neighbors(SEVEN, {other for _, other in only_back})
    assert {(other, one) for one, other in only_back} <= back


def test_neighbors_and_mutations_agree_with_each_other():
    table = FIVE.neighbor_table
    assert np.array_equal(FIVE.neighbors(np.arange(FIVE.size)), table)
    assert table.shape[1] == FIVE.degree(np.arange(FIVE.size)).max()
    index = np.arange(FIVE.size)
    for uniform in (0.0, 0.4, 1 - 2**-53):
        expected = table[index, (uniform * FIVE.degree(index)).astype(int)]
        assert np.array_equal(FIVE.mutate(index, np.full(FIVE.size, uniform)), expected)


def test_the_largest_space_has_neighbors_but_no_table_of_them():
    random = np.random.default_rng(4)
    index = SEVEN.sample(random.random(1000))
    mutated = SEVEN.mutate(index, random.random(1000))
    assert (mutated != index).all()
    for one, other in zip(index[:50].tolist(), mutated[:50].tolist(), strict=True):
        assert other in SEVEN.neighbors(one)
        assert one in SEVEN.neighbors(other)
    with pytest.raises(ParameterError, match=r"up to 52602 neighbours, too many for one table"):
        SEVEN.neighbor_table  # noqa: B018


def test_neighbors_by_their_place():
    random = np.random.default_rng(5)
    index = SEVEN.sample(random.random((20, 2)))
    place = (random.random((20, 2)) * SEVEN.degree(index)).astype(int)
    found = SEVEN.neighbor_at(index, place)
    assert found.shape == (20, 2)
    for one, where, neighbor in zip(index.flat, place.flat, found.flat, strict=True):
        assert SEVEN.neighbors(int(one))[where] == neighbor
    for wrong in (-1, SEVEN.degree(0)):
        with pytest.raises(OutOfSpaceError, match="below the degree of its cell"):
            SEVEN.neighbor_at(0, wrong)


def test_a_space_of_one_cell_has_no_neighbors():
    single = Cell101Space(2)
    assert single.neighbors(0).shape == (0,)
    assert single.neighbors(np.array([0, 0])).tolist() == [[-1], [-1]]
    assert single.mutate(np.array([0]), np.array([0.9])).tolist() == [0]
