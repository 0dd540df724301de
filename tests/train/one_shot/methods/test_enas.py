"""ENAS: its controller, and its gradients by simulation."""

import math

import numpy as np
import pytest
from scipy.stats import chisquare

from nasbench_lab.spaces import Cell101Space, ChainSpace, LayerChainSpace
from nasbench_lab.train.one_shot.methods.registry import make_method

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from tiny_searches import CHAIN, search  # noqa: E402

from nasbench_lab.train.one_shot.controller import Controller  # noqa: E402
from nasbench_lab.train.one_shot.search_context import SearchContext  # noqa: E402

ALL = CHAIN.codes(np.arange(CHAIN.size)).astype(np.int64)


def controller(space=CHAIN, scale=15.0, temperature=5.0, **options):
    """A controller with large weights, so that probabilities differ much."""
    options = {"units": 3, "layers": 1, "tanh_constant": 2.5, **options}
    made = Controller(space, np.random.default_rng(3), temperature=temperature, **options)
    with torch.no_grad():
        for weight in made.parameters():
            weight.mul_(scale)
    return made


def gradient_of(value, model):
    parts = torch.autograd.grad(value, list(model.parameters()), allow_unused=True, retain_graph=True)
    pairs = zip(parts, model.parameters(), strict=True)
    return torch.cat([torch.zeros_like(w).flatten() if g is None else g.flatten() for g, w in pairs]).double()


def test_probabilities_of_all_architectures_add_up_to_one_and_are_the_frequencies():
    made = controller()
    probabilities = made.write(ALL).log_probability.detach().double().exp().numpy()
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert probabilities.max() > 4 * probabilities.min()
    drawn = made.sample(4000, np.random.default_rng(0))
    counts = np.bincount(CHAIN.index(drawn.codes), minlength=CHAIN.size)
    assert chisquare(counts, 4000 * probabilities / probabilities.sum()).pvalue > 1e-4
    again = made.write(drawn.codes)
    torch.testing.assert_close(again.log_probability, drawn.log_probability)
    torch.testing.assert_close(again.entropy, drawn.entropy)


def test_the_mean_entropy_of_samples_is_that_of_the_distribution():
    written = controller().write(ALL)
    logarithms = written.log_probability.detach().double()
    mean = float((logarithms.exp() * written.entropy.double()).sum())
    assert mean == pytest.approx(float(-(logarithms.exp() * logarithms).sum()), rel=1e-5)
    assert not written.entropy.requires_grad, "the entropy is a constant of the reward"


def test_logits_are_bounded_and_temperatures_make_them_alike():
    options = LayerChainSpace([["relu", "tanh"]])
    for temperature, bound in ((1e-6, 1.5), (1e6, 1e-3)):
        made = controller(options, temperature=temperature, tanh_constant=1.5)
        logarithms = made.write([[0], [1]]).log_probability
        assert float((logarithms[0] - logarithms[1]).abs().detach()) <= 2 * bound + 1e-6


def test_reinforce_is_unbiased():
    """The mean gradient of many updates is the derivative of the expected reward, which all architectures give."""
    method, run = make_method("enas", {"aggregate": 10, "baseline_decay": 0.9}), search("enas", "layer-chain")
    state = run.state
    state.controller = made = controller()
    rewards = np.random.default_rng(1).random(CHAIN.size)
    everything = made.write(ALL)
    expected = (everything.log_probability.exp() * torch.from_numpy(rewards).float()).sum()
    exact = gradient_of(expected, made)
    random, found = np.random.default_rng(2), []
    for _ in range(300):
        written = made.sample(method.aggregate, random)
        loss = method.loss(state, written, rewards[CHAIN.index(written.codes)])
        found.append(-gradient_of(loss, made))
    sample = torch.stack(found)
    error = sample.std(dim=0) / math.sqrt(len(found))
    alive = error > 1e-9
    assert ((sample.mean(dim=0) - exact)[alive] / error[alive]).abs().max() < 4.5  # of about 100 numbers
    assert (exact[alive] / error[alive]).abs().max() > 8, "a wrong sign or factor would be seen"


def test_the_baseline_is_the_moving_average_of_the_rewards_before():
    method, run = make_method("enas", {"baseline_decay": 0.75}), search("enas", "layer-chain")
    run.state.controller = controller()
    written = run.state.controller.write(ALL[:3])
    logarithms = written.log_probability.detach()
    loss = method.loss(run.state, written, np.array([0.4, 0.8, 0.0]))
    # The first reward starts the baseline at 0.4; then it is 0.4 again, and 0.75 * 0.4 + 0.25 * 0.8 = 0.5.
    expected = -(0.0 * logarithms[0] + 0.4 * logarithms[1] - 0.5 * logarithms[2]) / 3
    torch.testing.assert_close(loss.detach(), expected)
    assert run.state.baseline == pytest.approx(0.75 * 0.5)


def test_it_learns_what_is_rewarded(monkeypatch):
    monkeypatch.setattr(SearchContext, "accuracy", lambda _self, _batch, path: 100.0 * (path.codes[1] == 2))
    run = search("enas", "layer-chain", updates=60, per_steps=1, aggregate=10, learning_rate=0.02, units=4, layers=1)
    chance = {}
    for name in ("before", "after"):
        probabilities = run.state.controller.write(ALL).log_probability.detach().exp()
        chance[name] = float(probabilities[ALL[:, 1] == 2].sum())
        run.context.step = 1
        run.context.begin("end_epoch")
        run.method.end_epoch(run.context, run.state)
    assert chance["before"] == pytest.approx(1 / 3, abs=0.02)
    assert chance["after"] > 0.75
    assert CHAIN.codes(run.method.recommend(run.context, run.state))[1] == 2


def test_updates_are_those_that_are_due():
    run = search("enas", "layer-chain", epochs=5, updates=3, per_steps=4)  # two steps per epoch
    assert [run.state.updated for _ in run.epochs()] == [1, 3, 4, 6, 7]
    defaults = make_method("enas")
    assert (defaults.updates, defaults.per_steps, defaults.aggregate, defaults.samples) == (50, 391, 20, 100)


def test_draws_that_are_no_architectures_have_no_accuracy_and_are_not_trained(monkeypatch):
    space = Cell101Space(4)
    run = search("enas", "cell101")
    monkeypatch.setattr(SearchContext, "accuracy", lambda *_: 100.0)
    written = run.state.controller.sample(60, np.random.default_rng(0))
    found = space.find(written.codes) >= 0
    assert 0 < found.sum() < 60
    rewards = run.method._rewards(run.context, written)
    np.testing.assert_allclose(rewards, found + 1e-4 * written.entropy.numpy(), rtol=1e-6)

    trained = []
    monkeypatch.setattr(
        SearchContext, "update_weights", lambda _self, _batch, paths: trained.append([path.codes for path in paths])
    )
    for _ in range(20):
        run.method.step(run.context, run.state, None)
    assert min(space.find(np.concatenate(trained))) >= 0


def test_decisions_with_as_many_options_share_their_weights():
    shared = controller(ChainSpace("abc", 5))
    assert set(shared.heads) == {"3"}
    assert set(controller().heads) == {"2", "3"}
