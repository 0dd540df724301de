"""Networks of the layer-wise space: a chain of plain layers and a linear classifier."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from torch import Tensor, nn

from nasbench_lab.errors import OutOfSpaceError
from nasbench_lab.spaces import LayerChainSpace
from nasbench_lab.spaces.chain_layers import Layer, layer_of
from nasbench_lab.train.networks.dropout import SeededDropout
from nasbench_lab.train.networks.family import NetworkFamily

ACTIVATIONS: Mapping[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky-relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


class Dense(nn.Module):
    """A fully connected layer for every copy: every value of a copy is an input."""

    def __init__(self, inputs: int, outputs: int, *, copies: int = 1) -> None:
        super().__init__()
        self.inputs = copies * inputs
        # A 1x1 convolution on one pixel is a linear layer, and can be grouped.
        self.linear = nn.Conv2d(copies * inputs, copies * outputs, 1, groups=copies)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, copies * channels, h, w), with `inputs` values per copy, to (batch, copies * outputs, 1, 1)."""
        return self.linear(x.reshape(len(x), self.inputs, 1, 1))


class GlobalPool(nn.Module):
    """The mean over all pixels of every channel."""

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, h, w) to (batch, channels, 1, 1)."""
        return x.mean(dim=(2, 3), keepdim=True)


class LinearScores(nn.Module):
    """Gives the outputs of the last layer their shape: (batch, classes), or (batch, copies, classes)."""

    def __init__(self, copies: int) -> None:
        super().__init__()
        self.copies = copies

    def forward(self, x: Tensor) -> Tensor:
        """From (batch, copies * classes, 1, 1)."""
        return x.flatten(1) if self.copies == 1 else x.view(len(x), self.copies, -1)


@dataclass(frozen=True)
class _Shape:
    """What a layer puts out.

    Attributes:
        channels: of the image, or values of the vector.
        height: of the image; 1 for a vector.
        width: of the image; 1 for a vector.
        pooled: how often the image was halved.
        is_vector: whether there is no image any more.
    """

    channels: int
    height: int
    width: int
    pooled: int = 0
    is_vector: bool = False


class SkipConnection(nn.Module):
    """Adds the output of an earlier layer, in the shape of the output that it is added to.

    Args:
        source: shape of the earlier output.
        target: shape of the output that it is added to.
        copies: how many networks side by side.
    """

    def __init__(self, source: _Shape, target: _Shape, *, copies: int = 1) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.AvgPool2d(2) for _ in range(target.pooled - source.pooled)]
        if source.channels != target.channels:
            inputs, outputs = copies * source.channels, copies * target.channels
            layers.append(nn.Conv2d(inputs, outputs, 1, groups=copies, bias=False))
        self.shortcut = nn.Sequential(*layers)

    def forward(self, x: Tensor, earlier: Tensor) -> Tensor:
        """Add both, (batch, copies * channels, h, w) each."""
        return x + self.shortcut(earlier)


class ChainWithSkips(nn.Sequential):
    """A chain of modules in which skip connections take the output of an earlier module, too.

    Args:
        modules: the modules in order.
        sources: for the place of every `SkipConnection`, that of the module whose output it adds; -1 for the image.
    """

    def __init__(self, modules: Sequence[nn.Module], sources: Mapping[int, int]) -> None:
        super().__init__(*modules)
        self.sources = dict(sources)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, copies * channels, h, w) to scores."""
        wanted = set(self.sources.values())
        kept = {-1: x} if -1 in wanted else {}
        for place, module in enumerate(self):
            x = module(x, kept[self.sources[place]]) if place in self.sources else module(x)
            if place in wanted:
                kept[place] = x
        return x


