"""Supernets against the stand-alone networks of the same architectures with the same weights."""

import itertools

import numpy as np
import pytest
from added_entry_points import add_entry_points

from nasbench_lab.errors import ParameterError
from nasbench_lab.spaces import Cell101Space, ChainSpace, LayerChainSpace, SizeSpace, TopologySpace

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from nasbench_lab.train.complexity import parameters  # noqa: E402
from nasbench_lab.train.networks import networks_of  # noqa: E402
from nasbench_lab.train.one_shot.supernets import (  # noqa: E402
    Mixture,
    Path,
    Sample,
    SharedNorm,
    Supernet,
    list_supernets,
    make_supernet,
    recalibrate,
)

CHAIN = LayerChainSpace(
    [
        ["conv3x3-4", "conv5x5-4", "conv3x3-8", "identity"],
        ["relu", "tanh", "sigmoid", "identity"],
        ["max-pool", "avg-pool", "identity"],
        ["conv3x3-8", "conv7x7-16", "identity"],
        ["dense-16", "dense-64", "identity"],
    ]
)
SPACES = {
    "topology": (TopologySpace(), {"channels": 4, "cells": 1}),
    "size": (SizeSpace(), {}),
    "cell101": (Cell101Space(5), {"channels": 8, "cells": 1}),
    "layer-chain": (CHAIN, {}),
}
IMAGE = (1, 8, 8)
SMALL_IMAGE = (1, 4, 4)  # for the size space, whose networks cannot be made narrow


def supernet(name, **options):
    """A supernet whose weights, also those that start at 0 or 1, are random."""
    space, network = SPACES[name]
    image = SMALL_IMAGE if name == "size" else IMAGE
    found = make_supernet(space, image=image, classes=10, seed=1, options=network, **options)
    with torch.no_grad():
        for place, weight in enumerate(found.parameters()):
            weight.add_(0.1 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(place)))
    return found


def architectures(name, count=200):
    space = SPACES[name][0]
    return space.codes(np.random.default_rng(3).choice(space.size, count, replace=False)).tolist()


def drawn_in_full(codes):
    """Codes of the same cell where missing vertices exist, without edges: a mixture weighs all vertices."""
    output = 1 + sum(code > 0 for code in codes[10:])
    place = [*range(output), 4]
    pairs = list(itertools.combinations(range(5), 2))
    edges = {(place[a], place[b]) for (a, b), code in zip(pairs, codes, strict=False) if code}
    return [int(pair in edges) for pair in pairs] + [code or 1 for code in codes[10:]]


def one_hot(space, codes):
    return [torch.eye(size)[code] for size, code in zip(space.cardinalities, codes, strict=True)]


def images(count=4, image=IMAGE):
    return torch.randn(count, *image, generator=torch.Generator().manual_seed(0))


def images_of(name):
    return images(image=SMALL_IMAGE if name == "size" else IMAGE)


