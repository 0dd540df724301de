"""The complexity of a network: its numbers of trainable parameters and multiply-additions."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
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
    """Return the number of multiply-additions in convolutions and linear layers for one image, including biases.

    NATS-Bench publishes this number as FLOPs: normalisation, pooling and activations are not counted.

    Args:
        network: the network, in any mode; it is unchanged afterwards.
        image: channels, height and width.

    >>> multiply_additions(nn.Conv2d(3, 8, 3, padding=1, bias=False), (3, 32, 32))
    221184
    """
    total = 0

    def count(module: Any, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        per_output = module.weight[0].numel() + (module.bias is not None)
        total += output[0].numel() * per_output

    # In training mode every layer is called; none is folded into another. Tensors on the meta device have no values to
    # compute, but still take torch ten times as long as the arithmetic of a small network.
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    like = next(network.parameters(), torch.empty(0))
    # Dropout draws from torch's generators.
    generators = torch.random.fork_rng(devices=[like.device] if like.is_cuda else [])
    with restored(network), torch.no_grad(), generators:
        hooks = [layer.register_forward_hook(count) for layer in layers]
        try:
            network.train()(torch.zeros(2, *image, dtype=like.dtype, device=like.device))
        finally:
            for hook in hooks:
                hook.remove()
    return total


@contextlib.contextmanager
def restored(network: nn.Module) -> Iterator[None]:
    """Restore the mode of every module (training or evaluation) and all buffers of a network after the block.

    >>> network = nn.Sequential(nn.BatchNorm1d(3).eval(), nn.ReLU())
    >>> with restored(network):
    ...     _ = network.train()
    >>> [module.training for module in network]
    [False, True]
    """
    modes = [(module, module.training) for module in network.modules()]
    buffers = [(buffer, buffer.clone()) for buffer in network.buffers()]
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)
