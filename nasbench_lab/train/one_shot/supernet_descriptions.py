"""Descriptions of supernets as plain data, from which they are built again with their weights.

A description comes from a file, so it is not trusted: it must not make us build a network that is larger than the file.
No number in it may be larger than what the weights show, and shapes are compared on a network without numbers first.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, cast, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nasbench_lab.errors import DataError
from nasbench_lab.spaces import Space, make_space
from nasbench_lab.train.one_shot.supernets.partial_channels import PartialChannels
from nasbench_lab.train.one_shot.supernets.registry import make_supernet, supernet_class
from nasbench_lab.train.one_shot.supernets.shared_norm import Statistics
from nasbench_lab.train.one_shot.supernets.split import SplitSupernet
from nasbench_lab.train.one_shot.supernets.supernet import Supernet

Weights = Mapping[str, NDArray[Any]]

DESCRIBED = ("space", "image", "classes", "options", "statistics", "affine", "partial", "split")
"""The keys of a description: ``partial`` are the partial channels, ``split`` is the number of split decisions."""

_MOST_PIXELS = 2**10  # height or width of an image


def describe_supernet(supernet: Supernet) -> dict[str, Any]:
    """Return what a supernet is built from."""
    split = supernet.decisions if isinstance(supernet, SplitSupernet) else None
    base = cast(Supernet, supernet.parts[0]) if isinstance(supernet, SplitSupernet) else supernet
    return {
        "space": dict(base.space.spec()),
        "image": list(base.image),
        "classes": base.classes,
        "options": base.network_options,
        "statistics": base.statistics,
        "affine": base.affine,
        "partial": base.partial and dataclasses.asdict(base.partial),
        "split": split,
    }


def plain_weights(supernet: Supernet) -> dict[str, Tensor]:
    """Return the weights of a supernet on the CPU, in float32, each with memory of its own."""
    return {name: _plain(value) for name, value in supernet.state_dict().items()}


def build_supernet(description: Mapping[str, Any], weights: Weights) -> Supernet:
    """Build a supernet from its description and its weights, on the CPU, ready to score.

    Raises:
        DataError: the weights are not those of the described supernet.
        Exception: the description has something else than it should.
    """
    _check_numbers(description, weights)
    space = make_space(description["space"])
    with torch.device("meta"):
        _check_shapes(_assembled(description, space, meta=True).state_dict(), weights)
    supernet = _assembled(description, space, meta=False)
    _check_channels(supernet, description["partial"], weights)
    supernet.load_state_dict({name: torch.from_numpy(np.ascontiguousarray(each)) for name, each in weights.items()})
    # The order of numbers in memory decides their last digits in sums; this is the order of the training.
    return supernet.to(memory_format=torch.channels_last).eval()


def _plain(value: Tensor) -> Tensor:
    value = value.detach().to("cpu", torch.float32 if value.is_floating_point() else value.dtype)
    return value.clone(memory_format=torch.contiguous_format)  # a view would be saved with all of its storage


def _assembled(description: Mapping[str, Any], space: Space, *, meta: bool) -> Supernet:
    """Build the supernet, with any weights or, on the device ``meta``, without numbers."""
    given: dict[str, Any] = {name: description[name] for name in ("classes", "statistics", "affine", "options")}
    given["image"] = tuple(description["image"])
    given["partial"] = None if description["partial"] is None else PartialChannels(**description["partial"])
    base = supernet_class(space)(space, **given) if meta else make_supernet(space, **given)
    return base if description["split"] is None else SplitSupernet(base, description["split"])


def _check_numbers(description: Mapping[str, Any], weights: Weights) -> None:
    image, options, partial = description["image"], description["options"], description["partial"]
    if not all(isinstance(description[name], dict) for name in ("space", "options")):
        raise DataError("space and options must be mappings")
    if not isinstance(image, list) or not (partial is None or isinstance(partial, dict)):
        raise DataError("image or partial is not of the right kind")
    most = max([len(weights), _MOST_PIXELS, *(max(each.shape, default=1) for each in weights.values() if each.size)])
    numbers = [description["classes"], *image, *options.values(), *(partial or {}).values()]
    if not all(isinstance(each, int) and 0 < each <= most for each in numbers):
        raise DataError("image, classes, options or partial do not fit the weights")
    if description["statistics"] not in get_args(Statistics) or not isinstance(description["affine"], bool):
        raise DataError("statistics or affine has an unknown value")
    split = description["split"]
    if split is not None and not (isinstance(split, int) and not isinstance(split, bool) and 0 <= split <= 3):
        raise DataError("split must be a number of decisions, from 0 to 3")


def _check_shapes(state: Mapping[str, Tensor], weights: Weights) -> None:
    if state.keys() != weights.keys():
        odd = min(state.keys() ^ weights.keys(), key=str)
        raise DataError(
            f"the weights do not fit: {odd!a} is {'missing' if odd in state else 'not part of the network'}"
        )
    for name, value in state.items():
        if tuple(value.shape) != weights[name].shape or str(value.dtype) != f"torch.{weights[name].dtype}":
            raise DataError(f"the weights do not fit: {name} has shape {weights[name].shape}")
        if not math.prod(value.shape) and value.dim():
            raise DataError(f"the weights do not fit: {name} is empty")


def _check_channels(supernet: Supernet, partial: Mapping[str, Any] | None, weights: Weights) -> None:
    """Check the numbers of channels that partial layers compute: as they were made, or widened once."""
    for name, value in supernet.state_dict().items():
        if name.endswith("_extra_state"):
            made = int(value)
            if int(weights[name]) not in (made, made * (partial or {}).get("growth", 1)):
                raise DataError(f"{name} is not a number of channels of the supernet")
