"""Networks of hierarchical spaces: functions of functions as modules (Schrodi et al., NeurIPS 2023)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from nasbench_lab.errors import OutOfSpaceError
from nasbench_lab.spaces import HierarchicalSpace
from nasbench_lab.spaces.hierarchical.terms import Term
from nasbench_lab.spaces.hierarchical.topologies import edges_of
from nasbench_lab.train.networks.blocks import AveragePool3x3, Classifier, ConvBn, ReluConvBn, ResidualReduction
from nasbench_lab.train.networks.family import NetworkFamily


@dataclass(frozen=True)
class FeatureShape:
    """The shape of a feature map of one copy."""

    channels: int
    height: int
    width: int

    def halved(self) -> FeatureShape:
        """Return half the image with twice the channels.

        Raises:
            OutOfSpaceError: the number of rows or columns is odd.
        """
        if self.height % 2 or self.width % 2:
            raise OutOfSpaceError(
                f"resBlock halves images with even sides, but it gets one of {self.height}x{self.width} pixels"
            )
        return FeatureShape(2 * self.channels, self.height // 2, self.width // 2)


class SummedEdges(nn.Module):
    """An operation on every edge of a graph; every node is the sum of what its edges bring.

    Args:
        edges: (from, to); node 0 is the input, the last one the output.
        layers: one per edge; None for an edge whose output is zero, of the shape of its input.
    """

    def __init__(self, edges: Sequence[tuple[int, int]], layers: Sequence[nn.Module | None]) -> None:
        super().__init__()
        self.edges = sorted(zip(edges, range(len(edges)), strict=True), key=lambda edge: edge[0][1])
        self.layers = nn.ModuleDict({str(place): layer for place, layer in enumerate(layers) if layer is not None})

    def forward(self, x: Tensor) -> Tensor:
        """Compute the last node."""
        nodes: dict[int, Tensor] = {0: x}
        zeros: dict[int, Tensor] = {}
        for (source, target), place in self.edges:
            name = str(place)
            value = nodes[source] if source in nodes else zeros[source]
            if name in self.layers:
                term = self.layers[name](value)
                nodes[target] = nodes[target] + term if target in nodes else term
            else:
                zeros[target] = value
        last = max(target for (_, target), _ in self.edges)
        return nodes[last] if last in nodes else torch.zeros_like(zeros[last])


class LayerNorm(nn.Module):
    """Layer normalisation over channels, rows and columns of every copy, with a scale and shift of every value."""

    def __init__(self, shape: FeatureShape, copies: int) -> None:
        super().__init__()
        size = (copies * shape.channels, shape.height, shape.width)
        self.copies = copies
        self.weight, self.bias = nn.Parameter(torch.ones(size)), nn.Parameter(torch.zeros(size))

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return functional.group_norm(x, self.copies) * self.weight + self.bias


def _instance_norm(shape: FeatureShape, copies: int) -> nn.Module:
    if shape.height * shape.width == 1:
        raise OutOfSpaceError("instance normalisation needs images of more than one pixel")
    return nn.InstanceNorm2d(copies * shape.channels, affine=True)


def _convolution(shape: FeatureShape, copies: int, kernel: int, *, depthwise: bool = False) -> nn.Module:
    channels = copies * shape.channels
    groups = channels if depthwise else copies
    return nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=groups, bias=False)


OPERATIONS: Mapping[str, Callable[[FeatureShape, int], nn.Module]] = {
    "id": lambda _shape, _copies: nn.Identity(),
    "conv1x1": lambda shape, copies: ReluConvBn(shape.channels, shape.channels, 1, copies=copies),
    "conv3x3": lambda shape, copies: ReluConvBn(shape.channels, shape.channels, 3, copies=copies),
    "avg_pool": lambda _shape, _copies: AveragePool3x3(),
    "resBlock": lambda shape, copies: ResidualReduction(shape.channels, shape.halved().channels, copies=copies),
    "conv1x1o": lambda shape, copies: _convolution(shape, copies, 1),
    "conv3x3o": lambda shape, copies: _convolution(shape, copies, 3),
    "dconv3x3o": lambda shape, copies: _convolution(shape, copies, 3, depthwise=True),
    "batch": lambda shape, copies: nn.BatchNorm2d(copies * shape.channels),
    "instance": _instance_norm,
    "layer": LayerNorm,
    "relu": lambda _shape, _copies: nn.ReLU(),
    "hardswish": lambda _shape, _copies: nn.Hardswish(),
    "mish": lambda _shape, _copies: nn.Mish(),
}
"""The operations that networks can have, beside ``zero``; names and layers are those of the published code."""


def hierarchical_network(
    term: Term, *, channels: int = 16, image: tuple[int, int, int] = (3, 32, 32), classes: int = 10, copies: int = 1
) -> nn.Sequential:
    """Build the network of a term, between a stem and a linear classifier.

    Args:
        term: the whole network, see `nasbench_lab.spaces.HierarchicalSpace.network_term`.
        channels: channels of the stem; every ``resBlock`` doubles them and halves the image.
        image: channels, height and width of the input.
        classes: outputs.
        copies: how many networks side by side (`nasbench_lab.train.networks.blocks`).

    Raises:
        OutOfSpaceError: an operation is unknown, an image cannot be halved, or feature maps of different shapes meet.

    >>> from nasbench_lab.spaces.hierarchical import parse_term
    >>> from nasbench_lab.train.complexity import parameters
    >>> parameters(hierarchical_network(parse_term("Linear2(conv3x3, id)"), channels=4, image=(1, 8, 8)))
    254
    """
    body, shape = _built(term, FeatureShape(channels, *image[1:]), copies)
    return nn.Sequential(
        ConvBn(image[0], channels, 3, copies=copies),
        SummedEdges([(0, 1)], [None]) if body is None else body,
        nn.BatchNorm2d(copies * shape.channels),
        nn.ReLU(),
        Classifier(shape.channels, classes, copies=copies),
    )


def _built(term: Term, shape: FeatureShape, copies: int) -> tuple[nn.Module | None, FeatureShape]:
    """Return the module of a term, None for one whose output is zero, and the shape of its output."""
    if not term.arguments:
        if term.name == "zero":
            return None, shape
        if term.name not in OPERATIONS:
            raise OutOfSpaceError(f"there is no layer for {term.name!r}; there are zero, {', '.join(OPERATIONS)}")
        return OPERATIONS[term.name](shape, copies), shape.halved() if term.name == "resBlock" else shape
    edges = edges_of(term.name, len(term.arguments))
    shapes = {0: shape}
    layers: list[nn.Module | None] = [None] * len(edges)
    for (source, target), place in sorted(zip(edges, range(len(edges)), strict=True), key=lambda edge: edge[0][1]):
        layers[place], found = _built(term.arguments[place], shapes[source], copies)
        if shapes.setdefault(target, found) != found:
            raise OutOfSpaceError(
                f"in {term.name}, feature maps of different shapes meet: {_in_words(shapes[target])} and "
                f"{_in_words(found)}"
            )
    return SummedEdges(edges, layers), shapes[max(shapes)]


def _in_words(shape: FeatureShape) -> str:
    return f"{shape.channels} channels of {shape.height}x{shape.width}"


class HierarchicalNetworks(NetworkFamily[HierarchicalSpace]):
    """Networks of hierarchical spaces."""

    options = ("channels",)

    def build(
        self, codes: Sequence[int], *, image: tuple[int, int, int], classes: int, copies: int, **options: int
    ) -> nn.Module:
        """Build `hierarchical_network`."""
        term = self.space.network_term(codes)
        return hierarchical_network(term, image=image, classes=classes, copies=copies, **options)

    def default_options(self, dataset: str) -> Mapping[str, int]:
        """Return a narrow stem for digits."""
        return {"channels": 4} if dataset == "digits" else {}
