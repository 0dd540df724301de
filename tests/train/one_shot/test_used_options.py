"""Selections that compute some options only, and interpolated numbers of channels."""

import itertools

import numpy as np
import pytest
from made_up_searches import SPACES, made_up_images

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from nasbench_lab.errors import ParameterError  # noqa: E402
from nasbench_lab.train.complexity import multiply_additions  # noqa: E402
from nasbench_lab.train.one_shot.supernets import Mixture, Path, Sample, SharedNorm, make_supernet  # noqa: E402
from nasbench_lab.train.one_shot.supernets.widths import interpolation  # noqa: E402

IMAGE = (1, 4, 4)
X = torch.from_numpy(made_up_images().train.images[:4]).double()


def supernet(name):
    space, options = SPACES[name]
    return make_supernet(space, image=IMAGE, classes=3, options=options).double().train()


def architectures(name, count):
    space = SPACES[name][0]
    return space.codes(np.random.default_rng(2).choice(space.size, count, replace=False)).tolist()


def one_hot(space, codes):
    return [torch.eye(size, dtype=torch.float64)[code] for size, code in zip(space.cardinalities, codes, strict=True)]


def pairs_with(space, codes, seed=0):
    """For every decision, its code and another option."""
    random = np.random.default_rng(seed)
    return [
        [code, int(random.choice([other for other in range(size) if other != code]))]
        for size, code in zip(space.cardinalities, codes, strict=True)
    ]


@pytest.mark.parametrize("name", SPACES)
def test_further_computed_options_change_no_values_and_give_gradients_to_their_weights(name):
    """Against finite differences of the weight of every computed option."""
    space, net = SPACES[name][0], supernet(name)
    smooth = []
    for codes in architectures(name, 1):
        used = pairs_with(space, codes)
        weights = [each.requires_grad_() for each in one_hot(space, codes)]
        scores = net(X, Sample(codes, weights, used=used))
        torch.testing.assert_close(scores, net(X, Path(codes)))
        loss = scores.square().sum()
        loss.backward()
        for decision, option in ((d, o) for d, some in enumerate(used) for o in some):
            slopes = []
            for step in (-1e-6, 1e-6):
                moved = one_hot(space, codes)
                moved[decision][option] += step
                with torch.no_grad():
                    slopes.append(float(net(X, Sample(codes, moved, used=used)).square().sum() - loss) / step)
            smooth.append(slopes[0] == pytest.approx(slopes[1], rel=1e-3, abs=1e-3))
            gradient = weights[decision].grad
            if smooth[-1]:
                found = 0.0 if gradient is None else float(gradient[option])
                assert found == pytest.approx(slopes[1], rel=1e-3, abs=1e-3)
    # Masked channels are 0, where ReLU has no derivative.
    assert np.mean(smooth) > 0.6 if name in ("size", "cell101") else all(smooth)


def test_cells_with_missing_vertices_have_samples_too():
    space, net = SPACES["cell101"][0], supernet("cell101")
    small = [codes for codes in architectures("cell101", 2000) if 0 in codes[10:]][:5]
    assert len(small) == 5
    for codes in small:
        torch.testing.assert_close(net(X, Sample(codes, one_hot(space, codes))), net(X, Path(codes)))


def test_other_options_are_neither_computed_nor_updated():
    space, net = SPACES["topology"][0], supernet("topology")
    codes, used = [3, 1, 2, 3, 1, 3], [[3, 2], [1, 0], [2, 4], [3, 1], [1, 2], [3, 0]]
    before = {key: value.clone() for key, value in net.state_dict().items()}
    for selection in (
        Sample(codes, one_hot(space, codes), used=used),
        Mixture([(a + b) / 2 for a, b in zip(one_hot(space, codes), one_hot(space, codes), strict=True)], used=used),
    ):
        net.zero_grad(set_to_none=True)
        net(X, selection).sum().backward()
        for key, weight in net.named_parameters():
            if ".options." in key:
                edge, option = key.split(".edges.")[1].split(".options.")
                decision = ["0->1", "0->2", "1->2", "0->3", "1->3", "2->3"].index(edge)
                assert (weight.grad is not None) == (int(option[0]) in used[decision])
        changed = {key for key, value in net.state_dict().items() if not torch.equal(value, before[key])}
        assert changed
        for key in changed:
            if ".options." in key:
                edge, option = key.split(".edges.")[1].split(".options.")
                assert int(option[0]) in used[["0->1", "0->2", "1->2", "0->3", "1->3", "2->3"].index(edge)]