def layer_chain_network(
    layers: Sequence[str], *, image: tuple[int, int, int] = (3, 32, 32), classes: int = 10, copies: int = 1
) -> nn.Sequential:
    """Build the chain of these layers, followed by a linear classifier.

    Args:
        layers: names, as in `nasbench_lab.spaces.LayerChainSpace`.
        image: channels, height and width of the input.
        classes: outputs.
        copies: how many networks side by side (`nasbench_lab.train.networks.blocks`).

    Raises:
        OutOfSpaceError: a layer is unknown; the image becomes too small to be pooled, or is convolved or pooled after
            it became a vector; or a skip connection reaches back before the image, or adds an image to a vector.

    >>> from nasbench_lab.train.complexity import parameters
    >>> chain = ["conv3x3-4", "relu", "max-pool", "dense-16", "tanh"]
    >>> parameters(layer_chain_network(chain, image=(1, 8, 8)))  # 4 * 9 + 4, 64 * 16 + 16, 16 * 10 + 10
    1250
    """
    chain = "|".join(layers)
    modules: list[nn.Module] = []
    sources: dict[int, int] = {}
    outputs = [(-1, _Shape(*image))]  # after every position: the place of its module, and its shape
    for layer in map(layer_of, layers):
        shape = outputs[-1][1]
        if layer.kind == "skip":
            if layer.number >= len(outputs):
                raise OutOfSpaceError(f"{layer.name} reaches back before the image, in {chain}")
            sources[len(modules)], source = outputs[-1 - layer.number]
            if source.is_vector != shape.is_vector:
                raise OutOfSpaceError(f"{layer.name} would add an image to a vector, in {chain}")
            modules.append(SkipConnection(source, shape, copies=copies))
        elif layer.kind != "identity":
            _check_image(layer, shape, chain)
            modules.append(_module(layer, shape, copies))
            shape = _after(layer, shape)
        outputs.append((len(modules) - 1, shape))
    last = outputs[-1][1]
    modules += [Dense(last.channels * last.height * last.width, classes, copies=copies), LinearScores(copies)]
    return ChainWithSkips(modules, sources) if sources else nn.Sequential(*modules)


def _check_image(layer: Layer, shape: _Shape, chain: str) -> None:
    if layer.needs_image and shape.is_vector:
        raise OutOfSpaceError(f"there is no image left for {layer.name} after a dense layer, in {chain}")
    if layer.kind in ("max-pool", "avg-pool") and min(shape.height, shape.width) < 2:
        raise OutOfSpaceError(f"an image of {shape.height}x{shape.width} pixels cannot be pooled, in {chain}")


def _module(layer: Layer, shape: _Shape, copies: int) -> nn.Module:
    """Return the module of a layer that is neither an identity nor a skip connection."""
    inputs, outputs, kernel = copies * shape.channels, copies * layer.number, layer.kernel
    match layer.kind:
        case "activation":
            return ACTIVATIONS[layer.name]()
        case "dense":
            return Dense(shape.channels * shape.height * shape.width, layer.number, copies=copies)
        case "conv":
            return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=copies)
        case "depthwise":
            return nn.Conv2d(inputs, inputs, kernel, padding=kernel // 2, groups=inputs)
        case "separable":
            depthwise = nn.Conv2d(inputs, inputs, kernel, padding=kernel // 2, groups=inputs, bias=False)
            return nn.Sequential(depthwise, nn.Conv2d(inputs, outputs, 1, groups=copies))
        case "max-pool":
            return nn.MaxPool2d(2)
        case "avg-pool":
            return nn.AvgPool2d(2)
        case "global-avg-pool":
            return GlobalPool()
        case "batch-norm":
            return nn.BatchNorm2d(inputs)
    return SeededDropout(layer.rate, copies=copies)


def _after(layer: Layer, shape: _Shape) -> _Shape:
    """Return the shape after a layer."""
    if layer.leaves_no_image:
        return _Shape(layer.number or shape.channels, 1, 1, shape.pooled, is_vector=True)
    if layer.kind in ("max-pool", "avg-pool"):
        return replace(shape, height=shape.height // 2, width=shape.width // 2, pooled=shape.pooled + 1)
    return replace(shape, channels=layer.number) if layer.kind in ("conv", "separable") else shape


class LayerChainNetworks(NetworkFamily[LayerChainSpace]):
    """Networks of the layer-wise space; without options, as the layers say all."""

    def build(
        self, codes: Sequence[int], *, image: tuple[int, int, int], classes: int, copies: int, **options: int
    ) -> nn.Module:
        """Build `layer_chain_network`."""
        return layer_chain_network(self.space.names(codes), image=image, classes=classes, copies=copies)