@pytest.mark.parametrize("name", SPACES)
def test_a_path_a_mixture_and_a_sample_equal_the_stand_alone_network(name):
    space, net, x = SPACES[name][0], supernet(name, affine=True).train(), images_of(name)
    for place, codes in enumerate(architectures(name, 100)):
        full = drawn_in_full(codes) if name == "cell101" else codes
        weights = one_hot(space, full)
        selections = [Mixture(weights)]
        if place % 5 == 0:
            selections += [Sample(full, weights), Sample(full, weights, bare=True)]
        with torch.no_grad():
            expected = net.stand_alone(codes)(x)
            torch.testing.assert_close(net(x, Path(codes)), expected)
            if full != codes:
                expected = net.stand_alone(full)(x)
            for selection in selections:
                torch.testing.assert_close(net(x, selection), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", SPACES)
def test_a_path_equals_the_stand_alone_network_with_running_statistics(name):
    net, x = supernet(name, affine=False, statistics="running"), images_of(name)
    for codes in architectures(name, 20):
        with torch.no_grad():
            net.train()(x, Path(codes))
            expected = net.eval().stand_alone(codes)(x)
            torch.testing.assert_close(net(x, Path(codes)), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", SPACES)
def test_a_path_computes_and_updates_only_what_it_uses(name):
    net, x = supernet(name, affine=True).train(), images_of(name)
    widest = 0
    for codes in architectures(name, 5):
        before = {key: value.clone() for key, value in net.state_dict().items()}
        net.zero_grad(set_to_none=True)
        net(x, Path(codes)).sum().backward()
        used = {"network." + net.source(key, codes) for key in net.stand_alone(codes).state_dict()}
        changed = {key for key, value in net.state_dict().items() if not torch.equal(value, before[key])}
        assert changed <= used, "statistics of other normalisations"
        assert changed or name == "layer-chain", "chains have no normalisations"
        assert {key for key, weight in net.named_parameters() if weight.grad is not None} <= used
        if name == "size":  # paths use the first channels of the same layers
            norm = next(m for m in net.modules() if isinstance(m, SharedNorm) and m.num_features == 64)
            widest = max(widest, SizeSpace().channels(int(SizeSpace().index(codes)))[0])
            assert (norm.running_var[:widest] != 1).all()
            assert (norm.running_var[widest:] == 1).all()


def test_the_parameters_of_a_topology_supernet_are_the_sum_of_its_operations():
    net = supernet("topology", affine=True)
    family, options = networks_of(net.space), SPACES["topology"][1]

    def count(codes):
        return parameters(family.build(codes, image=IMAGE, classes=10, copies=1, **options))

    nothing = count([0] * 6)
    alone = [count([op if e == edge else 0 for e in range(6)]) - nothing for edge in range(6) for op in range(5)]
    assert parameters(net) == nothing + sum(alone)


def test_the_parameters_of_a_size_supernet_are_those_of_the_widest_network_and_two_skip_connections():
    net = supernet("size", affine=True)
    widest = networks_of(net.space).build([7] * 5, image=IMAGE, classes=10, copies=1)
    assert parameters(net) == parameters(widest) + 2 * (64 * 64 + 2 * 64)


def test_the_parameters_of_a_cell_supernet_are_the_sum_of_its_layers():
    net = supernet("cell101", affine=True)
    expected, inputs = (9 + 2) * 8, 8
    for outputs in (8, 16, 32):
        expected += 4 * (inputs * outputs + 2 * outputs) + 3 * ((9 + 1) * outputs * outputs + 4 * outputs)
        inputs = outputs
    assert parameters(net) == expected + 32 * 10 + 10


def test_the_parameters_of_a_chain_supernet_are_the_sum_of_its_layers():
    first = (9 + 25) * 4 + 9 * 8 + 4 + 4 + 8
    second = 9 * 8 * 8 + 49 * 8 * 16 + 8 + 16
    dense = 2 * (16 + 64) + 16 * (16 + 64) * (64 + 16)  # up to 16 channels of 8x8 or 4x4 pixels
    classifier = 10 + 64 * 10 + 2 * 10 + 16 * (64 + 16) * 10
    assert parameters(supernet("layer-chain")) == first + second + dense + classifier


@pytest.mark.parametrize("name", SPACES)
def test_weights_of_options_have_the_gradients_of_the_sum(name):
    """Derivatives of a mixture by its weights, against finite differences."""
    space, net, x = SPACES[name][0], supernet(name).double().train(), images_of(name).double()
    random = np.random.default_rng(0)
    weights = [torch.tensor(random.dirichlet(np.ones(size)), requires_grad=True) for size in space.cardinalities]
    net(x, Mixture(weights)).square().sum().backward()
    for decision in range(0, len(weights), 3):
        for option in range(space.cardinalities[decision]):
            values = []
            for step in (-1e-6, 1e-6):
                moved = [each.detach().clone() for each in weights]
                moved[decision][option] += step
                values.append(float(net(x, Mixture(moved)).square().sum().detach()))
            slope = weights[decision].grad
            found = 0.0 if slope is None else float(slope[option])
            assert found == pytest.approx((values[1] - values[0]) / 2e-6, rel=1e-3, abs=1e-3)


def test_bare_weights_change_gradients_but_no_values():
    net, x = supernet("topology").train(), images()
    codes, found = [3, 1, 2, 3, 1, 3], {}
    for bare in (False, True):
        weights = [torch.eye(5)[code].requires_grad_() for code in codes]
        scores = net(x, Sample(codes, weights, bare=bare))
        scores.square().sum().backward()
        found[bare] = scores.detach(), torch.stack([each.grad for each in weights])
    torch.testing.assert_close(found[True][0], found[False][0])
    chosen = torch.eye(5, dtype=torch.bool)[codes]
    torch.testing.assert_close(found[True][1][chosen], found[False][1][chosen])
    assert (found[False][1][~chosen] == 0).all()
    assert (found[True][1][~chosen] != 0).any()


def test_factors_multiply_the_outputs_of_decisions():
    net, x = supernet("topology").train(), images()
    weights = [torch.full((5,), 0.2) for _ in range(6)]
    factors = torch.linspace(0.5, 1.0, 6)
    scaled = [weight * factor for weight, factor in zip(weights, factors, strict=True)]
    torch.testing.assert_close(net(x, Mixture(weights, factors)), net(x, Mixture(scaled)))


def test_recalibrated_statistics_are_means_over_the_batches_of_the_path():
    net = supernet("topology", statistics="recalibrated")
    codes, batches = [3] * 6, [images(12), images(20)[8:]]
    recalibrate(net, codes, batches)
    stem = net.network[0]
    variances = [stem[0](batch).var(dim=(0, 2, 3)) for batch in batches]
    torch.testing.assert_close(stem[1].running_var, torch.stack(variances).mean(dim=0))
    assert not net.training or not stem[1].training
    before = {key: value.clone() for key, value in net.state_dict().items() if "running" in key}
    recalibrate(net, codes, batches)
    assert all(torch.equal(value, net.state_dict()[key]) for key, value in before.items()), "nothing of before counts"


def test_evaluations_by_batch_statistics_change_nothing():
    net, x = supernet("topology", statistics="batch"), images()
    net.eval()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    with torch.no_grad():
        scores = net(x, Path([3] * 6))
        torch.testing.assert_close(scores, net.train()(x, Path([3] * 6)))
    net.load_state_dict(before)
    net.eval()(x, Path([3] * 6))
    assert all(torch.equal(value, net.state_dict()[key]) for key, value in before.items())


def test_a_seed_determines_the_weights_and_the_global_state_is_unchanged():
    space, options = SPACES["topology"]
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, two, other = (make_supernet(space, image=IMAGE, classes=10, seed=s, options=options) for s in (0, 0, 1))
    assert torch.equal(torch.rand(3), expected)
    states = [torch.cat([w.flatten() for w in net.parameters()]) for net in (one, two, other)]
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


def test_spaces_without_a_supernet_are_refused():
    with pytest.raises(ParameterError, match="no supernet for the space 'chain'; there are for cell101, layer-chain"):
        make_supernet(ChainSpace("012", 8), image=IMAGE, classes=10)
    with pytest.raises(ParameterError, match="cells of up to 5 vertices, got 7"):
        make_supernet(Cell101Space(7), image=IMAGE, classes=10)
    with pytest.raises(ParameterError, match="a network takes channels and cells"):
        make_supernet(TopologySpace(), image=IMAGE, classes=10, options={"width": 3})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"image": (1, 8)}, r"image must be channels, height and width, got \(1, 8\)"),
        ({"image": "1x8x8"}, "image must be channels, height and width, got '1x8x8'"),
        ({"image": (1, 0, 8)}, "height must be at least 1, got 0"),
        ({"classes": 0}, "classes must be at least 1, got 0"),
        ({"statistics": "mean"}, "statistics must be 'batch', 'recalibrated' or 'running', got 'mean'"),
    ],
)
def test_invalid_arguments(given, message):
    with pytest.raises(ParameterError, match=message):
        make_supernet(TopologySpace(), **{"image": IMAGE, "classes": 10, **given})


def test_the_repr_is_one_short_line():
    found = make_supernet(TopologySpace(), image=(1, 8, 8), classes=10, options={"channels": 4, "cells": 1})
    shown = f"{parameters(found):,} weights, images of 1 x 8 x 8, 10 classes"
    assert repr(found) == f"<TopologySupernet: 15,625 architectures, {shown}>"


def test_a_package_adds_a_supernet(monkeypatch):
    space = ChainSpace("012", 8)
    add_entry_points(monkeypatch, "nasbench_lab.supernets", chain=Mine)
    assert "chain" in list_supernets()
    assert isinstance(make_supernet(space, image=IMAGE, classes=10), Mine)
    add_entry_points(monkeypatch, "nasbench_lab.supernets", chain=dict)
    with pytest.raises(ParameterError, match="must name a Supernet, but it names <class 'dict'>"):
        make_supernet(space, image=IMAGE, classes=10)


class Mine(Supernet):
    """A supernet of another package."""

    def assemble(self, **options):
        return torch.nn.Flatten()

    def source(self, name, codes):
        return name
