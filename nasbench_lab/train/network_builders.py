"""From an architecture of a space to a network of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from nasbench_lab.errors import OutOfSpaceError, ParameterError, first_line
from nasbench_lab.spaces import Cell101Space, ChainSpace, LayerChainSpace, Space, TopologySpace
from nasbench_lab.train.network_copies import Build
from nasbench_lab.train.networks import cell101_network, layer_chain_network, macro_network, topology_network

_OPTIONS = ("channels", "cells")


def network_builder(
    space: Space, index: int, *, image: tuple[int, int, int], classes: int, options: Mapping[str, Any] | None = None
) -> Build:
    """Return what builds the network of an architecture, for a number of copies.

    Args:
        space: one that has networks: topology, cell101, layer chain, or the chain of NAS-Bench-Macro.
        index: of the architecture.
        image: channels, height and width of the input.
        classes: outputs.
        options: parameters of the network, e.g. ``channels`` and ``cells``; the published ones otherwise.

    Raises:
        ParameterError: the space has no networks, or its networks have no such options.

    >>> from nasbench_lab.train.complexity import parameters
    >>> build = network_builder(TopologySpace(), 11, image=(3, 32, 32), classes=10)
    >>> parameters(build(1)), parameters(build(2))
    (802426, 1604852)
    """
    given = dict(options or {})
    for key, value in given.items():
        if key not in _OPTIONS or not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ParameterError(
                f"a network takes {' and '.join(_OPTIONS)}, whole numbers from 1, got {key} = {value!r}"
            )
    make = _family(space)
    codes = space.codes(index).tolist()

    def build(copies: int) -> nn.Module:
        return make(codes, image=image, classes=classes, copies=copies, **given)

    return build


def check_network(build: Build, image: tuple[int, int, int]) -> None:
    """Run a network on two images that are shapes only, so that what does not fit is found before any training.

    Raises:
        ParameterError: the network does not take its options, or images of that size.
    """
    try:
        with torch.device("meta"):
            build(1)(torch.zeros(2, *image))
    except OutOfSpaceError:
        raise
    except Exception as error:  # torch raises all kinds
        raise ParameterError(
            f"there is no such network for images of {image[1]}x{image[2]} pixels, or with these options: "
            f"{first_line(error)}"
        ) from error


def _family(space: Space) -> Callable[..., nn.Module]:
    if isinstance(space, TopologySpace):
        return _with_image_channels(topology_network)
    if isinstance(space, Cell101Space):
        return _with_image_channels(lambda codes, **options: cell101_network(*space.drawing(codes), **options))
    if isinstance(space, LayerChainSpace):
        return lambda codes, **options: layer_chain_network(space.names(codes), **options)
    if isinstance(space, ChainSpace) and space.choices == "012":
        return _with_image_channels(macro_network)
    raise ParameterError(
        f"there are no networks for the space {space.name!r}; there are for topology, cell101, layer-chain, chain"
    )


def _with_image_channels(network: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
    def make(codes: list[int], *, image: tuple[int, int, int], **options: Any) -> nn.Module:
        return network(codes, image_channels=image[0], **options)

    return make
