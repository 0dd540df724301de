"""Networks of chains with skip connections and dropout, and of products, against plain versions of them."""

import numpy as np
import pytest

from nasbench_lab.errors import OutOfSpaceError, ParameterError
from nasbench_lab.spaces import (
    ChoicesSpace,
    GnnSpace,
    LayerChainSpace,
    ProductOfSpaces,
    SizeSpace,
    SubsetSpace,
    TopologySpace,
)

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from torch.nn import functional  # noqa: E402

from nasbench_lab.train.complexity import parameters  # noqa: E402
from nasbench_lab.train.datasets import Dataset, Split  # noqa: E402
from nasbench_lab.train.network_builders import check_network, network_builder  # noqa: E402
from nasbench_lab.train.network_copies import initialised, weights_of_copies  # noqa: E402
from nasbench_lab.train.networks import layer_chain_network, networks_of, size_network, topology_network  # noqa: E402
from nasbench_lab.train.networks.dropout import SeededDropout  # noqa: E402
from nasbench_lab.train.one_shot.supernets.registry import supernet_class  # noqa: E402
from nasbench_lab.train.recipes import TrainingRecipe  # noqa: E402
from nasbench_lab.train.training import Training  # noqa: E402

CHAIN = ["conv3x3-4", "batch-norm", "relu", "skip-3", "separable3x3-6", "max-pool", "skip-5", "depthwise3x3", "skip-2"]
CHAIN += ["silu", "global-avg-pool", "dense-5", "elu", "skip-2"]


def plain_chain(network, layers, image):
    """What the chain computes, with the weights of a network, every skip connection written out."""
    weights = iter(network.parameters())
    outputs = [image]
    pooled = [0]
    for name in layers:
        x, halved = outputs[-1], pooled[-1]
        kind, _, size = name.partition("-")
        if kind.startswith("conv"):
            x = functional.conv2d(x, next(weights), next(weights), padding=1)
        elif kind.startswith("separable"):
            x = functional.conv2d(x, next(weights), padding=1, groups=x.shape[1])
            x = functional.conv2d(x, next(weights), next(weights))
        elif kind.startswith("depthwise"):
            x = functional.conv2d(x, next(weights), next(weights), padding=1, groups=x.shape[1])
        elif name == "batch-norm":
            x = functional.batch_norm(x, None, None, next(weights), next(weights), training=True)
        elif name == "max-pool":
            x, halved = functional.max_pool2d(x, 2), halved + 1
        elif name == "global-avg-pool":
            x = x.mean((2, 3), keepdim=True)
        elif kind == "dense":
            x = functional.conv2d(x, next(weights), next(weights))
        elif kind == "skip":
            added = outputs[-1 - int(size)]
            for _ in range(halved - pooled[-1 - int(size)]):
                added = functional.avg_pool2d(added, 2)
            x = x + (functional.conv2d(added, next(weights)) if added.shape[1] != x.shape[1] else added)
        else:
            x = getattr(functional, name)(x)
        outputs.append(x)
        pooled.append(halved)
    scores = functional.conv2d(outputs[-1], next(weights), next(weights)).flatten(1)
    assert next(weights, None) is None
    return scores


