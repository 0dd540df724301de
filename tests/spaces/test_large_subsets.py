"""Subsets of spaces that are too large to list: the neighbours of their members, and their descriptions."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasbench_lab.errors import DataError
from nasbench_lab.spaces import Cell101Space, ChainSpace, DartsSpace, ProductOfSpaces, SubsetSpace, make_space
from nasbench_lab.spaces.subset_distances import nearest_by_codes
from nasbench_lab.spaces.subset_neighbors import nearest_neighbors

CHAIN = ChainSpace("abc", 8)


@given(st.sets(st.integers(0, CHAIN.size - 1), min_size=1, max_size=40))
@settings(max_examples=25)
def test_in_a_chain_steps_and_codes_agree(members):
    """Every step changes one code there, so both ways to find neighbours must give the same."""
    chosen = np.array(sorted(members))
    assert np.array_equal(nearest_by_codes(CHAIN, chosen), nearest_neighbors(CHAIN, chosen))


@pytest.mark.parametrize("space", [DartsSpace(), ProductOfSpaces([Cell101Space(5), ChainSpace("012", 20)])])
def test_neighbours_are_what_plain_loops_find(space):
    random = np.random.default_rng(0)
    chosen = random.integers(space.size, size=12)
    chosen = np.unique([*chosen, *space.neighbors(int(chosen[0]))[:4], *space.neighbors(int(chosen[1]))[-3:]])
    subset = SubsetSpace(space, chosen)
    codes = space.codes(chosen)

    def distance(one, other):
        near = chosen[other] in space.neighbors(int(chosen[one]))
        return 1 if near else max(2, int((codes[one] != codes[other]).sum()))

    lengths = {pair: distance(*pair) for pair in itertools.combinations(range(len(chosen)), 2)}
    group = list(range(len(chosen)))
    expected = set()
    for length in sorted(set(lengths.values())):
        joined = {
            pair for pair, its in lengths.items() if its == length and (length == 1 or group[pair[0]] != group[pair[1]])
        }
        expected |= joined
        for one, other in joined:
            merged = group[other]
            group = [group[one] if each == merged else each for each in group]
    found = {(one, int(other)) for one in range(subset.size) for other in subset.neighbors(one) if one < other}
    assert found == expected
    assert subset.has_neighbors


def test_descriptions_and_indices():
    space = DartsSpace()
    members = [3, 10**12, space.size - 1]
    subset = SubsetSpace(space, members)
    spec = subset.spec()
    assert len(spec["members"]) == 3 * 16
    again = make_space(spec)
    assert again.members.tolist() == members
    assert again.parse(space.format(10**12)) == 1
    assert again.in_parent([2]).tolist() == [space.size - 1]
    assert again.summary == "darts, 3 of its 1,076,746,950,455,072,400 architectures"
    with pytest.raises(DataError, match="must be 16 hexadecimal digits each"):
        make_space({**spec, "members": "00000003"})
    with pytest.raises(DataError, match="the members of a subset must be in its space"):
        make_space({**spec, "members": "f" * 16})
    assert len(SubsetSpace(CHAIN, [3, 5]).spec()["members"]) == 2 * 8, "small spaces are described as before"
