"""Layers whose number of output channels is a decision: slices for a path, masks for a mixture or a sample.

A layer has weights for the largest number of channels. A path computes the first channels only (as slimmable networks,
Yu et al., ICLR 2019). A mixture computes all channels and multiplies them with the weighted sum of the masks of all
numbers of channels (Wan et al., FBNetV2, CVPR 2020, equations 3 and 4).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from nasbench_lab.train.one_shot.supernets.selection import CurrentSelection, Path
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
        return self.choices[selection.codes[self.decision]] if isinstance(selection, Path) else self.most

    @property
    def weights(self) -> Tensor | None:
        """Weights of the choices, shape (choices,); None for a path."""
        selection = self.current.selection
        return None if selection is None or isinstance(selection, Path) else selection.weights[self.decision]

    def masked(self, x: Tensor) -> Tensor:
        """Multiply channels by the weighted sum of all masks; a path has them cut already."""
        weights = self.weights
        if weights is None:
            return x
        mask = weights @ self._masks.to(weights)
        return x * mask[:, None, None]


class GivenWidth:
    """A number of channels that the layer around sets before it calls other layers.

    Args:
        most: the largest number of channels.
    """

    def __init__(self, most: int) -> None:
        self.most = self.channels = most

    def masked(self, x: Tensor) -> Tensor:
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

    def forward(self, x: Tensor) -> Tensor:
        """Normalise every channel, shape (batch, channels, h, w)."""
        y = super().forward(x)
        return y if self.width is None else self.width.masked(y)


def follow(module: nn.Module, width: Width | GivenWidth) -> None:
    """Let all convolutions and normalisations of a module have the width of a decision, in place."""
    if isinstance(module, WidthNorm):
        module.width = width
    for parent in list(module.modules()):
        children = list(parent.named_children())
        for place, (name, child) in enumerate(children):
            if isinstance(child, WidthNorm):
                child.width = width
            elif type(child) is nn.Conv2d:
                normalised = any(isinstance(later, WidthNorm) for _, later in children[place + 1 : place + 2])
                setattr(parent, name, WidthConv2d(child, width, masked=not normalised))
