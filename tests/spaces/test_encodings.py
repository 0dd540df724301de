"""The encodings of all spaces against plain Python, path by path."""

import itertools
import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasbench_lab import spaces
from nasbench_lab.errors import OutOfSpaceError, ParameterError, UnknownNameError
from nasbench_lab.spaces import gnn, topology, trans_micro
from nasbench_lab.spaces.operation_graphs import OperationGraphs, groups

CHOICES = [("kernel", [3, 5]), ("width", [16, 32, 64])]
SPACES = {
    "topology": spaces.TopologySpace(),
    "trans-micro": spaces.TransMicroSpace(),
    "cell101": spaces.Cell101Space(5),
    "gnn": spaces.GnnSpace(),
    "size": spaces.SizeSpace(),
    "chain": spaces.ChainSpace("012", 8),
    "layer-chain": spaces.LayerChainSpace([["relu", "tanh"], ["conv3x3-4", "identity"], ["tanh", "identity", "relu"]]),
    "trans-macro": spaces.TransMacroSpace(),
    "darts": spaces.DartsSpace(),
    "product": spaces.ProductOfSpaces([spaces.TopologySpace(), spaces.SizeSpace(), spaces.ListedSpace(["a", "b"])]),
    "choices": spaces.ChoicesSpace(CHOICES),
    "listed": spaces.ListedSpace(["resnet18", "resnet50", "vit-b16"]),
    "listed-choices": spaces.ListedChoicesSpace.of(CHOICES, [[0, 0], [1, 2], [0, 2]]),
    "recurrent-cells": spaces.RecurrentCellSpace("Lx,a;T0|1\nLx,a;S0|1\nLx,a;S0;P0,1|2"),
    "subset": spaces.SubsetSpace(spaces.TopologySpace(), [5, 11, 200, 1462, 9999]),
}
CELLS = ["topology", "trans-micro", "cell101", "gnn"]


def plain_graph(name, index):
    """The operations of a cell's vertices, by vertex, and its edges; operations on edges become vertices."""
    space = SPACES[name]
    if name == "cell101":
        adjacency, operations = space.cell(index)
        number = {operation: place for place, operation in enumerate(spaces.cell101.OPERATIONS)}
        return [number[operation] for operation in operations], list(map(tuple, np.argwhere(adjacency).tolist()))
    codes = space.codes(index).tolist()
    if name == "gnn":
        links, operations = gnn.LINKS[codes[0]], codes[1:]
        edges = [(source, node) for node, source in enumerate(links, start=1)]
        return operations, edges + [(node, 5) for node in range(1, 5) if node not in links]
    pairs = (topology if name == "topology" else trans_micro).EDGES
    kept = [(pair, code - 1) for pair, code in zip(pairs, codes, strict=True) if code]
    vertices = [((-1, 0), None), *kept, ((3, 4), None)]
    edges = [
        (a, b)
        for (a, ((_, end), _)), (b, ((start, _), _)) in itertools.combinations(enumerate(vertices), 2)
        if end == start
    ]
    return [operation for _, operation in kept], edges


def walks(edges, last, vertex=0):
    """All paths from a vertex to the last one, as inner vertices."""
    if vertex == last:
        yield ()
    for source, target in edges:
        if source == vertex:
            for rest in walks(edges, last, target):
                yield ((target,) if target != last else ()) + rest


def plain_paths(operations, edges, skip=None):
    """The sequences of operations of all paths, without skips."""
    chosen = [[operations[vertex - 1] for vertex in walk] for walk in walks(edges, len(operations) + 1)]
    return {tuple(operation for operation in path if operation != skip) for path in chosen}


def positions(paths, alphabet, longest):
    """The entries of sequences, numbered from the shortest to the longest; the first operation turns fastest."""
    numbered = {}
    for length in range(longest + 1):
        for sequence in itertools.product(alphabet, repeat=length):
            numbered[tuple(reversed(sequence))] = len(numbered)
    return len(numbered), sorted(numbered[path] for path in paths if len(path) <= longest)


def plain_features(operations, edges, group):
    """The seven graph features of a group of operations."""
    last = len(operations) + 1
    inside = [vertex for vertex, operation in enumerate(operations, start=1) if operation in group]
    lengths = [len(walk) for walk in walks(edges, last) if set(walk) <= set(inside)]
    return [
        len(inside),
        min(lengths, default=None),
        max(lengths, default=-1),
        sum((0, vertex) in edges for vertex in inside),
        sum((vertex, last) in edges for vertex in inside),
        sum(source in inside for source, _ in edges),
        sum(target in inside for _, target in edges),
    ]


def some(name, count, seed=0):
    return np.unique(np.random.default_rng(seed).integers(SPACES[name].size, size=count))


