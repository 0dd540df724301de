"""Spaces of users' tables: combinations of choices, samples of them, and names. Oracles are plain Python."""

import itertools
import json
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasbench_lab import spaces
from nasbench_lab.errors import DataError, OutOfSpaceError, ParameterError
from nasbench_lab.spaces import ChoicesSpace, ListedChoicesSpace, ListedSpace

CHOICES = [["kernel", [3, 5, 7]], ["op", ["conv", "pool"]], ["width", [16, 32]]]
SOME = [[2, 1, 0], [0, 0, 0], [0, 0, 1], [1, 1, 1], [0, 1, 1]]
ALL = {
    "choices": ChoicesSpace(CHOICES),
    "one-choice": ChoicesSpace([["width", list(range(127))]]),
    "listed": ListedSpace(["b", "a", "12"]),
    "listed-many": ListedSpace([f"net {number}" for number in range(300)]),
    "listed-one": ListedSpace(["only"]),
    "listed-choices": ListedChoicesSpace.of(CHOICES, SOME),
    "listed-apart": ListedChoicesSpace.of(CHOICES, [[0, 0, 0], [1, 1, 1]]),
    "listed-choices-all": ListedChoicesSpace.of(CHOICES, list(itertools.product(range(3), range(2), range(2)))),
}

texts = st.text(min_size=1, max_size=6)


@pytest.fixture(params=ALL)
def space(request):
    return ALL[request.param]


def test_index_codes_and_notation_are_one_to_one(space):
    every = np.arange(space.size)
    codes = space.codes(every)
    assert codes.shape == (space.size, len(space.cardinalities))
    assert len(np.unique(codes, axis=0)) == space.size
    assert np.array_equal(space.index(codes), every)
    assert len(set(space.format(every))) == space.size
    assert np.array_equal(space.parse(space.format(every)), every)
    assert space.parse(space.format(int(every[-1]))) == space.resolve(space.size - 1) == space.size - 1


def test_any_shape_of_indices(space):
    index = np.arange(12).reshape(2, 3, 2) % space.size
    assert np.array_equal(space.index(space.codes(index)), index)
    assert space.neighbors(index).shape[:3] == (2, 3, 2)
    assert space.features(index).shape == (2, 3, 2, sum(space.cardinalities))
    assert (space.features(index).sum(axis=-1) == len(space.cardinalities)).all()
    assert space.codes(np.empty(0, dtype=int)).shape == (0, len(space.cardinalities))
    assert len(space.parse([])) == 0


def test_neighbors_differ_in_one_choice(space):
    if isinstance(space, ListedSpace):
        assert (space.neighbor_table == -1).all()
        return
    for index in range(0, space.size, max(1, space.size // 20)):
        differences = (space.codes(np.arange(space.size)) != space.codes(index)).sum(axis=1)
        assert sorted(space.neighbors(index).tolist()) == np.flatnonzero(differences == 1).tolist()


def test_mutation_gives_neighbors_or_stays(space):
    index = np.arange(space.size).repeat(20)
    mutated = space.mutate(index, np.random.default_rng(0).random(len(index)))
    for before, after in zip(index.tolist(), mutated.tolist(), strict=True):
        neighbors = space.neighbors(before).tolist()
        assert after in neighbors if neighbors else after == before


def test_sampling_reaches_everything(space):
    assert set(space.sample(np.arange(1000) / 1000).tolist()) == set(range(space.size))


def test_spaces_are_made_again_from_their_description(space):
    spec = json.loads(json.dumps(space.spec(), sort_keys=True))
    again = spaces.make_space(spec)
    assert again is spaces.make_space(spec)
    assert again.spec() == space.spec()
    assert again.format(np.arange(again.size)) == space.format(np.arange(space.size))


def test_wrong_indices_and_codes_are_refused(space):
    for bad in (-1, space.size, 2**40):
        for method in (space.codes, space.neighbors, space.degree, space.resolve):
            with pytest.raises(OutOfSpaceError, match=str(bad)):
                method(bad)
    for bad in (-1, 2**31):
        with pytest.raises(OutOfSpaceError, match="code 0 is"):
            space.index([bad] + [0] * (len(space.cardinalities) - 1))
    for wrong in (1.5, None, True, [0]):
        with pytest.raises(OutOfSpaceError):
            space.resolve(wrong)


@given(st.sampled_from(sorted(ALL)), st.text(max_size=40) | st.from_regex(r"kernel=[3-9](,op=\w{4}(,width=16)?)?"))
def test_arbitrary_text_is_parsed_or_refused_in_one_line(name, text):
    try:
        assert 0 <= ALL[name].parse(text) < ALL[name].size
    except OutOfSpaceError as error:
        assert "\n" not in str(error)


def test_combinations_may_be_written_with_spaces():
    assert ALL["choices"].parse(" kernel = 5 , op=pool,width= 16") == ALL["choices"].index([1, 1, 0])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("kernel=5", "no 'op' in place; write it like kernel=3,op=conv,width=16"),
        ("kernel=4,op=conv,width=16", "unknown value '4' of 'kernel'; allowed: 3, 5, 7"),
        ("op=conv,kernel=3,width=16", "no 'kernel' in place"),
        ("", "no 'kernel' in place"),
    ],
)
def test_errors_name_the_offending_part(text, reason):
    with pytest.raises(OutOfSpaceError, match=reason):
        ALL["choices"].parse(text)


