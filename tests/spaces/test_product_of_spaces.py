"""Products of spaces against plain loops over their parts."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasbench_lab import spaces
from nasbench_lab.errors import DataError, OutOfSpaceError, ParameterError
from nasbench_lab.spaces import ProductOfSpaces, make_space, unlisted
from nasbench_lab.spaces.product_of_spaces import join_notations, split_notation

CELLS = spaces.Cell101Space(3)
CHAIN = spaces.ChainSpace("ab", 2)
NAMES = spaces.ListedSpace(["a;b", "c\\", "3"])
PART = spaces.SubsetSpace(spaces.TopologySpace(), [5, 11, 1462])
SMALL = ProductOfSpaces([CELLS, CHAIN, NAMES])
LARGE = ProductOfSpaces(
    {
        "cell": spaces.TopologySpace(),
        "widths": spaces.SizeSpace(),
        "vertices": spaces.Cell101Space(4),
        "chain": spaces.ChainSpace("012", 17),
    }
)
ALL = {"small": SMALL, "with a subset": ProductOfSpaces([PART, CHAIN]), "nested": ProductOfSpaces([SMALL, NAMES])}


def test_sizes():
    assert SMALL.size == CELLS.size * 4 * 3
    assert LARGE.size == 15_625 * 32_768 * spaces.Cell101Space(4).size * 3**17
    assert LARGE.size > 2**62
    assert not LARGE.is_listed
    with pytest.raises(ParameterError, match=r"at most 2\*\*63 - 1 architectures, got 15,625 x 1,076,746") as error:
        ProductOfSpaces([spaces.TopologySpace(), spaces.DartsSpace()])
    assert "\n" not in str(error.value)
    just = ProductOfSpaces([spaces.ChainSpace("01", 61), spaces.ChainSpace("012", 1)])
    assert just.size == 3 * 2**61
    assert just.index(just.codes(just.size - 1)) == just.size - 1


@pytest.mark.parametrize("name", ALL)
def test_a_small_product_is_what_loops_give(name):
    space = ALL[name]
    every = list(itertools.product(*(range(part.space.size) for part in space.parts)))
    assert len(every) == space.size
    index = np.arange(space.size)
    assert list(zip(*(each.tolist() for each in space.indices_of_parts(index)), strict=True)) == every
    assert space.from_parts(list(np.array(every).T)).tolist() == index.tolist()
    number = {parts: place for place, parts in enumerate(every)}
    for place in range(0, space.size, max(1, space.size // 30)):
        expected = []
        for which, part in enumerate(space.parts):
            near = part.space.neighbors(every[place][which]).tolist()
            expected += [number[(*every[place][:which], each, *every[place][which + 1 :])] for each in near]
        assert space.neighbors(place).tolist() == expected
        sizes = [int(part.space.size_of(each)) for part, each in zip(space.parts, every[place], strict=True)]
        assert space.size_of(place) == sum(sizes)
        labels = [part.space.labels(each) for part, each in zip(space.parts, every[place], strict=True)]
        assert space.labels(place) == tuple(itertools.chain(*labels))
    texts = space.format(index)
    assert len(set(texts)) == space.size
    assert space.parse(texts).tolist() == index.tolist()


def test_codes_that_are_no_architecture_of_a_part():
    random = np.random.default_rng(0)
    codes = random.integers(SMALL.cardinalities, size=(200, len(SMALL.cardinalities)))
    cells = CELLS.find(codes[:, SMALL.parts[0].codes])
    found = SMALL.find(codes)
    assert ((found < 0) == (cells < 0)).all()
    assert (found[cells >= 0] == SMALL.index(codes[cells >= 0])).all()
    with pytest.raises(OutOfSpaceError):
        SMALL.index(codes[cells < 0])


@pytest.mark.parametrize("name", ALL)
def test_listed_and_unlisted_products_move_alike(name):
    listed, computed = ALL[name], unlisted(ALL[name])
    index = np.arange(listed.size)
    uniform = np.random.default_rng(1).random(listed.size)
    assert np.array_equal(listed.mutate(index, uniform), computed.mutate(index, uniform))
    assert np.array_equal(listed.neighbors(index), computed.neighbors(index))
    assert np.array_equal(listed.degree(index), computed.degree(index))
    place = (uniform * listed.degree(index)).astype(int)
    assert np.array_equal(listed.neighbor_at(index, place), computed.neighbor_at(index, place))
    with pytest.raises(OutOfSpaceError, match="below the degree"):
        computed.neighbor_at(0, computed.degree(0))


@given(st.integers(0, LARGE.size - 1))
@settings(max_examples=25)
def test_a_large_product_at_random_indices(index):
    assert LARGE.index(LARGE.codes(index)) == index
    assert LARGE.parse(LARGE.format(index)) == index
    near = LARGE.neighbors(index)
    parts, others = LARGE.indices_of_parts(index), LARGE.indices_of_parts(near)
    changed = np.stack([other != part for other, part in zip(others, parts, strict=True)])
    assert (changed.sum(axis=0) == 1).all()
    assert len(np.unique(near)) == len(near) == LARGE.degree(index)
    assert (LARGE.neighbors(int(near[-1])) == index).any()


def test_encodings_are_those_of_the_parts():
    index = np.random.default_rng(0).integers(LARGE.size, size=(2, 3))
    each = LARGE.indices_of_parts(index)
    assert "graph" not in LARGE.encodings
    for encoding in ("one-hot", "path", "counts"):
        expected = [
            part.space.encode(numbers, encoding if encoding in part.space.encodings else "one-hot")
            for part, numbers in zip(LARGE.parts, each, strict=True)
        ]
        assert np.array_equal(LARGE.encode(index, encoding), np.concatenate(expected, axis=-1))
    assert np.array_equal(LARGE.features(index), LARGE.encode(index))
    crossed = LARGE.crossover(index, index[::-1], np.ones((2, 3, len(LARGE.cardinalities)), dtype=bool))
    assert np.array_equal(crossed, index[::-1])


@given(st.lists(st.text("ab;\\ ", max_size=6), min_size=1, max_size=4))
def test_joined_notations_are_read_in_one_way(texts):
    assert split_notation(join_notations(texts)) == texts


def test_wrong_notations_name_the_part():
    text = LARGE.format(12345678901234567)
    first, rest = text.split(";", 1)
    with pytest.raises(OutOfSpaceError, match=r"has 3 parts; an architecture of this space has 4, .*: cell, widths"):
        LARGE.parse(rest)
    with pytest.raises(OutOfSpaceError, match="part 'cell': unknown operation 'conv'"):
        LARGE.parse(first.replace(first.split("~")[0], "|conv", 1) + ";" + rest)


def test_a_product_is_made_again_from_its_description():
    for space in (*ALL.values(), LARGE):
        again = make_space(space.spec())
        assert again.spec() == space.spec()
        assert [part.label for part in again.parts] == [part.label for part in space.parts]
        assert again.format(7) == space.format(7)
    assert [part["name"] for part in SMALL.spec()["parts"]] == ["cell101", "chain", "listed"]
    assert all("label" not in part for part in SMALL.spec()["parts"])
    assert LARGE.part("widths").space.name == "size"
    with pytest.raises(ParameterError, match="no part is called 'width'; the parts are cell, widths"):
        LARGE.part("width")


def test_equal_networks_and_drawings():
    topology = spaces.TopologySpace()
    space = ProductOfSpaces([topology, CHAIN])
    rest = "|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"
    twins = topology.parse([f"|none~0{rest}", f"|nor_conv_3x3~0{rest}"])  # the convolution leads nowhere
    one, other, third = space.from_parts([[*twins, twins[0]], [1, 1, 2]]).tolist()
    form = [space.network_form(space.codes(index).tolist()) for index in (one, other, third)]
    assert form[0] == form[1] != form[2]
    graph = LARGE.graph(5)
    assert [part.title for part in graph.parts] == ["cell", "widths", "vertices", "chain"]
    with_cells = ProductOfSpaces({"cells": spaces.DartsSpace(1, ["skip_connect", "sep_conv_3x3"]), "chain": CHAIN})
    assert [part.title for part in with_cells.graph(0).parts] == [
        "cells: normal cell",
        "cells: reduction cell",
        "chain",
    ]


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ([], "a product needs 1 to 63 parts"),
        ([CHAIN] * 64, "a product needs 1 to 63 parts"),
        ([CHAIN, "size"], "which are spaces"),
        (CHAIN, "a product needs"),
        ({"": CHAIN}, "the label of a part is a text, got ''"),
        ({3: CHAIN}, "the label of a part is a text, got 3"),
    ],
)
def test_wrong_parts(parts, reason):
    with pytest.raises(ParameterError, match=reason):
        ProductOfSpaces(parts)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"parts": 3}, "must be a list of descriptions"),
        ({"parts": ["size"]}, "must be a list of descriptions"),
        ({}, "'product' lacks parts"),
        ({"parts": [], "part": []}, "space 'product': unknown key 'part'; did you mean 'parts'"),
        ({"parts": [{"name": "size", "label": "a"}, {"name": "size", "label": "a"}]}, "two parts have the label 'a'"),
        ({"parts": [{"name": "size", "label": ["a"]}]}, "label"),
        ({"parts": [{"name": "size", "channels": 3}]}, "space 'size': unknown key 'channels'"),
        ({"parts": [{"name": "darts"}, {"name": "darts"}]}, r"at most 2\*\*63 - 1"),
    ],
)
def test_wrong_descriptions(spec, reason):
    with pytest.raises(DataError, match=reason):
        make_space({"name": "product", **spec})
