"""Children get the weights of their parents where layers match."""

import numpy as np
import pytest
import torch
from torch import nn

from nasbench_lab.errors import ParameterError
from nasbench_lab.spaces import LayerChainSpace, TopologySpace
from nasbench_lab.train.inheritance import Inheritance, inherit
from nasbench_lab.train.networks import cell101_network, layer_chain_network, macro_network, size_network
from nasbench_lab.train.networks import topology_network as topology

IMAGE = (1, 8, 8)
SMALL = {"channels": 4, "cells": 1, "image_channels": 1}


def chain(text):
    return layer_chain_network(text.split("|"), image=IMAGE)


def numbered(network, first):
    """Give a network different numbers everywhere."""
    count = first
    for value in network.state_dict().values():
        values = torch.arange(count, count + value.numel()).view(value.shape)
        value.copy_(values)
        count += value.numel()
    return network


def inherited(child, parent, shapes="equal"):
    """Return what is inherited, and the names of the child's tensors that did not change at all."""
    numbered(child, 1_000_000)
    before = {name: value.clone() for name, value in child.state_dict().items()}
    found = inherit(child, numbered(parent, 0), shapes=shapes)
    after = child.state_dict()
    same = {name for name, value in after.items() if torch.equal(value, before[name])}
    assert same | {*found.whole} | {*found.partly} == {*before}
    assert not same & ({*found.whole} | {*found.partly})
    for name in found.whole:
        assert not any(torch.isin(after[name], before[name]).flatten().tolist())
    copied = sum(int((after[name] < 1_000_000).sum()) for name, _ in child.named_parameters())
    assert found.share == copied / sum(value.numel() for value in child.parameters())
    return found, same


def test_layers_of_chains_are_paired_like_a_longest_common_subsequence():
    child, parent = chain("conv3x3-4|relu|conv5x5-4|conv3x3-4|tanh"), chain("conv3x3-4|sigmoid|conv3x3-4|max-pool")
    found, same = inherited(child, parent)
    assert [*found.whole] == ["0.weight", "0.bias", "3.weight", "3.bias"]
    assert {"2.weight", "5.linear.weight"} <= same  # the classifier gets other pixels


def test_the_weights_are_those_of_the_parent():
    child, parent = chain("conv3x3-4|relu|conv5x5-4"), chain("conv3x3-4|conv5x5-4")
    inherited(child, parent)
    assert torch.equal(child[2].weight, parent[1].weight)
    assert torch.equal(child[3].linear.bias, parent[2].linear.bias)


def test_overlapping_layers_share_the_first_channels_and_the_centre_of_the_kernel():
    child, parent = chain("conv5x5-4|relu"), chain("conv3x3-6|relu")
    found, _ = inherited(child, parent, "overlapping")
    assert torch.equal(child[0].weight[:, :, 1:4, 1:4], parent[0].weight[:4])
    assert float(child[0].weight.detach()[:, :, 0].min()) >= 1_000_000
    assert torch.equal(child[2].linear.weight, parent[2].linear.weight[:, : 4 * 64])
    assert found.partly == ("0.weight",)
    assert "2.linear.weight" in found.whole


@pytest.mark.parametrize("shapes", ["equal", "overlapping"])
def test_flattened_images_of_other_sizes_do_not_match(shapes):
    found, same = inherited(chain("conv3x3-4|max-pool"), chain("conv3x3-4|relu"), shapes)
    assert "2.linear.weight" in same
    assert found.whole == ("0.weight", "0.bias")


def test_edges_of_a_cell_match_if_they_have_the_same_operation():
    child, parent = topology([3, 2, 1, 3, 4, 2], **SMALL), topology([3, 3, 1, 3, 4, 0], **SMALL)
    found, same = inherited(child, parent)
    changed = {name.split(".")[2] for name in same}
    assert changed == {"0->2", "2->3"}
    assert any("running_var" in name for name in found.whole)


def test_a_convolution_and_its_normalisation_are_one_layer():
    """A convolution of another size at an edge does not leave its normalisation behind."""
    _, same = inherited(topology([2] * 6, **SMALL), topology([3] * 6, **SMALL))
    assert {name for name in same if "edges" in name} == {
        name for name in topology([2] * 6, **SMALL).state_dict() if "edges" in name
    }


def test_blocks_of_macro_networks_match_although_others_are_missing():
    found, same = inherited(
        macro_network([1, 2, 0, 1, 2, 1, 0, 2], channels=2), macro_network([1, 2, 0, 0, 2, 1, 2, 2], channels=2)
    )
    assert {name.split(".")[0] for name in same} == {"4"}
    assert found.share < 1


