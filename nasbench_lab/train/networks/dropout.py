"""Dropout whose masks follow from the seed of the network, for each of several copies."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_MOST_SEED = 2**31


class SeededDropout(nn.Module):
    """Set a share of the values to zero in training, and scale the others up so that their mean stays the same.

    Unlike torch's, the masks do not come from the global generator: they follow from a seed that is drawn with the
    initial weights, and from the number of training passes so far. So a training that is resumed, or that trains
    several copies side by side, has the masks of an uninterrupted training of one copy, on every device.

    Args:
        rate: share of the values, between 0 and 1.
        copies: how many networks side by side.
    """

    seeds: Tensor
    passes: Tensor

    def __init__(self, rate: float, *, copies: int = 1) -> None:
        super().__init__()
        self.rate, self.copies = rate, copies
        self.register_buffer("seeds", torch.randint(_MOST_SEED, (copies,)))
        self.register_buffer("passes", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, copies * channels, h, w) to the same shape."""
        if not self.training or x.is_meta:
            return x
        batch, channels, height, width = x.shape
        shape = (batch, channels // self.copies, height, width)
        number = int(self.passes)
        masks = [_mask(shape, self.rate, seed, number) for seed in self.seeds.tolist()]
        self.passes += 1
        mask = torch.stack(masks, dim=1).view(x.shape).to(x)
        return x * mask / (1 - self.rate)

    def extra_repr(self) -> str:
        """Return the rate, for printing."""
        return f"rate={self.rate}"


def _mask(shape: tuple[int, ...], rate: float, seed: int, number: int) -> Tensor:
    """Return which values are kept, drawn on the CPU so that it is the same on every device."""
    generator = torch.Generator("cpu").manual_seed(seed * _MOST_SEED + number % _MOST_SEED)
    return torch.rand(shape, generator=generator, device="cpu") >= rate
