"""Counting what a network costs: trainable parameters and multiply-additions."""

from __future__ import annotations

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

    hooks = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    modes = {module: module.training for module in network.modules()}
    like = next(network.parameters(), torch.zeros(0))
    try:
        with torch.no_grad():
            network.eval()(torch.zeros(1, *image, device=like.device, dtype=like.dtype))
    finally:
        for module, training in modes.items():
            module.training = training
        for hook in hooks:
            hook.remove()
    return total
