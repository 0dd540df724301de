"""ProxylessNAS: gradients of gates, two paths, and REINFORCE."""

from types import SimpleNamespace

import numpy as np
import pytest
from made_up_searches import SPACES, one_step, tiny_search

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from nasbench_lab.spaces import ChainSpace  # noqa: E402
from nasbench_lab.train.one_shot.methods import proxylessnas  # noqa: E402
from nasbench_lab.train.one_shot.methods.proxylessnas import (  # noqa: E402
    gate_gradient,
    keep_others,
    pair_probabilities,
    sample_pairs,
)
from nasbench_lab.train.one_shot.methods.registry import make_method  # noqa: E402
from nasbench_lab.train.one_shot.reinforce import MovingBaseline  # noqa: E402

LOGITS = torch.tensor([0.3, -1.0, 0.8, 0.0], dtype=torch.float64)


def test_the_gradient_of_gates_is_the_published_double_sum():
    slopes = torch.tensor([1.0, 0.5, -2.0, 3.0], dtype=torch.float64)
    for used in ([0, 1, 2, 3], [2, 1]):
        p = LOGITS[used].softmax(0)
        expected = torch.zeros(4, dtype=torch.float64)
        for i, option in enumerate(used):
            for j, other in enumerate(used):
                expected[option] += slopes[other] * p[j] * (float(i == j) - p[i])
        torch.testing.assert_close(gate_gradient(LOGITS, slopes, used), expected)
    theta = LOGITS.clone().requires_grad_()
    (slopes @ theta.softmax(0)).backward()
    torch.testing.assert_close(gate_gradient(LOGITS, slopes, [0, 1, 2, 3]), theta.grad)
    assert (gate_gradient(LOGITS, None, [0, 1]) == 0).all()


def test_pairs_are_drawn_one_after_the_other_without_replacement():
    chances = LOGITS.softmax(0).numpy()
    joint = pair_probabilities(chances)
    expected = np.zeros((4, 4))
    for first in range(4):
        for second in range(4):
            if first != second:
                drawn = chances[first] * chances[second] / (1 - chances[first])
                both = chances[first] + chances[second]
                expected[first, second] += drawn * chances[first] / both
                expected[second, first] += drawn * chances[second] / both
    np.testing.assert_allclose(joint, expected)
    assert joint.sum() == pytest.approx(1)
    sure = pair_probabilities(np.array([1.0, 0.0, 0.0]))
    assert (sure[0, 1], sure[0, 2]) == pytest.approx((0.5, 0.5))

    space, random = ChainSpace("0123", 1), np.random.default_rng(0)
    counts = np.zeros((4, 4))
    for _ in range(2000):
        codes, used = sample_pairs(space, [chances], random)
        assert used[0][0] == codes[0]
        counts[tuple(used[0])] += 1
    error = np.sqrt(2000 * expected * (1 - expected))
    assert (np.abs(counts - 2000 * expected) <= 4 * error).all()


@pytest.mark.parametrize("space", SPACES)
def test_a_step_of_two_paths_leaves_the_probabilities_of_all_others(space, monkeypatch):
    run = tiny_search("proxylessnas", space, epochs=2, batch=24, every=1, warmup=0.0, learning_rate=0.1)
    drawn = []
    monkeypatch.setattr(
        proxylessnas, "sample_pairs", lambda *given: (drawn.append(found := sample_pairs(*given)), found)[1]
    )
    run.context.epoch, run.context.step = 1, 1
    before = [each.detach().softmax(0) for each in run.state.logits]
    one_step(run)
    after = [each.detach().softmax(0) for each in run.state.logits]
    changed = 0
    for old, new, used in zip(before, after, drawn[0][1], strict=True):
        others = [option for option in range(len(old)) if option not in used]
        torch.testing.assert_close(new[others], old[others], rtol=1e-6, atol=1e-7)
        torch.testing.assert_close(new[used].sum(), old[used].sum(), rtol=1e-6, atol=1e-7)
        changed += not torch.allclose(new, old)
    assert changed


def test_without_the_shift_all_probabilities_would_change():
    before = [LOGITS.clone()]
    logits = [LOGITS + torch.tensor([0.3, 0.0, 0.1, 0.0])]
    assert not torch.allclose(logits[0].softmax(0)[[1, 3]], LOGITS.softmax(0)[[1, 3]])
    keep_others(logits, before, [[0, 2]])
    torch.testing.assert_close(logits[0].softmax(0)[[1, 3]], LOGITS.softmax(0)[[1, 3]])
    assert logits[0][0] - logits[0][2] == pytest.approx(float(LOGITS[0] - LOGITS[2]) + 0.2), "their ratio is the step's"


@pytest.mark.parametrize("gradient", ["two-paths", "all-paths", "reinforce"])
def test_logits_wait_for_the_warm_up_and_for_their_turn(gradient):
    run = tiny_search("proxylessnas", epochs=4, every=2, warmup=0.5, gradient=gradient, samples=2)
    moves, before = [], [each.detach().clone() for each in run.state.logits]
    for epoch in range(4):
        run.context.epoch = epoch
        for _ in range(2):
            one_step(run)
            moves.append(any(not torch.equal(a, b) for a, b in zip(before, run.state.logits, strict=True)))
            before = [each.detach().clone() for each in run.state.logits]
    assert moves == [False] * 4 + [False, True, False, True]


def test_the_gradient_of_reinforce_is_unbiased_up_to_the_share_of_rewards_in_their_baseline(monkeypatch):
    """The published baseline takes in the mean of the new rewards first, with weight 0.99; each has a share of it."""
    space, random = ChainSpace("012", 2), np.random.default_rng(0)
    rewards = torch.tensor([[0.2, 0.9, 0.4], [0.7, 0.1, 0.3], [0.6, 0.5, 1.0]], dtype=torch.float64)
    logits = [torch.nn.Parameter(torch.tensor(each)) for each in ([0.2, -0.4, 0.1], [0.0, 0.5, -0.5])]
    joint = torch.outer(*(each.softmax(0) for each in logits))
    exact = torch.cat(torch.autograd.grad((joint * rewards).sum(), logits))
    found = []
    state = SimpleNamespace(
        logits=logits,
        baseline=MovingBaseline(0.01),
        chances=lambda: [each.detach().double().softmax(0).numpy() for each in logits],
        descend=lambda loss: found.append(torch.cat(torch.autograd.grad(loss, logits))),
    )
    monkeypatch.setattr(proxylessnas, "batch_accuracy", lambda _search, _batch, codes: float(rewards[tuple(codes)]))
    search = SimpleNamespace(space=space, random=random, valid_batch=list)
    for _ in range(1000):
        make_method("proxylessnas", {"samples": 4})._reinforce(search, state)
    gradients = -torch.stack(found[10:])
    error = gradients.std(0) / len(gradients) ** 0.5
    expected = (1 - 0.99 / 4) * exact
    assert ((gradients.mean(0) - expected).abs() < 4 * error).all()
    assert ((gradients.mean(0) - exact).abs() > 4 * error).any(), "the test would see the other factor"