@pytest.mark.parametrize("name", SPACES)
def test_all_encodings_of_any_shape(name):
    space = SPACES[name]
    every = np.arange(min(space.size, 12))
    for encoding in space.encodings:
        vectors = space.encode(every, encoding)
        assert vectors.dtype == np.float32
        assert np.isfinite(vectors).all()
        assert space.encode(0, encoding).shape == vectors[0].shape
        assert np.array_equal(space.encode(every[:, None], encoding)[:, 0], vectors)
        assert space.encode(every[:0].reshape(0, 2), encoding).shape == (0, 2, vectors.shape[1])
    joined = "+".join(space.encodings)
    whole = np.concatenate([space.encode(every, encoding) for encoding in space.encodings], axis=1)
    assert np.array_equal(space.encode(every, joined), whole)


@pytest.mark.parametrize("name", SPACES)
def test_codes_are_the_codes(name):
    space = SPACES[name]
    if "codes" in space.encodings:
        index = some(name, 20)
        assert space.encode(index, "codes").tolist() == space.codes(index).tolist()


@pytest.mark.parametrize("name", CELLS)
def test_paths_are_those_of_plain_python(name):
    space = SPACES[name]
    none = 0 if name in ("topology", "trans-micro") else None
    operations = {"topology": 4, "trans-micro": 3, "cell101": 3, "gnn": 9}[name]
    skip = {"topology": 0, "trans-micro": 0, "gnn": gnn.OPERATIONS.index("skip")}.get(name)
    longest = {"topology": 6, "trans-micro": 6, "cell101": 3, "gnn": 4}[name]
    index = some(name, 60)
    if skip is not None:
        alphabet = [operation for operation in range(operations) if operation != skip]
        encoded = space.encode(index, "path-without-skips")
        most = 3 if name != "gnn" else 4
        for one, vector in zip(index, encoded, strict=True):
            length, expected = positions(plain_paths(*plain_graph(name, one), skip), alphabet, most)
            assert vector[:length].nonzero()[0].tolist() == expected
            assert len(vector) == length
    if none is None:
        for encoding in (one for one in space.encodings if re.fullmatch(r"path(-\d)?", one)):
            most = min(longest, int(encoding[5:] or longest))
            for one, vector in zip(index, space.encode(index, encoding), strict=True):
                length, expected = positions(plain_paths(*plain_graph(name, one)), range(operations), most)
                assert len(vector) == length
                assert vector.nonzero()[0].tolist() == expected


def test_paths_of_four_nodes_count_none_as_an_operation():
    space = SPACES["trans-micro"]
    for index in some("trans-micro", 40):
        a, b, c, d, e, f = space.codes(index).tolist()
        expected = {d, 4 + b + 4 * f, 4 + a + 4 * e, 20 + a + 4 * c + 16 * f}
        assert set(space.encode(index, "path-3").nonzero()[0].tolist()) == expected
    assert np.array_equal(space.encode(index, "path-2"), space.encode(index, "path-3")[:20])
    cells = SPACES["topology"]
    assert np.array_equal(cells.encode([1, 2], "path-2"), cells.encode([1, 2], "path")[:, :30])
    assert np.array_equal(cells.encode([1, 2], "path-1"), cells.encode([1, 2], "path")[:, :5])


def test_truncated_paths_of_nas_bench_101_begin_like_all_paths():
    space = spaces.Cell101Space(6)
    index = np.arange(0, space.size, 7)
    every = space.encode(index, "path")
    for longest, length in ((1, 4), (2, 13), (3, 40), (4, 121)):
        assert np.array_equal(space.encode(index, f"path-{longest}"), every[:, :length])


@pytest.mark.parametrize("name", CELLS)
def test_graph_features_are_those_of_plain_python(name):
    space = SPACES[name]
    index = some(name, 40, seed=1)
    operations = {"topology": 4, "trans-micro": 3, "cell101": 3, "gnn": 9}[name]
    inner = {"topology": 6, "trans-micro": 6, "cell101": 3, "gnn": 4}[name]
    encoded = space.encode(index, "graph-features").reshape(len(index), -1, 7)
    assert encoded.shape[1] == len(groups(operations))
    for one, features in zip(index, encoded, strict=True):
        graph = plain_graph(name, one)
        for group, found in zip(groups(operations), features, strict=True):
            expected = plain_features(*graph, group)
            expected[1] = inner + 1 if expected[1] is None else expected[1]
            assert found.tolist() == expected, (one, group)


@pytest.mark.parametrize("name", ["topology", "trans-micro", "cell101", "gnn", "chain", "layer-chain", "size"])
def test_counts_are_those_of_the_words(name):
    space = SPACES[name]
    for index in some(name, 20):
        words = Counter(space.labels(index))
        assert sorted(words.values()) == sorted(space.encode(index, "counts")[space.encode(index, "counts") > 0])


def test_adjacency_is_the_matrix_row_by_row():
    space = SPACES["topology"]
    matrix = np.zeros((4, 4))
    for (source, target), code in zip(topology.EDGES, space.codes(6111).tolist(), strict=True):
        matrix[source, target] = code
    assert space.encode(6111, "adjacency").tolist() == matrix[np.triu_indices(4, 1)].tolist()
    index = SPACES["gnn"].parse("Arch([0, 1, 1, 2], ['gcn', 'gin', 'cheb', 'fc'])")
    edges = [(0, 1), (1, 2), (1, 3), (2, 4), (3, 5), (4, 5)]
    expected = [float(pair in edges) for pair in itertools.combinations(range(6), 2)]
    assert SPACES["gnn"].encode(index, "adjacency").tolist() == [*expected, 2, 3, 4, 8]


