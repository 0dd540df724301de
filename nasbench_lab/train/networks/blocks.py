"""Layers that several published networks share.

Every layer can hold several copies of itself, side by side along the channel axis: channels `c * k` to `c * (k + 1)`
are those of copy `k`. Convolutions are grouped by copy and normalisation is per channel anyway, so copies never mix;
that is how several trainings of one architecture run as one network (docs/design/side-by-side.md).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

_MATRIX_POOL_PIXELS = 64


class ConvBn(nn.Sequential):
    """Convolution without bias, batch normalisation; keeps the image size at stride 1.

    In evaluation the normalisation is a fixed scale and shift per channel, which go into the convolution: one pass over
    the image instead of two.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, *, groups: int = 1, copies: int = 1
    ) -> None:
        super().__init__(
            nn.Conv2d(
                copies * inputs,
                copies * outputs,
                kernel,
                stride,
                padding=kernel // 2,
                groups=copies * groups,
                bias=False,
            ),
            nn.BatchNorm2d(copies * outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, copies * inputs, h, w) to (batch, copies * outputs, h / stride, w / stride)."""
        convolution, norm = self
        if self.training or type(norm) is not nn.BatchNorm2d:  # e.g. one that uses the statistics of the batch
            return norm(convolution(x))
        scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        return self.convolved(x, convolution.weight * scale[:, None, None, None], norm.bias - norm.running_mean * scale)

    def convolved(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Convolve images with other weights and a bias; the rest is as in the convolution of this block."""
        convolution = self[0]
        return functional.conv2d(x, weight, bias, convolution.stride, convolution.padding, groups=convolution.groups)


class ReluConvBn(nn.Sequential):
    """ReLU, convolution without bias, batch normalisation; keeps the image size at stride 1."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, *, copies: int = 1) -> None:
        super().__init__(nn.ReLU(), ConvBn(inputs, outputs, kernel, stride, copies=copies))


class ConvBnRelu(nn.Sequential):
    """Convolution without bias, batch normalisation, ReLU; keeps the image size at stride 1."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, *, groups: int = 1, copies: int = 1
    ) -> None:
        super().__init__(ConvBn(inputs, outputs, kernel, stride, groups=groups, copies=copies), nn.ReLU())


class AveragePool3x3(nn.Module):
    """Mean of the 3x3 neighbourhood, of the pixels within the image only; keeps the image size.

    On small images this is one product with a fixed matrix: PyTorch's pooling took five times as long there, on a CPU.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, h, w) to the same shape."""
        batch, channels, height, width = x.shape
        if height * width > _MATRIX_POOL_PIXELS:
            return functional.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
        matrix = torch.from_numpy(_pool_matrix(height, width)).to(x)
        pixels = x.permute(0, 2, 3, 1).reshape(batch, height * width, channels)
        return torch.matmul(matrix, pixels).view(batch, height, width, channels).permute(0, 3, 1, 2)


@lru_cache(maxsize=64)
def _pool_matrix(height: int, width: int) -> NDArray[np.float32]:
    """Weight of every pixel (column) in the mean around every pixel (row), shape (height * width, height * width).

    It is no tensor: what is kept must not belong to a device, or to an export that is under way.
    """
    return np.kron(_line_matrix(height), _line_matrix(width))


def _line_matrix(length: int) -> NDArray[np.float32]:
    near = np.tril(np.triu(np.ones((length, length), dtype=np.float32), -1), 1)
    return near / near.sum(axis=1, keepdims=True)


class ResidualReduction(nn.Module):
    """The residual block that halves the image between the stages of NAS-Bench-201 (Dong and Yang 2020, figure 1)."""

    def __init__(self, inputs: int, outputs: int, *, copies: int = 1) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            ReluConvBn(inputs, outputs, 3, stride=2, copies=copies), ReluConvBn(outputs, outputs, 3, copies=copies)
        )
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2), nn.Conv2d(copies * inputs, copies * outputs, 1, groups=copies, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Halve the image: (batch, copies * inputs, h, w) to (batch, copies * outputs, h / 2, w / 2)."""
        return self.shortcut(x) + self.convolutions(x)


class Classifier(nn.Module):
    """Global average pooling and a linear layer for every copy."""

    def __init__(self, inputs: int, classes: int, *, copies: int = 1) -> None:
        super().__init__()
        self.copies, self.classes = copies, classes
        # A 1x1 convolution on one pixel is a linear layer, and can be grouped.
        self.linear = nn.Conv2d(copies * inputs, copies * classes, 1, groups=copies)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, copies * inputs, h, w) to (batch, classes), or (batch, copies, classes) for several copies."""
        scores = self.linear(x.mean(dim=(2, 3), keepdim=True))
        return scores.flatten(1) if self.copies == 1 else scores.view(-1, self.copies, self.classes)
