"""SNAS: levels, temperatures and relaxed samples; see also the gradients in test_gumbel."""

import pytest
from made_up_searches import SPACES, one_step, tiny_search

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from nasbench_lab.errors import ParameterError  # noqa: E402
from nasbench_lab.train.one_shot.gumbel import relaxed  # noqa: E402
from nasbench_lab.train.one_shot.methods import snas  # noqa: E402
from nasbench_lab.train.one_shot.methods.registry import make_method  # noqa: E402


def test_one_level_needs_no_validation_images_and_uses_one_gradient_for_both(monkeypatch):
    run = tiny_search("snas", levels=1)
    context, state = run.context, run.state
    monkeypatch.setattr(context, "valid_batch", lambda: pytest.fail("validation images"))
    samples = []
    monkeypatch.setattr(snas, "relaxed", lambda *given: (samples.append(given[1]), relaxed(*given))[1])
    batch = one_step(run)
    assert len(samples) == 1
    found = [each.grad.clone() for each in state.logits]
    again = tiny_search("snas", levels=1)  # the same weights, logits and noise
    weights = relaxed(again.state.logits, samples[0], 10.0)
    loss = again.context.loss(batch, snas.Mixture(weights))
    for one, other in zip(found, torch.autograd.grad(loss, again.state.logits), strict=True):
        torch.testing.assert_close(one, other)
    moved = [not torch.equal(a, b) for a, b in zip(again.supernet.parameters(), run.supernet.parameters(), strict=True)]
    assert all(moved)


def test_two_levels_train_the_logits_on_validation_images_with_another_sample(monkeypatch):
    run = tiny_search("snas")
    samples, batches = [], []
    valid_batch = run.context.valid_batch
    monkeypatch.setattr(snas, "relaxed", lambda *given: (samples.append(given[1]), relaxed(*given))[1])
    monkeypatch.setattr(run.context, "valid_batch", lambda: (batches.append(valid_batch()), batches[-1])[1])
    one_step(run)
    found = [each.grad.clone() for each in run.state.logits]
    assert len(samples) == 2
    assert (samples[0][0] != samples[1][0]).all()
    again = tiny_search("snas")
    again.supernet.train()
    loss = again.context.loss(batches[0], snas.Mixture(relaxed(again.state.logits, samples[0], 10.0)))
    for one, other in zip(found, torch.autograd.grad(loss, again.state.logits), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("levels", [1, 2])
def test_the_temperatures_of_a_search_have_the_published_ends(levels, monkeypatch):
    seen = []
    monkeypatch.setattr(snas, "relaxed", lambda *given: (seen.append(given[2]), relaxed(*given))[1])
    tiny_search("snas", epochs=4, batch=24, levels=levels).complete()
    assert seen[::levels] == pytest.approx([10.0, 7.0, 4.0, 1.0])
    assert (seen[0], seen[-1]) == (10.0, 1.0)


@pytest.mark.parametrize("space", SPACES)
def test_the_logits_move_in_every_kind_of_space(space):
    run = tiny_search("snas", space, epochs=1)
    before = [each.detach().clone() for each in run.state.logits]
    run.complete()
    assert any(not torch.equal(a, b) for a, b in zip(before, run.state.logits, strict=True))
    assert 0 <= run.recommended[-1] < run.context.space.size


def test_parameters_that_are_not_allowed():
    with pytest.raises(ParameterError, match=r"last_temperature must be at most first_temperature = 0.5, got 1"):
        make_method("snas", {"first_temperature": 0.5})
    with pytest.raises(ParameterError, match="levels must be 1 or 2, got 3"):
        make_method("snas", {"levels": 3})
