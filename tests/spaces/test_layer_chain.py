"""Chains of layers: long ones, skip connections, shorthands, and what is refused."""

import hashlib
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nasbench_lab as nl
from nasbench_lab.errors import OutOfSpaceError, ParameterError
from nasbench_lab.spaces import LayerChainSpace, make_space
from nasbench_lab.spaces.chain_layers import ACTIVATIONS, KNOWN, layer_of
from nasbench_lab.spaces.chain_positions import expanded

LONG = LayerChainSpace([{"choices": ["conv{3x3,5x5}-8", "identity"], "repeat": 20}])


def test_a_long_chain():
    assert LONG.size == 3**20
    assert not LONG.is_listed
    text = "|".join(["conv3x3-8", "conv5x5-8", "identity"] * 6 + ["identity"] * 2)
    index = LONG.parse(text)
    assert LONG.format(index) == text
    assert index == int("".join(str(["conv3x3-8", "conv5x5-8", "identity"].index(name)) for name in text.split("|")), 3)
    assert len(LONG.neighbors(index)) == 40
    longest = LayerChainSpace([["relu", "tanh"]] * 62 + [["identity"]] * 900)
    assert longest.size == 2**62
    assert longest.parse(longest.format(2**62 - 1)) == 2**62 - 1


def test_the_embedded_table_has_the_space_that_it_was_built_with():
    """Its notation, in order, byte for byte, as before chains had other layers."""
    space = nl.load("digits/chain").space
    notation = "\n".join(space.format(np.arange(space.size)))
    layers = [list(choices) for choices in space.layers]
    assert space.spec() == {"name": "layer-chain", "layers": layers}
    assert notation == "\n".join("|".join(names) for names in itertools.product(*layers))
    assert hashlib.sha256(notation.encode()).hexdigest().startswith(DIGITS_CHAIN)


DIGITS_CHAIN = "cfa5bff00a4ce4cd"


@pytest.mark.parametrize(
    "name",
    [
        *("conv1x1-1", "conv11x11-512", "separable3x3-16", "depthwise5x5", "max-pool", "avg-pool", "global-avg-pool"),
        *("dense-10", "batch-norm", "dropout-0.5", "dropout-0.125", "skip-1", "skip-12", "identity", *ACTIVATIONS),
    ],
)
def test_names_of_layers(name):
    layer = layer_of(name)
    assert layer.name == name
    assert layer.kind.split("-")[0] in KNOWN or layer.kind == "activation"
    assert LayerChainSpace([["relu"]] * 12 + [[name]]).format(0).endswith(f"|{name}")


@given(st.text(max_size=30))
@settings(max_examples=30)
def test_other_names_are_refused_in_one_line(text):
    try:
        layer_of(text)
    except OutOfSpaceError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ([], "at least one position"),
        ("relu", "at least one position, got 'relu'"),
        ({"choices": ["relu"]}, "must be a list of at least one position"),
        ([[]], "position 0 of a chain needs a list"),
        (["relu"], "needs a list of names of layers, got 'relu'"),
        ([["relu", 3]], "needs a list of names of layers"),
        ([["relu", "relu"]], "different layers, got .'relu', 'relu'"),
        ([["conv{3x3,3x3}-8"]], "different layers"),
        ([["conv3x5-8"]], "'conv3x5-8' is not a layer; known: convKxK-N, separable"),
        ([["conv2x2-8"]], "'conv2x2-8' is not a layer"),
        ([["conv3x3-0"]], "is not a layer"),
        ([["dropout-0.0"]], "is not a layer"),
        ([["dropout-1.5"]], "is not a layer"),
        ([["relu"], ["skip-2"]], "'skip-2' at position 1 of a chain reaches back before its input; at most skip-1"),
        ([["skip-1"]], "no skip connection is possible there"),
        ([["dense-8"], ["conv3x3-8", "relu"]], "'conv3x3-8' at position 1 of a chain may come after a dense layer"),
        ([["dense-8", "relu"], ["depthwise3x3"]], "may come after a dense layer"),
        (
            [["global-avg-pool", "relu"], ["max-pool"]],
            "'max-pool' at position 1 of a chain may come after global-avg-pool",
        ),
        ([["relu"], ["dense-8", "identity"], ["skip-1"]], "would add an image to the output of 'dense-8'"),
        ([{"choices": ["relu"], "repeat": 0}], "repeat must be from 1 to 1000, got 0"),
        ([{"choices": ["relu"], "repeat": 10**15}], "repeat must be from 1 to 1000"),
        ([{"choices": ["relu"], "repeat": "20"}], "repeat must be a whole number"),
        ([{"choices": ["relu"], "repeats": 3}], "unknown key of a position 'repeats'; did you mean 'repeat'"),
        ([{"repeat": 3}], "needs 'choices', or 'layers'"),
        ([{"choices": ["relu"], "layers": [["relu"]]}], "needs 'choices', or 'layers'"),
        ([{"choices": ["relu"], "repeat": 1000}] * 1000, "at most 1000 positions"),
        ([{"layers": [{"layers": [["relu"]] * 1000, "repeat": 1000}], "repeat": 1000}], "at most 1000 positions"),
        ([{"choices": ["relu", "tanh"], "repeat": 64}], "a space can have at most 9223372036854775807"),
        ([["{a,b}" * 200]], "at most 127 choices"),
        ([["{a}" * 10_000]], "needs a list of names"),
        ([[f"dense-{n}" for n in range(1, 129)]], "at most 127 choices"),
    ],
)
def test_wrong_layers_say_what_is_wrong(layers, reason):
    from nasbench_lab.errors import NasbenchLabError

    with pytest.raises(NasbenchLabError, match=reason) as error:
        LayerChainSpace(layers)
    assert len(str(error.value)) < 400
    assert "\n" not in str(error.value)


