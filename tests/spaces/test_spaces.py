"""What every space promises, as properties; oracles are plain Python over single architectures."""

import copy
import itertools
import math
import pickle

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from nasbench_lab import spaces
from nasbench_lab.errors import DataError, OutOfSpaceError, ParameterError, UnknownNameError
from nasbench_lab.spaces.gnn import PROTEINS_OPERATIONS, GnnSpace
from nasbench_lab.streams import Streams

ALL = {
    "topology": spaces.TopologySpace(),
    "gnn": spaces.GnnSpace(),
    "gnn-proteins": GnnSpace(PROTEINS_OPERATIONS),
    "chain": spaces.ChainSpace("012", 8),
    "tiny": spaces.ChainSpace("ab", 1),
    "single": spaces.ChainSpace("a", 3),
    "cell101": spaces.Cell101Space(5),
    "trans-micro": spaces.TransMicroSpace(),
    "trans-macro": spaces.TransMacroSpace(),
    "size": spaces.SizeSpace(),
    "hierarchical": spaces.HierarchicalSpace(
        "NET",
        {
            "NET": ["STAGE", "Diamond2(STAGE, CELL, id, CELL)"],
            "STAGE": ["Linear2(OP, CELL)", "OP"],
            "CELL": ["Cell(OP, zero, OP)", "Cell(OP, id, zero)"],
            "OP": ["conv1x1", "conv3x3"],
        },
    ),
    "darts": spaces.DartsSpace(2, ["skip_connect", "sep_conv_3x3"]),
    "recurrent-cells": spaces.RecurrentCellSpace("Lx,a;T0|1\nLx,a;S0|1\nLx,a;S0;P0,1|2\nLx,a;Lx,b;Ba,0,1|1,2"),
    "product": spaces.ProductOfSpaces([spaces.Cell101Space(3), spaces.ChainSpace("ab", 2)]),
}
SIZES = {
    "topology": 15_625,
    "gnn": 26_206,
    "gnn-proteins": 2_021,
    "chain": 6_561,
    "tiny": 2,
    "single": 1,
    "cell101": 2_532,
    "trans-micro": 4_096,
    "trans-macro": 3_256,
    "size": 32_768,
    "hierarchical": 518,
    "darts": 2_304,
    "recurrent-cells": 4,
    "product": 28,
}


@pytest.fixture(params=ALL, scope="module")
def space(request):
    return ALL[request.param]


def test_sizes():
    assert {name: space.size for name, space in ALL.items()} == SIZES


