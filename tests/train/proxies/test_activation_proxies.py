"""Proxies of activations and input gradients, against plain loops and by what must not change them."""

import copy
import itertools
import math

import activation_proxies as plain
import numpy as np
import pytest
import torch
from proxy_subjects import CELLS, batch_of, network_of
from torch import nn

from nasbench_lab.errors import ParameterError
from nasbench_lab.train.proxies import make_proxy, score, score_networks
from nasbench_lab.train.proxies.activation_patterns import agreements, distinct_patterns, relu_patterns
from nasbench_lab.train.proxies.feature_maps import blocks, last_feature_map
from nasbench_lab.train.proxies.formulas import az_nas, epe_nas, jacov, zen
from nasbench_lab.train.proxies.initial_weights import draw_normal
from nasbench_lab.train.proxies.input_jacobian import correlations
from nasbench_lab.train.proxies.subject import private_copy


def trained(network):
    """Return a copy in training mode: what a proxy works on."""
    return private_copy(network)


@pytest.fixture(params=CELLS, ids=["convolutions", "pooling"])
def network(request):
    return network_of(request.param)


def test_naswot_counts_agreements_of_every_two_images(network):
    images, labels = batch_of()
    expected = plain.plain_naswot(trained(network), images)
    assert score(network, (images, labels), "naswot") == pytest.approx(expected, rel=1e-12)


def test_swap_counts_distinct_patterns_of_units(network):
    images, labels = batch_of(12)
    expected = plain.plain_swap(trained(network), images)
    assert score(network, (images, labels), "swap") == expected
    size = sum(parameter.numel() for parameter in network.parameters()) / 1000
    regularised = score(network, (images, labels), "swap:mu=1,sigma=2")
    assert regularised == pytest.approx(expected * math.exp(-((size - 1) ** 2) / 2))


@pytest.mark.parametrize("images", [1, 8, 9, 64, 65, 130])
def test_patterns_of_any_number_of_images(images):
    random = np.random.default_rng(images)
    active = random.random((images, 40)) < 0.5
    active[:, 20:30] = active[:, :10]  # units with the same pattern
    values = torch.tensor(np.where(active, 1.0, -1.0))
    patterns = relu_patterns(nn.ReLU(), [batch_as(values)])
    same = (active[:, None] == active).sum(axis=2)
    np.testing.assert_array_equal(agreements(patterns, images), same)
    assert distinct_patterns(patterns) == len({tuple(unit) for unit in active.T})
    # Patterns of different layers are counted together.
    assert distinct_patterns([*patterns, *patterns]) == distinct_patterns(patterns)


def batch_as(images):
    return type("Batch", (), {"images": images})()


def test_jacov_is_of_the_eigenvalues_of_correlations(network):
    images, labels = batch_of()
    assert score(network, (images, labels), "jacov") == pytest.approx(
        plain.plain_jacov(trained(network), images), rel=1e-6
    )


@pytest.mark.parametrize("classes", [3, 100, 101])
def test_epe_nas_is_of_the_correlations_within_classes(classes):
    network = network_of(CELLS[0], classes=classes)
    images, _ = batch_of(8)
    labels = torch.tensor([2, 0, 0, 1, 2, 2, 0, 1]) if classes < 101 else torch.tensor([2, 0, 0, 1, 100, 100, 0, 1])
    expected = plain.plain_epe_nas(trained(network), images, labels, classes)
    assert score(network, (images, labels), "epe_nas") == pytest.approx(expected, rel=1e-6)


def test_epe_nas_depends_on_the_labels():
    network = network_of(CELLS[0])
    images, labels = batch_of()
    assert score(network, (images, labels), "epe_nas") != score(network, (images, labels.flip(0) // 2), "epe_nas")
    many = network_of(CELLS[0], classes=101)
    with pytest.warns(UserWarning, match="every class has one image"):
        assert math.isnan(score(many, (images, torch.arange(6)), "epe_nas"))


def test_zico_is_of_means_and_deviations_of_gradients(network):
    batches = [batch_of(5, seed=1), batch_of(5, seed=2), batch_of(4, seed=3)]
    # Ratios of almost equal gradients, in other arithmetic, differ in some digits.
    assert score(network, batches, "zico") == pytest.approx(plain.plain_zico(trained(network), batches), rel=1e-3)


def test_zico_needs_batches_that_differ(network):
    with pytest.raises(ParameterError, match="needs 2 batches"):
        score(network, batch_of(), "zico")
    with pytest.warns(UserWarning, match="no gradient varies"):
        assert math.isnan(score(network, [batch_of(), batch_of()], "zico"))


def test_meco_is_of_the_correlations_of_channels(network):
    image = torch.randn(1, 1, 16, 16, generator=torch.Generator().manual_seed(7))
    expected = plain.plain_meco(trained(network), image)
    assert score(network, batch_of(), "meco:pixels=16", seed=7) == pytest.approx(expected, rel=1e-5)
    nested = plain.plain_meco(trained(network), image, nested=True)
    assert score(network, batch_of(), "meco:pixels=16,nested=True", seed=7) == pytest.approx(nested, rel=1e-5)
    # With as many channels drawn as there are, nothing changes; with fewer, the expected value does not vanish.
    assert score(network, batch_of(), "meco:pixels=16,sampled=12", seed=7) == pytest.approx(expected, rel=1e-5)
    assert score(network, batch_of(), "meco:pixels=16,sampled=2", seed=7) != pytest.approx(expected, rel=1e-2)


def test_meco_vanishes_on_few_pixels():
    wide = network_of(CELLS[0], channels=8)
    full, small = (score(wide, batch_of(), f"meco:pixels={pixels}") for pixels in (64, 0))
    assert full > small


def test_meco_says_which_networks_need_images_of_one_size():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 3))
    with pytest.warns(UserWarning, match="takes no images of 64x64 pixels; pixels=0"):
        assert math.isnan(score(network, batch_of(), "meco"))
    assert score(network, batch_of(), "meco:pixels=0") > 0


