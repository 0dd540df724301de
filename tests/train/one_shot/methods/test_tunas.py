"""TuNAS: the gradient of REINFORCE against its exact expectation, rewards, and the warm-up."""

from types import SimpleNamespace

import numpy as np
import pytest
from made_up_searches import one_step, tiny_search

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from nasbench_lab.errors import ParameterError  # noqa: E402
from nasbench_lab.spaces import ChainSpace  # noqa: E402
from nasbench_lab.train.one_shot.methods import tunas  # noqa: E402
from nasbench_lab.train.one_shot.methods.registry import make_method  # noqa: E402
from nasbench_lab.train.one_shot.reinforce import MovingBaseline, log_probability  # noqa: E402
from nasbench_lab.train.one_shot.width_warmup import warmup_codes  # noqa: E402

REWARDS = torch.tensor([[0.2, 0.9, 0.4], [0.7, 0.1, 0.3], [0.6, 0.5, 1.0]], dtype=torch.float64)


def test_the_gradient_is_unbiased_up_to_the_share_of_a_reward_in_its_own_baseline(monkeypatch):
    """The published baselines take the new reward in first, so its advantage is 1 - 0.05 of what it would be."""
    space, random = ChainSpace("012", 2), np.random.default_rng(0)
    logits = [torch.nn.Parameter(torch.tensor(each)) for each in ([0.2, -0.4, 0.1], [0.0, 0.5, -0.5])]
    joint = torch.outer(*(each.softmax(0) for each in logits))
    exact = torch.autograd.grad((joint * REWARDS).sum(), logits)
    found = []
    state = SimpleNamespace(
        logits=logits,
        baseline=MovingBaseline(0.95),
        chances=lambda: [each.detach().double().softmax(0).numpy() for each in logits],
        descend=lambda loss: found.append(torch.cat(torch.autograd.grad(loss, logits))),
    )
    monkeypatch.setattr(tunas, "batch_accuracy", lambda _search, _batch, codes: float(REWARDS[tuple(codes)]))
    search = SimpleNamespace(
        space=space, random=random, epoch=0, epochs=1, valid_batch=list, update_weights=lambda *_: None
    )
    method = make_method("tunas", {"warmup": 0.0})
    for _ in range(2000):
        method.step(search, state, None)
    gradients = -torch.stack(found[100:])  # the baseline has forgotten its start
    error = gradients.std(0) / len(gradients) ** 0.5
    expected = 0.95 * torch.cat(exact)
    assert ((gradients.mean(0) - expected).abs() < 4 * error).all()
    assert (expected.abs() > 4 * error).sum() >= 3, "the test would see other gradients"


def test_the_moving_baseline_is_a_weighted_mean():
    baseline, rewards = MovingBaseline(0.9), [1.0, 3.0, -2.0]
    found = [baseline.update(reward) for reward in rewards]
    weights = np.array([0.81, 0.9, 1.0])
    assert found[0] == 1.0
    assert found[-1] == pytest.approx(weights @ rewards / weights.sum())
    other = MovingBaseline(0.9)
    other.load_state_dict(baseline.state_dict())
    assert other.update(5.0) == baseline.update(5.0)


def test_log_probabilities_of_all_architectures_add_up_to_one():
    logits = [torch.tensor([0.2, -1.0]), torch.tensor([0.5, 0.1, 2.0])]
    total = sum(float(log_probability(logits, (a, b)).exp()) for a in range(2) for b in range(3))
    assert total == pytest.approx(1)


def test_the_warm_up_trains_wide_networks_first_and_no_logits():
    search = SimpleNamespace(space=ChainSpace("01234567", 5), epochs=40, random=np.random.default_rng(0))
    for epoch, widest in ((0, 1.0), (5, 0.5 + 0.5 / 8), (9, 0.1 + 0.9 / 8)):
        search.epoch = epoch
        codes = np.array([warmup_codes(search, 0.25) for _ in range(300)])
        error = np.sqrt(widest * (1 - widest) / codes.size)
        assert (codes == 7).mean() == pytest.approx(widest, abs=4.5 * error)
    search.epoch = 10
    assert warmup_codes(search, 0.25) is None
    assert warmup_codes(search, 0.0) is None

    run = tiny_search("tunas", "size", epochs=4, batch=24, learning_rate=0.1)
    moved, before = [], [each.detach().clone() for each in run.state.logits]
    for _ in run.epochs():
        moved.append(any(not torch.equal(a, b) for a, b in zip(before, run.state.logits, strict=True)))
        before = [each.detach().clone() for each in run.state.logits]
    assert moved == [False, False, True, True], "the first reward is its own baseline"


def test_the_absolute_reward_subtracts_the_distance_to_the_target(monkeypatch):
    run = tiny_search("tunas", "size", warmup=0.0, cost_weight=0.1, cost_target=0.5)
    monkeypatch.setattr(tunas, "batch_accuracy", lambda *_: 0.8)
    widest = run.supernet.multiply_additions([7] * 5)
    for codes in ([7] * 5, [0, 3, 1, 2, 6]):
        share = run.supernet.multiply_additions(codes) / widest
        found = run.method._reward(run.context, None, codes)
        assert found == pytest.approx(0.8 - 0.1 * abs(share / 0.5 - 1))
    one_step(run)


def test_spaces_of_operations_are_refused():
    for name in ("tunas", "tas", "fbnetv2"):
        with pytest.raises(ParameterError, match=f"method '{name}' needs a supernet with widths, which topology lacks"):
            tiny_search(name)
