"""The supernet of chains of layers."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from nasbench_lab.checks import require
from nasbench_lab.spaces import LayerChainSpace
from nasbench_lab.spaces.chain_layers import layer_of
from nasbench_lab.train.networks.layer_chain import ACTIVATIONS
from nasbench_lab.train.one_shot.supernets.selection import CurrentSelection, Mixture, Sample
from nasbench_lab.train.one_shot.supernets.supernet import Supernet

_SHARED = ("conv", "dense", "max-pool", "avg-pool", "activation", "identity")
"""The kinds of layers that supernets have."""

Shape = tuple[int, int, int]
"""Channels, height and width of what a layer takes; (values, 1, 1) after a dense layer."""


class SharedConvolution(nn.Module):
    """A convolution with weights for the largest number of input channels; fewer channels use the first weights."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.layer = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, h, w) to (batch, outputs, h, w)."""
        weight = self.layer.weight[:, : x.shape[1]]
        return functional.conv2d(x, weight, self.layer.bias, padding=self.layer.padding)


class SharedDense(nn.Module):
    """A dense layer with one weight per output and input value; fewer channels use the first weights.

    Images of different sizes have weights of their own, as their pixels mean different places.

    Args:
        shapes: shapes of the possible inputs.
        outputs: number of outputs.
    """

    def __init__(self, shapes: Sequence[Shape], outputs: int) -> None:
        super().__init__()
        most: dict[tuple[int, int], int] = {}
        for channels, height, width in shapes:
            most[height, width] = max(channels, most.get((height, width), 0))
        self.layers = nn.ModuleDict(
            {f"{h}x{w}": nn.Conv2d(channels, outputs, (h, w)) for (h, w), channels in sorted(most.items())}
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, h, w) to (batch, outputs, 1, 1)."""
        layer = self.layers[f"{x.shape[2]}x{x.shape[3]}"]
        return functional.conv2d(x, layer.weight[:, : x.shape[1]], layer.bias)


class SharedChain(nn.Module):
    """A chain with all layers at every position, and a linear classifier.

    Options of one position can have outputs of different shapes, which cannot be added. So a mixture keeps one mean per
    shape, with the sum of the weights that led to it; the scores are the mean over shapes.

    Args:
        layers: choices of every position.
        image: channels, height and width of the input.
        classes: outputs.
        current: tells what the forward pass uses.
    """

    def __init__(self, layers: Sequence[Sequence[str]], image: Shape, classes: int, current: CurrentSelection) -> None:
        super().__init__()
        self._current = current
        self.positions = nn.ModuleList()
        shapes: set[Shape] = {image}
        for choices in layers:
            options = [shared_layer(name, sorted(shapes)) for name in choices]
            self.positions.append(nn.ModuleList(options))
            shapes = {after for name in choices for shape in shapes if (after := shape_after(name, shape)) is not None}
        self.classifier = SharedDense(sorted(shapes), classes)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, h, w) to (batch, classes)."""
        selection = self._current.selection
        assert selection is not None  # noqa: S101 - `Supernet.forward` sets it
        if isinstance(selection, Mixture) or (isinstance(selection, Sample) and selection.used is not None):
            return self._mixed(x, selection)
        for position, (options, code) in enumerate(zip(self.positions, selection.codes, strict=True)):
            x = options[code](x)
            if isinstance(selection, Sample):
                weights = selection.weights[position]
                x = weights[code] * x
                x = x + (weights.sum() - weights[code]) if selection.bare else x
        return self.classifier(x).flatten(1)

    def _mixed(self, x: Tensor, selection: Mixture | Sample) -> Tensor:
        states: dict[Shape, _Mean] = {_shape(x): _Mean(1.0, x)}
        for position, (options, weights) in enumerate(zip(self.positions, selection.weights, strict=True)):
            used = range(len(options)) if selection.used is None else selection.used[position]
            terms: dict[Shape, list[_Mean]] = {}
            for state in states.values():
                for code in used:
                    share = state.share * weights[code]
                    # Options with weight 0 are left out, unless a selection names them for the gradients of weights.
                    if _zero(share) and (selection.used is None or (_zero(state.share) and _zero(weights[code]))):
                        continue
                    y = options[code](state.value)
                    terms.setdefault(_shape(y), []).append(_Mean(share, y))
            states = {shape: _mean(each) for shape, each in terms.items()}
        scores = [state.share * self.classifier(state.value).flatten(1) for state in states.values()]
        return sum(scores[1:], scores[0])


