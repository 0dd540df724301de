"""The supernet of the size space of NATS-Bench: shared weights of all numbers of channels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from nasbench_lab.spaces.size import CHANNELS, LAYERS
from nasbench_lab.train.networks.blocks import ConvBn
from nasbench_lab.train.networks.nats import size_network
from nasbench_lab.train.one_shot.supernets.selection import Path
from nasbench_lab.train.one_shot.supernets.supernet import Supernet
from nasbench_lab.train.one_shot.supernets.widths import Width, WidthConv2d, WidthNorm, follow

_SKIP = "0->3"  # the cell has one skip connection
_SKIP_NAME = re.compile(rf"^([35]\.edges\.{_SKIP})\.")


class WidthSkip(nn.Module):
    """The skip connection of a cell: the identity if the widths of input and output are equal, else a convolution.

    A mixture weighs both with the probability that the widths are equal.
    """

    def __init__(self, inputs: Width, outputs: Width) -> None:
        super().__init__()
        self.inputs, self.outputs = inputs, outputs
        self.convolution = ConvBn(inputs.most, outputs.most, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, h, w) to (batch, outputs, h, w)."""
        if isinstance(self.inputs.current.selection, Path):
            return x if self.inputs.channels == self.outputs.channels else self.convolution(x)
        before, after = self.inputs.weights, self.outputs.weights
        assert before is not None and after is not None  # noqa: S101, PT018 - no path
        equal = before @ after
        other = self.convolution(x)
        return equal * _with_channels(x, other.shape[1]) + (1 - equal) * other


def _with_channels(x: Tensor, channels: int) -> Tensor:
    """Return the first channels, with zeros for missing ones: in a mixture, both ends may compute different numbers."""
    return functional.pad(x[:, :channels], (0, 0, 0, 0, 0, max(0, channels - x.shape[1])))


class SizeSupernet(Supernet):
    """All 32,768 networks of the size space: weights of 64 channels everywhere, of which paths use the first."""

    features: ClassVar[frozenset[str]] = frozenset({"widths"})

    def assemble(self, **options: int) -> nn.Module:
        """Build `size_network` with the largest widths, and let its layers follow the decisions."""
        network = size_network([CHANNELS[-1]] * LAYERS, image_channels=self.image[0], classes=self.classes)
        widths = [Width(CHANNELS, decision, self.current) for decision in range(LAYERS)]
        for position in (3, 5):  # the cells that may have more or fewer channels than their input
            network[position].edges[_SKIP] = WidthSkip(widths[position - 2], widths[position - 1])
        self.share(network, WidthNorm)
        for position, layer in enumerate(network):
            # The stem is as wide as the first layer, and the classifier's normalisation as the last.
            follow(layer, widths[min(max(position - 1, 0), LAYERS - 1)])
        network[-1].linear = WidthConv2d(network[-1].linear, None, masked=False)
        return network

    def expected_multiply_additions(self, probabilities: Sequence[Tensor]) -> Tensor:
        """Return the mean number of multiply-additions of networks with independent numbers of channels, a number."""
        sizes = torch.tensor(CHANNELS, dtype=probabilities[0].dtype, device=probabilities[0].device)
        channels, height, width = self.image
        mean, square = [each @ sizes for each in probabilities], [each @ sizes**2 for each in probabilities]
        pixels = height * width
        total = pixels * 9 * (channels * mean[0] + 5 * square[0])
        for stage in range(2):
            before, middle, after = 2 * stage, 2 * stage + 1, 2 * stage + 2
            height, width = -(-height // 2), -(-width // 2)
            reduction = 9 * (mean[before] * mean[middle] + square[middle]) + mean[before] * mean[middle]
            equal = (probabilities[middle] * probabilities[after]) @ sizes**2  # no convolution in the skip connection
            cell = 9 * (2 * mean[middle] * mean[after] + 3 * square[after]) + mean[middle] * mean[after] - equal
            total = total + height * width * (reduction + cell)
        return total + self.classes * (mean[-1] + 1)

    def source(self, name: str, codes: Sequence[int]) -> str:
        """Return the name itself, but for the convolution that stands for a skip connection."""
        return _SKIP_NAME.sub(r"\1.convolution.", name)

    def cut(self, shared: Tensor, alone: Tensor) -> Tensor:
        """Return the first channels."""
        return shared[tuple(slice(size) for size in alone.shape)]
