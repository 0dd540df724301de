"""Proxies of weights and gradients against their definitions, by differences of losses, and by their invariances."""

import itertools
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from nasbench_lab.train.image_batches import Batch  # noqa: E402
from nasbench_lab.train.proxies import score  # noqa: E402

GRADIENTS = ["plain", "snip", "grad_norm", "grasp", "fisher"]
SMALL = 1e-5


def network(*, normalised=True, seed=0):
    """Convolutions, one of them grouped, normalisation and a linear layer, in double precision."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(2, 3, 3, padding=1, bias=False),
            nn.BatchNorm2d(3) if normalised else nn.Identity(),
            nn.Tanh(),  # differences need a smooth function
            nn.Conv2d(3, 6, 2, stride=2, groups=3),
            nn.Tanh(),
            nn.Flatten(),
            nn.Linear(24, 3),
        ).double()


def batch(images=5, seed=1):
    random = torch.Generator().manual_seed(seed)
    return Batch(torch.randn(images, 2, 4, 4, generator=random, dtype=torch.float64), torch.arange(images) % 3)


def layers(net):
    return [each for each in net.modules() if isinstance(each, nn.Conv2d | nn.Linear)]


@torch.no_grad()
def loss_at(net, shifts):
    """The loss with the weights of every layer shifted."""
    names = [name for name, each in net.named_modules() if isinstance(each, nn.Conv2d | nn.Linear)]
    moved = {
        f"{name}.weight": net.get_submodule(name).weight + torch.as_tensor(shift)
        for name, shift in zip(names, shifts, strict=True)
    }
    images, labels = batch()
    return float(functional.cross_entropy(torch.func.functional_call(net, moved, (images,)), labels))


def slopes(net):
    """The derivatives of the loss by every weight, each by a difference of two losses."""
    found = []
    for place, layer in enumerate(layers(net)):
        slope = np.zeros(layer.weight.shape)
        for index in np.ndindex(*slope.shape):
            shifts = [np.zeros(each.weight.shape) for each in layers(net)]
            shifts[place][index] = SMALL
            slope[index] = (loss_at(net, shifts) - loss_at(net, [-each for each in shifts])) / (2 * SMALL)
        found.append(slope)
    return found


@pytest.fixture(scope="module")
def measured():
    net = network()
    return net, [layer.weight.detach().numpy() for layer in layers(net)], slopes(net)


def test_plain_snip_and_grad_norm_by_differences(measured):
    net, weights, gradients = measured
    pairs = list(zip(weights, gradients, strict=True))
    assert score(net, batch(), "plain") == pytest.approx(sum((w * g).sum() for w, g in pairs), rel=1e-6)
    assert score(net, batch(), "snip") == pytest.approx(sum(np.abs(w * g).sum() for w, g in pairs), rel=1e-6)
    assert score(net, batch(), "grad_norm") == pytest.approx(sum(np.sqrt((g**2).sum()) for g in gradients), rel=1e-6)
    assert score(net, batch(), "l2_norm") == pytest.approx(sum(np.sqrt((w**2).sum()) for w in weights))


def test_grasp_is_a_second_difference_along_weights_and_gradients(measured):
    net, weights, gradients = measured
    step = 1e-4

    def at(one, other):
        return loss_at(net, [step * (one * w + other * g) for w, g in zip(weights, gradients, strict=True)])

    curvature = (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / (4 * step**2)
    assert score(net, batch(), "grasp") == pytest.approx(-curvature, rel=1e-3)


@torch.no_grad()
def test_fisher_is_the_dependence_on_masks_of_channels():
    net, (images, labels) = network(normalised=False), batch()  # without it, an image does not depend on the others
    once = per_weight = 0.0
    for place, layer in enumerate(net):
        if not isinstance(layer, nn.Conv2d | nn.Linear):
            continue
        output = net[: place + 1](images)
        for image in range(len(images)):
            for channel in range(output.shape[1]):
                losses = []
                for mask in (1 + SMALL, 1 - SMALL):
                    masked = output.clone()
                    masked[image, channel] *= mask
                    losses.append(float(functional.cross_entropy(net[place + 1 :](masked), labels)))
                slope = (losses[0] - losses[1]) / (2 * SMALL)
                once += slope**2 / 2 / len(images)
                per_weight += slope**2 / 2 / len(images) * layer.weight[channel].numel()
    assert score(net, batch(), "fisher") == pytest.approx(per_weight, rel=1e-5)
    assert score(net, batch(), "fisher:per_weight=False") == pytest.approx(once, rel=1e-5)


def chain(widths, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        parts = [
            part
            for one, other in itertools.pairwise(widths)
            for part in (nn.ReLU(), nn.BatchNorm1d(one), nn.Linear(one, other, bias=False))
        ]
        return nn.Sequential(nn.Flatten(), *parts)


def test_synflow_of_a_chain_is_a_product_of_matrices():
    net = chain([32, 5, 7, 3])
    signal = np.ones(32)
    for layer in net:
        if isinstance(layer, nn.Linear):
            signal = np.abs(layer.weight.detach().numpy().astype(float)) @ signal
    assert score(net, batch(), "synflow") == pytest.approx(math.log(3 * signal.sum()))  # three layers of the same flow


def test_synflow_of_any_network_by_differences():
    net = network()
    flat = network(normalised=False)
    flat.load_state_dict({name: value for name, value in net.state_dict().items() if not name.startswith("1.")})
    flow = log_flow = 0.0
    with torch.no_grad():
        for value in flat.parameters():
            value.abs_()
        ones = torch.ones(1, 2, 4, 4, dtype=torch.float64)
        for layer in layers(flat):
            for index in np.ndindex(*layer.weight.shape):
                weight, outputs = float(layer.weight[index]), []
                for shift in (SMALL, -SMALL):
                    layer.weight[index] = weight + shift
                    outputs.append(float(flat(ones).sum()))
                layer.weight[index] = weight
                slope = (outputs[0] - outputs[1]) / (2 * SMALL)
                flow, log_flow = flow + weight * slope, log_flow + weight * math.log1p(slope)
    assert score(net, batch(), "synflow") == pytest.approx(math.log(flow), rel=1e-7)
    assert score(net, batch(), "logsynflow") == pytest.approx(log_flow, rel=1e-7)


def test_synflow_needs_neither_signs_nor_normalisation_nor_a_scale_of_pairs():
    net = chain([32, 5, 7, 3])
    expected = score(net, batch(), "synflow")
    with torch.no_grad():
        net[3].weight *= -8
        net[6].weight /= 8
        net[5].weight.fill_(0.1)
        net[5].running_mean.fill_(9)
    assert score(net, batch(), "synflow") == pytest.approx(expected, rel=1e-12)


def test_synflow_does_not_overflow():
    net = chain([40] * 60)  # too large for single precision
    expected = 0.0
    with torch.no_grad():
        for layer in layers(net):
            layer.weight.fill_(0.5)
            expected += math.log(0.5 * 40)
    expected += math.log(40 * len(layers(net)))
    assert expected > math.log(torch.finfo(torch.float32).max)
    wide = Batch(torch.ones(2, 1, 5, 8), torch.zeros(2, dtype=torch.int64))
    assert score(net, wide, "synflow") == pytest.approx(expected, rel=1e-6)


def test_the_scale_of_normalised_layers_does_not_matter():
    """The gradient falls as the weights grow; plain then only sees the layers without normalisation."""
    net = network()
    net[1].eps = 1e-30
    before = {name: score(net, batch(), name) for name in ("plain", "snip", "fisher")}
    with torch.no_grad():
        net[0].weight *= 4
    for name, value in before.items():
        assert score(net, batch(), name) == pytest.approx(value, rel=1e-9)
    images, labels = batch()
    loss = functional.cross_entropy(net(images), labels)
    later = layers(net)[1:]
    gradients = torch.autograd.grad(loss, [layer.weight for layer in later])
    rest = sum(float((layer.weight.detach() * g).sum()) for layer, g in zip(later, gradients, strict=True))
    assert before["plain"] == pytest.approx(rest, rel=1e-9)


@pytest.mark.parametrize("name", [*GRADIENTS, "l2_norm", "synflow", "logsynflow"])
def test_the_order_of_channels_and_images_does_not_matter(name):
    net, images = network(), batch()
    expected = score(net, images, name)
    moved, order = network(), torch.tensor([2, 0, 1])
    with torch.no_grad():
        moved[0].weight.copy_(net[0].weight[order])
        moved[3].weight.copy_(net[3].weight.unflatten(0, (3, 2))[order].flatten(0, 1))
        moved[3].bias.copy_(net[3].bias.unflatten(0, (3, 2))[order].flatten(0, 1))
        columns = net[6].weight.unflatten(1, (3, 2, 4))[:, order].flatten(1)
        moved[6].weight.copy_(columns)
        moved[6].bias.copy_(net[6].bias)
    turned = Batch(images.images.flip(0), images.labels.flip(0))
    assert score(moved, turned, name) == pytest.approx(expected, rel=1e-9)


def test_images_twice_are_the_same_batch():
    net, (images, labels) = network(), batch()
    twice = Batch(torch.cat([images, images]), torch.cat([labels, labels]))
    for name in ("plain", "snip", "grad_norm", "grasp"):
        assert score(net, twice, name) == pytest.approx(score(net, batch(), name), rel=1e-9)


def test_params_and_flops_by_hand():
    net = network()
    assert score(net, batch(), "params") == 3 * 2 * 9 + 2 * 3 + 6 * 4 + 6 + 24 * 3 + 3
    assert score(net, batch(), "flops") == 16 * 3 * 2 * 9 + 4 * 6 * (4 + 1) + 3 * (24 + 1)


def test_other_layers_count_as_well():
    """A convolution over one axis, and a linear layer for every position."""
    net = nn.Sequential(nn.Flatten(2), nn.Conv1d(2, 3, 3), nn.Linear(14, 2), nn.Flatten(), nn.Linear(6, 3)).double()
    assert score(net, batch(), "l2_norm") == pytest.approx(
        sum(float(each.weight.detach().norm()) for each in (net[1], net[2], net[4]))
    )
    for name in GRADIENTS:
        assert math.isfinite(score(net, batch(), name))
