"""Passes through networks that several proxies use, and the layers whose weights they count."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from nasbench_lab.train.image_batches import Batch

Layer = nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.Linear


def weight_layers(network: nn.Module) -> dict[str, Layer]:
    """Return the convolutions and linear layers of a network by name, in the order of the modules.

    Proxies of weights and gradients count the weights of these, without biases and without batch normalisation.

    >>> list(weight_layers(nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))))
    ['0', '3']
    """
    return {name: each for name, each in network.named_modules() if isinstance(each, Layer)}


def loss_gradients(network: nn.Module, batches: Sequence[Batch]) -> dict[str, Tensor]:
    """Return the gradient of the mean cross-entropy of the first batch by the weights of every layer, by its name.

    The network is in training mode. A weight that does not reach the loss has a gradient of zero.
    """
    layers = weight_layers(network)
    weights = [layer.weight for layer in layers.values()]
    if not weights:
        return {}
    images, labels = batches[0]
    loss = functional.cross_entropy(network(images), labels)
    found = torch.autograd.grad(loss, weights, allow_unused=True) if loss.requires_grad else [None] * len(weights)
    return {
        name: torch.zeros_like(weight) if gradient is None else gradient
        for (name, weight), gradient in zip(zip(layers, weights, strict=True), found, strict=True)
    }