def test_index_codes_and_notation_are_one_to_one(space):
    every = np.arange(space.size)
    codes = space.codes(every)
    assert len(np.unique(codes, axis=0)) == space.size
    assert np.array_equal(space.index(codes), every)
    some = every[:: max(1, space.size // 500)]
    notation = space.format(some)
    assert len(set(notation)) == len(some)
    assert np.array_equal(space.parse(notation), some)
    assert space.format(int(some[-1])) == notation[-1]
    assert space.parse(notation[-1]) == some[-1]


def test_any_shape_of_indices(space):
    index = np.arange(12).reshape(2, 3, 2) % space.size
    assert space.codes(index).shape == (2, 3, 2, len(space.cardinalities))
    assert np.array_equal(space.index(space.codes(index)), index)
    assert space.neighbors(index).shape[:3] == (2, 3, 2)
    assert space.features(index).shape == (2, 3, 2, sum(space.cardinalities))
    assert space.codes(np.empty((0,), dtype=int)).shape == (0, len(space.cardinalities))
    assert len(space.parse([])) == len(space.codes([])) == len(space.format([])) == 0


def test_features_are_one_hot(space):
    index = np.arange(space.size)[:: max(1, space.size // 200)]
    features, codes = space.features(index), space.codes(index)
    assert (features.sum(axis=1) == len(space.cardinalities)).all()
    ends = np.cumsum(space.cardinalities)
    for position, (start, end) in enumerate(zip(ends - space.cardinalities, ends, strict=True)):
        assert np.array_equal(features[:, start:end].argmax(axis=1), codes[:, position])


def test_neighbors_are_mutual_distinct_and_never_the_architecture_itself(space):
    table = space.neighbor_table
    source = np.repeat(np.arange(space.size), table.shape[1])[table.reshape(-1) >= 0]
    target = table.reshape(-1)[table.reshape(-1) >= 0]
    assert (source != target).all()
    pairs = np.sort(source * space.size + target)
    assert (np.diff(pairs) > 0).all()
    assert np.array_equal(np.sort(target * space.size + source), pairs)
    present = table >= 0
    assert (present[:, :-1] >= present[:, 1:]).all(), "the padding is not at the end"
    assert np.array_equal(space.degree(np.arange(space.size)), present.sum(axis=1))


@pytest.mark.parametrize("name", ["topology", "chain"])
def test_neighbors_in_product_spaces_differ_in_one_code(name):
    space = ALL[name]
    for index in range(0, space.size, 997):
        neighbors = space.neighbors(index)
        differences = (space.codes(neighbors) != space.codes(index)).sum(axis=1)
        assert (differences == 1).all()
        assert len(neighbors) == sum(c - 1 for c in space.cardinalities)


def test_every_architecture_can_be_reached(space):
    reached = np.zeros(space.size, dtype=bool)
    frontier = np.array([0])
    while len(frontier):
        reached[frontier] = True
        around = np.unique(space.neighbors(frontier))
        frontier = around[(around >= 0) & ~reached[around]]
    assert reached.all()


def test_mutation_is_uniform_over_neighbors(space):
    random = np.random.default_rng(0)
    for index in random.integers(space.size, size=3):
        degree = int(space.degree(index))
        draws = space.mutate(np.full(200 * max(degree, 1), index), random.random(200 * max(degree, 1)))
        if degree == 0:
            assert (draws == index).all()
            continue
        neighbors, counts = np.unique(draws, return_counts=True)
        assert np.array_equal(neighbors, np.sort(space.neighbors(index)))
        if degree > 1:
            assert scipy.stats.chisquare(counts).pvalue > 1e-6


def test_groups_of_codes_can_be_searched_on_their_own(space):
    """Every code is in one group, and all combinations of what the groups can be are architectures."""
    groups = space.code_groups
    if not groups:
        with pytest.raises(ParameterError, match="depend on each other"):
            space.space_of_codes([0])
        return
    positions = sorted(place for places in groups.values() for place in places)
    assert positions == list(range(len(space.cardinalities)))
    parts = {name: space.space_of_codes(places) for name, places in groups.items()}
    assert math.prod(part.size for part in parts.values()) == space.size
    random = np.random.default_rng(0)
    codes = np.zeros((50, len(positions)), dtype=int)
    for name, places in groups.items():
        codes[:, places] = parts[name].codes(random.integers(parts[name].size, size=50))
    assert (space.find(codes) >= 0).all()


def test_sampling_covers_the_space_uniformly(space):
    drawn = space.sample(Streams(4, 0, 100).uniform(1000))
    assert drawn.shape == (100, 1000)
    cells = min(space.size, 50)
    counts = np.bincount(drawn.reshape(-1) * cells // space.size, minlength=cells)
    edges = np.ceil(np.arange(cells + 1) * space.size / cells)
    expected = np.diff(edges) / space.size * drawn.size
    if cells > 1:
        assert scipy.stats.chisquare(counts, expected).pvalue > 1e-6


@given(data=st.data())
@settings(max_examples=60)
def test_wrong_indices_and_codes_are_refused(data):
    space = ALL[data.draw(st.sampled_from(sorted(ALL)))]
    bad = data.draw(st.one_of(st.integers(space.size, 2**40), st.integers(-(2**40), -1)))
    for method in (space.codes, space.neighbors, space.degree, space.resolve):
        with pytest.raises(OutOfSpaceError, match=str(bad)):
            method(bad)
    codes = list(space.codes(0))
    position = data.draw(st.integers(0, len(codes) - 1))
    codes[position] = data.draw(st.sampled_from([-1, space.cardinalities[position], 100]))
    with pytest.raises(OutOfSpaceError, match=f"code {position} is"):
        space.index(codes)


@given(name=st.sampled_from(sorted(ALL)), text=st.text(max_size=60))
def test_arbitrary_text_is_parsed_or_refused_in_one_line(name, text):
    try:
        assert 0 <= ALL[name].parse(text) < ALL[name].size
    except OutOfSpaceError as error:
        assert "\n" not in str(error).replace(repr(text), "")


def test_wrong_types_are_refused(space):
    for wrong in (1.5, None, True, [0]):
        with pytest.raises(OutOfSpaceError):
            space.resolve(wrong)
    with pytest.raises(OutOfSpaceError):
        space.codes(np.array([0.0]))
    with pytest.raises(OutOfSpaceError):
        space.index([0] * (len(space.cardinalities) + 1))


def test_spaces_are_made_again_from_their_description(space):
    assert spaces.make_space(space.spec()) is spaces.make_space(space.spec())
    assert spaces.make_space(space.spec()).size == space.size


def test_a_space_cannot_be_changed_as_all_runs_share_it(space):
    before = dict(space.spec()), space.size, space.cardinalities
    for name in ("size", "name", "cardinalities", "of_a_strategy"):
        with pytest.raises(AttributeError, match=f"a space cannot be changed, so its {name} cannot be set"):
            setattr(space, name, 3)
    with pytest.raises(AttributeError, match="a space cannot be changed"):
        del space.size
    for method in (space.codes, space.neighbors):
        first = method(0)
        kept = first.copy()
        if first.flags.writeable:  # what a strategy does with its own array stays with it
            first[...] = -1
        assert np.array_equal(method(0), kept)
    assert (dict(space.spec()), space.size, space.cardinalities) == before


def test_copies_of_a_space_cannot_be_changed_either():
    for copied in (copy.deepcopy(ALL["tiny"]), pickle.loads(pickle.dumps(ALL["tiny"]))):
        with pytest.raises(AttributeError, match="a space cannot be changed"):
            copied.size = 3


def test_unknown_spaces_and_bad_parameters():
    with pytest.raises(UnknownNameError, match="did you mean 'topology'"):
        spaces.make_space({"name": "topologie"})
    with pytest.raises(DataError):
        spaces.make_space({"name": "chain", "choices": "012"})
    with pytest.raises(DataError):
        spaces.make_space({"name": "chain", "choices": "210", "length": 3})
    with pytest.raises(ParameterError, match="skip"):
        GnnSpace(("gcn", "gat"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("|none~0|+|none~0|none~1|", "malformed cell"),
        ("|none~0|+|none~0|none~1|+|none~0|none~1|", "node 3 .* has 2 inputs"),
        ("|none~0|+|none~0|none~1|+|none~0|none~1|none~1|", "must come from node 2"),
        ("|none~0|+|none~0|none~1|+|none~0|none~1|conv~2|", "unknown operation 'conv' on edge 2->3"),
        ("|none|+|none~0|none~1|+|none~0|none~1|none~2|", "malformed edge 'none'"),
        ("", "malformed cell"),
    ],
)
def test_topology_errors_name_the_offending_part(text, reason):
    with pytest.raises(OutOfSpaceError, match=reason):
        ALL["topology"].parse(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Arch([0, 1, 2], ['gcn', 'gin', 'fc', 'cheb'])", "malformed"),
        ("Arch([0, 1, 2, 4], ['gcn', 'gin', 'fc', 'cheb'])", "node 4 cannot take its input from 4"),
        ("Arch([0, 1, 2, 1], ['gcn', 'gin', 'fc', 'conv'])", "unknown operation 'conv' of node 4"),
        ("Arch([0, 1, 2, 1], ['skip', 'skip', 'skip', 'skip'])", "skip operations alone"),
    ],
)
def test_gnn_errors_name_the_offending_part(text, reason):
    with pytest.raises(OutOfSpaceError, match=reason):
        ALL["gnn"].parse(text)


@pytest.mark.parametrize(
    ("text", "reason"), [("0120120", "has 7 layers"), ("01201203", "unknown choice '3' for layer 7")]
)
def test_chain_errors_name_the_offending_part(text, reason):
    with pytest.raises(OutOfSpaceError, match=reason):
        ALL["chain"].parse(text)


def test_a_number_that_is_no_notation_is_an_index():
    assert ALL["chain"].resolve("6560") == 6560
    assert ALL["chain"].resolve("00000012") == 5  # eight digits are notation
    with pytest.raises(OutOfSpaceError, match=r"6561 is not in 0\.\.6560"):
        ALL["chain"].resolve("6561")
    with pytest.raises(OutOfSpaceError, match="'0000012' has 7 layers"):
        ALL["chain"].resolve("0000012")  # a layer is missing: this is not architecture 12
    with pytest.raises(OutOfSpaceError, match="unknown choice '3' for layer 7"):
        ALL["chain"].resolve("02012103")


def test_spaces_too_large_for_their_numbers_are_refused():
    too_long = ("012", 10**12), ("0", 10**12)  # as a hostile file may say; to work them out would take for ever
    for choices, length in (("012", 41), ("01", 64), ("".join(map(chr, range(200))), 1), *too_long):
        with pytest.raises(ParameterError, match="a space can have"):
            spaces.ChainSpace(choices, length)


# The topology space, against the published rules.


def test_published_numbers_of_isomorphism_classes():
    space = ALL["topology"]
    assert space.isomorphism_classes().max() + 1 == 6_466
    assert space.isomorphism_classes(consider_none=False).max() + 1 == 12_751


def test_isomorphism_classes_are_those_of_the_strings():
    space = ALL["topology"]
    classes = space.isomorphism_classes()
    some = np.random.default_rng(0).integers(space.size, size=300)
    strings = [space.unique_string(int(index)) for index in some]
    for (one, a), (other, b) in itertools.combinations(zip(strings, classes[some], strict=True), 2):
        assert (one == other) == (a == b)


def test_unique_strings_of_cells_worked_out_by_hand():
    space = ALL["topology"]
    all_none = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    assert space.unique_string(space.parse(all_none)) == "#+#+#"
    skips = "|skip_connect~0|+|none~0|none~1|+|nor_conv_3x3~0|skip_connect~1|none~2|"
    assert space.unique_string(space.parse(skips)) == "#+(0)@nor_conv_3x3+0"
    assert space.unique_string(space.parse(skips), consider_none=False) == (
        "((0)@none+(0)@none)@none+(0)@nor_conv_3x3+0"
    )


def test_find_is_index_where_there_is_an_architecture_and_says_so_where_not(space):
    random = np.random.default_rng(0)
    codes = random.integers(space.cardinalities, size=(300, len(space.cardinalities)))
    found = space.find(codes.reshape(3, 100, -1))
    assert found.shape == (3, 100)
    for row, index in zip(codes, found.reshape(-1), strict=True):
        if index >= 0:
            assert space.index(row) == index
        else:
            with pytest.raises(OutOfSpaceError):
                space.index(row)
    every = np.arange(space.size)
    assert np.array_equal(space.find(space.codes(every)), every)
    with pytest.raises(OutOfSpaceError, match="code 0 is"):
        space.find(codes[0] + np.array(space.cardinalities))


def test_children_have_their_codes_from_their_parents(space):
    random = np.random.default_rng(1)
    one, other = random.integers(space.size, size=(2, 200))
    from_other = random.random((200, len(space.cardinalities))) < 0.5
    child = space.crossover(one, other, from_other)
    if type(space).crossover is not spaces.Space.crossover:
        pytest.skip("this space makes a child of all mixed codes; see its own tests")
    wanted = np.where(from_other, space.codes(other), space.codes(one))
    expected = [index if index >= 0 else parent for index, parent in zip(space.find(wanted), one, strict=True)]
    assert child.tolist() == expected
    assert np.array_equal(space.crossover(one, other, np.zeros_like(from_other)), one)
    assert np.array_equal(space.crossover(one, other, np.ones_like(from_other)), other)
