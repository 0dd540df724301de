"""Networks of the layer-wise space: a chain of plain layers and a linear classifier."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from nasbench_lab.errors import OutOfSpaceError
from nasbench_lab.spaces import LayerChainSpace
from nasbench_lab.train.networks.family import NetworkFamily

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


class Dense(nn.Module):
    """A fully connected layer for every copy: every value of a copy is an input."""

    def __init__(self, inputs: int, outputs: int, *, copies: int = 1) -> None:
        super().__init__()
        self.inputs = copies * inputs
        # A 1x1 convolution on one pixel is a linear layer, and can be grouped.
        self.linear = nn.Conv2d(copies * inputs, copies * outputs, 1, groups=copies)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, copies * channels, h, w), with `inputs` values per copy, to (batch, copies * outputs, 1, 1)."""
        return self.linear(x.reshape(-1, self.inputs, 1, 1))


class LinearScores(nn.Module):
    """Gives the outputs of the last layer their shape: (batch, classes), or (batch, copies, classes)."""

    def __init__(self, copies: int) -> None:
        super().__init__()
        self.copies = copies

    def forward(self, x: Tensor) -> Tensor:
        """From (batch, copies * classes, 1, 1)."""
        return x.flatten(1) if self.copies == 1 else x.unflatten(1, (self.copies, -1)).flatten(2)


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
        OutOfSpaceError: a layer is unknown, or the image becomes too small to be pooled, or is convolved or pooled
            after a dense layer.

    >>> from nasbench_lab.train.complexity import parameters
    >>> chain = ["conv3x3-4", "relu", "max-pool", "dense-16", "tanh"]
    >>> parameters(layer_chain_network(chain, image=(1, 8, 8)))  # 4 * 9 + 4, 64 * 16 + 16, 16 * 10 + 10
    1250
    """
    modules: list[nn.Module] = []
    channels, height, width = image
    flat = False
    for name in layers:
        kind, _, size = name.partition("-")
        if name == "identity":
            continue
        if name in ACTIVATIONS:
            modules.append(ACTIVATIONS[name]())
        elif kind == "dense":
            modules.append(Dense(channels * height * width, int(size), copies=copies))
            channels, height, width, flat = int(size), 1, 1, True
        elif flat:
            raise OutOfSpaceError(f"there is no image left for {name} after a dense layer, in {'|'.join(layers)}")
        elif kind.startswith("conv"):
            kernel = int(kind[-1])
            modules.append(nn.Conv2d(copies * channels, copies * int(size), kernel, padding=kernel // 2, groups=copies))
            channels = int(size)
        elif name in ("max-pool", "avg-pool"):
            if min(height, width) < 2:
                raise OutOfSpaceError(f"an image of {height}x{width} pixels cannot be pooled, in {'|'.join(layers)}")
            modules.append(nn.MaxPool2d(2) if name == "max-pool" else nn.AvgPool2d(2))
            height, width = height // 2, width // 2
        else:
            raise OutOfSpaceError(f"unknown layer {name!r} in {'|'.join(layers)}")
    return nn.Sequential(*modules, Dense(channels * height * width, classes, copies=copies), LinearScores(copies))


class LayerChainNetworks(NetworkFamily[LayerChainSpace]):
    """Networks of the layer-wise space; without options, as the layers say all."""

    def build(
        self, codes: Sequence[int], *, image: tuple[int, int, int], classes: int, copies: int, **options: int
    ) -> nn.Module:
        """Build `layer_chain_network`."""
        return layer_chain_network(self.space.names(codes), image=image, classes=classes, copies=copies)
