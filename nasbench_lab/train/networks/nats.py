"""Networks of the topology space (NAS-Bench-201) and the size space of NATS-Bench (Dong et al., TPAMI 2021)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from nasbench_lab.errors import OutOfSpaceError
from nasbench_lab.spaces.size import CHANNELS, SizeSpace
from nasbench_lab.spaces.topology import EDGES, OPERATIONS, TopologySpace
from nasbench_lab.train.networks.blocks import AveragePool3x3, Classifier, ConvBn, ReluConvBn, ResidualReduction
from nasbench_lab.train.networks.family import NetworkFamily

_STAGES = 3
_SIZE_SPACE_CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
"""The cell that all networks of the size space are made of: the best on CIFAR-100 among the topologies."""


class TopologyCell(nn.Module):
    """Four nodes; each but the first is the sum of operations on all earlier ones.

    Args:
        operations: position in `OPERATIONS` for each of the six `EDGES`.
        inputs: channels of node 0.
        outputs: channels of all other nodes.
        copies: how many cells side by side.
    """

    def __init__(self, operations: Sequence[int], inputs: int, outputs: int, *, copies: int = 1) -> None:
        super().__init__()
        self.outputs = copies * outputs
        self.edges = nn.ModuleDict()
        for (source, target), operation in zip(EDGES, operations, strict=True):
            layer = edge_layer(OPERATIONS[operation], outputs if source else inputs, outputs, copies)
            if layer is not None:
                self.edges[f"{source}->{target}"] = layer

    def forward(self, x: Tensor) -> Tensor:
        """Compute the last node, with as many images and pixels as the first; without any input a node is zero."""
        nodes = [x]
        for target in range(1, 4):
            terms = [
                self.edges[f"{source}->{target}"](node)
                for source, node in enumerate(nodes)
                if f"{source}->{target}" in self.edges
            ]
            nodes.append(sum(terms[1:], terms[0]) if terms else _zeros(x, self.outputs))
        return nodes[-1]


def edge_layer(operation: str, inputs: int, outputs: int, copies: int = 1) -> nn.Module | None:
    """Return the layer of an edge; None for ``none``, whose output is zero."""
    if operation == "none":
        return None
    if operation == "skip_connect":
        return nn.Identity() if inputs == outputs else ConvBn(inputs, outputs, 1, copies=copies)
    if operation == "avg_pool_3x3":
        pool = AveragePool3x3()
        return pool if inputs == outputs else nn.Sequential(ReluConvBn(inputs, outputs, 1, copies=copies), pool)
    return ReluConvBn(inputs, outputs, {"nor_conv_1x1": 1, "nor_conv_3x3": 3}[operation], copies=copies)


def _zeros(x: Tensor, channels: int) -> Tensor:
    return torch.zeros(x.shape[0], channels, *x.shape[2:], dtype=x.dtype, device=x.device)


def topology_network(
    operations: Sequence[int],
    *,
    channels: int = 16,
    cells: int = 5,
    image_channels: int = 3,
    classes: int = 10,
    copies: int = 1,
) -> nn.Sequential:
    """Build a network of the topology space: a stem and three stages of cells with residual reductions in between.

    Args:
        operations: codes of the architecture (`TopologySpace.codes`).
        channels: channels of the first stage; they double from stage to stage.
        cells: cells of a stage.
        image_channels: channels of the input.
        classes: outputs.
        copies: how many networks side by side (`nasbench_lab.train.networks.blocks`).

    Raises:
        OutOfSpaceError: the codes are not those of a topology.

    >>> from nasbench_lab.train.complexity import parameters
    >>> parameters(topology_network(TopologySpace().codes(11)))  # 0.802426 million in the published archive
    802426
    """
    codes = TopologySpace().check_codes(operations).tolist()

    def cell(width: int) -> nn.Module:
        return TopologyCell(codes, width, width, copies=copies)

    return stages_of_cells(
        cell, channels=channels, cells=cells, image_channels=image_channels, classes=classes, copies=copies
    )


def stages_of_cells(
    cell: Callable[[int], nn.Module], *, channels: int, cells: int, image_channels: int, classes: int, copies: int = 1
) -> nn.Sequential:
    """Build what surrounds the cells of the topology space: a stem, three stages with reductions, and a classifier.

    Args:
        cell: makes a cell with a number of channels.
        channels: see `topology_network`, as for the other arguments.
        cells: cells of a stage.
        image_channels: channels of the input.
        classes: outputs.
        copies: how many networks side by side.
    """
    widths = [channels * 2**stage for stage in range(_STAGES)]
    layers: list[nn.Module] = [ConvBn(image_channels, channels, 3, copies=copies)]
    for stage, width in enumerate(widths):
        if stage:
            layers.append(ResidualReduction(widths[stage - 1], width, copies=copies))
        layers += [cell(width) for _ in range(cells)]
    return nn.Sequential(*layers, *_head(widths[-1], classes, copies))


class TopologyNetworks(NetworkFamily[TopologySpace]):
    """Networks of the topology space."""

    options = ("channels", "cells")

    def build(
        self, codes: Sequence[int], *, image: tuple[int, int, int], classes: int, copies: int, **options: int
    ) -> nn.Module:
        """Build `topology_network`."""
        return topology_network(codes, image_channels=image[0], classes=classes, copies=copies, **options)

    def default_options(self, dataset: str) -> Mapping[str, int]:
        """Return those of the embedded table for digits."""
        return {"channels": 8, "cells": 3} if dataset == "digits" else {}


def size_network(
    channels: Sequence[int],
    *,
    cell: Sequence[int] | None = None,
    image_channels: int = 3,
    classes: int = 10,
    copies: int = 1,
) -> nn.Sequential:
    """Build a network of the size space: cell, reduction, cell, reduction, cell with the given output channels.

    Args:
        channels: output channels of the five layers, ``c1:c2:c3:c4:c5`` in the notation; the stem has c1 as well.
        cell: codes of a cell of the topology space; by default the published one.
        image_channels: channels of the input.
        classes: outputs.
        copies: how many networks side by side (`nasbench_lab.train.networks.blocks`).

    Raises:
        OutOfSpaceError: there are not five positive numbers of channels.

    >>> from nasbench_lab.train.complexity import parameters
    >>> parameters(size_network([8, 8, 8, 16, 32]))  # 0.049202 million in the published archive
    49202
    """
    if len(channels) != 2 * _STAGES - 1 or any(width < 1 for width in channels):
        raise OutOfSpaceError(f"the size space has five positive numbers of channels, got {list(channels)}")
    space = TopologySpace()
    codes = space.check_codes(space.parse_one(_SIZE_SPACE_CELL) if cell is None else cell).tolist()
    layers: list[nn.Module] = [ConvBn(image_channels, channels[0], 3, copies=copies)]
    for position, (inputs, outputs) in enumerate(zip([channels[0], *channels], channels, strict=False)):
        if position % 2:
            layers.append(ResidualReduction(inputs, outputs, copies=copies))
        else:
            layers.append(TopologyCell(codes, inputs, outputs, copies=copies))
    return nn.Sequential(*layers, *_head(channels[-1], classes, copies))


class SizeNetworks(NetworkFamily[SizeSpace]):
    """Networks of the size space; without options, as the architecture gives all channels."""

    def build(
        self, codes: Sequence[int], *, image: tuple[int, int, int], classes: int, copies: int, **options: int
    ) -> nn.Module:
        """Build `size_network`."""
        channels = [CHANNELS[code] for code in codes]
        return size_network(channels, image_channels=image[0], classes=classes, copies=copies)


def _head(inputs: int, classes: int, copies: int) -> tuple[nn.Module, ...]:
    return nn.BatchNorm2d(copies * inputs), nn.ReLU(), Classifier(inputs, classes, copies=copies)
