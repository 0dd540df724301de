"""Subsets of spaces: the notation, codes and networks of the parent, and neighbours that reach everything."""

import itertools
import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasbench_lab import spaces
from nasbench_lab.errors import DataError, OutOfSpaceError, ParameterError
from nasbench_lab.spaces import ChainSpace, ListedSpace, SubsetSpace

PARENTS = {
    "topology": spaces.TopologySpace(),
    "cell101": spaces.Cell101Space(5),
    "size": spaces.SizeSpace(),
    "chain": ChainSpace("abc", 4),
    "gnn": spaces.GnnSpace(),
    "trans-macro": spaces.TransMacroSpace(),
}
SMALL = {"chain": PARENTS["chain"], "cell101": spaces.Cell101Space(4)}


def sample(parent, count, seed=0):
    chosen = np.random.default_rng(seed).choice(parent.size, min(count, parent.size), replace=False)
    return SubsetSpace(parent, np.sort(chosen))


@pytest.fixture(params=PARENTS)
def space(request):
    return sample(PARENTS[request.param], 60)


def steps_between_all(space):
    """The number of steps between every two architectures, where there is a way: breadth-first, in plain Python."""
    near = [space.neighbors(index).tolist() for index in range(space.size)]
    everything = []
    for start in range(space.size):
        steps, queue = {start: 0}, [start]
        for node in queue:
            for other in near[node]:
                if other not in steps:
                    steps[other] = steps[node] + 1
                    queue.append(other)
        everything.append(steps)
    return everything


STEPS = {name: steps_between_all(parent) for name, parent in SMALL.items()}


def linked(steps, members):
    """Neighbours by definition: pairs in ascending distance, kept where no chain of nearer pairs connects them."""
    group = {member: {member} for member in members}
    found = set()
    distances = sorted({d for member in members for other, d in steps[member].items() if other in group and d})
    for distance in distances:
        pairs = [(a, b) for a, b in itertools.combinations(members, 2) if steps[a].get(b) == distance]
        new = [(a, b) for a, b in pairs if b not in group[a]]
        found.update(pairs if distance == 1 else new)
        for a, b in new:
            joined = group[a] | group[b]
            for member in joined:
                group[member] = joined
    return found


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(SMALL)), st.sets(st.integers(0, 80), min_size=1, max_size=40))
def test_neighbors_are_the_nearest_that_nothing_nearer_connects(name, chosen):
    parent = SMALL[name]
    members = sorted(chosen)
    subset = SubsetSpace(parent, members)
    found = {
        (members[index], members[other])
        for index in range(subset.size)
        for other in subset.neighbors(index).tolist()
        if index < other
    }
    assert found == linked(STEPS[name], members)


def test_everything_belongs_to_the_parent(space):
    parent, every = space.parent, np.arange(space.size)
    assert np.array_equal(space.in_parent(every), space.members)
    assert space.format(every) == parent.format(space.members)
    assert np.array_equal(space.parse(space.format(every)), every)
    assert np.array_equal(space.index(space.codes(every)), every)
    assert space.encodings == parent.encodings
    for encoding in space.encodings:
        np.testing.assert_array_equal(space.encode(every, encoding), parent.encode(space.members, encoding))
    np.testing.assert_array_equal(space.features(every), parent.features(space.members))
    np.testing.assert_array_equal(space.size_of(every), parent.size_of(space.members))
    assert space.labels(3) == parent.labels(int(space.members[3]))
    assert space.graph(3) == parent.graph(int(space.members[3]))


def test_every_architecture_is_reached_over_mutual_neighbors(space):
    reached, front = {0}, [0]
    while front:
        front = [new for node in front for new in space.neighbors(node).tolist() if new not in reached]
        reached.update(front)
    assert len(reached) == space.size
    for index in range(space.size):
        assert all(index in space.neighbors(other) for other in space.neighbors(index).tolist())


