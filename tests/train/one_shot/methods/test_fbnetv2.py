"""FBNetV2: weighted masks, temperatures, and the names in NATS-Bench."""

import pytest
from made_up_searches import one_step, tiny_search

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from nasbench_lab.train.one_shot.gumbel import relaxed  # noqa: E402
from nasbench_lab.train.one_shot.methods import fbnetv2  # noqa: E402
from nasbench_lab.train.one_shot.methods.registry import method_class  # noqa: E402
from nasbench_lab.train.one_shot.supernets.widths import Width  # noqa: E402


def test_masks_are_the_weighted_sum_of_those_of_all_widths(monkeypatch):
    run = tiny_search("fbnetv2", "size")
    masks, samples = [], []
    masked = Width.masked

    def spy(width, x, **given):
        masks.append((width.decision, masked(width, torch.ones_like(x), **given)[0, :, 0, 0].detach()))
        return masked(width, x, **given)

    monkeypatch.setattr(Width, "masked", spy)
    monkeypatch.setattr(fbnetv2, "relaxed", lambda *given: (samples.append(relaxed(*given)), samples[-1])[1])
    one_step(run)
    first = len(masks) // 2  # the pass for the logits follows that for the weights
    for sample, seen in zip(samples, (masks[:first], masks[first:]), strict=True):
        for decision, mask in seen:
            shares = sample[decision].detach().flip(0).cumsum(0).flip(0)  # of widths of at least so many channels
            torch.testing.assert_close(mask, shares.repeat_interleave(8))
    assert {decision for decision, _ in masks} == set(range(5))
    assert any((each.grad != 0).any() for each in run.state.logits)


def test_the_temperatures_of_a_search_have_the_published_ends(monkeypatch):
    seen = []
    monkeypatch.setattr(fbnetv2, "relaxed", lambda *given: (seen.append(given[2]), relaxed(*given))[1])
    tiny_search("fbnetv2", "size", epochs=2, batch=24).complete()
    assert seen == [10.0, 10.0, 0.1, 0.1]


def test_a_warm_up_trains_no_logits():
    run = tiny_search("fbnetv2", "size", epochs=2, batch=24, warmup=0.5)
    before = [each.detach().clone() for each in run.state.logits]
    moved = [any(not torch.equal(a, b) for a, b in zip(before, run.state.logits, strict=True)) for _ in run.epochs()]
    assert moved == [False, True]


@pytest.mark.parametrize(
    ("alias", "name"), [("mask_gumbel", "fbnetv2"), ("mask_rl", "tunas"), ("transformable", "tas"), ("TAS", "tas")]
)
def test_the_names_in_nats_bench_are_aliases(alias, name):
    assert method_class(alias).name == name
