"""The networks of one kind of space: how they are built, with which options, and which of them are the same."""

from __future__ import annotations

import abc
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from torch import nn

from nasbench_lab.spaces import Space

SpaceT = TypeVar("SpaceT", bound=Space)


class NetworkFamily(abc.ABC, Generic[SpaceT]):
    """The networks of a space. A subclass per kind of space defines `build`; the rest has defaults.

    Args:
        space: whose architectures become networks.

    Raises:
        ParameterError: there are networks for some spaces of this kind, but not for this one.
    """

    options: ClassVar[tuple[str, ...]] = ()
    """The names of the options that `build` takes: whole numbers from 1, such as ``"channels"``."""

    def __init__(self, space: SpaceT) -> None:
        self.space = space

    @abc.abstractmethod
    def build(
        self, codes: Sequence[int], *, image: tuple[int, int, int], classes: int, copies: int, **options: int
    ) -> nn.Module:
        """Build the network of an architecture.

        Several copies are one network: channels ``c * k`` to ``c * (k + 1)`` are those of copy ``k``, and every
        parameter holds those of the copies one after the other along its first axis. Grouped convolutions do so; a
        linear layer is a 1x1 convolution (`Dense`).

        Args:
            codes: of the architecture, as `Space.codes` returns them.
            image: channels, height and width of the input.
            classes: outputs.
            copies: how many networks side by side.
            options: some of `options`; the published values for the others.

        Returns:
            A module from images, shape (batch, copies * channels, height, width), to scores, (batch, classes), or
            (batch, copies, classes) for several copies.

        Raises:
            OutOfSpaceError: there is no such network for images of that size.
        """

    def default_options(self, dataset: str) -> Mapping[str, int]:
        """Return the options for a data set where the user gives none; by default none, so the published values.

        Args:
            dataset: its name; empty for a user's data.
        """
        return {}

    def form(self, codes: Sequence[int]) -> Hashable:
        """Return what is equal for architectures that are the same network; by default what the space says.

        Two architectures are the same network where one computes what the other computes for every choice of weights,
        up to naming the weights. One training then does for both.
        """
        return self.space.network_form(codes)


AnyFamily = NetworkFamily[Any]
