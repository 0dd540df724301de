"""Few-shot supernets."""

import copy

import numpy as np
import pytest

from nasbench_lab.errors import ParameterError
from nasbench_lab.spaces import LayerChainSpace, TopologySpace
from nasbench_lab.train.one_shot.methods.registry import make_method

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from tiny_searches import CHAIN, images, search, train_batch  # noqa: E402

from nasbench_lab.train.one_shot.saved_supernets import load_supernet, save_supernet  # noqa: E402
from nasbench_lab.train.one_shot.scoring import score  # noqa: E402
from nasbench_lab.train.one_shot.supernets import Mixture, Path  # noqa: E402

WITH_ONE_OPTION = LayerChainSpace([["conv3x3-2"], ["relu", "tanh", "identity"], ["max-pool", "identity"]])


def completed(*given, **options):
    run = search(*given, **options)
    run.complete()
    return run


def assert_equal_weights(one, other):
    first, second = one.state_dict(), other.state_dict()
    assert first.keys() == second.keys()
    assert all(torch.equal(value, second[key]) for key, value in first.items())


@pytest.mark.parametrize(
    ("space", "decisions"), [("topology", 0), (WITH_ONE_OPTION, 1)], ids=["no-decision", "one-option"]
)
def test_a_split_into_one_part_is_spos(space, decisions):
    few, spos = completed("few-shot", space, decisions=decisions), completed("spos", space)
    assert few.supernet.is_split
    assert_equal_weights(few.supernet.parts[0], spos.supernet)
    assert few.recommended == spos.recommended
    assert (few.scores([0, 3]) == spos.scores([0, 3])).all()


def test_without_a_split_it_is_spos():
    few, spos = completed("few-shot", before=1.0), completed("spos")
    assert not few.supernet.is_split
    assert_equal_weights(few.supernet.parts[0], spos.supernet)
    assert few.recommended == spos.recommended


@pytest.mark.parametrize(("before", "expected"), [(0.0, 0), (0.25, 1), (600 / 1350, 2), (0.75, 3)])
def test_it_splits_after_the_given_share(before, expected):
    run = search("few-shot", "layer-chain", epochs=2, before=before)
    batch, found = train_batch(run), []
    run.context.begin("step")
    for step in range(4):
        run.context.step = step
        run.method.step(run.context, run.state, batch)
        found.append(bool(run.supernet.is_split))
    assert found == [step >= expected for step in range(4)]


def test_sub_supernets_start_with_the_weights_and_the_momentum():
    run = completed("few-shot", "layer-chain", before=1.0, decisions=2)
    run.supernet.split(run.context.optimizer)
    first, *others = copies(run)
    assert any("momentum_buffer" in known for _, known in first)
    assert len(others) == 5
    assert all(same(first, other) for other in others)


def test_sub_supernets_train_alone():
    run = search("few-shot", "layer-chain", epochs=10, before=0.0)
    batch, trained = train_batch(run), []
    run.context.begin("step")
    run.method.step(run.context, run.state, batch)
    for step in range(1, 20):
        run.context.step, before = step, copies(run)
        run.method.step(run.context, run.state, batch)
        changed = [not same(part, old) for part, old in zip(copies(run), before, strict=True)]
        assert sum(changed) == 1
        trained.append(changed.index(True))
    assert set(trained) == {0, 1}


def copies(run):
    """The weights of every sub-supernet, with what the optimiser knows about them."""
    state = run.context.optimizer.state
    return [
        [(weight.detach().clone(), copy.deepcopy(state.get(weight, {}))) for weight in part.parameters()]
        for part in run.supernet.parts
    ]


def same(one, other):
    return all(
        torch.equal(weight, old)
        and known.keys() == old_known.keys()
        and all(map(torch.equal, known.values(), old_known.values()))
        for (weight, known), (old, old_known) in zip(one, other, strict=True)
    )


def test_architectures_are_scored_with_their_sub_supernets():
    run = completed("few-shot", "layer-chain", before=0.0)
    everything = np.arange(CHAIN.size)
    scores = run.scores(everything)
    with torch.no_grad():
        for weight in run.supernet.parts[1].parameters():
            weight.zero_()
    after = run.scores(everything)
    first = CHAIN.codes(everything)[:, 0]
    assert (after[first == 0] == scores[first == 0]).all()
    share = 100 * (images().valid.labels == 0).mean()  # with weights of 0, all classes are alike, and the first is it
    assert after[first == 1] == pytest.approx(share)


def test_two_decisions_make_all_combinations():
    supernet = search("few-shot", "layer-chain", decisions=2).supernet
    assert len(supernet.parts) == 2 * 3
    every = CHAIN.codes(np.arange(CHAIN.size)).tolist()
    assert {supernet.place(codes) for codes in every} == {0}
    supernet.is_split.fill_(1)
    assert [supernet.place(codes) for codes in every] == [each // 2 for each in range(12)]


def test_a_split_supernet_is_saved_whole(tmp_path):
    run = completed("few-shot", before=0.0)
    loaded = load_supernet(save_supernet(tmp_path / "net.pt", run.supernet))
    assert_equal_weights(loaded, run.supernet)
    some = [0, 4000, 8000, 12000, 15624]
    assert (score(loaded, run.context.batches, some) == run.scores(some)).all()
    x = torch.from_numpy(images().test.images)
    loaded.train()
    for codes in TopologySpace().codes(some).tolist():
        torch.testing.assert_close(loaded.stand_alone(codes)(x), loaded(x, Path(codes)), rtol=1e-4, atol=1e-4)
    with pytest.raises(ParameterError, match="no mixtures"):
        loaded(x, Mixture([torch.ones(5)] * 6))


def test_impossible_splits_are_one_clear_line():
    options = {"image": (1, 8, 8), "classes": 10}
    with pytest.raises(ParameterError, match="decisions must be at most 3 in the space layer-chain, got 4"):
        make_method("few-shot", {"decisions": 4}).build(CHAIN, **options)
    with pytest.raises(ParameterError, match="decisions=4 makes 625 sub-supernets in the space topology; at most 125"):
        make_method("few-shot", {"decisions": 4}).build(TopologySpace(), **options)


def test_a_sub_supernet_whose_weights_are_not_finite_ends_the_search():
    run = search("few-shot", "layer-chain", before=1.0)
    with torch.no_grad():
        next(run.supernet.parts[1].parameters()).fill_(torch.nan)
    run.complete()
    assert run.failed
