"""What methods that train a mixture of all operations share: the optimiser of the architecture, and its gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from nasbench_lab.train.one_shot.search_context import Batch, SearchContext
from nasbench_lab.train.one_shot.supernets import Mixture

_SHIFT = 0.01  # of the shared weights, in total; Liu et al., DARTS, ICLR 2019, footnote 2


def architecture_optimizer(parameters: nn.Module, learning_rate: float, weight_decay: float) -> torch.optim.Optimizer:
    """Return Adam with the betas that DARTS and its successors use, 0.5 and 0.999."""
    return torch.optim.Adam(parameters.parameters(), learning_rate, betas=(0.5, 0.999), weight_decay=weight_decay)


def take_architecture_step(
    optimizer: torch.optim.Optimizer, parameters: nn.Module, gradients: Sequence[Tensor | None]
) -> None:
    """Take a step of the architecture along gradients, one per parameter."""
    for parameter, gradient in zip(parameters.parameters(), gradients, strict=True):
        parameter.grad = gradient
    optimizer.step()
    optimizer.zero_grad()


def gradients_of(loss: Tensor, parameters: nn.Module) -> list[Tensor | None]:
    """Return the gradients of a loss to the parameters of the architecture alone; None for unused ones.

    The gradients of the shared weights are not computed, which saves time.
    """
    return list(torch.autograd.grad(loss, list(parameters.parameters()), allow_unused=True))


def unrolled_gradients(
    search: SearchContext,
    parameters: nn.Module,
    mixture: Callable[[], Mixture],
    train: Batch,
    valid: Batch,
    *,
    exact: bool = False,
) -> list[Tensor | None]:
    r"""Return the gradients of the validation loss after one virtual step of the shared weights.

    The virtual step is :math:`w' = w - \xi (\mu m + \nabla_w L_{train}(w, \alpha) + \lambda w)`, with the learning rate
    of this step, and the momentum and the weight decay of the optimiser. This is a step of SGD with plain momentum, as
    in the published code, also where the optimiser uses Nesterov momentum; with other optimisers there is no momentum.
    The gradient is (Liu et al., DARTS, ICLR 2019, equation 7)

    .. math:: \nabla_\alpha L_{valid}(w', \alpha)
        - \xi \nabla^2_{\alpha, w} L_{train}(w, \alpha) \nabla_{w'} L_{valid}(w', \alpha)

    The product with the matrix of second derivatives is a difference of two gradients at weights that are
    shifted by 0.01 in total (equation 8). The shared weights, their gradients, their statistics and the optimiser stay
    as they are.

    Args:
        search: has the supernet and its optimiser.
        parameters: of the architecture.
        mixture: returns the mixture for these parameters.
        train: training images of the virtual step.
        valid: validation images.
        exact: whether the product is computed by automatic differentiation.
    """
    weights = [each for each in search.supernet.parameters() if each.requires_grad]
    kept = {name: value.clone() for name, value in search.supernet.state_dict().items() if isinstance(value, Tensor)}
    alphas = list(parameters.parameters())
    try:
        steps = torch.autograd.grad(search.loss(train, mixture()), weights, allow_unused=True)
        _shift(weights, _virtual_step(search, weights, steps))
        found = torch.autograd.grad(search.loss(valid, mixture()), [*alphas, *weights], allow_unused=True)
        direct, vector = found[: len(alphas)], found[len(alphas) :]
        _restore(search.supernet, kept)
        product = _exact_product if exact else _difference
        second = product(search, alphas, mixture, train, weights, vector)
    finally:
        _restore(search.supernet, kept)
    return [_minus(one, other, search.rate) for one, other in zip(direct, second, strict=True)]


def _virtual_step(
    search: SearchContext, weights: Sequence[Tensor], gradients: Sequence[Tensor | None]
) -> list[Tensor | None]:
    """Return the change of every weight; None where the loss does not use a weight."""
    group = search.optimizer.param_groups[0]
    momentum = group["momentum"] if isinstance(search.optimizer, torch.optim.SGD) else 0.0
    changes: list[Tensor | None] = []
    for weight, gradient in zip(weights, gradients, strict=True):
        if gradient is None:
            changes.append(None)
            continue
        step = gradient.detach() + group["weight_decay"] * weight.detach()
        before = search.optimizer.state.get(weight, {}).get("momentum_buffer") if momentum else None
        changes.append(-search.rate * (step if before is None else step + momentum * before))
    return changes


def _exact_product(
    search: SearchContext,
    alphas: Sequence[Tensor],
    mixture: Callable[[], Mixture],
    train: Batch,
    weights: Sequence[Tensor],
    vector: Sequence[Tensor | None],
) -> Sequence[Tensor | None]:
    """Return the product of the second derivatives with a vector, by differentiating twice."""
    gradients = torch.autograd.grad(search.loss(train, mixture()), weights, create_graph=True, allow_unused=True)
    terms = [(a * b).sum() for a, b in zip(gradients, vector, strict=True) if a is not None and b is not None]
    return torch.autograd.grad(torch.stack(terms).sum(), alphas, allow_unused=True)


def _difference(
    search: SearchContext,
    alphas: Sequence[Tensor],
    mixture: Callable[[], Mixture],
    train: Batch,
    weights: Sequence[Tensor],
    vector: Sequence[Tensor | None],
) -> Sequence[Tensor | None]:
    """Return the product of the second derivatives with a vector, by a central difference."""
    norm = torch.stack([each.norm() for each in vector if each is not None]).norm()
    if float(norm) == 0:
        return [None] * len(alphas)
    size = _SHIFT / norm
    sides = []
    for factor in (size, -2 * size):
        _shift(weights, [None if each is None else factor * each for each in vector])
        sides.append(torch.autograd.grad(search.loss(train, mixture()), alphas, allow_unused=True))
    return [None if a is None or b is None else (a - b) / (2 * size) for a, b in zip(*sides, strict=True)]


@torch.no_grad()
def _shift(weights: Sequence[Tensor], changes: Sequence[Tensor | None]) -> None:
    for weight, change in zip(weights, changes, strict=True):
        if change is not None:
            weight.add_(change)


@torch.no_grad()
def _restore(supernet: nn.Module, kept: dict[str, Tensor]) -> None:
    present = supernet.state_dict()
    for name, value in kept.items():
        present[name].copy_(value)


def _minus(one: Tensor | None, other: Tensor | None, factor: float) -> Tensor | None:
    if other is None:
        return one
    return -factor * other if one is None else one - factor * other