def test_a_subset_with_everything_has_the_neighbors_of_the_parent():
    parent = PARENTS["chain"]
    subset = SubsetSpace(parent, np.arange(parent.size))
    for index in range(parent.size):
        assert sorted(subset.neighbors(index).tolist()) == sorted(parent.neighbors(index).tolist())


def test_a_child_outside_the_subset_is_the_first_parent():
    parent = PARENTS["chain"]
    subset = SubsetSpace(parent, np.sort(parent.parse(["aaaa", "bbbb", "aabb"])))
    one, other = (subset.parse([text]) for text in ("aaaa", "bbbb"))
    mixed = subset.crossover(one, other, np.array([[False, False, True, True]]))
    assert subset.format(mixed) == ["aabb"]
    outside = subset.crossover(one, other, np.array([[True, False, False, False]]))
    assert subset.format(outside) == ["aaaa"]


def test_a_space_without_neighbors_has_none_in_its_subsets():
    subset = SubsetSpace(ListedSpace(["a", "b", "12"]), [0, 2])
    assert not subset.has_neighbors
    assert subset.resolve("12") == 1, "a number is a name, as in the parent"


def test_it_is_made_again_from_plain_data(space):
    spec = json.loads(json.dumps(space.spec()))
    again = spaces.make_space(spec)
    assert again is spaces.make_space(spec)
    assert again.spec() == space.spec()
    assert pickle.loads(pickle.dumps(space)).format(0) == space.format(0)
    assert space.parent.name in again.summary
    assert "60" in again.summary


def test_what_is_not_in_the_subset_is_refused_by_its_notation():
    parent = PARENTS["topology"]
    subset = SubsetSpace(parent, [5, 11])
    with pytest.raises(OutOfSpaceError, match="is not among the 2 architectures of this subset") as caught:
        subset.parse(parent.format(6))
    assert parent.format(6) in str(caught.value)
    with pytest.raises(OutOfSpaceError, match=r"not in 0\.\.1"):
        subset.codes(2)
    assert subset.find(parent.codes([4, 5, 6, 11])).tolist() == [-1, 0, -1, 1]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([], "ascending order, at least one"),
        ([3, 2], "ascending order"),
        ([3, 3], "ascending order"),
        ([[1, 2]], "ascending order"),
        ([-1], "must be in its space"),
        ([81], "must be in its space"),
        ([0.5], "must be integers"),
    ],
)
def test_members_that_make_no_sense(members, message):
    with pytest.raises(ParameterError, match=message):
        SubsetSpace(PARENTS["chain"], members)


def test_no_subset_of_a_subset():
    with pytest.raises(ParameterError, match="a subset of a subset"):
        SubsetSpace(SubsetSpace(PARENTS["chain"], [1, 2]), [0])


def test_an_index_outside_a_subset():
    for index in (2, "2"):
        with pytest.raises(OutOfSpaceError, match=r"architecture 2 is not in 0\.\.1 of this subset of 'topology'"):
            SubsetSpace(PARENTS["topology"], [5, 11]).resolve(index)


CHAIN = {"name": "chain", "choices": "abc", "length": 4}


@pytest.mark.parametrize(
    "spec",
    [
        {"name": "subset"},
        {"name": "subset", "parent": CHAIN, "members": ""},
        {"name": "subset", "parent": CHAIN, "members": "0000"},
        {"name": "subset", "parent": CHAIN, "members": "zz"},
        {"name": "subset", "parent": CHAIN, "members": 7},
        {"name": "subset", "parent": CHAIN, "members": "ffffffff"},
        {"name": "subset", "parent": CHAIN, "members": "0000000200000001"},
        {"name": "subset", "parent": 7, "members": "00000001"},
        {"name": "subset", "parent": {"name": "subset", "parent": CHAIN, "members": "01"}, "members": "00000000"},
    ],
)
def test_descriptions_that_make_no_sense_are_refused(spec):
    with pytest.raises(DataError, match="description of a space is wrong") as caught:
        spaces.make_space(spec)
    assert "\n" not in str(caught.value)
