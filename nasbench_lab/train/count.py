"""Counting what a network costs: trainable parameters and multiply-additions."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn


def parameters(network: nn.Module) -> int:
    """Return the number of trainable parameters.

    >>> parameters(nn.Linear(3, 2))
    8
    """
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def multiply_additions(network: nn.Module, image: tuple[int, int, int]) -> int:
    """Return the multiply-additions that one image takes in convolutions and linear layers, biases included.

    This is what NATS-Bench publishes as FLOPs: normalisation, pooling and activations are not counted.

    Args:
        network: in any mode; it is left as it was.
        image: channels, height and width.

    >>> multiply_additions(nn.Conv2d(3, 8, 3, padding=1, bias=False), (3, 32, 32))
    221184
    """
    total = 0

    def count(module: Any, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        per_output = module.weight[0].numel() + (module.bias is not None)
        total += output[0].numel() * per_output

    # On the meta device only shapes are computed; in training mode every layer is called, none folded into another.
    shapes = copy.deepcopy(network).to("meta", dtype=torch.float32).train()
    for module in shapes.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(count)
    with torch.no_grad():
        shapes(torch.zeros(2, *image, device="meta"))
    return total
