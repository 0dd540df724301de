"""Drawn architectures: their nodes and edges are those of the codes, and nothing lies on anything else."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasbench_lab import spaces
from nasbench_lab.errors import OutOfSpaceError, ParameterError
from nasbench_lab.report.layout.architecture import architecture_graph
from nasbench_lab.report.layout.graph import text_size
from nasbench_lab.report.layout.layers import layered_graph
from nasbench_lab.spaces import Graph, GraphEdge, GraphNode, gnn, size, topology, trans_macro, trans_micro
from nasbench_lab.spaces.graph import cell_graph, layer_graph, operation_graph

CHOICES = [("kernel", [3, 5]), ("width of the first layer", [16, 32, 64]), ("optimiser", ["adam", "sgd"])]
LAYERS = [["conv3x3-4", "conv5x5-16"], ["relu", "tanh"], ["max-pool", "identity"], ["dense-64", "identity"]]
SPACES = {
    "topology": spaces.TopologySpace(),
    "trans-micro": spaces.TransMicroSpace(),
    "trans-macro": spaces.TransMacroSpace(),
    "size": spaces.SizeSpace(),
    "gnn": spaces.GnnSpace(),
    "cell101": spaces.Cell101Space(5),
    "chain": spaces.ChainSpace("012", 8),
    "layer-chain": spaces.LayerChainSpace(LAYERS),
    "darts": spaces.DartsSpace(),
    "product": spaces.ProductOfSpaces(
        {
            "cell": spaces.TopologySpace(),
            "cells": spaces.DartsSpace(2),
            "chain": spaces.LayerChainSpace([["relu"], ["tanh"], ["skip-1", "identity"], ["tanh", "skip-2"]]),
        }
    ),
    "hierarchical": spaces.make_space(
        {
            "name": "hierarchical",
            "start": "NETWORK",
            "productions": {
                "NETWORK": ["Linear2(STAGE, CELL)", "Residual2(CELL, STAGE, STAGE)"],
                "STAGE": ["CELL", "Linear2(CELL, CELL)"],
                "CELL": ["Cell(OPERATION, OPERATION, OPERATION)"],
                "OPERATION": ["zero", "id", "conv3x3"],
            },
        }
    ),
    "choices": spaces.ChoicesSpace(CHOICES),
    "listed-choices": spaces.ListedChoicesSpace.of(CHOICES, [[0, 1, 1], [1, 2, 0]]),
    "listed": spaces.ListedSpace(["resnet18", "a network with quite a long name " * 5]),
    "recurrent-cells": spaces.RecurrentCellSpace(
        "Lx,a;T0|1\nLx,a;S0;La,1;S2;Lx,3;R4;Lx,5;T6;Lx,7;R8|9\nLx,a;La,b;S0;P1,2|0,3"
    ),
    "subset": spaces.SubsetSpace(spaces.TopologySpace(), [0, 7, 15624]),
}
EVERY = pytest.mark.parametrize("name", SPACES)


def some(name):
    return st.integers(0, SPACES[name].size - 1)


def links(graph):
    return [(edge.source, edge.target) for edge in graph.edges]


def operations(graph):
    return [node.label for node in graph.nodes if node.kind == "operation"]


def test_all_spaces_are_tried():
    assert set(SPACES) == set(spaces.list_spaces())


# What is drawn is what the codes say.


@pytest.mark.parametrize(("name", "module"), [("topology", topology), ("trans-micro", trans_micro)])
@given(data=st.data())
@settings(max_examples=20)
def test_cells_have_their_operations_on_their_edges(name, module, data):
    index = data.draw(some(name))
    graph = architecture_graph(SPACES[name], index)
    codes = SPACES[name].codes(index)
    assert [node.label for node in graph.nodes] == ["0", "1", "2", "3"]
    assert tuple(links(graph)) == module.EDGES
    assert [edge.label for edge in graph.edges] == [module.OPERATIONS[code] for code in codes]
    assert [edge.kind == "none" for edge in graph.edges] == [edge.label == "none" for edge in graph.edges]


@given(some("cell101"))
@settings(max_examples=40)
def test_a_cell101_is_its_canonical_drawing(index):
    space = SPACES["cell101"]
    graph = architecture_graph(space, index)
    adjacency, names = space.cell(index)
    assert [node.label for node in graph.nodes] == ["input", *names, "output"]
    assert sorted(links(graph)) == [tuple(pair) for pair in np.argwhere(adjacency).tolist()]
    for source, target in links(graph):
        assert graph.nodes[source].y < graph.nodes[target].y, "arrows lead downwards"


@given(some("gnn"))
@settings(max_examples=40)
def test_a_gnn_is_a_tree_whose_leaves_lead_to_the_output(index):
    space = SPACES["gnn"]
    graph = architecture_graph(space, index)
    tree, *codes = space.codes(index).tolist()
    assert operations(graph) == [space.operations[code] for code in codes]
    inner = [link for link in links(graph) if link[1] < 5]
    assert inner == [(origin, node) for node, origin in enumerate(gnn.LINKS[tree], start=1)]
    leaves = {1, 2, 3, 4} - set(gnn.LINKS[tree])
    assert {source for source, target in links(graph) if target == 5} == leaves


@pytest.mark.parametrize("name", ["chain", "layer-chain", "size", "trans-macro"])
@given(data=st.data())
@settings(max_examples=15)
def test_chains_have_their_layers_in_order(name, data):
    space, index = SPACES[name], data.draw(some(name))
    codes = space.codes(index).tolist()
    expected = {
        "chain": lambda: [space.choices[code] for code in codes],
        "layer-chain": lambda: list(space.names(codes)),
        "size": lambda: [f"{size.CHANNELS[code]} channels" for code in codes],
        "trans-macro": lambda: [code for code in codes if code < len(trans_macro.KINDS)],
    }[name]()
    graph = architecture_graph(space, index)
    drawn = operations(graph)
    if name == "trans-macro":
        kinds = ["plain", "channels x2", "resolution /2", "channels x2,\nresolution /2"]
        drawn = [kinds.index(label) for label in drawn]
    assert drawn == expected
    assert links(graph) == list(itertools.pairwise(range(len(graph.nodes))))


@pytest.mark.parametrize("name", ["choices", "listed-choices"])
def test_choices_stand_beside_each_other_without_arrows(name):
    graph = architecture_graph(SPACES[name], 1)
    parts = [label.replace(" = ", "=") for label in operations(graph)]
    assert ",".join(parts) == SPACES[name].format(1)
    assert not graph.edges


def test_names_without_structure_are_text():
    graph = architecture_graph(SPACES["listed"], 1)
    (node,) = graph.nodes
    assert node.kind == "text"
    assert node.label.replace("\n", " ").strip() == SPACES["listed"].names[1].strip()
    assert "\n" in node.label


# Nothing lies on anything else.


def box(node, grow=0.0):
    return (
        node.x - node.width / 2 - grow,
        node.x + node.width / 2 + grow,
        node.y - node.height / 2 - grow,
        node.y + node.height / 2 + grow,
    )


def label_box(edge):
    width, height = text_size(edge.label)
    x, y = edge.label_at
    return x - width / 2, x + width / 2, y - height / 2 + 0.2, y + height / 2 - 0.2


def overlap(one, other):
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]


def points(edge, count=30):
    curve = np.array(edge.curve)
    assert len(curve) % 3 == 1
    t = np.linspace(0, 1, count)[:, None]
    pieces = [
        (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d
        for a, b, c, d in (curve[place : place + 4] for place in range(0, len(curve) - 1, 3))
    ]
    return np.concatenate(pieces)


def check_layout(graph):
    boxes = [box(node) for node in graph.nodes]
    for one, other in itertools.combinations(boxes, 2):
        assert not overlap(one, other)
    for left, right, top, bottom in boxes:
        assert left >= 0
        assert right <= graph.width
        assert top >= 0
        assert bottom <= graph.height
    for node in graph.nodes:
        width, height = text_size(node.label)
        assert width <= node.width + 1e-3 or node.kind == "state"
        assert height <= node.height + 1e-3
    for edge in graph.edges:
        drawn = points(edge)
        assert (drawn >= 0).all()
        assert (drawn <= [graph.width, graph.height]).all()
        for place, node in enumerate(graph.nodes):
            left, right, top, bottom = box(node, grow=-1e-3)
            inside = (drawn > [left, top]).all(axis=1) & (drawn < [right, bottom]).all(axis=1)
            if place in (edge.source, edge.target) and node.kind == "state":
                continue  # a circle does not fill its box
            assert not inside.any(), (edge, node)
    labelled = [edge for edge in graph.edges if edge.label]
    for edge in labelled:
        assert not any(overlap(label_box(edge), other) for other in boxes)
    for one, other in itertools.combinations(labelled, 2):
        assert not overlap(label_box(one), label_box(other))
    for edge, other in itertools.permutations(labelled, 2):
        left, right, top, bottom = label_box(edge)
        drawn = points(other)
        assert not ((drawn > [left, top]) & (drawn < [right, bottom])).all(axis=1).any(), "a label is crossed out"


@EVERY
@given(data=st.data())
@settings(max_examples=15)
def test_nothing_overlaps(name, data):
    check_layout(architecture_graph(SPACES[name], data.draw(some(name))))


@given(data=st.data())
@settings(max_examples=60)
def test_any_layered_graph_is_clear(data):
    """Graphs with up to nine vertices and any links: more than any space has."""
    vertices = data.draw(st.integers(2, 9))
    pairs = list(itertools.combinations(range(vertices), 2))
    chosen = data.draw(st.lists(st.sampled_from(pairs), unique=True, min_size=1))
    labels = [data.draw(st.sampled_from(["a", "conv3x3-bn-relu", "maxpool"])) for _ in range(vertices)]
    graph = layered_graph("", labels, ["operation"] * vertices, chosen)
    assert links(graph) == chosen
    check_layout(graph)


@given(data=st.data())
@settings(max_examples=15)
def test_arrows_end_at_the_borders_of_boxes(data):
    name = data.draw(st.sampled_from(["cell101", "gnn", "chain", "topology"]))
    graph = architecture_graph(SPACES[name], data.draw(some(name)))
    for edge in graph.edges:
        for point, place in ((edge.curve[0], edge.source), (edge.curve[-1], edge.target)):
            left, right, top, bottom = box(graph.nodes[place], grow=1e-3)
            assert left <= point[0] <= right
            assert top <= point[1] <= bottom


def test_rows_are_as_wide_as_asked_for():
    space = SPACES["layer-chain"]
    wide, narrow = architecture_graph(space, 0), architecture_graph(space, 0, row_width=20)
    assert narrow.width < wide.width
    assert narrow.height > wide.height
    assert links(narrow) == links(wide)
    check_layout(narrow)


def test_the_same_architecture_is_the_same_graph():
    space = SPACES["cell101"]
    assert architecture_graph(space, 7) == architecture_graph(space, space.format(7))
    with pytest.raises(OutOfSpaceError):
        architecture_graph(space, space.size)


def test_in_words():
    graph = architecture_graph(SPACES["topology"], 6111)
    assert graph.description.startswith("0 leads to 1 through nor_conv_3x3; 0 leads to 2 through nor_conv_3x3")
    assert architecture_graph(SPACES["choices"], 0).description == (
        "kernel = 3, width of the first layer = 16, optimiser = adam"
    )
    assert graph.name == SPACES["topology"].format(6111)


# Graphs of spaces of other packages.


class Drawn(spaces.ProductSpace):
    """A space of one architecture with this graph."""

    def __init__(self, graph):
        super().__init__("drawn", (1,))
        self._graph = graph

    def parse_one(self, text):
        return (0,)

    def format_one(self, codes):
        return "drawn"

    def graph(self, index):
        return self._graph


LARGE_CELL = cell_graph(
    ["conv", "none", "skip", "conv", "pool", "conv"], [(0, 1), (0, 2), (1, 2), (0, 3), (2, 3), (3, 4)]
)


def test_a_large_cell_is_drawn_with_its_operations_in_nodes():
    graph = architecture_graph(Drawn(LARGE_CELL), 0)
    check_layout(graph)
    assert sorted(operations(graph)) == sorted(edge.label for edge in LARGE_CELL.edges)
    assert [node.label for node in graph.nodes if node.kind == "state"] == ["0", "1", "2", "3", "4"]
    assert len(graph.edges) == 2 * len(LARGE_CELL.edges)
    assert [edge.kind for edge in graph.edges].count("none") == 2
    assert "2 leads to pool" in graph.description
    assert "pool leads to 3" in graph.description
    for source, target in links(graph):
        assert graph.nodes[source].y < graph.nodes[target].y


def test_labels_of_several_lines_do_not_overlap_in_layers():
    edges = [(0, 1), (0, 2), (1, 3), (2, 3), (0, 3)]
    graph = architecture_graph(Drawn(operation_graph(["conv\n3x3\nrelu", "a"], edges)), 0)
    check_layout(graph)
    assert len({node.height for node in graph.nodes}) == 1


@given(st.lists(st.text("ab \n", min_size=1, max_size=90), min_size=1, max_size=9))
def test_rows_of_any_labels_do_not_overlap(labels):
    check_layout(architecture_graph(Drawn(layer_graph(labels)), 0))


@pytest.mark.parametrize(
    ("nodes", "edges", "arrangement", "reason"),
    [
        (0, [], "row", "at least one node"),
        (2, [(1, 0)], "layers", "to a later one, 0 to 1, got 1 to 0"),
        (2, [(0, 2)], "layers", "got 0 to 2"),
        (3, [(0, 2)], "row", "from a node to the next, got 0 to 2"),
        (3, [(0, 2), (0, 2)], "arcs", "different pairs"),
    ],
)
def test_graphs_that_cannot_be_drawn_are_refused(nodes, edges, arrangement, reason):
    with pytest.raises(ParameterError, match=reason):
        Graph(tuple(GraphNode("a") for _ in range(nodes)), tuple(GraphEdge(*edge) for edge in edges), arrangement)
