"""DARTS: its gradients against differences of what it minimises, and what it recommends."""

import copy

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from mixture_searches import double_batches, double_context, search_run, slopes  # noqa: E402

from nasbench_lab.errors import ParameterError  # noqa: E402
from nasbench_lab.train.one_shot import mixture_training  # noqa: E402
from nasbench_lab.train.one_shot.methods.darts import Darts  # noqa: E402
from nasbench_lab.train.one_shot.mixture_training import gradients_of, unrolled_gradients  # noqa: E402
from nasbench_lab.train.one_shot.supernets import Mixture  # noqa: E402

SPACES = ["topology", "size", "cell101", "layer-chain"]


def prepared(space="topology", momentum=0.0, **recipe):
    """A context in double precision, with momentum from one step, its logits and two batches."""
    context, state = double_context(
        Darts(initial_scale=0.5), space, momentum=momentum, nesterov=False, weight_decay=0.05, **recipe
    )
    train, valid = double_batches(context)
    context.supernet.train()
    if momentum:
        context.update_weights(valid, [Mixture(state.alphas.probabilities()).detached()])
    return context, state.alphas, train, valid


def unrolled_loss(context, alphas, train, valid):
    """The loss after a step of a copy, by a plain formula."""

    def loss():
        net = copy.deepcopy(context.supernet)
        mixture = Mixture([each.detach() for each in alphas.probabilities()])
        with torch.enable_grad():
            training_loss = torch.nn.functional.cross_entropy(net(train.images, mixture), train.labels)
            weights = dict(net.named_parameters())
            gradients = torch.autograd.grad(training_loss, weights.values(), allow_unused=True)
        group = context.optimizer.param_groups[0]
        originals = context.supernet.parameters()
        for weight, original, gradient in zip(weights.values(), originals, gradients, strict=True):
            if gradient is None:
                continue
            velocity = gradient + group["weight_decay"] * weight.detach()
            if group["momentum"]:
                velocity += group["momentum"] * context.optimizer.state[original]["momentum_buffer"]
            weight.data -= context.rate * velocity
        return torch.nn.functional.cross_entropy(net(valid.images, mixture), valid.labels)

    return loss


@pytest.mark.parametrize("space", SPACES)
def test_the_first_order_gradient_is_that_of_the_validation_loss(space):
    context, alphas, _, valid = prepared(space)

    def loss():
        return context.loss(valid, Mixture(alphas.probabilities()))

    for found, expected in slopes(loss, alphas.logits, gradients_of(loss(), alphas)):
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-8)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_second_order_gradient_is_that_of_the_loss_after_a_step(momentum, monkeypatch):
    # At the published shift of 0.01, these tiny networks cross kinks of ReLUs.
    monkeypatch.setattr(mixture_training, "_SHIFT", 1e-5)
    context, alphas, train, valid = prepared(momentum=momentum)

    def mixture():
        return Mixture(alphas.probabilities())

    first = torch.cat(gradients_of(context.loss(valid, mixture()), alphas))
    for exact in (True, False):
        gradients = unrolled_gradients(context, alphas, mixture, train, valid, exact=exact)
        for found, expected in slopes(unrolled_loss(context, alphas, train, valid), alphas.logits, gradients):
            assert found == pytest.approx(expected, rel=1e-3)
        assert float((torch.cat(gradients) - first).norm()) > 0.2 * float(first.norm()), "first and second order differ"


@pytest.mark.parametrize("space", SPACES)
def test_both_products_with_second_derivatives_agree(space, monkeypatch):
    monkeypatch.setattr(mixture_training, "_SHIFT", 1e-5)
    context, alphas, train, valid = prepared(space, momentum=0.9)

    def mixture():
        return Mixture(alphas.probabilities())

    exact, differences = (
        torch.cat(unrolled_gradients(context, alphas, mixture, train, valid, exact=each)) for each in (True, False)
    )
    torch.testing.assert_close(differences, exact, rtol=1e-4, atol=1e-7)


def test_the_difference_of_gradients_shifts_the_weights_by_a_hundredth(monkeypatch):
    context, alphas, train, valid = prepared()
    seen = []
    loss = context.loss

    def observed(batch, selection):
        seen.append(torch.cat([each.detach().flatten() for each in context.supernet.parameters()]))
        return loss(batch, selection)

    monkeypatch.setattr(context, "loss", observed)
    unrolled_gradients(context, alphas, lambda: Mixture(alphas.probabilities()), train, valid)
    before, _, above, below = seen
    assert float((above - before).norm()) == pytest.approx(0.01)
    assert float((below - before).norm()) == pytest.approx(0.01)
    torch.testing.assert_close(above + below, 2 * before)


@pytest.mark.parametrize("exact", [True, False])
def test_a_virtual_step_changes_nothing(exact):
    context, alphas, train, valid = prepared(momentum=0.9)

    def everything():
        gradients = [None if each.grad is None else each.grad.clone() for each in context.supernet.parameters()]
        values = {name: value.clone() for name, value in context.supernet.state_dict().items()}
        return values, gradients, copy.deepcopy(context.optimizer.state_dict()), [each.grad for each in alphas.logits]

    before = everything()
    unrolled_gradients(context, alphas, lambda: Mixture(alphas.probabilities()), train, valid, exact=exact)
    torch.testing.assert_close(everything(), before, rtol=0, atol=0)


def test_the_second_order_searches_differently():
    logits = []
    for method in (Darts(), Darts(order=2)):
        run = search_run(method)
        run.complete()
        logits.append(torch.cat([each.detach() for each in run.state.alphas.logits]))
    assert not torch.equal(*logits)


def test_none_is_left_out_unless_it_is_allowed():
    run = search_run(Darts())
    with torch.no_grad():
        for edge, logits in enumerate(run.state.alphas.logits):
            logits.copy_(torch.tensor([9.0, 1, 2, 3, 0]) if edge else torch.tensor([0.0, 9, 1, 2, 3]))
    space = run.context.space
    assert space.codes(run.method.recommend(run.context, run.state)).tolist() == [1, 3, 3, 3, 3, 3]
    assert space.codes(Darts(none=True).recommend(run.context, run.state)).tolist() == [1, 0, 0, 0, 0, 0]


def test_only_the_topology_space_has_options_without_output():
    found = {space: search_run(Darts(), space).supernet.options_without_output() for space in SPACES}
    assert found.pop("topology") == [{0}] * 6
    assert all(not any(options) for options in found.values())


@pytest.mark.parametrize("space", ["size", "cell101", "layer-chain"])
@pytest.mark.parametrize("order", [1, 2])
def test_other_spaces_are_searched(space, order):
    run = search_run(Darts(order=order), space)
    run.complete()
    assert 0 <= run.recommended[-1] < run.context.space.size


def test_the_shared_weights_take_a_clipped_step():
    context, state = double_context(Darts(), momentum=0.0, nesterov=False, weight_decay=0.0)
    train, _ = double_batches(context)
    before = torch.cat([each.detach().flatten().clone() for each in context.supernet.parameters()])
    context.update_weights(train, [Mixture(state.alphas.probabilities()).detached()], clip=1e-3)
    after = torch.cat([each.detach().flatten() for each in context.supernet.parameters()])
    assert float((after - before).norm()) == pytest.approx(context.rate * 1e-3, rel=1e-2)


def test_exact_second_derivatives_need_the_second_order():
    with pytest.raises(ParameterError, match="hessian='exact' needs order=2"):
        Darts(hessian="exact")
