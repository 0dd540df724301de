"""Which channels of a parent the channels of a wider child repeat, between two layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import torch
from torch import Tensor

from nasbench_lab.arrays import IntArray

Split = Literal["random", "equal"]
"""How the copies of a channel share what the next layer takes from it: in random parts, or in equal parts."""

_REPLICAS, _SPLIT, _NOISE = range(3)


class CannotKeep(Exception):  # noqa: N818 - not an error by itself: another way may do
    """The function cannot be kept; the message says where and why."""


@dataclass(frozen=True)
class Flow:
    """The values that a child and its parent compute between two layers.

    Attributes:
        source: the parent's channel that each channel of the child repeats.
        width: number of channels of the parent; 0 if child and parent have the same channels, of unknown number.
        nonnegative: whether no value can be below zero.
    """

    source: tuple[int, ...]
    width: int
    nonnegative: bool = False

    @classmethod
    def same(cls, channels: int, *, nonnegative: bool = False) -> Self:
        """Return the flow of equal channels; 0 for an unknown number."""
        return cls(tuple(range(channels)), channels, nonnegative)

    @property
    def is_same(self) -> bool:
        """Whether child and parent have the same channels."""
        return self.source == tuple(range(self.width))

    def columns(self, features: int, of: int, name: str) -> IntArray:
        """Return the parent's input that every input of a layer repeats, shape (features,).

        A layer that takes whole images flattened has the pixels of a channel one after the other.

        Args:
            features: inputs of the child's layer.
            of: inputs of the parent's layer.
            name: of the layer, for the message.

        Raises:
            CannotKeep: the layers see images of different sizes.
        """
        if not self.width and features == of:
            return np.arange(of)
        pixels = features // max(1, len(self.source))
        if pixels * len(self.source) != features or pixels * self.width != of:
            raise CannotKeep(f"layer {name} gets other inputs than that of the parent")
        return (np.array(self.source)[:, None] * pixels + np.arange(pixels)).reshape(-1)


class Replication:
    """The random choices of widening: which channels are repeated, and how their copies share.

    Choices depend only on the seed and the place, so that layers whose outputs are added repeat the same channels.

    Args:
        seed: of the choices.
        split: how the copies of a channel share the weights of the next layer.
        noise: standard deviation of what is added to the weights of copies, relative to that of the layer's weights.
    """

    def __init__(self, seed: int, split: Split = "random", noise: float = 0.0) -> None:
        self.seed, self.split, self.noise = seed, split, noise

    def widened(self, width: int, channels: int, name: str) -> tuple[int, ...]:
        """Return the parent's channel for every channel of a wider layer: first all in order, then random ones.

        Raises:
            CannotKeep: the layer is narrower than that of the parent.
        """
        if channels < width:
            raise CannotKeep(f"layer {name} has {channels} outputs, fewer than the {width} of the parent")
        more = self._random(_REPLICAS, f"{width} to {channels}").integers(0, width, channels - width)
        return (*range(width), *more.tolist())

    def shares(self, source: IntArray, name: str) -> Tensor:
        """Return the share of every copy, which sum to one over the copies of a channel; float64, shape (n,)."""
        weight = np.ones(len(source))
        if self.split == "random":
            weight = self._random(_SPLIT, name).uniform(0.5, 1.5, len(source))
        return torch.from_numpy(weight / np.bincount(source, weight)[source])

    def noisy(self, weights: Tensor, width: int, name: str) -> Tensor:
        """Return weights with noise on all outputs after the first ones."""
        if not self.noise or len(weights) == width:
            return weights
        drawn = torch.from_numpy(self._random(_NOISE, name).standard_normal(tuple(weights[width:].shape)))
        scale = self.noise * float(weights.std())
        return torch.cat([weights[:width], weights[width:] + (scale * drawn).to(weights)])

    def _random(self, purpose: int, place: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, purpose, *place.encode()])


def rows(values: Tensor, source: Sequence[int]) -> Tensor:
    """Return the rows of a parent's tensor that the child's tensor has; all, if there is no source."""
    if not len(source):
        return values.clone()
    return values[torch.tensor(source, dtype=torch.long)]
