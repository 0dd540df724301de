"""Wider and deeper networks compute what the smaller one computes, up to rounding."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from nasbench_lab.errors import ParameterError
from nasbench_lab.train.inheritance import deepen, keep_function, widen
from nasbench_lab.train.networks import (
    cell101_network,
    layer_chain_network,
    macro_network,
    size_network,
    topology_network,
)

IMAGE = (2, 8, 8)
ROUNDING = 1e-11


def trained_like(network, random):
    """Give a network random weights and statistics, in float64, ready to predict."""
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            drawn = random.standard_normal(tuple(value.shape))
            value.copy_(torch.from_numpy(np.abs(drawn) + 0.1 if name.endswith("running_var") else 0.5 * drawn))
    return network.double().eval()


def difference(child, parent, random):
    """Return the largest difference of scores, relative to the largest score."""
    images = torch.from_numpy(random.standard_normal((3, *IMAGE)))
    with torch.no_grad():
        ours, theirs = child(images), parent(images)
    assert float(theirs.std()) > 0
    return float((ours - theirs).abs().max() / theirs.abs().max())


def random_chain(random):
    """Return a chain of layers, and a wider and deeper one that can compute the same."""
    small, large = [], []
    channels = IMAGE[0]
    positive = False

    def conv(outputs, kernel):
        return f"conv{kernel}x{kernel}-{outputs}"

    for _ in range(random.integers(1, 4)):
        while random.random() < 0.4:  # layers that only the large one has
            large.append("relu" if positive and random.random() < 0.5 else conv(random.integers(channels, 6), 3))
        channels, kernel = int(random.integers(2, 5)), int(random.choice([3, 5]))
        small.append(conv(channels, kernel))
        large.append(conv(channels + int(random.integers(0, 3)), kernel + 2 * int(random.integers(0, 2))))
        positive = False
        if random.random() < 0.7:
            activation = str(random.choice(["relu", "tanh", "sigmoid"]))
            small.append(activation)
            large.append(activation)
            positive = activation != "tanh"
    pooling = str(random.choice(["max-pool", "avg-pool", "identity"]))
    small.append(pooling)
    large.append(pooling)
    if random.random() < 0.5:
        units = int(random.integers(2, 7))
        small.append(f"dense-{units}")
        large += [f"dense-{units + int(random.integers(0, 4))}"]
        if random.random() < 0.5:
            large.append(f"dense-{units + int(random.integers(0, 4))}")
    return small, large


def test_hundreds_of_random_chains_are_widened_and_deepened():
    random = np.random.default_rng(7)
    grown = 0
    for number in range(200):
        small, large = random_chain(random)
        parent = trained_like(layer_chain_network(small, image=IMAGE), random)
        child = trained_like(layer_chain_network(large, image=IMAGE), random)
        found = keep_function(child, parent, seed=number, split=["random", "equal"][number % 2], image=IMAGE)
        assert found.keeps_function
        assert difference(child, parent, random) < ROUNDING, (small, large)
        grown += small != large
    assert grown > 150


def test_random_size_networks_are_widened():
    random = np.random.default_rng(3)
    kept = 0
    for number in range(12):
        few = random.integers(2, 5, 5)
        many = few + random.integers(0, 3, 5)
        # A skip between equal channels has no convolution that could take over that of the parent.
        if any(many[i] == many[i + 1] and few[i] != few[i + 1] for i in (1, 3)):
            continue
        parent = trained_like(size_network(few.tolist(), image_channels=2), random)
        child = trained_like(size_network(many.tolist(), image_channels=2), random)
        keep_function(child, parent, seed=number, image=IMAGE)
        assert difference(child, parent, random) < ROUNDING, (few, many)
        kept += 1
    assert kept > 5


def test_the_training_of_a_widened_network_starts_with_the_same_function_too():
    """Repeated channels have the statistics of the originals in a batch, so batch normalisation does the same."""
    random = np.random.default_rng(4)
    parent = trained_like(size_network([2, 3, 4, 3, 2], image_channels=2), random).train()
    child = trained_like(size_network([3, 5, 6, 4, 5], image_channels=2), random).train()
    keep_function(child, parent, image=IMAGE)
    assert difference(child, parent, random) < ROUNDING


def test_macro_networks_get_further_blocks():
    random = np.random.default_rng(5)
    parent = trained_like(macro_network([1, 0, 2, 0, 0, 1, 2, 0], channels=2, image_channels=2), random)
    child = trained_like(macro_network([1, 2, 2, 1, 0, 1, 2, 1], channels=2, image_channels=2), random)
    found = keep_function(child, parent, image=IMAGE)
    assert difference(child, parent, random) < ROUNDING
    assert found.share < 1


@pytest.mark.parametrize(
    ("small", "large"), [([4, 1, 3, 0, 0, 2], [4, 1, 3, 2, 3, 3]), ([0] * 3 + [2, 0, 1], [0, 3, 0, 3, 0, 1])]
)
def test_topologies_get_further_edges_larger_kernels_and_more_channels(small, large):
    random = np.random.default_rng(6)
    parent = trained_like(topology_network(small, channels=2, cells=1, image_channels=2), random)
    child = trained_like(topology_network(large, channels=3, cells=1, image_channels=2), random)
    keep_function(child, parent, image=IMAGE)
    images = torch.from_numpy(random.standard_normal((3, *IMAGE)))
    with torch.no_grad():
        assert torch.allclose(child(images), parent(images), rtol=0, atol=ROUNDING)


def test_training_can_use_what_was_added():
    """The gradient of a silent branch, and those of two copies of a channel with random shares, differ from zero."""
    parent = topology_network([1, 1, 0, 4, 0, 2], channels=2, cells=1, image_channels=2)
    child = topology_network([1, 1, 3, 4, 0, 2], channels=2, cells=1, image_channels=2)
    keep_function(child, parent, image=IMAGE)
    child(torch.rand(4, *IMAGE)).sum().backward()
    gradients = {name: value.grad for name, value in child.named_parameters() if "edges.1->2" in name}
    assert max(float(gradient.abs().max()) for gradient in gradients.values()) > 0

    dead = topology_network([0, 1, 3, 4, 0, 2], channels=2, cells=1, image_channels=2)
    with pytest.raises(ParameterError, match="would get no gradient"):
        keep_function(topology_network([3, 1, 3, 4, 0, 2], channels=2, cells=1, image_channels=2), dead)

    network = layer_chain_network(["conv3x3-1", "tanh"], image=IMAGE)
    for split, equal in (("equal", True), ("random", False)):
        wide = widen(network, "0", 2, split=split, image=IMAGE)
        wide(torch.rand(4, *IMAGE))[:, 0].sum().backward()
        one, other = wide[0].weight.grad
        assert bool(torch.allclose(one, other)) is equal


LONG = {
    "skips": (
        "conv3x3-3|relu|conv3x3-3|skip-2|relu|global-avg-pool",
        "conv5x5-5|relu|relu|conv3x3-5|skip-3|relu|global-avg-pool|dense-4",
    ),
    "skips with a projection": ("conv3x3-3|conv3x3-4|skip-1|max-pool", "conv3x3-4|conv5x5-6|skip-1|conv3x3-7|max-pool"),
    "an image that is added": ("conv3x3-2|skip-1|tanh", "conv3x3-2|skip-1|tanh"),
    "separable": (
        "separable3x3-3|batch-norm|relu|dropout-0.3",
        "separable5x5-5|batch-norm|relu|depthwise3x3|batch-norm",
    ),
}


@pytest.mark.parametrize("case", LONG)
def test_chains_with_more_kinds_of_layers_are_grown(case):
    random = np.random.default_rng(11)
    small, large = (text.split("|") for text in LONG[case])
    if case == "separable":
        large.append("dropout-0.3")
    parent = trained_like(layer_chain_network(small, image=IMAGE), random)
    child = trained_like(layer_chain_network(large, image=IMAGE), random)
    keep_function(child, parent, image=IMAGE)
    assert difference(child, parent, random) < ROUNDING


def test_a_skip_connection_from_another_layer_is_refused():
    parent, child = (
        layer_chain_network(["conv3x3-2", "tanh", "conv3x3-2", f"skip-{back}"], image=IMAGE) for back in (1, 2)
    )
    with pytest.raises(ParameterError, match="layer 3 of the child adds the output of another layer"):
        keep_function(child, parent, image=IMAGE)


def test_noise_changes_the_function_a_little():
    random = np.random.default_rng(8)
    parent = trained_like(layer_chain_network(["conv3x3-3", "relu"], image=IMAGE), random)
    found = {}
    for noise in (0.0, 0.01, 0.5):
        child = layer_chain_network(["conv3x3-5", "relu"], image=IMAGE).double().eval()
        assert keep_function(child, parent, noise=noise, image=IMAGE).keeps_function is (noise == 0)
        found[noise] = difference(child, parent, np.random.default_rng(1))
    assert found[0.0] < ROUNDING < found[0.01] < 0.05 < found[0.5]


REFUSED = {
    "a further tanh": (["conv3x3-3"], ["conv3x3-3", "tanh"], "layer 1 of the child, a Tanh, has no weights"),
    "a further sigmoid": (["conv3x3-3"], ["conv3x3-3", "sigmoid"], "a Sigmoid, has no weights"),
    "further pooling": (["conv3x3-3"], ["conv3x3-3", "max-pool"], "a MaxPool2d, has no weights"),
    "a ReLU after negative values": (["conv3x3-3"], ["conv3x3-3", "relu"], "would cut off negative values"),
    "another activation": (["conv3x3-3", "relu"], ["conv3x3-3", "tanh"], "layer 1 of the child is a Tanh"),
    "a narrower layer": (["conv3x3-3"], ["conv3x3-2"], "layer 0 has 2 outputs, fewer than the 3 of the parent"),
    "a narrow further layer": (["dense-8"], ["dense-8", "dense-7"], "layer 1.linear has 7 outputs, fewer than the 8"),
    "a smaller kernel": (["conv5x5-3"], ["conv3x3-3"], "layer 0 of the child is Conv2d"),
    "fewer layers": (["conv3x3-3", "conv3x3-4"], ["conv3x3-3"], "the child has 3 layers, and the parent 4"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_kept_is_refused_in_one_line(case):
    small, large, reason = REFUSED[case]
    parent, child = (layer_chain_network(layers, image=IMAGE) for layers in (small, large))
    before = copy.deepcopy(child.state_dict())
    with pytest.raises(ParameterError, match="the child cannot compute what the parent computes") as error:
        keep_function(child, parent, image=IMAGE)
    assert reason in str(error.value)
    assert len(str(error.value).splitlines()) == 1
    assert all(torch.equal(value, before[name]) for name, value in child.state_dict().items())


def test_a_layer_without_a_rule_is_copied_but_never_widened():
    """A cell of NAS-Bench-101 cuts channels off, so its channels cannot be repeated."""
    cell = [[0, 1, 1], [0, 0, 1], [0, 0, 0]], ["conv3x3-bn-relu"]
    random = np.random.default_rng(9)
    parent = trained_like(cell101_network(*cell, channels=5, cells=1, image_channels=2), random)
    same = trained_like(cell101_network(*cell, channels=5, cells=1, image_channels=2), random)
    keep_function(same, parent, image=IMAGE)
    assert difference(same, parent, random) == 0
    wider = cell101_network(*cell, channels=6, cells=1, image_channels=2)
    with pytest.raises(ParameterError, match="Cell101Module"):
        keep_function(wider, parent, image=IMAGE)


class Reversed(nn.Module):
    """Reverses the channels: a rule for layers without weights would be wrong for it."""

    def forward(self, x):
        return x.flip(1)


def test_a_layer_that_is_not_what_it_seems_is_noticed(monkeypatch):
    from nasbench_lab.train.inheritance import kept_layers

    monkeypatch.setattr(kept_layers, "_CHANNEL_BY_CHANNEL", (Reversed,))
    parent = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), Reversed(), nn.Conv2d(3, 2, 1), nn.Flatten())
    child = nn.Sequential(nn.Conv2d(2, 5, 3, padding=1), Reversed(), nn.Conv2d(5, 2, 1), nn.Flatten())
    with pytest.raises(ParameterError, match="does not compute what the parent computes"):
        keep_function(child, parent, image=IMAGE)


def test_sequences_of_plain_torch_layers_are_widened_and_deepened():
    random = np.random.default_rng(10)
    network = nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.Dropout(0.5), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(48, 6), nn.Sigmoid(), nn.Linear(6, 4),
    )  # fmt: skip
    network = trained_like(network, random)
    wide = widen(widen(network, "0", 7), "6", 9)
    assert (wide[0].out_channels, wide[6].out_features) == (7, 9)
    deep = deepen(deepen(wide, "8", nn.Linear(9, 9).double()), "8", nn.ReLU())
    for grown in (wide, deep):
        assert difference(grown, network, random) < ROUNDING


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [(("9", 5), "layer must be"), (("0", 2), "at least as many"), (("1", 5), "layer '1'"), (("2", 30), "the scores")],
)
def test_what_cannot_be_widened_is_refused(arguments, reason):
    network = layer_chain_network(["conv3x3-4", "relu"], image=IMAGE)
    with pytest.raises(ParameterError, match=reason):
        widen(network, *arguments, image=IMAGE)