class _Mean(NamedTuple):
    """The mean output of several options with one shape, and the sum of their weights."""

    share: Tensor | float
    value: Tensor


def _mean(terms: Sequence[_Mean]) -> _Mean:
    share = sum((each.share for each in terms[1:]), terms[0].share)
    if len(terms) == 1:
        return terms[0]
    if _zero(share):  # every order of limits gives another mean
        return _Mean(share, sum((each.value for each in terms[1:]), terms[0].value) / len(terms))
    total = sum((each.share * each.value for each in terms[1:]), terms[0].share * terms[0].value)
    return _Mean(share, total / share)


def _zero(value: Tensor | float) -> bool:
    return float(value.detach() if isinstance(value, Tensor) else value) == 0


def shared_layer(name: str, shapes: Sequence[Shape]) -> nn.Module:
    """Return a layer for all possible shapes of its input."""
    kind, _, size = name.partition("-")
    if kind == "dense":
        return SharedDense(shapes, int(size))
    if kind.startswith("conv"):
        return SharedConvolution(max(channels for channels, _, _ in shapes), int(size), layer_of(name).kernel)
    plain = {**ACTIVATIONS, "identity": nn.Identity}
    return plain[name]() if name in plain else nn.MaxPool2d(2) if name == "max-pool" else nn.AvgPool2d(2)


def shape_after(name: str, shape: Shape) -> Shape | None:
    """Return the shape of a layer's output; None for an image too small to be pooled.

    >>> shape_after("conv3x3-4", (1, 8, 8)), shape_after("max-pool", (4, 8, 8)), shape_after("dense-16", (4, 4, 4))
    ((4, 8, 8), (4, 4, 4), (16, 1, 1))
    """
    kind, _, size = name.partition("-")
    channels, height, width = shape
    if kind == "dense":
        return int(size), 1, 1
    if kind.startswith("conv"):
        return int(size), height, width
    if name.endswith("pool"):
        return (channels, height // 2, width // 2) if min(height, width) > 1 else None
    return shape


def _shape(x: Tensor) -> Shape:
    return x.shape[1], x.shape[2], x.shape[3]


class LayerChainSupernet(Supernet):
    """All chains of layers of a space. Every layer of every position has weights of its own."""

    space: LayerChainSpace

    def assemble(self, **options: int) -> nn.Module:
        """Build `SharedChain`.

        Raises:
            ParameterError: a layer of the space cannot share its weights.
        """
        for name in dict.fromkeys(itertools.chain.from_iterable(self.space.layers)):
            require(
                layer_of(name).kind in _SHARED,
                f"a supernet of chains has layers of the kinds {', '.join(_SHARED)}; {name!r} is none of them",
            )
        return SharedChain(self.space.layers, self.image, self.classes, self.current)

    def source(self, name: str, codes: Sequence[int]) -> str:
        """Return the name with the position, the layer and, for dense layers, the size of the image."""
        place, _, rest = name.partition(".")
        shape: Shape = self.image
        used = []  # positions with a layer, and the shape before it
        for position, layer in enumerate(self.space.names(codes)):
            if layer != "identity":
                used.append((position, layer, shape))
            after = shape_after(layer, shape)
            assert after is not None  # noqa: S101 - the stand-alone network exists
            shape = after
        size = f"layers.{shape[1]}x{shape[2]}"
        if int(place) == len(used):
            return f"classifier.{size}.{rest.removeprefix('linear.')}"
        position, layer, before = used[int(place)]
        option = f"positions.{position}.{codes[position]}"
        if layer.startswith("dense"):
            return f"{option}.layers.{before[1]}x{before[2]}.{rest.removeprefix('linear.')}"
        return f"{option}.layer.{rest}"

    def cut(self, shared: Tensor, alone: Tensor) -> Tensor:
        """Return the weights of the first channels, in the shape of a plain dense layer where it is one."""
        if shared.dim() == 1 or shared.shape[2:] == alone.shape[2:]:
            return shared[:, : alone.shape[1]] if shared.dim() > 1 else shared
        pixels = shared.shape[2] * shared.shape[3]
        return shared[:, : alone.shape[1] // pixels].reshape(alone.shape)