def test_a_combination_that_is_not_listed_is_refused():
    with pytest.raises(OutOfSpaceError, match="'kernel=7,op=conv,width=16' is not among the 5 listed"):
        ALL["listed-choices"].parse("kernel=7,op=conv,width=16")
    with pytest.raises(OutOfSpaceError, match="not among"):
        ALL["listed-choices"].index([[0, 0, 0], [2, 0, 0]])


def test_numbers_may_be_names_and_are_then_no_indices():
    assert ALL["listed"].resolve("12") == 2
    assert ALL["listed"].resolve(1) == 1
    with pytest.raises(OutOfSpaceError, match="no architecture is named '1'"):
        ALL["listed"].resolve("1")


@given(st.lists(st.tuples(texts, st.lists(texts, min_size=1, max_size=3)), min_size=1, max_size=3))
def test_any_choices_are_refused_or_can_be_read_again(choices):
    try:
        space = ChoicesSpace(choices)
    except ParameterError as error:
        assert len(str(error).splitlines()) == 1
        return
    assert space.parse(space.format(np.arange(space.size))).tolist() == list(range(space.size))


@pytest.mark.parametrize(
    "spec",
    [
        {"name": "choices", "choices": []},
        {"name": "choices", "choices": [["a", []]]},
        {"name": "choices", "choices": [["a", ["x"]], ["a", ["x"]]]},
        {"name": "choices", "choices": [["a", ["x", "x"]]]},
        {"name": "choices", "choices": [["a", [1, "1"]]]},
        {"name": "choices", "choices": [["a", ["x,b=y"]], ["b", ["x"]]]},
        {"name": "choices", "choices": [["a=", ["x"]]]},
        {"name": "choices", "choices": [["a", [None]]]},
        {"name": "choices", "choices": [["a", list(range(128))]]},
        {"name": "choices", "choices": "ab"},
        {"name": "choices", "choices": 7},
        {"name": "choices", "choices": [["a", list(range(100))]] * 1 + [[str(i), list(range(100))] for i in range(9)]},
        {"name": "listed", "names": []},
        {"name": "listed", "names": ""},
        {"name": "listed", "names": "a\n\nb"},
        {"name": "listed", "names": "a\na"},
        {"name": "listed", "names": ["a", "a"]},
        {"name": "listed", "names": ["a", 7]},
        {"name": "listed", "names": ["a", ""]},
        {"name": "listed", "names": ["a\nb"]},
        {"name": "listed-choices", "choices": CHOICES, "members": ""},
        {"name": "listed-choices", "choices": CHOICES, "members": "0000"},
        {"name": "listed-choices", "choices": CHOICES, "members": "000003"},
        {"name": "listed-choices", "choices": CHOICES, "members": "0000ff"},
        {"name": "listed-choices", "choices": CHOICES, "members": "000001000000"},
        {"name": "listed-choices", "choices": CHOICES, "members": "000000000000"},
        {"name": "listed-choices", "choices": CHOICES, "members": "zz"},
        {"name": "listed-choices", "choices": CHOICES, "members": 7},
    ],
)
def test_descriptions_that_make_no_sense_are_refused(spec):
    with pytest.raises(DataError, match="description of a space is wrong"):
        spaces.make_space(spec)


def test_features_of_too_many_names_are_refused():
    space = ListedSpace([str(number) for number in range(20_000)])
    with pytest.raises(ParameterError, match="do not fit into memory"):
        space.features(np.arange(space.size))


def test_a_hundred_thousand_listed_architectures_are_made_quickly():
    """No time is asserted but one that only a slow algorithm takes."""
    random = np.random.default_rng(0)
    codes = random.integers(0, 6, (100_000, 8))
    listing = ListedChoicesSpace.of([(f"c{i}", list(range(6))) for i in range(8)], codes)
    start = time.process_time()
    assert spaces.make_space(listing.spec()).size == len(np.unique(codes, axis=0))
    assert spaces.make_space({"name": "listed", "names": [f"n{i}" for i in range(100_000)]}).size == 100_000
    assert time.process_time() - start < 5
