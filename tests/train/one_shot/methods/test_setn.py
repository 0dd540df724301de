"""SETN: its evaluator, and its candidates."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasbench_lab.spaces import Cell101Space, ChainSpace

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from tiny_searches import CHAIN, search, train_batch  # noqa: E402

from nasbench_lab.train.one_shot.architecture_parameters import most_probable_ones, total_of  # noqa: E402
from nasbench_lab.train.one_shot.search_context import SearchContext  # noqa: E402
from nasbench_lab.train.one_shot.supernets import Mixture  # noqa: E402


def test_the_evaluator_does_not_change_the_shared_weights():
    setn, spos = search("setn"), search("spos")
    setn.complete()
    spos.complete()
    trained = dict(spos.supernet.named_parameters())
    for key, weight in setn.supernet.named_parameters():
        assert torch.equal(weight, trained[key])
    for logits, start in zip(setn.state.alphas.logits, search("setn").state.alphas.logits, strict=True):
        assert not torch.equal(logits, start)


def test_the_evaluator_follows_the_gradient_of_the_template_on_validation_images(monkeypatch):
    run = search("setn", "layer-chain", learning_rate=0.01, weight_decay=0.0)
    context, state, seen = run.context, run.state, []
    draw = SearchContext.valid_batch

    def seen_batch(self):
        seen.append(draw(self))
        return seen[-1]

    monkeypatch.setattr(SearchContext, "valid_batch", seen_batch)
    context.begin("step")
    before = [logits.detach().clone() for logits in state.alphas.logits]
    run.method.step(context, state, train_batch(run))
    (batch,) = seen

    def loss(logits):
        with torch.no_grad():
            return float(context.loss(batch, Mixture([each.softmax(dim=0) for each in logits])))

    for place, old in enumerate(before):
        for option in range(len(old)):
            slopes = []
            for step in (-0.05, 0.05):
                moved = [each.clone() for each in before]
                moved[place][option] += step
                slopes.append(loss(moved))
            slope = slopes[1] - slopes[0]
            if abs(slope) > 1e-4:  # the first step of Adam has the sign of the gradient
                assert np.sign(float((state.alphas.logits[place] - old)[option].detach())) == -np.sign(slope)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 40), kind=st.sampled_from(["chain", "cell101"]))
def test_the_most_probable_architectures_are_those_of_a_sorted_list(seed, count, kind):
    space = ChainSpace("abc", 3) if kind == "chain" else Cell101Space(3)
    random = np.random.default_rng(seed)
    likely = [np.log(random.dirichlet(np.ones(size))) for size in space.cardinalities]
    found = most_probable_ones(space, likely, count)
    assert len(found) == len(set(found)) == min(count, space.size)
    if kind == "chain":
        assert found == np.argsort(-total_of(space, likely), kind="stable")[:count].tolist()
    else:  # a cell has several drawings: the most probable one counts
        codes = np.stack(np.meshgrid(*map(range, space.cardinalities), indexing="ij"), axis=-1).reshape(-1, 4)
        index, total = space.find(codes), sum(each[codes[:, place]] for place, each in enumerate(likely))
        best = [total[index == each].max() for each in range(space.size)]
        assert found == np.argsort(best)[::-1][:count].tolist()


@pytest.mark.parametrize("candidates", ["most-probable", "sampled"])
def test_it_chooses_the_candidate_with_the_best_score(candidates, monkeypatch):
    scored = []

    def scores(self, architectures, split="valid"):
        assert split == "valid"
        scored.extend(architectures)
        return np.array(architectures, dtype=float)

    monkeypatch.setattr(SearchContext, "supernet_scores", scores)
    run = search("setn", "layer-chain", candidates=candidates, selected=4, initial_scale=2.0)
    named = run.method.recommend(run.context, run.state)
    likely = run.state.alphas.log_probabilities()
    assert named == most_probable_ones(CHAIN, likely, 1)[0]
    run.method.finish(run.context, run.state)
    assert len(scored) == len(set(scored))
    if candidates == "most-probable":
        assert scored == most_probable_ones(CHAIN, likely, 4)
    assert run.method.recommend(run.context, run.state) == max(scored)


def test_samples_follow_the_evaluator(monkeypatch):
    drawn = []

    def scores(self, architectures, split="valid"):
        drawn.extend(architectures)
        return np.zeros(len(architectures))

    monkeypatch.setattr(SearchContext, "supernet_scores", scores)
    run = search("setn", "layer-chain", candidates="sampled", selected=50)
    with torch.no_grad():
        for logits in run.state.alphas.logits:
            logits[1:] = -50
    run.method.finish(run.context, run.state)
    assert drawn == [0]
