"""Spaces too large to list: names, moves and sampling; oracles are Python's integers and the tables of small spaces."""

import copy
import dataclasses
import itertools
import pickle

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from nasbench_lab import spaces
from nasbench_lab.errors import DataError, OutOfSpaceError, ParameterError
from nasbench_lab.spaces import MOST_LISTED, ChainSpace, ChoicesSpace, unlisted
from nasbench_lab.streams import Streams, scale_finely
from nasbench_lab.tables import Table
from nasbench_lab.testing import synthetic_table

LARGEST = 2**63 - 1  # 7 * 7 * 73 * 127 * 337 * 92737 * 649657
LISTED = {
    "topology": spaces.TopologySpace(),
    "gnn": spaces.GnnSpace(spaces.gnn.PROTEINS_OPERATIONS),
    "chain": ChainSpace("012", 5),
    "single": ChainSpace("a", 3),
    "cell101": spaces.Cell101Space(5),
    "trans-macro": spaces.TransMacroSpace(),
    "listed": spaces.ListedSpace(["a", "b", "c"]),
    "listed-choices": spaces.ListedChoicesSpace.of([("a", [1, 2, 3]), ("b", [1, 2])], [[0, 1], [0, 0], [2, 1], [1, 0]]),
    "subset": spaces.SubsetSpace(spaces.TopologySpace(), np.arange(0, 15_625, 7)),
    "uneven": ChoicesSpace([("a", [1, 2, 3]), ("b", [1]), ("c", range(5)), ("d", [1, 2])]),
}


class Digits(spaces.ProductSpace):
    """Any cardinalities; an architecture is written as its codes with dots."""

    def __init__(self, *cardinalities):
        super().__init__("digits", cardinalities)

    def parse_one(self, text):
        return tuple(map(int, text.split(".")))

    def format_one(self, codes):
        return ".".join(map(str, codes))


class Sorted(spaces.Space):
    """Four numbers in ascending order; any order of them describes the same architecture. One pair is left out."""

    def __init__(self, largest):
        self.name, self.cardinalities = "sorted", (largest + 1,) * 4
        members = itertools.combinations_with_replacement(range(largest + 1), 4)
        self._members = [each for each in members if each != (0, 0, 0, 1)]
        self._index_of = {each: place for place, each in enumerate(self._members)}
        self.size = len(self._members)

    def codes(self, index):
        return np.array(self._members, dtype=np.int8)[self.check_index(index)]

    def index(self, codes):
        rows = np.sort(self.check_codes(codes), axis=-1)
        found = [self._index_of.get(tuple(row), -1) for row in rows.reshape(-1, 4).tolist()]
        if min(found, default=0) < 0:
            raise OutOfSpaceError("0, 0, 0, 1 is left out")
        return np.array(found, dtype=np.int64).reshape(rows.shape[:-1])

    parse_one = Digits.parse_one
    format_one = Digits.format_one


def _that_fits(cardinalities):
    """Return as many as a space can have."""
    products = itertools.accumulate(cardinalities, lambda one, other: one * other)
    return cardinalities[: sum(product <= LARGEST for product in products)]


cardinalities = st.lists(st.integers(1, 127), min_size=1, max_size=30).map(_that_fits)


def test_which_spaces_are_listed():
    assert MOST_LISTED == 2**22
    assert ChainSpace("01", 22).is_listed
    assert not ChainSpace("01", 23).is_listed
    assert ChainSpace("01", 62).size == 2**62
    with pytest.raises(ParameterError, match="at most 9223372036854775807 architectures"):
        ChainSpace("01", 63)


@settings(max_examples=50)
@given(cardinalities, st.data())
def test_index_codes_and_notation_are_one_to_one(cardinalities, data):
    space = Digits(*cardinalities)
    index = data.draw(st.lists(st.integers(0, space.size - 1), min_size=1, max_size=4))
    index += [space.size - 1, 0]
    codes = space.codes(index)
    assert codes.dtype == np.int8
    for each, row in zip(index, codes.tolist(), strict=True):  # Horner's rule
        number = 0
        for code, cardinality in zip(row, cardinalities, strict=True):
            number = number * cardinality + code
        assert number == each
    assert space.index(codes).tolist() == index
    assert space.parse(space.format(index)).tolist() == index
    assert [space.resolve(str(each)) if len(cardinalities) > 1 else each for each in index] == index


