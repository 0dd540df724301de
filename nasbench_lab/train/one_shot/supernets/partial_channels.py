"""Partial channels: operations compute some channels, the others bypass them (Xu et al., PC-DARTS, ICLR 2020)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor, nn
from torch.nn import functional

from nasbench_lab.checks import Count, check_fields, require
from nasbench_lab.train.one_shot.supernets.mixed_layer import MixedLayer, zeros
from nasbench_lab.train.one_shot.supernets.selection import CurrentSelection, Selection
from nasbench_lab.train.one_shot.supernets.widths import GivenWidth, WidthConv2d, WidthNorm


@dataclasses.dataclass(frozen=True)
class PartialChannels:
    """How many channels operations compute.

    Attributes:
        parts: operations compute one of so many parts of the channels, K in the paper.
        growth: operations have weights for so many times more channels, which `widen` lets them compute.

    Raises:
        ParameterError: ``parts`` is not a multiple of ``growth``.
    """

    parts: Count = 4
    growth: Count = 1

    def __post_init__(self) -> None:
        check_fields(self)
        require(self.parts % self.growth == 0, f"growth must divide parts, {self.parts}, got {self.growth}")

    def width(self, channels: int) -> GivenWidth:
        """Return the number of computed channels of a layer.

        Raises:
            ParameterError: the channels cannot be divided into so many parts.
        """
        whole, rest = divmod(channels, self.parts)
        require(
            not rest, f"partial channels of 1/{self.parts} need a multiple of {self.parts} channels, got {channels}"
        )
        width = GivenWidth(whole * self.growth)
        width.channels = whole
        return width


class PartialLayer(MixedLayer):
    """The options of one decision on the first channels; the others bypass them (equation 3 of PC-DARTS).

    Afterwards, the channels are shuffled, so that the next layer computes other ones. The bypass is part of the output
    of every option, also of ``none``.

    Args:
        options: layers for the most channels that `part` ever has.
        decision: position of the decision among the codes of an architecture.
        current: tells what the forward pass uses.
        part: how many channels the options compute.
    """

    def __init__(
        self, options: Sequence[nn.Module | None], decision: int, current: CurrentSelection, part: GivenWidth
    ) -> None:
        super().__init__(options, decision, current)
        self.part = part

    def get_extra_state(self) -> Tensor:
        """Return how many channels the options compute, for checkpoints."""
        return torch.tensor(self.part.channels)

    def set_extra_state(self, state: Tensor) -> None:
        """Let the options compute so many channels."""
        channels = int(state)
        if not 0 < channels <= self.part.most:
            raise ValueError(f"the number of computed channels must be 1 to {self.part.most}, got {channels}")
        self.part.channels = channels

    def _selected(self, x: Tensor, selection: Selection, common: dict[str, Tensor]) -> Tensor | None:
        used, channels = self.part.channels, x.shape[1]
        if used == channels:
            return super()._selected(x, selection, common)
        output = super()._selected(x[:, :used], selection, common)
        if output is None:
            output = zeros(x, used)
        return functional.channel_shuffle(torch.cat([output, x[:, used:]], dim=1), channels // used)


@torch.no_grad()
def widen(layers: nn.Module, optimizer: torch.optim.Optimizer, random: Generator) -> None:
    """Let the options of all partial layers compute all channels that they have weights for.

    They keep what they learned. The weights of a new channel are those of a randomly chosen old one, for inputs and
    for outputs, and so are its running statistics and its momentum (as in the published code of Chen et al., DrNAS,
    ICLR 2021).

    Args:
        layers: a module with partial layers.
        optimizer: of the weights.
        random: chooses the old channels.
    """
    partial = [module for module in layers.modules() if isinstance(module, PartialLayer)]
    for layer in partial:
        old = layer.part.channels
        new = layer.part.most
        for convolution, norm in _pairs(layer):
            inputs, outputs = random.integers(old, size=(2, new - old))
            momentum = optimizer.state.get(convolution.weight, {}).get("momentum_buffer")
            for values in (convolution.weight, momentum):
                if values is not None:
                    _repeat(values.transpose(0, 1), old, inputs)
                    _repeat(values, old, outputs)
            assert norm.running_mean is not None and norm.running_var is not None  # noqa: S101, PT018 - see SharedNorm
            learned = [each for each in (norm.weight, norm.bias) if each is not None]
            buffers = [optimizer.state.get(each, {}).get("momentum_buffer") for each in learned]
            for values in (norm.running_mean, norm.running_var, *learned, *buffers):
                if values is not None:
                    _repeat(values, old, outputs)
    for part in {id(layer.part): layer.part for layer in partial}.values():
        part.channels = part.most


def _pairs(layer: nn.Module) -> Iterator[tuple[WidthConv2d, WidthNorm]]:
    """Yield the convolutions of a layer, each with the normalisation that follows it."""
    modules = [module for module in layer.modules() if isinstance(module, WidthConv2d | WidthNorm)]
    for convolution, norm in zip(modules[::2], modules[1::2], strict=True):
        assert isinstance(convolution, WidthConv2d) and isinstance(norm, WidthNorm)  # noqa: S101, PT018
        yield convolution, norm


def _repeat(values: Tensor, old: int, chosen: np.ndarray) -> None:
    """Fill the rows after the first ones with chosen first ones, in place."""
    values[old : old + len(chosen)] = values[torch.from_numpy(chosen).to(values.device)]