def test_zen_is_of_the_change_of_the_last_feature_map(network):
    images, labels = batch_of(4)
    random = torch.Generator().manual_seed(5)
    again = trained(network)
    draw_normal(again, random, kaiming=False)
    first, noise = (torch.empty_like(images).normal_(generator=random) for _ in range(2))
    features = len(again) - 1  # all but the classifier
    expected = plain.plain_zen(again, first, noise, 0.01, features)
    assert score(network, (images, labels), "zen", seed=5) == pytest.approx(expected, rel=1e-4)


def test_zen_is_the_mean_of_repeats(network):
    once, thrice = (score(network, batch_of(), f"zen:repeats={repeats}", seed=1) for repeats in (1, 3))
    assert once != thrice
    assert abs(once - thrice) < 20


def test_az_nas_measures_blocks(network):
    images, labels = batch_of(4)
    found = score_networks([network], (images, labels), "az_nas", seed=5).components["az_nas"]
    random = torch.Generator().manual_seed(5)
    again = trained(network)
    draw_normal(again, random, kaiming=True)
    x = torch.empty_like(images).normal_(generator=random).requires_grad_(True)
    maps = [x := part(x) for part in blocks(again)[:-1]]
    assert len(maps) == 6  # stem, three cells, two reductions
    entropies = [plain.plain_entropy(each.detach()) for each in maps]
    assert found["expressivity"][0, 0] == pytest.approx(sum(entropies), rel=1e-5)
    steps = [after - before for before, after in itertools.pairwise(entropies)]
    assert found["progressivity"][0, 0] == pytest.approx(min(steps), abs=1e-4)
    slopes = []
    for before, after in itertools.pairwise(maps):
        signs = torch.randint(0, 2, after.shape, generator=random) * 2.0 - 1
        slopes.append(plain.plain_trainability(before, after, signs))
    assert found["trainability"][0, 0] == pytest.approx(sum(slopes) / len(slopes), rel=1e-4)


def test_az_nas_ranks_a_set():
    networks = [network_of(cell, seed=seed) for seed in (0, 1) for cell in CELLS]
    scores = score_networks(networks, batch_of(4), "az_nas")
    values = np.stack([each[:, 0] for each in scores.components["az_nas"].values()])
    ranks = (values[:, None] < values[:, :, None]).sum(axis=2) + (values[:, None] == values[:, :, None]).sum(axis=2) / 2
    expected = np.log((ranks + 0.5) / len(networks)).sum(axis=0)
    np.testing.assert_allclose(scores.values["az_nas"][:, 0], expected)
    with pytest.raises(ParameterError, match="ranks the networks of a set"):
        score(networks[0], batch_of(4), "az_nas")


def test_az_nas_depends_on_ranks_only():
    random = np.random.default_rng(0)
    values = [random.normal(size=20) for _ in range(3)]
    others = [np.exp(values[0]), values[1] ** 3, 5 * values[2] - 7]
    np.testing.assert_array_equal(az_nas.rank_sum(values), az_nas.rank_sum(others))
    order = random.permutation(20)
    np.testing.assert_allclose(az_nas.rank_sum([each[order] for each in values]), az_nas.rank_sum(values)[order])


# What must not change a score, or must change it in a known way.


def test_correlations_ignore_scale_and_offset():
    rows = np.random.default_rng(0).normal(size=(4, 30))
    expected = np.corrcoef(rows)
    np.testing.assert_allclose(correlations(rows), expected)
    np.testing.assert_allclose(correlations(rows * [[1], [2], [1e-9], [1e9]] + 3), expected, atol=1e-6)
    rows[2] = 0.1  # rounding leaves a deviation
    assert np.isnan(correlations(rows)[2]).all()
    assert np.isfinite(correlations(rows)[[0, 1, 3]][:, [0, 1, 3]]).all()


