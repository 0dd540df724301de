"""Initial weights that some proxies prescribe, instead of those that the network has."""

from __future__ import annotations

import math

import torch
from torch import nn

_NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.GroupNorm, nn.LayerNorm)


def draw_normal(network: nn.Module, generator: torch.Generator, *, kaiming: bool) -> None:
    """Draw the weights of all convolutions and linear layers from a normal distribution, in place.

    Biases become 0; scales and shifts of normalisations 1 and 0.

    Args:
        network: whose weights change.
        generator: of random numbers, on the device of the network.
        kaiming: whether the standard deviation is ``sqrt(2 / inputs of a unit)`` (He et al. 2015), instead of 1.

    >>> layer = nn.Linear(200, 300)
    >>> draw_normal(layer, torch.Generator().manual_seed(0), kaiming=True)
    >>> round(layer.weight.std().item(), 2), layer.bias.any().item()
    (0.1, False)
    """
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                deviation = math.sqrt(2 / module.weight[0].numel()) if kaiming else 1.0
                module.weight.normal_(0, deviation, generator=generator)
                if module.bias is not None:
                    module.bias.zero_()
            elif isinstance(module, _NORMALISATIONS):
                if module.weight is not None:
                    module.weight.fill_(1)
                if module.bias is not None:
                    module.bias.zero_()
