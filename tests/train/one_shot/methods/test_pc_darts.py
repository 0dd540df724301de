"""PC-DARTS: normalised edges, the epochs before the logits are trained, and where it applies."""

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from mixture_searches import double_batches, double_context, search_run, slopes  # noqa: E402

from nasbench_lab.errors import ParameterError  # noqa: E402
from nasbench_lab.train.one_shot.methods.pc_darts import PcDarts  # noqa: E402
from nasbench_lab.train.one_shot.mixture_training import gradients_of  # noqa: E402


def test_factors_of_the_edges_into_a_node_add_up_to_one():
    run = search_run(PcDarts(initial_scale=1.0))
    factors = run.state.architecture.mixture().factors.tolist()
    assert len(set(factors)) == 6
    for edges in ([0], [1, 2], [3, 4, 5]):
        assert sum(factors[edge] for edge in edges) == pytest.approx(1)


def test_logits_of_operations_and_edges_have_the_gradient_of_the_validation_loss():
    context, state = double_context(PcDarts(initial_scale=0.5))
    _, valid = double_batches(context)
    architecture = state.architecture

    def loss():
        return context.loss(valid, architecture.mixture())

    gradients = gradients_of(loss(), architecture)
    assert len(gradients) == 6 + 3
    for found, expected in slopes(loss, architecture.parameters(), gradients):
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-8)


def test_logits_are_trained_after_the_first_epochs():
    run = search_run(PcDarts(warmup=0.5), epochs=4)
    start = [each.detach().clone() for each in run.state.architecture.parameters()]
    for epoch in run.epochs():
        same = all(torch.equal(a, b) for a, b in zip(start, run.state.architecture.parameters(), strict=True))
        assert same == (epoch <= 2)
        assert (run.recommended[-1] < 0) == (epoch <= 2)


def test_none_is_left_out_unless_it_is_allowed():
    run = search_run(PcDarts())
    run.state.trained = True
    with torch.no_grad():
        for logits in run.state.architecture.alphas.logits:
            logits.copy_(torch.tensor([9.0, 1, 2, 3, 0]))
    space = run.context.space
    assert space.codes(run.method.recommend(run.context, run.state)).tolist() == [3] * 6
    assert space.codes(PcDarts(none=True).recommend(run.context, run.state)).tolist() == [0] * 6


@pytest.mark.parametrize("space", ["size", "cell101", "layer-chain"])
def test_spaces_without_partial_channels_are_refused(space):
    with pytest.raises(ParameterError, match="method 'pc-darts' needs a supernet with partial channels, which"):
        search_run(PcDarts(), space)


def test_channels_that_cannot_be_divided_are_refused():
    with pytest.raises(ParameterError, match="partial channels of 1/3 need a multiple of 3 channels, got 4"):
        search_run(PcDarts(partial_channels=3))


def test_a_search_that_ends_before_the_logits_are_trained_names_an_architecture():
    run = search_run(PcDarts(warmup=0.9), batch=18)
    run.complete()
    assert not run.state.trained
    assert run.recommended[-1] >= 0
