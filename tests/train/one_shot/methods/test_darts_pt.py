"""DARTS-PT: what the supernet loses without an option, and when options are selected."""

import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from mixture_searches import search_run  # noqa: E402

from nasbench_lab.train.one_shot.methods.darts_pt import DartsPt  # noqa: E402
from nasbench_lab.train.one_shot.supernets import Mixture  # noqa: E402


class HandMade(torch.nn.Module):
    """A supernet that classifies with one option of every decision; the others only disturb."""

    def __init__(self, useful, cardinalities):
        super().__init__()
        self.useful, self.cardinalities = useful, cardinalities

    def forward(self, images, mixture):
        right = torch.nn.functional.one_hot((images.mean(dim=(1, 2, 3)) * 0).long(), 3).float()
        scores = torch.zeros(len(images), 3)
        for weights, useful in zip(mixture.weights, self.useful, strict=True):
            scores = scores + weights[useful] * right - (weights.sum() - weights[useful]) * right / 8
        return scores


def with_useful_options(useful, criterion="accuracy"):
    """A run whose supernet says class 0 as long as the useful options have enough weight; all labels are 0."""
    run = search_run(DartsPt(criterion=criterion, initial_scale=0.0))
    run.context.supernet = HandMade(useful, run.context.space.cardinalities)
    run.context.dataset.valid.labels[:] = 0
    return run


@pytest.mark.parametrize("criterion", ["accuracy", "loss"])
def test_the_option_is_selected_whose_removal_hurts_most(criterion):
    useful = [3, 1, 4, 2, 0, 1]
    run = with_useful_options(useful, criterion)
    for decision in range(6):
        # Only this decision counts, so without its useful option, no image is classified right.
        supernet = run.context.supernet
        supernet.forward = lambda images, mixture, decision=decision: HandMade.forward(
            HandMade([useful[decision]], None), images, Mixture([mixture.weights[decision]])
        )
        losses = run.method.losses_without(run.context, run.state, decision)
        assert int(np.argmax(losses)) == useful[decision]
        if criterion == "accuracy":
            assert losses.tolist() == [100.0 * (option == useful[decision]) for option in range(5)]


def test_a_removed_option_has_no_weight_and_the_others_keep_theirs(monkeypatch):
    run = search_run(DartsPt())
    seen = []
    scores_of = run.context.scores_of

    def observed(images, mixture):
        seen.append([each.clone() for each in mixture.weights])
        return scores_of(images, mixture)

    monkeypatch.setattr(run.context, "scores_of", observed)
    run.state.selected[4] = 2
    before = [each.detach() for each in run.state.alphas.probabilities()]
    run.method.losses_without(run.context, run.state, 1)
    assert len(seen) == 5
    for option, weights in enumerate(seen):
        assert float(weights[1][option]) == 0
        others = [each for each in range(5) if each != option]
        torch.testing.assert_close(weights[1][others], before[1][others])
        assert weights[4].tolist() == [0, 0, 1, 0, 0], "a selected option is alone"
        torch.testing.assert_close(weights[0], before[0])


def test_removing_none_changes_nothing_but_skips_matter():
    run = search_run(DartsPt(criterion="loss"))
    whole = run.method._loss(run.context, run.state.mixture().detached())
    losses = run.method.losses_without(run.context, run.state, 0)
    assert losses[0] == pytest.approx(whole, rel=1e-6)
    assert losses[1] != pytest.approx(whole, rel=1e-6)


@pytest.mark.parametrize(
    ("epochs", "selection", "selected"),
    [(10, 0.5, [0] * 4 + [1, 2, 3, 4, 5, 6]), (6, 0.2, [0] * 4 + [1, 6]), (1, 0.2, [6])],
)
def test_options_are_selected_at_equal_distances_until_the_end(epochs, selection, selected, monkeypatch):
    monkeypatch.setattr(DartsPt, "losses_without", lambda *_: np.array([0, 1, 3, 2]))
    monkeypatch.setattr(DartsPt, "step", lambda *_: None)
    run = search_run(DartsPt(selection=selection), epochs=epochs)
    counts, orders = [], []
    for _ in run.epochs():
        counts.append(sum(each >= 0 for each in run.state.selected))
        orders.append([place for place, each in enumerate(run.state.selected) if each >= 0])
    assert counts == selected
    assert run.context.space.codes(run.recommended[-1]).tolist() == run.state.selected == [2] * 6
    assert all(set(early) <= set(late) for early, late in itertools.pairwise(orders))


def test_the_schedule_of_the_learning_rate_ends_before_the_selection(monkeypatch):
    run = search_run(DartsPt(selection=0.5), epochs=4)
    rates = []
    take_step = run.context.take_step
    monkeypatch.setattr(run.context, "take_step", lambda **given: (rates.append(given["rate"]), take_step(**given)))
    run.complete()
    assert rates == pytest.approx([0.1, 0.1 * 0.5 * (1 + 0.5**0.5), 0.05, 0.1 * 0.5 * (1 - 0.5**0.5), *[0.01] * 4])


def test_blank_logits_are_never_trained_and_recommend_nothing_before_the_end():
    run = search_run(DartsPt(blank=True, selection=0.5), epochs=4)
    before = [each.detach().clone() for each in run.state.alphas.logits]
    run.complete()
    torch.testing.assert_close([each.detach() for each in run.state.alphas.logits], before, rtol=0, atol=0)
    assert run.recommended[:-1] == [-1] * 3
    assert run.recommended[-1] >= 0


def test_the_selection_resumes_in_its_middle(tmp_path):
    whole = search_run(DartsPt(selection=0.6), epochs=3)
    whole.complete()
    killed = search_run(DartsPt(selection=0.6), epochs=3)
    for epoch in killed.epochs():
        if epoch == 2:
            break
    assert 0 < sum(each >= 0 for each in killed.state.selected) < 6
    killed.save(tmp_path / "checkpoint")
    resumed = search_run(DartsPt(selection=0.6), epochs=3)
    resumed.load(tmp_path / "checkpoint")
    resumed.complete()
    assert resumed.recommended == whole.recommended
    assert resumed.state.selected == whole.state.selected


@pytest.mark.parametrize("space", ["size", "cell101", "layer-chain"])
def test_other_spaces_are_searched(space):
    run = search_run(DartsPt(selection=0.5), space, epochs=2)
    run.complete()
    assert 0 <= run.recommended[-1] < run.context.space.size