def test_features_of_macro_skeletons():
    space = SPACES["trans-macro"]
    for index in some("trans-macro", 30):
        kinds = space.format(int(index)).split("-")[1]
        doubled = [sum(kind in "24" for kind in kinds[: place + 1]) * (place < len(kinds)) for place in range(6)]
        halved = [sum(kind in "34" for kind in kinds[: place + 1]) * (place < len(kinds)) for place in range(6)]
        expected = [len(kinds), *(kinds.count(kind) for kind in "1234"), *doubled, *halved]
        assert space.encode(index, "graph-features").tolist() == expected
        assert space.encode(index, "counts").tolist() == expected[1:5]


def test_useless_operations_do_not_change_paths_without_skips():
    space = spaces.TopologySpace()
    parts = space.isomorphism_classes()
    vectors = space.encode(np.arange(space.size), "path-without-skips")
    _, group = np.unique(vectors, axis=0, return_inverse=True)
    # Cells that the published rule calls equal have equal paths, but not the other way round.
    assert all(len(set(group[parts == part].tolist())) == 1 for part in range(0, parts.max() + 1, 97))
    assert len(np.unique(group)) < parts.max() + 1


def test_what_a_space_lacks_is_an_error_that_says_what_it_has():
    with pytest.raises(UnknownNameError, match="unknown encoding 'path'; known: codes, counts, one-hot"):
        SPACES["size"].encode(0, "path")
    with pytest.raises(UnknownNameError, match="unknown encoding 'graph-features'; known: one-hot"):
        SPACES["listed"].encode(0, "one-hot+graph-features")
    with pytest.raises(UnknownNameError, match="unknown encoding ''"):
        SPACES["topology"].encode(0, "path+")
    with pytest.raises(ParameterError, match=r"encoding 'path\+counts\+path' has 'path' twice"):
        SPACES["topology"].encode(0, "path+counts+path")
    with pytest.raises(ParameterError, match="an encoding is a name"):
        SPACES["topology"].encode(0, 7)
    with pytest.raises(OutOfSpaceError):
        SPACES["topology"].encode(15_625, "graph-features")


@given(
    inner=st.integers(0, 5), operations=st.integers(1, 4), n=st.integers(1, 4), data=st.data(), seed=st.integers(0, 999)
)
@settings(max_examples=40, deadline=None)
def test_any_graphs(inner, operations, n, data, seed):
    random = np.random.default_rng(seed)
    skip = data.draw(st.sampled_from([None, *range(operations)]))
    operation = random.integers(-1, operations, (n, inner))
    edge = np.triu(random.random((n, inner + 2, inner + 2)) < 0.6, 1)
    graphs = OperationGraphs(operation, edge, operations, skip)
    for row in range(n):
        kept = [0, *(vertex for vertex in range(1, inner + 1) if operation[row, vertex - 1] >= 0), inner + 1]
        edges = [(kept.index(a), kept.index(b)) for a, b in np.argwhere(edge[row]).tolist() if {a, b} <= set(kept)]
        labels = [int(operation[row, vertex - 1]) for vertex in kept[1:-1]]
        for skips in (True, False):
            left_out = None if skips else skip
            alphabet = [one for one in range(operations) if one != left_out]
            length, expected = positions(plain_paths(labels, edges, left_out), alphabet, inner)
            vector = graphs.paths(skips=skips)[row]
            assert len(vector) == length
            assert vector.nonzero()[0].tolist() == expected
        for group, found in zip(groups(operations), graphs.graph_features()[row].reshape(-1, 7), strict=True):
            wanted = plain_features(labels, edges, group)
            wanted[1] = inner + 1 if wanted[1] is None else wanted[1]
            assert found.tolist() == wanted


@pytest.mark.parametrize("name", CELLS)
def test_graphs_can_be_read_back(name):
    inner = {"topology": 6, "trans-micro": 6, "cell101": 3, "gnn": 4}[name]
    index = some(name, 40, seed=2)
    pairs = list(itertools.combinations(range(inner + 2), 2))
    for one, vector in zip(index, SPACES[name].encode(index, "graph"), strict=True):
        operations = vector[len(pairs) :]
        kept = [0, *(vertex for vertex in range(1, inner + 1) if operations[vertex - 1]), inner + 1]
        found = {pair for pair, there in zip(pairs, vector, strict=False) if there}
        assert {vertex for pair in found for vertex in pair} <= set(kept)
        edges = sorted((kept.index(source), kept.index(target)) for source, target in found)
        labels, expected = plain_graph(name, one)
        assert [int(operation) - 1 for operation in operations if operation] == labels
        assert edges == sorted(expected)
