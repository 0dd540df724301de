"""Layers whose number of output channels is a decision: slices for a path, masks for a mixture or a sample.

A layer has weights for the largest number of channels. A path computes the first channels only (as slimmable networks,
Yu et al., ICLR 2019). A mixture computes all channels and multiplies them with the weighted sum of the masks of all
numbers of channels (Wan et al., FBNetV2, CVPR 2020, equations 3 and 4). If it uses some numbers only, it computes the
largest of them. An interpolated mixture adds feature maps with several numbers of channels instead (Dong and Yang,
Network Pruning via Transformable Architecture Search, NeurIPS 2019).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from nasbench_lab.train.one_shot.supernets.selection import CurrentSelection, Mixture, Path
from nasbench_lab.train.one_shot.supernets.shared_norm import SharedNorm


class Width:
    """The number of channels of some layers.

    Args:
        choices: possible numbers of channels, increasing.
        decision: position of the decision among the codes.
        current: tells what the forward pass uses.
    """

    def __init__(self, choices: Sequence[int], decision: int, current: CurrentSelection) -> None:
        self.choices, self.decision, self.current = tuple(choices), decision, current
        self._masks = torch.stack([torch.arange(self.most) < each for each in self.choices]).float()

    @property
    def most(self) -> int:
        """The largest number of channels."""
        return self.choices[-1]

    @property
    def channels(self) -> int:
        """Number of channels that the forward pass computes."""
        selection = self.current.selection
        if isinstance(selection, Path):
            return self.choices[selection.codes[self.decision]]
        if isinstance(selection, Mixture) and selection.used is not None:
            return self.choices[max(selection.used[self.decision])]
        return self.most

    @property
    def weights(self) -> Tensor | None:
        """Weights of the choices, shape (choices,); None for a path."""
        selection = self.current.selection
        return None if selection is None or isinstance(selection, Path) else selection.weights[self.decision]

    def masked(self, x: Tensor, *, computed: bool = True) -> Tensor:
        """Multiply channels by the weighted sum of all masks; a path has them cut already.

        Args:
            x: a feature map, shape (batch, channels, h, w).
            computed: whether a convolution computed the feature map. Only then is it interpolated: without one, its
                input was, and as many channels would be shifted a second time.
        """
        weights, selection = self.weights, self.current.selection
        if weights is None:
            return x
        if isinstance(selection, Mixture) and selection.interpolated:
            return self._interpolated(x, weights, selection) if computed else x
        mask = weights @ self._masks.to(weights)
        return x * mask[: x.shape[1], None, None]

    def _interpolated(self, x: Tensor, weights: Tensor, selection: Mixture) -> Tensor:
        """Return the weighted sum of the first channels of all used numbers, each interpolated to all channels."""
        codes = range(len(self.choices)) if selection.used is None else selection.used[self.decision]
        every = x.shape[1]
        matrix = torch.stack([weights[code] * interpolation(self.choices[code], every).to(x) for code in codes]).sum(0)
        return functional.conv2d(x, matrix[:, :, None, None])


class GivenWidth:
    """A number of channels that the layer around sets before it calls other layers.

    Args:
        most: the largest number of channels.
    """

    def __init__(self, most: int) -> None:
        self.most = self.channels = most

    def masked(self, x: Tensor, *, computed: bool = True) -> Tensor:
        """Return the tensor: the layer around applies its masks."""
        return x


class WidthConv2d(nn.Conv2d):
    """A convolution that cuts its weights to the channels of its input, and to its width.

    Args:
        convolution: with the largest numbers of channels; its weights are used.
        width: of the output; None for all channels.
        masked: whether the output is multiplied by the masks; not if a normalisation follows, which does it.
    """

    def __init__(self, convolution: nn.Conv2d, width: Width | GivenWidth | None, *, masked: bool) -> None:
        super().__init__(
            convolution.in_channels,
            convolution.out_channels,
            convolution.kernel_size,
            convolution.stride,
            convolution.padding,
            bias=convolution.bias is not None,
        )
        self.weight, self.bias = convolution.weight, convolution.bias
        self.width, self.mask_output = width, masked

    def forward(self, x: Tensor) -> Tensor:
        """Convolve, shape (batch, inputs, h, w) to (batch, width, h / stride, w / stride)."""
        outputs = self.out_channels if self.width is None else self.width.channels
        weight = self.weight[:outputs, : x.shape[1]]
        bias = None if self.bias is None else self.bias[:outputs]
        y = functional.conv2d(x, weight, bias, self.stride, self.padding)
        return self.width.masked(y) if self.width is not None and self.mask_output else y


class WidthNorm(SharedNorm):
    """Batch normalisation of the first channels, with the masks of its width."""

    width: Width | GivenWidth | None = None
    after_convolution = False

    def forward(self, x: Tensor) -> Tensor:
        """Normalise every channel, shape (batch, channels, h, w)."""
        y = super().forward(x)
        return y if self.width is None else self.width.masked(y, computed=self.after_convolution)


def follow(module: nn.Module, width: Width | GivenWidth) -> None:
    """Let all convolutions and normalisations of a module have the width of a decision, in place."""
    if isinstance(module, WidthNorm):
        module.width = width
    for parent in list(module.modules()):
        children = list(parent.named_children())
        for place, (name, child) in enumerate(children):
            if isinstance(child, WidthNorm):
                child.width = width
                child.after_convolution = place > 0 and isinstance(children[place - 1][1], nn.Conv2d)
            elif type(child) is nn.Conv2d:
                normalised = any(isinstance(later, WidthNorm) for _, later in children[place + 1 : place + 2])
                setattr(parent, name, WidthConv2d(child, width, masked=not normalised))


@functools.cache
def interpolation(inputs: int, outputs: int) -> Tensor:
    """Return the matrix of adaptive average pooling over the first channels, shape (outputs, outputs).

    Args:
        inputs: how many of the channels are interpolated, at most ``outputs``.
        outputs: number of channels of a feature map and of the result.

    >>> interpolation(2, 3)
    tensor([[1.0000, 0.0000, 0.0000],
            [0.5000, 0.5000, 0.0000],
            [0.0000, 1.0000, 0.0000]])
    """
    matrix = torch.zeros(outputs, outputs, device="cpu")  # also where "meta" is the default: this is kept
    for row in range(outputs):
        first, end = row * inputs // outputs, -(-(row + 1) * inputs // outputs)
        matrix[row, first:end] = 1 / (end - first)
    return matrix
