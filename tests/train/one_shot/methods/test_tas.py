"""TAS: pairs of widths and their weights, temperatures, and costs; see also test_used_options for interpolation."""

import numpy as np
import pytest
from made_up_searches import one_step, tiny_search

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from nasbench_lab.train.one_shot.gumbel import relaxed  # noqa: E402
from nasbench_lab.train.one_shot.methods import tas  # noqa: E402
from nasbench_lab.train.one_shot.methods.proxylessnas import pair_probabilities  # noqa: E402
from nasbench_lab.train.one_shot.methods.tas import draw_pair, two_weights  # noqa: E402
from nasbench_lab.train.one_shot.supernets import Mixture  # noqa: E402


def test_pairs_have_the_probabilities_of_the_relaxed_sample_without_replacement():
    soft, random = torch.tensor([0.5, 0.2, 0.3]), np.random.default_rng(0)
    counts = np.zeros((3, 3))
    for _ in range(2000):
        counts[tuple(draw_pair(soft, random))] += 1
    joint = pair_probabilities(soft.double().numpy())
    expected = 2000 * np.triu(joint + joint.T)
    assert (np.abs(counts - expected) <= 4 * np.sqrt(expected)).all()
    assert draw_pair(torch.tensor([0.0, 1.0, 0.0]), random) in ([0, 1], [1, 2])


def test_weights_are_the_softmax_of_the_two_perturbed_logits():
    theta, noise = torch.tensor([0.1, -0.5, 1.0, 0.3], requires_grad=True), [np.array([0.4, -0.2, 1.5, 0.0])]
    (found,) = two_weights(relaxed([theta], noise, 0.5), [[1, 3]])
    expected = ((theta + torch.tensor(noise[0]).float()) / 0.5)[[1, 3]].softmax(0)
    torch.testing.assert_close(found[[1, 3]], expected)
    assert (found[[0, 2]] == 0).all()
    (one,) = torch.autograd.grad(found[1], theta)
    (other,) = torch.autograd.grad(expected[0], theta)
    torch.testing.assert_close(one, other)


def test_the_temperatures_of_a_search_have_the_published_ends(monkeypatch):
    seen = []
    monkeypatch.setattr(tas, "relaxed", lambda *given: (seen.append(given[2]), relaxed(*given))[1])
    tiny_search("tas", "size", epochs=2, batch=24).complete()
    assert seen == [10.0, 10.0, 0.1, 0.1]


def test_the_logits_get_the_gradient_of_the_validation_loss(monkeypatch):
    run = tiny_search("tas", "size")
    selections = []
    loss = run.context.loss
    monkeypatch.setattr(run.context, "loss", lambda batch, chosen: (selections.append(chosen), loss(batch, chosen))[1])
    one_step(run)
    weights, logits = selections
    assert all(isinstance(each, Mixture) and each.interpolated for each in selections)
    assert not any(each.requires_grad for each in weights.weights)
    assert all(each.requires_grad for each in logits.weights)
    assert any((each.grad != 0).any() for each in run.state.logits)


def test_the_penalty_pulls_the_mean_costs_to_the_target():
    for target, sign in ((0.2, -1), (2.0, 1)):
        run = tiny_search("tas", "size", cost_weight=2.0, cost_target=target)
        with torch.no_grad():
            for each in run.state.logits:
                each.copy_(torch.arange(8) / 8)  # the widest network is most probable
        mean = run.supernet.expected_multiply_additions(run.state.alphas.probabilities())
        found = run.method._penalty(run.context, run.state)
        assert found.item() == pytest.approx(-sign * 2 * mean.log().item())
        for gradient in torch.autograd.grad(found, run.state.logits):
            assert sign * gradient[7] < 0 < sign * gradient[0]
    run = tiny_search("tas", "size", cost_weight=2.0, cost_target=1.02)
    with torch.no_grad():
        for each in run.state.logits:
            each.copy_(torch.arange(8) / 8)
    assert run.method._penalty(run.context, run.state) == 0.0, "within the tolerance"
    assert tiny_search("tas", "size").method._penalty(run.context, run.state) == 0.0