@pytest.mark.parametrize("proxy", ["naswot", "jacov", "epe_nas", "swap"])
def test_the_order_of_images_does_not_matter(network, proxy):
    images, labels = batch_of(12)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(1))
    expected = score(network, (images, labels), proxy)
    assert score(network, (images[order], labels[order]), proxy) == pytest.approx(expected, rel=1e-5)


def test_images_twice(network):
    images, labels = batch_of(10)
    twice = torch.cat([images, images]), torch.cat([labels, labels])
    # Two images with one pattern: the determinant is zero, whatever rounding makes of it.
    with pytest.warns(UserWarning, match="the kernel is singular"):
        assert math.isnan(score(network, twice, "naswot"))
    # No unit gets a new pattern.
    assert score(network, twice, "swap") == score(network, (images, labels), "swap")
    # Every eigenvalue is twice as large, and as many are zero. A batch of copies has the same statistics.
    rows = plain.input_gradients(trained(network), images)
    values = np.linalg.eigvalsh(np.corrcoef(rows))
    values = np.concatenate([2 * values, np.zeros(10)]) + 1e-5
    expected = -(np.log(values) + 1 / values).sum()
    assert score(network, twice, "jacov") == pytest.approx(expected, rel=1e-4)


def test_scores_of_patterns_do_not_depend_on_the_scale_of_weights(network):
    other = copy.deepcopy(network)
    with torch.no_grad():
        for module in other.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.mul_(4)
                module.bias.mul_(4)
    # Four times the outputs of every normalisation is four times every sum; no unit changes sides, and input gradients
    # are multiplied by the same number for all images.
    for proxy in ("swap", "naswot"):
        assert score(other, batch_of(12), proxy) == pytest.approx(score(network, batch_of(12), proxy), rel=1e-2)


def test_naswot_grows_with_the_batch(network):
    assert score(network, batch_of(4), "naswot") < score(network, batch_of(8), "naswot")


def test_scores_stay_within_their_bounds():
    assert jacov.of_correlations(np.eye(5)) == pytest.approx(-5 * (math.log(1 + 1e-5) + 1 / (1 + 1e-5)))
    random = np.random.default_rng(0)
    for _ in range(20):
        matrix = np.corrcoef(random.normal(size=(5, 30)))
        assert jacov.of_correlations(matrix) < jacov.of_correlations(np.eye(5))
        assert epe_nas.within_classes(matrix, np.arange(5), 5) == pytest.approx(5e-5, rel=1e-3)


@pytest.mark.parametrize("proxy", ["naswot", "jacov", "epe_nas", "swap", "zico"])
def test_images_decide(network, proxy):
    first, second, third = (batch_of(12, seed=seed) for seed in range(3))
    assert score(network, [first, third], proxy) != score(network, [second, third], proxy)


@pytest.mark.parametrize("proxy", ["zen", "meco:pixels=8", "az_nas"])
def test_images_do_not_matter_but_the_seed_does(network, proxy):
    def found(batch, seed):
        scores = score_networks([network], batch, proxy, seed=seed)
        values = scores.components[proxy]["trainability"] if proxy == "az_nas" else scores.values[proxy]
        return values[0, 0]

    assert found(batch_of(seed=0), 3) == found(batch_of(seed=1), 3) != found(batch_of(seed=0), 4)


def test_the_last_feature_map_is_before_global_pooling():
    images = torch.zeros(2, 1, 8, 8)
    network = network_of(CELLS[0])
    assert last_feature_map(network, images).shape == (2, 12, 2, 2)
    pooled = nn.Sequential(nn.Conv2d(1, 5, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 3))
    assert last_feature_map(pooled, images).shape == (2, 5, 6, 6)
    assert last_feature_map(nn.Sequential(nn.Flatten(), nn.Linear(64, 3)), images) is images


def test_trainability_of_odd_sizes():
    """A layer that makes 4 pixels of 7: pixels beyond the border have no gradient."""
    before = torch.randn(2, 3, 7, 7, generator=torch.Generator().manual_seed(0), requires_grad=True)
    after = nn.functional.max_pool2d(before, 2, ceil_mode=True)
    assert math.isfinite(az_nas.trainability(before, after, torch.Generator().manual_seed(0)))


def test_swap_needs_a_scale():
    with pytest.raises(ParameterError, match="mu needs sigma"):
        make_proxy("swap:mu=40")


def test_zen_distance_of_equal_maps():
    with pytest.raises(Exception, match="does not depend on the image"):
        zen.log_distance(torch.ones(2, 1, 2, 2), torch.ones(2, 1, 2, 2))