def test_skip_connections_between_vectors_are_allowed():
    space = LayerChainSpace([["dense-8", "dense-16"], ["relu"], ["dense-8", "identity"], ["skip-2", "identity"]])
    assert space.size == 8


def test_shorthands_stand_for_what_one_would_write():
    choices = ["conv{3x3,5x5}-{8,16}", "identity"]
    written = ["conv3x3-8", "conv3x3-16", "conv5x5-8", "conv5x5-16", "identity"]
    block = [{"choices": choices}, {"choices": ["relu", "skip-1"], "repeat": 2}]
    layers = [choices, {"layers": block, "repeat": 2}]
    plain = [written, *([written, ["relu", "skip-1"], ["relu", "skip-1"]] * 2)]
    assert expanded(layers) == tuple(map(tuple, plain))
    assert make_space({"name": "layer-chain", "layers": layers}).spec() == {"name": "layer-chain", "layers": plain}


def plain_value(names, weights):
    """The chain as a function of a number, every layer a different one; position by position."""
    outputs = [0.7]
    used = iter(weights)
    for name in names:
        x = outputs[-1]
        if name.startswith("skip-"):
            x = x + outputs[-1 - int(name[5:])]
        elif name == "relu":
            x = max(x, 0.0)
        elif name == "tanh":
            x = np.tanh(x) - 0.2
        elif name != "identity":
            x = next(used) * x + 0.1
        outputs.append(x)
    return outputs[-1]


NAMES = ["identity", "relu", "tanh", "conv3x3-4", "skip-1", "skip-2"]


@given(st.lists(st.sampled_from(NAMES[:4]), min_size=2, max_size=2), st.lists(st.sampled_from(NAMES), max_size=4))
@settings(max_examples=100)
def test_equal_forms_compute_the_same(first, rest):
    layers = [[name] for name in [*first, *rest]]
    space = LayerChainSpace(layers)
    names = space.names([0] * len(layers))
    without = [name for name in names if name != "identity"]
    weights = [1.3, -0.8, 0.4, 2.2, -1.1, 0.6]
    form = space.network_form([0] * len(layers))
    assert plain_value(names, weights) == pytest.approx(form_value(form, weights))
    if not any(name.startswith("skip") for name in names):
        assert len(form) <= len(without)


def form_value(form, weights):
    """What a form computes, by the numbers of its layers."""
    outputs = [0.7]
    used = iter(weights)
    for name in form:
        x = outputs[-1]
        if name.startswith("skip"):
            x = x + outputs[int(name.removeprefix("skip from "))]
        else:
            x = max(x, 0.0) if name == "relu" else np.tanh(x) - 0.2 if name == "tanh" else next(used) * x + 0.1
        outputs.append(x)
    return outputs[-1]


def test_the_same_network_in_two_notations():
    space = LayerChainSpace([["conv3x3-4"], ["identity", "relu"], ["relu", "identity"], ["tanh"], ["skip-1", "skip-2"]])
    one, other, third = space.parse(
        [
            "conv3x3-4|identity|relu|tanh|skip-1",
            "conv3x3-4|relu|identity|tanh|skip-2",
            "conv3x3-4|identity|relu|tanh|skip-2",
        ]
    )
    form = [space.network_form(space.codes(index).tolist()) for index in (one, other, third)]
    assert form[0] == form[1] != form[2]


def test_a_drawing_has_the_skip_connections():
    space = LayerChainSpace([["conv3x3-4"], ["relu"], ["skip-1"], ["skip-3"], ["identity", "skip-1"]])
    graph = space.graph(0)
    assert [node.label for node in graph.nodes] == ["input", "conv3x3-4", "relu", "+", "+", "identity", "output"]
    assert {(2 - 1, 3), (0, 4)} < {(edge.source, edge.target) for edge in graph.edges}
    assert len(graph.edges) == 6 + 2
    assert LONG.graph(0).arrangement == "row"


def test_a_position_needs_a_layer_of_the_space():
    with pytest.raises(OutOfSpaceError, match="unknown layer 'relu' at position 1"):
        LONG.parse("conv3x3-8|relu" + "|identity" * 18)
    with pytest.raises(ParameterError, match="sample"):
        LayerChainSpace([["relu", "tanh"]] * 40).sample(np.array([0.5]))
