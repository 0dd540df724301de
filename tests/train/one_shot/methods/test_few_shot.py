"""Few-shot supernets."""

import numpy as np
import pytest

from nasbench_lab.errors import ParameterError
from nasbench_lab.spaces import LayerChainSpace, TopologySpace
from nasbench_lab.train.one_shot.methods.registry import make_method

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from tiny_searches import CHAIN, images, search, train_batch  # noqa: E402

WITH_ONE_OPTION = LayerChainSpace([["conv3x3-2"], ["relu", "tanh", "identity"], ["max-pool", "identity"]])


def completed(*given, **options):
    run = search(*given, **options)
    run.complete()
    return run


def assert_equal_weights(one, other):
    assert one.state_dict().keys() == other.state_dict().keys()
    for key, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[key])


@pytest.mark.parametrize(
    ("space", "decisions"), [("topology", 0), (WITH_ONE_OPTION, 1)], ids=["no-decision", "one-option"]
)
def test_a_split_into_one_part_is_spos(space, decisions):
    few, spos = completed("few-shot", space, decisions=decisions), completed("spos", space)
    assert few.state.is_split
    assert_equal_weights(few.state.parts[0], spos.supernet)
    assert few.recommended == spos.recommended
    assert (few.scores([0, 3]) == spos.scores([0, 3])).all()


def test_without_a_split_it_is_spos():
    few, spos = completed("few-shot", before=1.0), completed("spos")
    assert not few.state.is_split
    assert_equal_weights(few.supernet, spos.supernet)
    assert few.recommended == spos.recommended


@pytest.mark.parametrize(("before", "expected"), [(0.0, 0), (0.25, 1), (600 / 1350, 2), (0.75, 3)])
def test_it_splits_after_the_given_share(before, expected):
    run = search("few-shot", "layer-chain", epochs=2, before=before)
    batch, found = train_batch(run), []
    run.context.begin("step")
    for step in range(4):
        run.context.step = step
        run.method.step(run.context, run.state, batch)
        found.append(run.state.is_split)
    assert found == [step >= expected for step in range(4)]


def test_sub_supernets_start_with_the_weights_and_the_momentum_and_train_alone():
    run = search("few-shot", "layer-chain", epochs=10)
    batch, states = train_batch(run), []
    run.context.begin("step")
    for step in range(20):
        run.context.step = step
        before = [{key: value.clone() for key, value in part.state_dict().items()} for part in run.state.parts]
        was_split = run.state.is_split
        run.method.step(run.context, run.state, batch)
        if was_split:
            changed = [
                any(not torch.equal(value, old[key]) for key, value in part.state_dict().items())
                for part, old in zip(run.state.parts, before, strict=True)
            ]
            assert sum(changed) == 1
            states.append(changed.index(True))
        elif run.state.is_split:
            for key, weight in dict(run.supernet.named_parameters()).items():
                untouched = [dict(part.named_parameters())[key] for part in run.state.parts]
                assert sum(torch.equal(weight, each) for each in untouched) >= 1
                known = run.context.optimizer.state.get(weight)
                if known is not None:
                    momenta = [run.state.optimizer.state[each]["momentum_buffer"] for each in untouched]
                    assert any(torch.equal(known["momentum_buffer"], each) for each in momenta)
    assert set(states) == {0, 1}


def test_architectures_are_scored_with_their_sub_supernets():
    run = completed("few-shot", "layer-chain", before=0.0)
    everything = np.arange(CHAIN.size)
    scores = run.scores(everything)
    with torch.no_grad():
        for weight in run.state.parts[1].parameters():
            weight.zero_()
        for weight in run.supernet.parameters():
            weight.zero_()  # nobody is scored with these
    after = run.scores(everything)
    first = CHAIN.codes(everything)[:, 0]
    assert (after[first == 0] == scores[first == 0]).all()
    share = (
        100 * (images().valid.labels == 0).mean()
    )  # with weights of 0, all classes are as likely, and the first is it
    assert after[first == 1] == pytest.approx(share)


def test_two_decisions_make_all_combinations():
    run = search("few-shot", "layer-chain", decisions=2)
    assert len(run.state.parts) == 2 * 3
    method = make_method("few-shot", {"decisions": 2})
    assert method._parts_of(CHAIN, CHAIN.codes(np.arange(CHAIN.size))).tolist() == [each // 2 for each in range(12)]


def test_impossible_splits_are_one_clear_line():
    options = {"image": (1, 8, 8), "classes": 10}
    with pytest.raises(ParameterError, match="decisions must be at most 3 in the space layer-chain, got 4"):
        make_method("few-shot", {"decisions": 4}).build(CHAIN, **options)
    with pytest.raises(ParameterError, match="decisions=4 makes 625 sub-supernets in the space topology; at most 125"):
        make_method("few-shot", {"decisions": 4}).build(TopologySpace(), **options)


def test_a_sub_supernet_whose_weights_are_not_finite_ends_the_search():
    run = search("few-shot", "layer-chain", before=0.0)
    with torch.no_grad():
        run.state.parts[0].network.classifier.layers["8x8"].bias.fill_(torch.nan)
        run.supernet.network.classifier.layers["8x8"].bias.fill_(torch.nan)  # whence the parts get theirs
    run.complete()
    assert run.failed