@settings(max_examples=50)
@given(cardinalities, st.data())
def test_neighbours_differ_in_one_code(cardinalities, data):
    space = unlisted(Digits(*cardinalities))
    index = data.draw(st.integers(0, space.size - 1))
    codes = space.codes(index).tolist()
    expected = [
        [*codes[:place], value, *codes[place + 1 :]]
        for place, cardinality in enumerate(cardinalities)
        for value in range(cardinality)
        if value != codes[place]
    ]
    assert space.codes(space.neighbors(index)).reshape(-1, len(codes)).tolist() == expected
    assert space.degree(index) == len(expected)
    assert space.has_neighbors == bool(expected)
    for place in {0, len(expected) // 2, len(expected) - 1} if expected else ():
        assert space.neighbor_at(index, place) == space.neighbors(index)[place]
        between = (place + 0.5) / len(expected)
        assert space.mutate(np.array([index]), np.array([between])) == space.neighbors(index)[place]
    with pytest.raises(OutOfSpaceError, match="below the degree"):
        space.neighbor_at(index, len(expected))


def test_no_table_of_neighbours_is_made_where_it_is_large():
    space = Digits(127, 127, 127)
    assert space.is_listed
    assert space.neighbors(0)[:2].tolist() == [127**2, 2 * 127**2]
    assert space.mutate(np.array([0]), np.array([0.0])).tolist() == [127**2]
    assert not {"_kept_table", "_degrees"} & set(vars(space))


@pytest.mark.parametrize("name", LISTED)
def test_an_unlisted_view_makes_the_same_moves(name):
    space, view, random = LISTED[name], unlisted(LISTED[name]), np.random.default_rng(0)
    assert type(view) is type(space)
    assert view.spec() == space.spec()
    assert space.is_listed
    assert not view.is_listed
    index, other = random.integers(space.size, size=(2, 3, 200))
    assert view.has_neighbors == space.has_neighbors
    assert np.array_equal(view.degree(index), space.degree(index))
    assert view.neighbors(int(index[0, 0])).tolist() == space.neighbors(int(index[0, 0])).tolist()
    near, expected = view.neighbors(index), space.neighbors(index)
    columns = min(near.shape[-1], expected.shape[-1])
    assert np.array_equal(near[..., :columns], expected[..., :columns])
    assert (near[..., columns:] == -1).all()
    assert near.dtype == expected.dtype
    some = index[space.degree(index) > 0]
    place = random.integers(space.degree(some))
    assert np.array_equal(view.neighbor_at(some, place), space.neighbor_at(some, place))
    uniform = random.random(index.shape)
    assert np.array_equal(view.mutate(index, uniform), space.mutate(index, uniform))
    assert np.array_equal(view.sample(uniform), space.sample(uniform))
    chosen = random.random((*index.shape, len(space.cardinalities))) < 0.5
    assert np.array_equal(view.crossover(index, other, chosen), space.crossover(index, other, chosen))


def test_a_view_stays_one_in_copies():
    view = unlisted(LISTED["chain"])
    for again in (copy.copy(view), copy.deepcopy(view), pickle.loads(pickle.dumps(view))):
        assert not again.is_listed
    assert LISTED["chain"].is_listed


def test_several_codes_of_one_architecture_and_codes_of_none():
    """Neighbours differ in one code of those that `codes` returns, so being neighbours is mutual."""
    space = Sorted(4)
    view = unlisted(space)
    rows = space.codes(np.arange(space.size)).astype(int)
    differ = (rows[:, None] != rows).sum(axis=-1) == 1
    for each in (space, view):
        assert [each.neighbors(index).tolist() for index in range(space.size)] == [
            np.flatnonzero(row).tolist() for row in differ
        ]
    assert np.array_equal(view.degree(np.arange(space.size)), space.degree(np.arange(space.size)))
    some = np.arange(space.size)
    uniform = np.random.default_rng(0).random(space.size)
    assert np.array_equal(view.mutate(some, uniform), space.mutate(some, uniform))


def test_what_needs_a_list_is_refused():
    space = ChainSpace("012", 39)
    with pytest.raises(ParameterError, match=r"a table of neighbours needs a list of all .* 4,052,555,153,018,976,267"):
        _ = space.neighbor_table
    with pytest.raises(ParameterError, match="the first architecture of every network needs a list"):
        _ = space.representatives


def test_a_space_that_knows_its_neighbours_as_a_whole_only_must_be_small():
    class Whole(Digits):
        def compute_neighbors(self, index):
            return spaces.Space.compute_neighbors(self, index)

        def make_neighbor_table(self):
            raise AssertionError

    with pytest.raises(ParameterError, match=r"16,777,216 architectures, must be computed: .* compute_neighbors"):
        spaces.Space.neighbors(Whole(*(2,) * 24), 3)


@pytest.mark.parametrize(
    "bad", [-1, 2**62, 2**63, 2**64, 10**30, [0, 2**63], [-1, 2**63], [0, 2**70], np.uint64(2**63)], ids=str
)
def test_indices_outside_are_named(bad):
    space = ChainSpace("01", 62)
    worst = min(np.ravel(np.array(bad, dtype=object)).min(), 0) or np.ravel(np.array(bad, dtype=object)).max()
    with pytest.raises(
        OutOfSpaceError, match=f"^architecture {worst} is not in 0..4611686018427387903 of space 'chain'$"
    ):
        space.codes(bad)
    if np.ndim(bad) == 0:
        for text in (bad, str(bad)):
            with pytest.raises(OutOfSpaceError, match=rf"^architecture '?{worst}'? is not in 0..4611686018427387903"):
                space.resolve(text)


@pytest.mark.parametrize("bad", [0.5, "a", True, [1.0, 2**63], [None]])
def test_what_is_no_index_is_said(bad):
    with pytest.raises(OutOfSpaceError, match="architecture indices must be integers"):
        ChainSpace("01", 62).codes(bad)


def test_an_index_of_thousands_of_digits_is_shortened():
    for text in ("9" * 5000, "-" + "9" * 5000):
        with pytest.raises(OutOfSpaceError) as raised:
            ChainSpace("01", 62).resolve(text)
        assert len(str(raised.value)) < 300


@given(st.integers(0, 2**53 - 1), st.integers(0, 2**53 - 1), st.integers(1, LARGEST))
def test_fine_scaling_is_exact(first, second, high):
    expected = ((first << 53) + second) * high >> 106
    got = scale_finely(np.array([first * 2.0**-53]), np.array([second * 2.0**-53]), high)
    assert got.tolist() == [expected]


@settings(deadline=None)
@given(st.integers(2**32 + 1, LARGEST))
def test_the_ends_can_be_drawn(high):
    ends = np.array([0.0, 1.0 - 2.0**-53])
    assert scale_finely(ends, ends, high).tolist() == [0, high - 1]


@pytest.mark.parametrize("cardinalities", [(2,) * 62, (127, 127, 2, 73, 49, 89, 91, 97, 101, 5), (3,) * 39])
def test_architectures_are_drawn_uniformly(cardinalities):
    space, runs, n = Digits(*cardinalities), 5, 20_000
    drawn = space.draw(Streams(seed=4, first_run=0, runs=runs), n)
    assert drawn.shape == (runs, n)
    index = drawn.reshape(-1)
    high = np.bincount(np.array([int(i) * 100 // space.size for i in index]), minlength=100)
    low = np.bincount(index % 97, minlength=97)
    p = [scipy.stats.chisquare(high).pvalue, scipy.stats.chisquare(low).pvalue]
    codes = space.codes(index).astype(int)
    for place, cardinality in enumerate(cardinalities):
        p.append(scipy.stats.chisquare(np.bincount(codes[:, place], minlength=cardinality)).pvalue)
    pairs = np.bincount(codes[:, 0] * cardinalities[-1] + codes[:, -1], minlength=cardinalities[0] * cardinalities[-1])
    p.append(scipy.stats.chisquare(pairs).pvalue)
    assert min(p) > 0.01 / len(p)
    assert len(np.unique(index)) == len(index)


def test_runs_draw_the_same_alone():
    space = ChainSpace("012", 39)
    together, alone = Streams(seed=4, first_run=0, runs=3), Streams(seed=4, first_run=2, runs=1)
    assert np.array_equal(space.draw(together, 5)[2:], space.draw(alone, 5))
    assert np.array_equal(space.draw(together, 1)[2:], space.draw(alone, 1))


def test_one_uniform_is_not_enough_for_a_large_space():
    space = ChainSpace("012", 39)
    with pytest.raises(
        ParameterError, match=r"sample\(\) takes one uniform per architecture, .* and takes 2: use draw"
    ):
        space.sample(np.array([0.5, 0.5]))
    with pytest.raises(ParameterError, match="takes 2 uniforms per architecture"):
        space.sample_columns(np.array([0.5, 0.5, 0.5]))
    small, uniform = ChainSpace("012", 3), np.array([[0.1, 0.9]])
    assert np.array_equal(small.sample_columns(uniform), small.sample(uniform))
    assert ChainSpace("01", 32).draws == 1
    assert ChainSpace("01", 33).draws == 2


def test_crossover_mixes_codes():
    space, random = ChainSpace("012", 39), np.random.default_rng(0)
    one, other = random.integers(space.size, size=(2, 50))
    chosen = random.random((50, 39)) < 0.5
    assert np.array_equal(
        space.codes(space.crossover(one, other, chosen)), np.where(chosen, *map(space.codes, (other, one)))
    )


def test_a_table_of_all_architectures_is_refused():
    small = synthetic_table("chain")
    description = dataclasses.replace(small.description, space=ChainSpace("012", 20).spec())
    with pytest.raises(DataError, match="values of all architectures of its space, but the space 'chain' has 3,486"):
        Table(description, {name: small.values(name) for name in small.metrics})
