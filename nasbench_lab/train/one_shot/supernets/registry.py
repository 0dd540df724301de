"""The supernet of every kind of space, by the name of the space: the built-in ones and those of installed packages.

A package adds the supernet of its space with an entry point in its ``pyproject.toml``, which names a `Supernet`; its
name is the name of the space::

    [project.entry-points."nasbench_lab.supernets"]
    my-space = "my_package.supernets:MySupernet"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import torch

from nasbench_lab.checks import AtLeast, one_of, whole
from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import shortened
from nasbench_lab.spaces import Space
from nasbench_lab.train.network_builders import check_options
from nasbench_lab.train.networks.classes_by_space import ClassesBySpace
from nasbench_lab.train.one_shot.supernets.cell101 import Cell101Supernet
from nasbench_lab.train.one_shot.supernets.layer_chain import LayerChainSupernet
from nasbench_lab.train.one_shot.supernets.partial_channels import PartialChannels
from nasbench_lab.train.one_shot.supernets.shared_norm import Statistics
from nasbench_lab.train.one_shot.supernets.size import SizeSupernet
from nasbench_lab.train.one_shot.supernets.supernet import Supernet
from nasbench_lab.train.one_shot.supernets.topology import TopologySupernet

GROUP = "nasbench_lab.supernets"

_CLASSES: ClassesBySpace[Supernet] = ClassesBySpace(
    GROUP,
    Supernet,
    "there is no supernet",
    {
        "cell101": Cell101Supernet,
        "layer-chain": LayerChainSupernet,
        "size": SizeSupernet,
        "topology": TopologySupernet,
    },
)


def list_supernets() -> list[str]:
    """Return the names of the spaces that have supernets, sorted.

    >>> "topology" in list_supernets()
    True
    """
    return _CLASSES.names()


def supernet_class(space: Space) -> type[Supernet]:
    """Return the class of the supernets of a space.

    Raises:
        ParameterError: the space has no supernet, or an installed package adds one that cannot be used.
    """
    return _CLASSES.of(space)


def make_supernet(
    space: Space,
    *,
    image: tuple[int, int, int],
    classes: int,
    seed: int = 0,
    statistics: Statistics = "batch",
    affine: bool = False,
    partial: PartialChannels | None = None,
    options: Mapping[str, Any] | None = None,
) -> Supernet:
    """Build the supernet of a space, with initial weights drawn from a seed. Torch's random state is unchanged.

    Args:
        space: the search space.
        image: channels, height and width of the input.
        classes: number of outputs.
        seed: of the initial weights.
        statistics: statistics that evaluations normalise with (see `Statistics`).
        affine: whether normalisations have trained scales and shifts.
        partial: how many channels operations compute; None for all. For the topology space only.
        options: parameters of the networks, e.g. ``channels`` and ``cells``; by default the published ones.

    Raises:
        ParameterError: an argument is invalid, the space has no supernet, or its networks have no such options.

    >>> from nasbench_lab.spaces import TopologySpace
    >>> net = make_supernet(TopologySpace(), image=(1, 8, 8), classes=10, options={"channels": 8, "cells": 3})
    >>> net.stand_alone([1] * 6)(torch.zeros(2, 1, 8, 8)).shape
    torch.Size([2, 10])
    """
    kind = supernet_class(space)
    if not isinstance(image, Sequence) or isinstance(image, str) or len(image) != 3:
        raise ParameterError(f"image must be channels, height and width, got {shortened(image)}")
    size = [whole(name, each, AtLeast(1)) for name, each in zip(("channels", "height", "width"), image, strict=True)]
    classes = whole("classes", classes, AtLeast(1))
    one_of("statistics", statistics, get_args(Statistics))
    if partial is not None and "partial channels" not in kind.features:
        raise ParameterError(f"the supernet of {space.name} has no partial channels")
    given = check_options(space, options)
    # Only the generator of the CPU is used; torch.manual_seed would also seed those of all GPUs.
    with torch.device("cpu"), torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return kind(
            space,
            image=(size[0], size[1], size[2]),
            classes=classes,
            statistics=statistics,
            affine=affine,
            partial=partial,
            options=given,
        )
