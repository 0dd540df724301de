"""Average pooling for evaluations, which pool all images of a split at once."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from nasbench_lab.train.networks.blocks import AveragePool3x3

_FEW_PIXELS = 16  # up to here, the product with a matrix is as fast


class SummedPool(AveragePool3x3):
    """`AveragePool3x3`, in evaluations on a CPU as a sum of shifted images: seven times as fast for 8 x 8 pixels.

    Sums are rounded in another order, so values differ by about 1e-7 from those of `AveragePool3x3`.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, h, w) to the same shape."""
        height, width = x.shape[2:]
        if self.training or torch.is_grad_enabled() or x.device.type != "cpu" or height * width <= _FEW_PIXELS:
            return super().forward(x)
        return _with_neighbours(_with_neighbours(x, 2), 3).mul_(_shares(height, width).to(x.dtype))


def _with_neighbours(x: Tensor, axis: int) -> Tensor:
    """Return the sum of every pixel and its neighbours along an axis."""
    total, most = x.clone(), x.shape[axis] - 1
    total.narrow(axis, 1, most).add_(x.narrow(axis, 0, most))
    total.narrow(axis, 0, most).add_(x.narrow(axis, 1, most))
    return total


@lru_cache(maxsize=64)
def _shares(height: int, width: int) -> Tensor:
    """Return one over the number of pixels in every neighbourhood, shape (height, width)."""
    one = torch.ones(1, 1, height, width, device="cpu")
    return 1 / functional.avg_pool2d(one, 3, stride=1, padding=1, divisor_override=1)[0, 0]
