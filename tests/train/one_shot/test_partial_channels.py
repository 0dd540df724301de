"""Partial channels of the topology supernet: what operations compute, what bypasses them, and their growth."""

import pytest

from nasbench_lab.errors import ParameterError
from nasbench_lab.spaces import SizeSpace, TopologySpace

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

import numpy as np  # noqa: E402

from nasbench_lab.train.complexity import parameters  # noqa: E402
from nasbench_lab.train.one_shot.saved_supernets import load_supernet, save_supernet  # noqa: E402
from nasbench_lab.train.one_shot.supernets import (  # noqa: E402
    Mixture,
    PartialChannels,
    Path,
    Sample,
    make_supernet,
    widen,
)
from nasbench_lab.train.one_shot.supernets.partial_channels import PartialLayer  # noqa: E402

SPACE = TopologySpace()
OPTIONS = {"image": (1, 4, 4), "classes": 3}


def supernet(partial, channels=8, space=SPACE):
    return make_supernet(space, partial=partial, options={"channels": channels, "cells": 1}, **OPTIONS)


def first_layer(net):
    return next(module for module in net.modules() if isinstance(module, PartialLayer))


def layer_output(net, x, selection):
    net.current.selection = selection
    return first_layer(net)(x)


def images(channels, count=5):
    return torch.randn(count, channels, 4, 4, generator=torch.Generator().manual_seed(0))


def uniform():
    return Mixture([torch.full((5,), 0.2)] * 6)