def test_size_networks_share_channels():
    child, parent = size_network([2, 4, 3, 2, 5]), size_network([2, 3, 3, 2, 5])
    equal, _ = inherited(child, parent)
    overlapping, _ = inherited(child, parent, "overlapping")
    assert not equal.partly
    assert 0.3 < equal.share < overlapping.share < 1


def test_vertices_of_cells_are_paired_by_operation_and_edges():
    """The child has a further pooling vertex before the convolution, which moves the convolution to vertex 2."""
    parent = cell101_network([[0, 1, 1], [0, 0, 1], [0, 0, 0]], ["conv3x3-bn-relu"], channels=6, cells=1)
    cell = [[0, 1, 1, 1], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
    child = cell101_network(cell, ["maxpool3x3", "conv3x3-bn-relu"], channels=6, cells=1)
    _, same = inherited(child, parent)
    assert {name.split(".", 1)[1][:13] for name in same} == {"projections.1"}
    assert torch.equal(child[1].operations["2"][0][0].weight, parent[1].operations["1"][0][0].weight)


def test_networks_without_anything_in_common_share_nothing():
    found, _ = inherited(nn.Sequential(nn.Linear(3, 2)), nn.Sequential(nn.Linear(3, 5)))
    assert (found.share, found.whole, str(found)) == (0.0, (), "0% of the weights from the parent (0 tensors)")


def test_an_equal_network_inherits_everything():
    child, parent = topology([3, 1, 2, 0, 4, 2], **SMALL), topology([3, 1, 2, 0, 4, 2], **SMALL)
    found, same = inherited(child, parent)
    assert found.share == 1
    assert not same


def test_chains_with_and_without_skip_connections_match():
    child, parent = chain("conv3x3-2|conv3x3-2|skip-1|dropout-0.5|tanh"), chain("conv3x3-2|conv3x3-2|tanh|dropout-0.5")
    found, same = inherited(child, parent)
    assert {name.split(".")[0] for name in found.whole} == {"0", "1", "5"}
    assert {name.split(".")[0] for name in same} == {"3"}  # the masks of dropout are those of the child's seed


SPACE = LayerChainSpace([["conv3x3-2", "conv5x5-3"], ["relu", "tanh"], ["identity", "conv3x3-4"]])


def test_children_of_a_search_get_their_weights_from_the_state_of_their_parent():
    rule = Inheritance(SPACE, IMAGE, 10)
    parent, child = SPACE.parse("conv3x3-2|relu|identity"), SPACE.parse("conv3x3-2|relu|conv3x3-4")
    state = numbered(rule.network(parent, 0), 0).state_dict()
    found = rule.initial_weights(child, parent, state, seed=5)
    assert torch.equal(found.state["0.weight"], state["0.weight"])
    fresh = rule.network(child, 5).state_dict()  # what is not inherited is as in a training from scratch
    assert torch.equal(found.state["2.weight"], fresh["2.weight"])
    rule.network(child, 7).load_state_dict(found.state)


@pytest.mark.parametrize(("child", "kept"), [("conv5x5-3|relu|conv3x3-4", True), ("conv5x5-3|tanh|conv3x3-4", False)])
def test_the_rule_net2net_keeps_the_function_where_it_can(child, kept):
    rule = Inheritance(SPACE, IMAGE, 10, rule="net2net")
    parent, grown = SPACE.parse("conv3x3-2|relu|identity"), SPACE.parse(child)
    state = rule.network(parent, 0).state_dict()
    found = rule.initial_weights(grown, parent, state, seed=1)
    assert found.keeps_function is kept
    assert found.share > 0


def test_who_inherits_nothing_starts_from_scratch():
    space = LayerChainSpace([["conv3x3-2", "dense-3"]])
    rule = Inheritance(space, IMAGE, 10, rule="equal")
    assert rule.initial_weights(1, 0, rule.network(0, 0).state_dict(), seed=1) is None


def test_torch_keeps_its_random_state():
    before = torch.random.get_rng_state()
    rule = Inheritance(SPACE, IMAGE, 10, rule="net2net")
    rule.initial_weights(7, 0, rule.network(0, 0).state_dict(), seed=np.int64(3).item())
    assert torch.equal(before, torch.random.get_rng_state())


def test_unknown_rules_and_options_are_refused():
    with pytest.raises(ParameterError, match="rule must be 'overlapping', 'equal' or 'net2net'"):
        Inheritance(SPACE, IMAGE, 10, rule="all")
    with pytest.raises(ParameterError, match="a network takes"):
        Inheritance(TopologySpace(), IMAGE, 10, {"width": 3})