def test_skip_connections_add_what_their_names_say():
    network = layer_chain_network(CHAIN, image=(2, 7, 6), classes=3).train()
    image = torch.randn(5, 2, 7, 6, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(network(image), plain_chain(network, CHAIN, image))


@pytest.mark.parametrize("training", [True, False])
def test_copies_of_chains_compute_what_each_computes_alone(training):
    layers = [*CHAIN[:9], "dropout-0.4", *CHAIN[9:], "dropout-0.25"]

    def build(copies):
        return layer_chain_network(layers, image=(1, 6, 6), classes=3, copies=copies)

    together = initialised(build, [5, 6, 7]).double().train(training)
    images = torch.randn(4, 3, 1, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for passes in range(2):
        scores = together(images.flatten(1, 2))
        for copy, seed in enumerate([5, 6, 7]):
            alone = initialised(build, [seed]).double().train(training)
            for _ in range(passes):
                alone(images[:, copy])
            expected = alone(images[:, copy])
            torch.testing.assert_close(scores[:, copy], expected, rtol=1e-9, atol=1e-9)
    parts = weights_of_copies(together, build, 3)
    assert [int(part["9.seeds"]) for part in parts] == [int(initialised(build, [s])[9].seeds) for s in (5, 6, 7)]


def test_dropout_sets_its_share_to_zero_and_keeps_the_mean():
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    dropout = SeededDropout(0.25).train()
    torch.random.set_rng_state(before)
    ones = torch.ones(50, 4, 10, 10)
    first, second = dropout(ones), dropout(ones)
    assert torch.equal(torch.random.get_rng_state(), before), "torch's generator is left alone"
    assert abs(float((first == 0).float().mean()) - 0.25) < 0.02
    assert torch.unique(first).tolist() == pytest.approx([0, 1 / 0.75])
    assert not torch.equal(first, second)
    assert torch.equal(dropout.eval()(ones), ones)
    again = SeededDropout(0.25).train()
    again.load_state_dict({**dropout.state_dict(), "passes": torch.tensor(1)})
    assert torch.equal(again(ones), second), "a resumed training goes on with the same masks"


def test_training_with_dropout_is_reproducible_and_the_same_for_copies():
    random = np.random.default_rng(0)
    splits = [Split(random.normal(size=(n, 1, 6, 6)).astype(np.float32), np.arange(n) % 3) for n in (30, 15, 15)]
    data = Dataset("small", 3, *splits, parts=3)

    def build(copies):
        return layer_chain_network(["conv3x3-4", "relu", "dropout-0.5"], image=(1, 6, 6), classes=3, copies=copies)

    recipe = TrainingRecipe("short", 1, 10, 0.1)
    torch.manual_seed(int(random.integers(1000)))
    both = Training(build, data, recipe, [1, 2]).finish().values["train_loss"]
    alone = Training(build, data, recipe, [2]).finish().values["train_loss"]
    again = Training(build, data, recipe, [2]).finish().values["train_loss"]
    np.testing.assert_array_equal(alone, again)
    assert both.shape == (2, 1)
    np.testing.assert_allclose(both[1], alone[0], rtol=1e-4)


def test_what_a_chain_cannot_be():
    for layers, reason in [
        (["skip-1"], "reaches back before the image"),
        (["relu", "dense-4", "skip-1"], "add an image to a vector"),
        (["global-avg-pool", "max-pool"], "no image left for max-pool"),
        (["conv4x4-4"], "is not a layer"),
    ]:
        with pytest.raises(OutOfSpaceError, match=reason):
            layer_chain_network(layers, image=(1, 8, 8))
    space = LayerChainSpace([["conv3x3-4", "depthwise3x3"], ["skip-1", "identity"]])
    with pytest.raises(ParameterError, match="a supernet of chains has layers of the kinds .*'depthwise3x3' is none"):
        supernet_class(space)(space, image=(1, 8, 8), classes=3)


TOPOLOGY, SIZE = TopologySpace(), SizeSpace()
PUBLISHED_CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"


def test_a_cell_with_chosen_options():
    options = ChoicesSpace([("channels", [4, 6]), ("cells", [1, 2])])
    space = ProductOfSpaces([options, SubsetSpace(TOPOLOGY, [5, 11])])
    networks = networks_of(space)
    assert networks.options == ()
    for index in range(space.size):
        choice, cell = (int(part) for part in space.indices_of_parts(index))
        channels, cells = int((4, 4, 6, 6)[choice]), int((1, 2, 1, 2)[choice])
        expected = topology_network(TOPOLOGY.codes([5, 11][cell]), channels=channels, cells=cells, image_channels=1)
        found = network_builder(space, index, image=(1, 8, 8), classes=10)(1)
        assert parameters(found) == parameters(expected)
    only = ProductOfSpaces([TOPOLOGY, ChoicesSpace([("channels", [4])])])
    assert networks_of(only).options == ("cells",)
    assert networks_of(only).default_options("digits") == {"cells": 3}
    build = network_builder(only, 5, image=(1, 8, 8), classes=10, options={"cells": 2})
    assert parameters(build(1)) == parameters(
        topology_network(TOPOLOGY.codes(5), channels=4, cells=2, image_channels=1)
    )


def test_a_cell_with_widths():
    for parts in ([TOPOLOGY, SIZE], [SIZE, TOPOLOGY]):
        space = ProductOfSpaces(parts)
        widths = SIZE.parse("8:16:8:24:32")
        index = space.from_parts([TOPOLOGY.parse(PUBLISHED_CELL) if part is TOPOLOGY else widths for part in parts])
        found = network_builder(space, int(index), image=(1, 8, 8), classes=10)(1)
        assert parameters(found) == parameters(size_network([8, 16, 8, 24, 32], image_channels=1))
        other = space.from_parts([11 if part is TOPOLOGY else widths for part in parts])
        check_network(network_builder(space, int(other), image=(1, 8, 8), classes=10), (1, 8, 8))


def test_sections_of_a_chain():
    space = ProductOfSpaces(
        {
            "features": LayerChainSpace([["conv3x3-4"], ["relu", "skip-1"]]),
            "head": LayerChainSpace([["dense-4"], ["tanh"]]),
        }
    )
    found = network_builder(space, 1, image=(1, 8, 8), classes=3)(1)
    expected = layer_chain_network(["conv3x3-4", "skip-1", "dense-4", "tanh"], image=(1, 8, 8), classes=3)
    assert [tuple(each.shape) for each in found.parameters()] == [tuple(each.shape) for each in expected.parameters()]


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ([TOPOLOGY, TOPOLOGY], "'topology' and 'size', or several 'layer-chain', got 'topology', 'topology'"),
        ([ChoicesSpace([("channels", [8])])], "a product has networks if"),
        ([TOPOLOGY, ChoicesSpace([("width", [8])])], "'width' is not an option of these networks.*channels and cells"),
        ([TOPOLOGY, ChoicesSpace([("channels", ["many"])])], "a whole number from 1, got 'many'"),
        ([TOPOLOGY, ChoicesSpace([("channels", [0])])], "a whole number from 1, got '0'"),
        ([TOPOLOGY, *[ChoicesSpace([("cells", [1])])] * 2], "two parts of a product choose the same option"),
        ([LayerChainSpace([["relu"]]), ChoicesSpace([("channels", [8])])], "their options: none"),
        ([GnnSpace(), ChoicesSpace([("channels", [8])])], "no networks for the space 'gnn'"),
    ],
)
def test_products_without_networks_say_what_has_some(parts, reason):
    with pytest.raises(ParameterError, match=reason):
        networks_of(ProductOfSpaces(parts))
