"""Networks of the DARTS space (Liu, Simonyan and Yang, ICLR 2019), as the original code trains them for CIFAR-10."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from nasbench_lab.checks import AtLeast, whole
from nasbench_lab.errors import OutOfSpaceError
from nasbench_lab.spaces.darts import DartsSpace
from nasbench_lab.spaces.darts_cells import CELLS, INPUTS
from nasbench_lab.train.networks.blocks import AveragePool3x3, Classifier, ConvBn
from nasbench_lab.train.networks.family import NetworkFamily
from nasbench_lab.train.networks.small_convolutions import DepthwiseConv, PointwiseBn, PointwiseConv

_STEM = 3  # times the channels of the first cells
_REDUCE = CELLS.index("reduce")

NamedCell = Sequence[Sequence[tuple[str, int]]]
"""For every intermediate node its two inputs: an operation, and the node that it takes."""


class SeparableConv(nn.Sequential):
    """ReLU, depthwise convolution, 1x1 convolution and normalisation, twice; only the first one has the stride."""

    def __init__(self, channels: int, kernel: int, stride: int, *, copies: int = 1) -> None:
        super().__init__(
            *_depthwise(channels, kernel, stride, 1, copies=copies), *_depthwise(channels, kernel, 1, 1, copies=copies)
        )


class DilatedConv(nn.Sequential):
    """ReLU, depthwise convolution of every other pixel, 1x1 convolution and normalisation."""

    def __init__(self, channels: int, kernel: int, stride: int, *, copies: int = 1) -> None:
        super().__init__(*_depthwise(channels, kernel, stride, 2, copies=copies))


def _depthwise(channels: int, kernel: int, stride: int, dilation: int, *, copies: int) -> tuple[nn.Module, ...]:
    return (
        nn.ReLU(),
        DepthwiseConv(copies * channels, kernel, stride, dilation),
        PointwiseBn(channels, channels, copies=copies),
    )


class FactorizedReduction(nn.Module):
    """ReLU, and two 1x1 convolutions that halve the image, one of them shifted by a pixel, for half the channels each.

    An image with an odd number of rows or columns gets one more of zeros, so that both convolutions fit; the original
    code refuses such images.
    """

    def __init__(self, inputs: int, outputs: int, *, copies: int = 1) -> None:
        super().__init__()
        self.copies = copies
        half = outputs // 2
        self.convolutions = nn.ModuleList(PointwiseConv(inputs, half, stride=2, copies=copies) for _ in range(2))
        self.norm = nn.BatchNorm2d(copies * 2 * half)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, copies * inputs, h, w) to (batch, copies * outputs, h / 2, w / 2), rounded up."""
        x = functional.relu(x)
        height, width = x.shape[2:]
        shifted = functional.pad(x, (0, width % 2, 0, height % 2))[:, :, 1:, 1:]
        here, there = self.convolutions
        return self.norm(_side_by_side([here(x), there(shifted)], self.copies))


def _side_by_side(parts: Sequence[Tensor], copies: int) -> Tensor:
    """Concatenate channels of every copy, (batch, copies * channels, h, w) each."""
    if copies == 1:
        return torch.cat(list(parts), dim=1)
    batch, _, height, width = parts[0].shape
    apart = [part.view(batch, copies, -1, height, width) for part in parts]
    return torch.cat(apart, dim=2).view(batch, -1, height, width)


def operation_layer(name: str, channels: int, stride: int, copies: int = 1) -> nn.Module:
    """Return the layer of an operation, with the same number of channels.

    Raises:
        OutOfSpaceError: there is no such operation.
    """
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else FactorizedReduction(channels, channels, copies=copies)
    if name == "max_pool_3x3":
        return nn.MaxPool2d(3, stride=stride, padding=1)
    if name == "avg_pool_3x3":
        if stride == 1:
            return AveragePool3x3()
        return nn.AvgPool2d(3, stride=stride, padding=1, count_include_pad=False)
    kinds = {"sep_conv": SeparableConv, "dil_conv": DilatedConv}
    kind, _, kernel = name.rpartition("_")
    if kind not in kinds or kernel not in ("3x3", "5x5"):
        raise OutOfSpaceError(f"unknown operation {name!r} of a DARTS cell")
    return kinds[kind](channels, int(kernel[0]), stride, copies=copies)


def _relu_pointwise(inputs: int, outputs: int, copies: int) -> nn.Module:
    return nn.Sequential(nn.ReLU(), PointwiseBn(inputs, outputs, copies=copies))


