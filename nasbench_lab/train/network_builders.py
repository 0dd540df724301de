"""From an architecture of a space to a network of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from nasbench_lab.errors import OutOfSpaceError, ParameterError
from nasbench_lab.messages import first_line
from nasbench_lab.spaces import Space
from nasbench_lab.train.network_copies import Build
from nasbench_lab.train.networks import networks_of


def network_builder(
    space: Space, index: int, *, image: tuple[int, int, int], classes: int, options: Mapping[str, Any] | None = None
) -> Build:
    """Return what builds the network of an architecture, for a number of copies.

    Args:
        space: one that has networks (see `nasbench_lab.train.networks.list_networks`).
        index: of the architecture.
        image: channels, height and width of the input.
        classes: outputs.
        options: parameters of the network, e.g. ``channels`` and ``cells``; the published ones otherwise.

    Raises:
        ParameterError: the space has no networks, or its networks have no such options.

    >>> from nasbench_lab.spaces import TopologySpace
    >>> from nasbench_lab.train.complexity import parameters
    >>> build = network_builder(TopologySpace(), 11, image=(3, 32, 32), classes=10)
    >>> parameters(build(1)), parameters(build(2))
    (802426, 1604852)
    """
    networks = networks_of(space)
    given = check_options(space, options)
    codes = space.codes(index).tolist()

    def build(copies: int) -> nn.Module:
        return networks.build(codes, image=image, classes=classes, copies=copies, **given)

    return build


def check_options(space: Space, options: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the options of a space's networks.

    Raises:
        ParameterError: the networks have no such options.
    """
    networks = networks_of(space)
    given = dict(options or {})
    for key, value in given.items():
        if key not in networks.options or not isinstance(value, int) or isinstance(value, bool) or value < 1:
            taken = f"{' and '.join(networks.options)}, whole numbers from 1" if networks.options else "no options"
            raise ParameterError(f"a network takes {taken}, got {key} = {value!r}")
    return given


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
