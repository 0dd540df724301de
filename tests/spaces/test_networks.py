"""Which architectures are the same network; `test_equivalent_networks.py` compares with what they compute."""

import numpy as np

from nasbench_lab.spaces import ChainSpace, SubsetSpace, TopologySpace, TransMicroSpace


def test_cells_of_trans_nas_bench_that_are_the_same_network():
    space = TransMicroSpace()
    shared = space.representatives
    # The inner nodes exchanged, edges that lead nowhere, and inner nodes that an edge joins.
    one, other = space.parse(["64-41414-2_30_123", "64-41414-3_20_132"])
    dead, without = space.parse(["64-41414-2_33_120", "64-41414-2_00_120"])
    joined, exchanged = space.parse(["64-41414-2_31_123", "64-41414-3_21_132"])
    assert shared[one] == shared[other]
    assert shared[dead] == shared[without]
    assert shared[joined] != shared[exchanged]
    assert (shared <= np.arange(space.size)).all()
    assert (shared[shared] == shared).all()


def test_a_subset_has_the_networks_of_its_parent():
    parent = TopologySpace()
    twins = np.flatnonzero(parent.representatives == np.bincount(parent.representatives).argmax())
    space = SubsetSpace(parent, twins[:3])
    assert space.representatives.tolist() == [0, 0, 0]
    assert SubsetSpace(ChainSpace("01", 3), [1, 5]).representatives.tolist() == [0, 1]
