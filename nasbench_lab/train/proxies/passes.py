"""Passes through networks that several proxies use, and the layers whose weights they count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from nasbench_lab.train.image_batches import Batch
from nasbench_lab.train.proxies.subject import NoScoreError

Layer: TypeAlias = nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.Linear


def weight_layers(network: nn.Module) -> dict[str, Layer]:
    """Return the convolutions and linear layers of a network by name, in the order of the modules.

    Proxies of weights and gradients count the weights of these, without biases and without batch normalisation.

    Raises:
        NoScoreError: there are none.

    >>> list(weight_layers(nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))))
    ['0', '3']
    """
    found = {name: each for name, each in network.named_modules() if isinstance(each, Layer)}
    if not found:
        raise NoScoreError("the network has no convolution and no linear layer")
    return found


def layer_weights(network: nn.Module) -> dict[str, Tensor]:
    """Return the weights of `weight_layers` by the name of the layer, detached.

    Raises:
        NoScoreError: there are none.
    """
    return {name: layer.weight.detach() for name, layer in weight_layers(network).items()}


def loss_gradients(network: nn.Module, batches: Sequence[Batch]) -> dict[str, Tensor]:
    """Return the gradient of the mean cross-entropy of the first batch by the weights of every layer, by its name.

    The network is in training mode. Weights that do not reach the loss have a gradient of zero.

    Raises:
        NoScoreError: the network has no weights of layers.
    """
    layers = weight_layers(network)
    weights = [layer.weight.requires_grad_() for layer in layers.values()]
    loss = functional.cross_entropy(network(batches[0].images), batches[0].labels)
    return dict(zip(layers, gradients(loss, weights), strict=True))


def gradients(value: Tensor, weights: Sequence[Tensor], *, again: bool = False) -> list[Tensor]:
    """Return the gradients of a number by weights; zeros for weights that it does not depend on.

    Args:
        value: the number.
        weights: tensors of any shape.
        again: whether the gradients are differentiated again.
    """
    if not value.requires_grad:
        return [torch.zeros_like(weight) for weight in weights]
    found = torch.autograd.grad(value, weights, create_graph=again, allow_unused=True)
    return [torch.zeros_like(w) if each is None else each for w, each in zip(weights, found, strict=True)]


def total(parts: Iterable[Tensor]) -> float:
    """Return the sum of all elements of tensors, added up in double precision.

    >>> total([torch.ones(2, 2), torch.full((3,), 0.5)])
    5.5
    """
    return sum(float(part.sum(dtype=torch.float64)) for part in parts)
