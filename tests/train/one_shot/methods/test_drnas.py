"""DrNAS: gradients of Dirichlet draws, pruning and widening halfway, and the regularisers."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from mixture_searches import search_run  # noqa: E402

from nasbench_lab.errors import ParameterError  # noqa: E402
from nasbench_lab.train.one_shot.dirichlet import dirichlet_sample  # noqa: E402
from nasbench_lab.train.one_shot.methods import drnas  # noqa: E402
from nasbench_lab.train.one_shot.methods.drnas import Drnas, concentrations  # noqa: E402


def test_gradients_of_draws_are_unbiased():
    # E[x_i x_j] of a Dirichlet distribution has a closed form, whose derivatives torch computes.
    matrix = torch.tensor([[1.0, -2, 0], [0.5, 3, 1], [2, 0, -1]], dtype=torch.float64)
    concentration = torch.tensor([0.7, 1.3, 2.0], dtype=torch.float64, requires_grad=True)
    total = concentration.sum()
    moments = (concentration[:, None] * concentration + torch.diag(concentration)) / (total * (total + 1))
    (expected,) = torch.autograd.grad((matrix * moments).sum(), concentration)
    random, draws = np.random.default_rng(0), 2000
    found = np.empty((draws, 3))
    for place in range(draws):
        sample = dirichlet_sample(concentration, random)
        found[place] = torch.autograd.grad(sample @ matrix @ sample, concentration)[0].numpy()
    deviation = found.std(axis=0) / np.sqrt(draws)
    assert (np.abs(found.mean(axis=0) - expected.numpy()) < 4 * deviation).all()
    assert (deviation < 0.1 * np.abs(expected.numpy()).max()).all(), "precise enough to fail"


def test_draws_have_the_pathwise_gradients_of_torch(monkeypatch):
    concentration = torch.tensor([0.2, 1.0, 5.0], dtype=torch.float64, requires_grad=True)
    sample = dirichlet_sample(concentration, np.random.default_rng(3))
    (found,) = torch.autograd.grad(sample[1] - 2 * sample[0], concentration)
    monkeypatch.setattr(torch, "_sample_dirichlet", lambda *_: sample.detach())
    reference = torch.distributions.Dirichlet(concentration).rsample()
    (expected,) = torch.autograd.grad(reference[1] - 2 * reference[0], concentration)
    torch.testing.assert_close(found, expected)


def test_tiny_concentrations_have_finite_draws_and_gradients():
    parameters = torch.tensor([-50.0, -14.0, -5.0, 0.0], requires_grad=True)
    random = np.random.default_rng(0)
    for _ in range(20):
        sample = dirichlet_sample(concentrations(parameters), random)
        (gradient,) = torch.autograd.grad(sample[3] - sample[2], parameters)
        assert bool(sample.isfinite().all())
        assert bool(gradient.isfinite().all())


def test_concentrations_are_one_at_zero_and_positive():
    values = concentrations(torch.tensor([-30.0, -1.0, 0.0, 2.0]))
    assert values[2:].tolist() == [1.0, 3.0]
    assert 0 < float(values[0]) < float(values[1]) == pytest.approx(np.exp(-1))


def test_options_are_pruned_and_operations_widened_halfway():
    run = search_run(Drnas(initial_scale=1.0, none=False), epochs=4)
    before = [logits.detach().clone() for logits in run.state.alphas.logits]
    widths = []
    for epoch in run.epochs():
        layer = run.supernet.network[1].edges["0->1"]
        widths.append(layer.part.channels)
        kept = run.state.kept
        assert [len(each) for each in kept] == [5 if epoch < 2 else 3] * 6
    assert widths == [1, 2, 2, 2]
    for options, logits in zip(kept, before, strict=True):
        assert options == sorted(logits.argsort(descending=True)[:3].tolist()), "few steps do not change the order"
    mixture = drnas._draw(run.context, run.state)
    for weights, options in zip(mixture.weights, kept, strict=True):
        assert float(weights.detach().sum()) == pytest.approx(1)
        assert weights.detach().nonzero().flatten().tolist() == options
    codes = run.context.space.codes(run.recommended[-1]).tolist()
    assert all(code in options and code for code, options in zip(codes, kept, strict=True))


def test_concentrations_are_trained_after_the_first_epochs_of_each_half():
    run = search_run(Drnas(warmup=0.5, kept=1.0, regularization=0.0), epochs=4)
    last, changed = [each.detach().clone() for each in run.state.alphas.logits], []
    for _ in run.epochs():
        now = [each.detach().clone() for each in run.state.alphas.logits]
        changed.append(any(not torch.equal(a, b) for a, b in zip(last, now, strict=True)))
        last = now
    assert changed == [False, True] * 2
    assert [each < 0 for each in run.recommended] == [True, False, False, False]


@pytest.mark.parametrize("regularizer", ["l2", "kl"])
def test_both_regularisers_draw_concentrations_to_one(regularizer):
    ends = []
    for factor in (0.0, 100.0):
        method = Drnas(regularizer=regularizer, regularization=factor, initial_scale=1.0, learning_rate=0.05, warmup=0)
        run = search_run(method, epochs=1, batch=6)
        run.complete()
        ends.append(float(torch.cat([each.detach() for each in run.state.alphas.logits]).abs().mean()))
    assert ends[1] < ends[0]


def test_the_divergence_is_zero_at_one_and_grows():
    run = search_run(Drnas(initial_scale=0.0))
    assert drnas._divergence(run.state).item() == pytest.approx(0, abs=1e-6)
    with torch.no_grad():
        run.state.alphas.logits[0][:] = torch.tensor([1.0, 0, 0, 0, 0])
    # KL(Dir(2,1,1,1,1) || Dir(1,..,1)) = ln 5 + psi(2) - psi(6) = ln 5 - (1/2 + 1/3 + 1/4 + 1/5)
    assert drnas._divergence(run.state).item() == pytest.approx(np.log(5) - (1 / 2 + 1 / 3 + 1 / 4 + 1 / 5), rel=1e-5)


@pytest.mark.parametrize("space", ["size", "cell101", "layer-chain"])
def test_other_spaces_are_searched_with_all_channels(space):
    run = search_run(Drnas(), space, epochs=2)
    run.complete()
    assert run.supernet.partial is None
    assert 0 <= run.recommended[-1] < run.context.space.size


def test_none_stays_where_nothing_else_is_left():
    run = search_run(Drnas(none=False))
    run.state.trained, run.state.kept = True, [[0]] * 5 + [[0, 2]]
    assert run.context.space.codes(run.method.recommend(run.context, run.state)).tolist() == [0, 0, 0, 0, 0, 2]


def test_odd_numbers_of_parts_are_refused():
    with pytest.raises(ParameterError, match="partial_channels must be 1 or even, got 3"):
        Drnas(partial_channels=3)


def test_a_search_that_ends_before_concentrations_are_trained_names_an_architecture():
    run = search_run(Drnas(warmup=0.9), batch=18)
    run.complete()
    assert not run.state.trained
    assert run.recommended[-1] >= 0