@pytest.mark.parametrize("parts", [1, 2, 4, 8])
def test_operations_have_weights_for_one_part(parts):
    net, outside = supernet(PartialChannels(parts)), parameters(supernet(None))
    # Per edge of a cell with c channels: a 1x1 and a 3x3 convolution, 10 c^2 weights.
    for width in (8, 16, 32):
        outside -= 6 * 10 * width**2
    inside = sum(6 * 10 * (width // parts) ** 2 for width in (8, 16, 32))
    assert parameters(net) == outside + inside


@pytest.mark.parametrize("code", range(5))
@pytest.mark.parametrize("kind", ["path", "mixture", "sample"])
def test_other_channels_bypass_operations_and_are_shuffled(code, kind):
    net, x = supernet(PartialChannels(4)).eval(), images(8)
    weights = [torch.eye(5)[code]] * 6
    selection = {"path": Path([code] * 6), "mixture": Mixture(weights), "sample": Sample([code] * 6, weights)}[kind]
    output = layer_output(net, x, selection)
    # Two channels per part: the shuffle puts channel 2 p + c at position 4 c + p.
    place = {2 * part + channel: 4 * channel + part for part in range(4) for channel in range(2)}
    for channel in range(2, 8):
        torch.testing.assert_close(output[:, place[channel]], x[:, channel], rtol=0, atol=0)
    computed = torch.stack([output[:, place[0]], output[:, place[1]]], dim=1)
    key = str(code)
    layer = first_layer(net)
    expected = layer.options[key](x[:, :2]) if key in layer.options else torch.zeros_like(computed)
    torch.testing.assert_close(computed, expected)


def test_every_channel_is_computed_after_some_layers():
    shuffled = torch.arange(8)[None, :, None, None].float()
    computed = set()
    for _ in range(4):
        computed |= set(shuffled[0, :2, 0, 0].int().tolist())
        shuffled = torch.nn.functional.channel_shuffle(shuffled, 4)
    assert len(computed) > 2


def test_factors_of_edges_multiply_the_bypass_too():
    net, x = supernet(PartialChannels(4)).eval(), images(8)
    plain = layer_output(net, x, uniform())
    halved = layer_output(net, x, Mixture(uniform().weights, factors=torch.full((6,), 0.5)))
    torch.testing.assert_close(halved, plain / 2)


def test_one_part_is_the_plain_supernet():
    with torch.no_grad():
        plain, one = (supernet(partial).eval() for partial in (None, PartialChannels(1)))
        torch.testing.assert_close(one(images(1), uniform()), plain(images(1), uniform()))


def test_unused_options_are_not_computed():
    net = supernet(None)
    selection = Mixture([torch.tensor([0.0, 0.5, 0.0, 0.5, 0.0])] * 6, used=[(1, 3)] * 6)
    called = []
    for name, module in net.named_modules():
        if name.endswith(("options.2", "options.4")):
            module.register_forward_hook(lambda *_, name=name: called.append(name))
    scores = net(images(1), selection)
    assert not called
    torch.testing.assert_close(scores, net(images(1), Mixture(selection.weights)))
    assert called
    nothing = Mixture([torch.eye(5)[0]] * 6, used=[(0,)] * 6)
    torch.testing.assert_close(net(images(1), nothing), net(images(1), Mixture(nothing.weights)))


def test_widening_copies_old_channels_and_their_momentum():
    net = supernet(PartialChannels(4, growth=2), channels=16)
    optimizer = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9)
    net(images(1), uniform()).square().sum().backward()
    optimizer.step()
    layer = first_layer(net)
    assert (layer.part.channels, layer.part.most) == (4, 8)
    before = layer.options["3"][1][0].weight.detach().clone()[:4, :4]
    widen(net, optimizer, np.random.default_rng(0))
    assert layer.part.channels == 8
    convolution, norm = layer.options["3"][1]
    for values, old in (
        (convolution.weight.detach(), before),
        (optimizer.state[convolution.weight]["momentum_buffer"], None),
    ):
        torch.testing.assert_close(values[:4, :4], values[:4, :4] if old is None else old)
        rows = {tuple(row.flatten().tolist()) for row in values[:4]}
        columns = {tuple(column.flatten().tolist()) for column in values.transpose(0, 1)[:4]}
        assert {tuple(row.flatten().tolist()) for row in values} == rows
        assert {tuple(column.flatten().tolist()) for column in values.transpose(0, 1)} == columns
        assert values.abs().min() > 0
    assert set(norm.running_mean.tolist()) == set(norm.running_mean[:4].tolist())
    again = supernet(PartialChannels(4, growth=2), channels=16)
    again.load_state_dict(net.state_dict())
    assert first_layer(again).part.channels == 8, "a checkpoint knows how many channels are computed"
    torch.testing.assert_close(again.eval()(images(1), uniform()), net.eval()(images(1), uniform()))


def test_saved_supernets_keep_their_partial_channels(tmp_path):
    net = supernet(PartialChannels(4, growth=2), channels=16)
    widen(net, torch.optim.SGD(net.parameters(), 0.1), np.random.default_rng(0))
    found = load_supernet(save_supernet(tmp_path / "wide.pt", net))
    assert found.partial == PartialChannels(4, growth=2)
    assert first_layer(found).part.channels == 8
    with torch.no_grad():
        torch.testing.assert_close(found(images(1), uniform()), net.eval()(images(1), uniform()))


def test_a_file_cannot_claim_more_channels_than_there_are_weights():
    net = supernet(PartialChannels(4))
    state = net.state_dict()
    for channels in (0, 3):
        state["network.1.edges.0->1._extra_state"] = torch.tensor(channels)
        with pytest.raises(ValueError, match=f"the number of computed channels must be 1 to 2, got {channels}"):
            net.load_state_dict(state)


def test_edges_into_a_node_belong_together():
    assert supernet(None).joined_decisions() == [(0,), (1, 2), (3, 4, 5)]
    assert make_supernet(SizeSpace(), **OPTIONS).joined_decisions() == [(place,) for place in range(5)]


def test_bad_partial_channels_are_refused():
    with pytest.raises(ParameterError, match="partial channels of 1/4 need a multiple of 4 channels, got 6"):
        supernet(PartialChannels(4), channels=6)
    with pytest.raises(ParameterError, match="growth must divide parts, 4, got 3"):
        PartialChannels(4, growth=3)
    with pytest.raises(ParameterError, match="the supernet of size has no partial channels"):
        make_supernet(SizeSpace(), partial=PartialChannels(4), **OPTIONS)
    with pytest.raises(ParameterError, match="has no weights of whole networks"):
        supernet(PartialChannels(4)).stand_alone([1] * 6)
