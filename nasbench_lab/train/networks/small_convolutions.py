"""Depthwise and 1x1 convolutions of small images as products of matrices, which are faster on a CPU.

A network for images of 8x8 pixels spends most of its time in the fixed costs of convolutions: a dilated depthwise
convolution takes PyTorch five to ten times as long as the same numbers as one matrix product per channel. The layers
here are convolutions with the same weights; only the way of computing them differs (docs/design/digits.md).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from nasbench_lab.train.networks.blocks import ConvBn

_MATRIX_PIXELS = 64


class DepthwiseConv(nn.Conv2d):
    """One filter per channel, without bias; keeps the image size at stride 1.

    On small images this is one matrix per channel, (pixels, pixels of the output), which has every weight of the filter
    in as many places as the filter has positions.

    >>> layer = DepthwiseConv(4, 5, stride=2, dilation=2)
    >>> x = torch.ones(1, 4, 7, 7)
    >>> torch.allclose(layer(x), nn.Conv2d.forward(layer, x), atol=1e-5)
    True
    """

    def __init__(self, channels: int, kernel: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__(
            channels,
            channels,
            kernel,
            stride,
            padding=dilation * (kernel // 2),
            dilation=dilation,
            groups=channels,
            bias=False,
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, h, w) to (batch, channels, h / stride, w / stride), rounded up."""
        batch, channels, height, width = x.shape
        if height * width > _MATRIX_PIXELS:
            return super().forward(x)
        kernel, stride, dilation = self.kernel_size[0], self.stride[0], self.dilation[0]
        places = torch.from_numpy(_places(height, width, kernel, stride, dilation)).to(x)
        matrices = torch.matmul(self.weight.reshape(channels, -1), places)
        pixels = x.permute(1, 0, 2, 3).reshape(channels, batch, height * width)
        outputs = torch.bmm(pixels, matrices.view(channels, height * width, -1))
        across = -(-width // stride)
        return outputs.view(channels, batch, -1, across).permute(1, 0, 2, 3)


@lru_cache(maxsize=64)
def _places(height: int, width: int, kernel: int, stride: int, dilation: int) -> NDArray[np.float32]:
    """Return where each weight of a filter stands in its matrix, (weights, pixels * pixels of the output), 0 or 1.

    It is no tensor: what is kept must not belong to a device, or to an export that is under way.
    """
    rows, columns = (_line_places(length, kernel, stride, dilation) for length in (height, width))
    both = np.einsum("iap,jbq->ijabpq", rows, columns)
    return np.ascontiguousarray(both.reshape(kernel * kernel, -1))


def _line_places(length: int, kernel: int, stride: int, dilation: int) -> NDArray[np.float32]:
    """Return the same for one direction, (kernel, length, length of the output)."""
    outputs = np.arange(-(-length // stride))
    taken = stride * outputs + dilation * (np.arange(kernel)[:, None] - kernel // 2)
    return (taken[:, None, :] == np.arange(length)[:, None]).astype(np.float32)


class PointwiseConv(nn.Conv2d):
    """A convolution of single pixels without bias, one per copy: a linear layer."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, *, copies: int = 1) -> None:
        super().__init__(copies * inputs, copies * outputs, 1, stride, groups=copies, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, copies * inputs, h, w) to (batch, copies * outputs, h / stride, w / stride), rounded up."""
        return self.linear(x, self.weight)

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """Return the same with other weights and biases, such as those of a normalisation folded into them."""
        if x.shape[2] * x.shape[3] > _MATRIX_PIXELS:
            return functional.conv2d(x, weight, bias, self.stride, groups=self.groups)
        step = self.stride[0]
        pixels = x[:, :, ::step, ::step].permute(0, 2, 3, 1)
        if self.groups == 1:
            return functional.linear(pixels, weight.flatten(1), bias).permute(0, 3, 1, 2)
        apart = pixels.reshape(-1, self.groups, self.in_channels // self.groups).transpose(0, 1)
        filters = weight.view(self.groups, -1, self.in_channels // self.groups)
        outputs = torch.bmm(apart, filters.transpose(1, 2)).transpose(0, 1).reshape(*pixels.shape[:3], -1)
        return (outputs if bias is None else outputs + bias).permute(0, 3, 1, 2)


class PointwiseBn(ConvBn):
    """`ConvBn` with a convolution of single pixels."""

    def __init__(self, inputs: int, outputs: int, *, copies: int = 1) -> None:
        nn.Sequential.__init__(self, PointwiseConv(inputs, outputs, copies=copies), nn.BatchNorm2d(copies * outputs))

    def convolved(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Convolve single pixels with other weights and a bias."""
        return self[0].linear(x, weight, bias)