class DartsCell(nn.Module):
    """A normal or a reduction cell.

    Args:
        cell: inputs of its intermediate nodes.
        before: channels of the cell before the last.
        last: channels of the last cell.
        channels: channels of every node; there are as many outputs as nodes times this.
        reduction: whether operations on the inputs of the cell halve the image.
        after_reduction: whether the last cell halved the image, so that the cell before it has larger images.
        copies: how many cells side by side.
    """

    def __init__(
        self,
        cell: NamedCell,
        before: int,
        last: int,
        channels: int,
        *,
        reduction: bool,
        after_reduction: bool,
        copies: int = 1,
    ) -> None:
        super().__init__()
        self.copies = copies
        self.sources = [[source for _, source in node] for node in cell]
        self.outputs = len(cell) * channels
        self.first = (
            FactorizedReduction(before, channels, copies=copies)
            if after_reduction
            else _relu_pointwise(before, channels, copies)
        )
        self.second = _relu_pointwise(last, channels, copies)
        self.operations = nn.ModuleList(
            nn.ModuleList(
                operation_layer(name, channels, 2 if reduction and source < INPUTS else 1, copies)
                for name, source in node
            )
            for node in cell
        )

    def forward(self, before: Tensor, last: Tensor) -> Tensor:
        """Compute all intermediate nodes, concatenated: (batch, copies * outputs, h, w)."""
        nodes = [self.first(before), self.second(last)]
        for sources, layers in zip(self.sources, self.operations, strict=True):
            one, other = (layer(nodes[source]) for source, layer in zip(sources, layers, strict=True))
            nodes.append(one + other)
        return _side_by_side(nodes[INPUTS:], self.copies)


class DartsNetwork(nn.Module):
    """A stem, cells of which each takes the two before it, and a linear classifier; see `darts_network`."""

    def __init__(
        self,
        architecture: Sequence[NamedCell],
        channels: int,
        cells: int,
        image_channels: int,
        classes: int,
        copies: int,
    ) -> None:
        super().__init__()
        self.stem = ConvBn(image_channels, _STEM * channels, 3, copies=copies)
        before = last = _STEM * channels
        self.cells = nn.ModuleList()
        after_reduction = False
        for place in range(cells):
            reduction = place in (cells // 3, 2 * cells // 3)
            channels *= 2 if reduction else 1
            cell = DartsCell(
                architecture[_REDUCE if reduction else 0],
                before,
                last,
                channels,
                reduction=reduction,
                after_reduction=after_reduction,
                copies=copies,
            )
            self.cells.append(cell)
            before, last, after_reduction = last, cell.outputs, reduction
        self.classifier = Classifier(last, classes, copies=copies)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, copies * image channels, h, w) to scores, (batch, classes) or (batch, copies, classes)."""
        before = last = self.stem(x)
        for cell in self.cells:
            before, last = last, cell(before, last)
        return self.classifier(last)


def darts_network(
    cells_of_architecture: Sequence[NamedCell],
    *,
    channels: int = 36,
    cells: int = 20,
    image_channels: int = 3,
    classes: int = 10,
    copies: int = 1,
) -> DartsNetwork:
    """Build a network of the DARTS space, without auxiliary head and without dropping of paths.

    The cells after one and two thirds of all cells are reduction cells, with twice the channels and half the image.

    Args:
        cells_of_architecture: the normal and the reduction cell: for every node two operations and what they take.
        channels: channels of a node in the first cells.
        cells: number of cells.
        image_channels: channels of the input.
        classes: outputs.
        copies: how many networks side by side (`nasbench_lab.train.networks.blocks`).

    Raises:
        OutOfSpaceError: an operation is unknown.

    >>> from nasbench_lab.train.complexity import parameters
    >>> space = DartsSpace()
    >>> second_order = (
    ...     "sep3~0,sep3~1+sep3~0,sep3~1+skip~0,sep3~1+skip~0,dil3~2/"
    ...     "max3~0,max3~1+max3~1,skip~2+max3~0,skip~2+max3~1,skip~2"
    ... )
    >>> networks = DartsNetworks(space)
    >>> codes = space.codes(space.parse(second_order)).tolist()
    >>> parameters(networks.build(codes, image=(3, 32, 32), classes=10, copies=1))  # 3.3 million were published
    3349342
    """
    whole("cells", cells, AtLeast(1))
    return DartsNetwork(cells_of_architecture, channels, cells, image_channels, classes, copies)


class DartsNetworks(NetworkFamily[DartsSpace]):
    """Networks of the DARTS space."""

    options = ("channels", "cells")

    def build(
        self, codes: Sequence[int], *, image: tuple[int, int, int], classes: int, copies: int, **options: int
    ) -> nn.Module:
        """Build `darts_network`."""
        named = [
            [[(self.space.operations[code], source) for code, source in node] for node in cell]
            for cell in self.space.cells(codes)
        ]
        return darts_network(named, image_channels=image[0], classes=classes, copies=copies, **options)

    def default_options(self, dataset: str) -> Mapping[str, int]:
        """Return a small network for digits."""
        return {"channels": 4, "cells": 5} if dataset == "digits" else {}
