"""Gumbel noise and relaxed samples against exact distributions and gradients."""

import itertools

import numpy as np
import pytest
from scipy.stats import chisquare, kstest

from nasbench_lab.spaces import Cell101Space, ChainSpace

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from nasbench_lab.train.one_shot.architecture_parameters import sample_codes  # noqa: E402
from nasbench_lab.train.one_shot.gumbel import (  # noqa: E402
    gumbel_codes,
    gumbel_noise,
    linear_temperature,
    relaxed,
    straight_through,
)

THETA = torch.tensor([0.5, -0.3, 1.0], dtype=torch.float64)


def test_gumbel_codes_have_the_softmax_distribution_and_gumbel_noise():
    space = ChainSpace("012", 2)
    logits = [THETA, torch.tensor([-1.0, 0.0, 0.2], dtype=torch.float64)]
    random = np.random.default_rng(0)
    draws = [gumbel_codes(space, logits, random) for _ in range(2000)]
    counts = np.bincount([3 * a + b for (a, b), _ in draws], minlength=9)
    expected = torch.outer(*(each.softmax(0) for each in logits)).flatten().numpy()
    assert chisquare(counts, 2000 * expected).pvalue > 1e-4
    for codes, noise in draws[:100]:
        assert codes == [int((p.log_softmax(0).numpy() + g).argmax()) for p, g in zip(logits, noise, strict=True)]
    for decision, option in itertools.product(range(2), range(3)):
        assert kstest([noise[decision][option] for _, noise in draws], "gumbel_r").pvalue > 1e-4


def test_drawing_first_equals_rejecting_combinations_that_are_no_architectures():
    """The relaxed samples of cells, against noise that is drawn again until it leads to a cell."""
    space, count = Cell101Space(4), 500
    logits = [torch.tensor(np.random.default_rng(5).normal(size=size)) for size in space.cardinalities]
    random = np.random.default_rng(1)
    kept = []
    while len(kept) < count:
        noise = gumbel_noise(logits, random)
        codes = [int((p.log_softmax(0).numpy() + g).argmax()) for p, g in zip(logits, noise, strict=True)]
        if space.find(np.array([codes]))[0] >= 0:
            kept.append(noise)
    given = [gumbel_codes(space, logits, random)[1] for _ in range(count)]
    one, other = (np.array([np.concatenate(each) for each in draws]) for draws in (kept, given))
    error = np.sqrt((one.var(axis=0) + other.var(axis=0)) / count)
    assert (np.abs(one.mean(axis=0) - other.mean(axis=0)) < 4.5 * error).all()


def test_architectures_that_are_hardly_ever_drawn_are_drawn_from_all():
    space = Cell101Space(4)
    impossible = [np.array([1.0, 1e-9])] * 6 + [np.array([1e-9, 1.0, 1e-9, 1e-9])] * 2  # operations without edges
    drawn = sample_codes(space, impossible, np.random.default_rng(0), 3)
    assert (space.find(drawn) >= 0).all()


@pytest.mark.parametrize("epochs", [2, 3, 7, 100, 250])
def test_the_temperature_has_its_published_ends(epochs):
    found = [linear_temperature(10.0, 0.1, epoch, epochs) for epoch in range(epochs)]
    assert (found[0], found[-1]) == (10.0, 0.1)
    np.testing.assert_allclose(np.diff(found), -9.9 / (epochs - 1))
    assert linear_temperature(10.0, 0.1, 0, 1) == 10.0


def test_a_straight_through_sample_is_one_hot_with_the_gradients_of_the_relaxed_one():
    noise = [np.array([0.1, 2.0, -1.0])]
    theta = THETA.clone().requires_grad_()
    soft = relaxed([theta], noise, 0.7)
    hard = straight_through([1], soft)
    assert hard[0].tolist() == pytest.approx([0.0, 1.0, 0.0], abs=1e-12)
    factors = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)
    (one,) = torch.autograd.grad(hard[0] @ factors, theta, retain_graph=True)
    (other,) = torch.autograd.grad(soft[0] @ factors, theta)
    torch.testing.assert_close(one, other)


def gradients(loss, temperature, count=40_000, hard=False):
    """The gradients of single samples, shape (count, 3)."""
    noise = np.random.default_rng(3).gumbel(size=(3, count))
    theta = THETA[:, None].repeat(1, count).requires_grad_()
    (soft,) = relaxed([theta], [noise], temperature)
    weights = soft
    if hard:
        one_hot = torch.nn.functional.one_hot(soft.argmax(0), 3).T.to(soft)
        weights = one_hot - soft.detach() + soft
    loss(weights).sum().backward()
    return theta.grad.T


def loss_of(weights):
    """Some loss that is not linear, of weights of shape (3, count)."""
    values = torch.tensor([1.0, 2.5, -0.5], dtype=torch.float64)
    return (values @ weights - 0.4) ** 2


def exact_gradient(loss):
    theta = THETA.clone().requires_grad_()
    (theta.softmax(0) @ loss(torch.eye(3, dtype=torch.float64))).backward()
    return theta.grad


def test_the_bias_of_relaxed_gradients_falls_with_the_temperature_and_their_variance_rises():
    exact = exact_gradient(loss_of)
    bias, deviation, error = {}, {}, {}
    for temperature in (0.05, 0.5, 2.0, 10.0):
        found = gradients(loss_of, temperature)
        bias[temperature] = float((found.mean(0) - exact).norm())
        deviation[temperature] = float(found.std(0).norm())
        error[temperature] = deviation[temperature] / len(found) ** 0.5
    assert bias[0.5] > bias[0.05] + 3 * error[0.05]
    assert bias[0.05] < 0.2 * float(exact.norm())
    assert bias[2.0] > 0.5 * float(exact.norm()) > 10 * error[2.0], "biased, not only noisy"
    assert bias[10.0] == pytest.approx(float(exact.norm()), rel=0.25), "a hot sample hardly depends on its logits"
    assert deviation[0.05] > deviation[0.5] > deviation[2.0] > deviation[10.0]


def steep(weights):
    """A loss whose slope changes between its corners, of weights of shape (3, count)."""
    values = torch.tensor([1.0, 2.5, -0.5], dtype=torch.float64)
    return (values @ weights - 0.4) ** 4


def test_straight_through_gradients_are_biased():
    """They take the slopes at corners. Cold, these average out for a quadratic loss, but for no other."""

    def bias(loss, temperature):
        exact, found = exact_gradient(loss), gradients(loss, temperature, hard=True)
        error = float(found.std(0).norm()) / len(found) ** 0.5
        return float((found.mean(0) - exact).norm()) / error

    assert bias(loss_of, 0.1) < 4
    assert bias(steep, 0.1) > 8
    assert min(bias(loss, temperature) for loss in (loss_of, steep) for temperature in (1.0, 10.0)) > 8
    relaxations = gradients(steep, 0.02)
    error = float(relaxations.std(0).norm()) / len(relaxations) ** 0.5
    assert float((relaxations.mean(0) - exact_gradient(steep)).norm()) < 4 * error, "a cold relaxed sample is not"


def test_both_gradients_of_a_linear_loss_are_those_of_the_relaxation():
    def linear(weights):
        return torch.tensor([1.0, 2.5, -0.5], dtype=torch.float64) @ weights

    torch.testing.assert_close(gradients(linear, 0.5, 1000, hard=True), gradients(linear, 0.5, 1000))
