"""Which architectures are the same network, against a brute-force comparison of what they compute."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasbench_lab.spaces import ChainSpace, LayerChainSpace, TopologySpace

pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from nasbench_lab.train.equivalent_networks import representatives

TOPOLOGY = TopologySpace()
NONE, SKIP, CONV1, CONV3, POOL = range(5)
CELLS = st.tuples(*[st.integers(0, 4)] * 6)


def compute(codes, weights):
    """The cell as a function of a vector, with a nonlinear map for every convolution; unlike ours, edge by edge."""
    pool = np.array([[0.5, 0.5, 0.0], [0.3, 0.3, 0.4], [0.0, 0.6, 0.4]])
    nodes = [np.array([0.3, -1.2, 0.7]), *np.zeros((3, 3))]
    for edge, (source, target) in enumerate([(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]):
        x, code = nodes[source], codes[edge]
        if code == SKIP:
            nodes[target] = nodes[target] + x
        elif code == POOL:
            nodes[target] = nodes[target] + pool @ x
        elif code in (CONV1, CONV3):
            slope = weights[edge] * (1 + (code == CONV3))
            nodes[target] = nodes[target] + np.tanh(slope * x + weights[edge] ** 2 + 0.1)
    return nodes[3]


def convolutions(codes):
    return [edge for edge, code in enumerate(codes) if code in (CONV1, CONV3)]


def the_same_network(one, other):
    """Whether some way to give the weights of one to the other makes both compute the same."""
    random = np.random.default_rng(0)
    weights = np.zeros(6)
    weights[convolutions(one)] = random.normal(size=len(convolutions(one)))
    expected = compute(one, weights)
    # Convolutions that lead nowhere take no weight of the other: any number stands for them.
    pool = [*weights[convolutions(one)], *random.normal(size=6)]
    for given_weights in itertools.permutations(pool[: max(len(convolutions(one)), len(convolutions(other)))]):
        mapped = np.zeros(6)
        edges = convolutions(other)
        mapped[edges] = given_weights[: len(edges)]
        if np.allclose(compute(other, mapped), expected, rtol=1e-10, atol=1e-12):
            return True
    return False


def permuted(codes):
    """The cell with its two inner nodes exchanged, where no edge joins them."""
    e01, e02, e12, e03, e13, e23 = codes
    return (e02, e01, e12, e03, e23, e13) if e12 == NONE else codes


@given(CELLS)
def test_exchanging_the_inner_nodes_changes_nothing(codes):
    assert TOPOLOGY.network_form(codes) == TOPOLOGY.network_form(permuted(codes))
    assert the_same_network(codes, permuted(codes))


@given(st.integers(0, 10**9))
def test_equal_forms_compute_the_same_and_others_do_not(seed):
    """Pairs of architectures that differ in one or two edges, so that equal ones are not too rare."""
    random = np.random.default_rng(seed)
    one = random.integers(0, 5, 6)
    other = one.copy()
    other[random.choice(6, 2)] = random.integers(0, 5, 2)
    equal = TOPOLOGY.network_form(one.tolist()) == TOPOLOGY.network_form(other.tolist())
    assert equal == the_same_network(one.tolist(), other.tolist())


def test_members_of_a_class_compute_the_same():
    space = TopologySpace()
    shared = representatives(space)
    random = np.random.default_rng(1)
    checked = 0
    for index in random.permutation(space.size)[:300]:
        if shared[index] != index:
            first, second = space.codes([shared[index], index]).tolist()
            assert the_same_network(first, second)
            checked += 1
    assert checked > 100


def test_classes_of_the_topology_space():
    shared = representatives(TopologySpace())
    assert (shared <= np.arange(15625)).all()
    assert (shared[shared] == shared).all()
    assert len(np.unique(shared)) == 5234


def test_one_convolution_used_twice_is_not_two():
    """NAS-Bench-201's rule for its 6,466 unique topologies takes these two for one."""
    twice = (CONV3, NONE, SKIP, NONE, SKIP, SKIP)  # node 3 = node 1 + node 2 = twice the same output
    two = (CONV3, CONV3, NONE, NONE, SKIP, SKIP)
    assert TOPOLOGY.network_form(twice) != TOPOLOGY.network_form(two)
    assert not the_same_network(twice, two)


@pytest.mark.parametrize(
    ("layers", "form"),
    [
        (("identity", "identity"), ()),
        (("relu", "identity", "relu", "max-pool", "relu"), ("relu", "max-pool", "relu")),
        (("sigmoid", "sigmoid"), ("sigmoid", "sigmoid")),
        (("tanh", "relu"), ("tanh", "relu")),
    ],
)
def test_layers_that_do_nothing(layers, form):
    space = LayerChainSpace([[layer] for layer in layers])
    assert space.network_form([0] * len(layers)) == form


def test_a_chain_of_layers_shares_what_identities_shift():
    space = LayerChainSpace([["conv3x3-4", "identity"], ["conv3x3-4", "identity"], ["relu", "tanh"]])
    shared = representatives(space)
    first, second = space.parse(["conv3x3-4|identity|relu", "identity|conv3x3-4|relu"])
    assert shared[first] == shared[second]
    assert Counter(Counter(shared.tolist()).values()) == {1: 4, 2: 2}


def test_every_architecture_of_another_space_is_its_own():
    space = ChainSpace("012", 3)
    assert representatives(space).tolist() == list(range(27))
    assert math.prod(space.cardinalities) == 27