def test_a_mixture_of_some_widths_computes_the_largest_and_equals_that_of_all():
    net = supernet("size")
    used = [[1, 3], [0, 2], [2, 4], [1, 2], [3, 5]]
    weights = [torch.zeros(8, dtype=torch.float64) for _ in used]
    for each, some in zip(weights, used, strict=True):
        each[some] = torch.tensor([0.3, 0.7], dtype=torch.float64)
    torch.testing.assert_close(net(X, Mixture(weights, used=used)), net(X, Mixture(weights)))
    net = supernet("size")
    net(X, Mixture(weights, used=used))
    seen = [(m.running_var != 1).sum().item() for m in net.modules() if isinstance(m, SharedNorm)]
    assert (seen[0], seen[-1]) == (8 * 4, 8 * 6), "channels of the stem and of the head"


@pytest.mark.parametrize(("inputs", "outputs"), [(8, 64), (24, 40), (40, 64), (3, 5), (7, 7)])
def test_interpolation_is_adaptive_average_pooling_over_channels(inputs, outputs):
    x = torch.rand(2, inputs, 3, 2, generator=torch.Generator().manual_seed(0))
    padded = torch.nn.functional.pad(x, (0, 0, 0, 0, 0, outputs - inputs))
    found = torch.einsum("oc,nchw->nohw", interpolation(inputs, outputs), padded)
    torch.testing.assert_close(found, torch.nn.functional.adaptive_avg_pool3d(x, (outputs, 3, 2)))


def test_an_interpolated_mixture_of_the_larger_widths_alone_is_their_path():
    net, larger = supernet("size"), [3, 2, 4, 2, 5]
    used = [[code - 2, code] for code in larger]
    selection = Mixture(one_hot(SPACES["size"][0], larger), used=used, interpolated=True)
    torch.testing.assert_close(net(X, selection), net(X, Path(larger)))


def test_an_interpolated_mixture_adds_interpolated_feature_maps():
    """The output of the stem, where everything after it passes through."""
    net = supernet("size")
    stem = net.network[0]
    weights = [torch.zeros(8, dtype=torch.float64) for _ in range(5)]
    for each in weights:
        each[[1, 4]] = torch.tensor([0.25, 0.75], dtype=torch.float64)
    net.current.selection = Mixture(weights, used=[[1, 4]] * 5, interpolated=True)
    found = stem(X)
    net.current.selection = Path([4] * 5)
    plain = stem(X)
    net.current.selection = None
    pooled = torch.nn.functional.adaptive_avg_pool3d(plain[:, :16], (40, 4, 4))
    torch.testing.assert_close(found, 0.25 * pooled + 0.75 * plain)


def test_the_mean_costs_are_those_of_the_networks():
    net = supernet("size").float()
    for codes in architectures("size", 12):
        network = net.stand_alone(codes)
        assert net.multiply_additions(codes) == multiply_additions(network, IMAGE)
    random = np.random.default_rng(0)
    chances = [torch.zeros(8, dtype=torch.float64) for _ in range(5)]
    pairs = [random.choice(8, 2, replace=False) for _ in chances]
    for each, pair in zip(chances, pairs, strict=True):
        each[pair] = torch.tensor(random.dirichlet([1, 1]))
    expected = sum(
        float(torch.stack([chance[code] for chance, code in zip(chances, codes, strict=True)]).prod())
        * net.multiply_additions(codes)
        for codes in itertools.product(*pairs)
    )
    assert float(net.expected_multiply_additions(chances)) == pytest.approx(expected)
    with pytest.raises(ParameterError, match="the supernet of topology knows no costs, so cost_weight must be 0"):
        supernet("topology").multiply_additions([0] * 6)
