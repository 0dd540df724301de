"""Descriptions of supernets as plain data, from which they are built again with their weights.

A description comes from a file, so it is not trusted: it must not make us build a network that is larger than the file.
No number in it may be larger than what the weights show, and shapes are compared on a network without numbers first.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nasbench_lab.errors import DataError
from nasbench_lab.spaces import Space, make_space
from nasbench_lab.train.one_shot.supernets.partial_channels import PartialChannels
from nasbench_lab.train.one_shot.supernets.registry import make_supernet, supernet_class
from nasbench_lab.train.one_shot.supernets.shared_norm import Statistics
from nasbench_lab.train.one_shot.supernets.supernet import Supernet

Weights = Mapping[str, NDArray[Any]]

DESCRIBED = ("space", "image", "classes", "options", "statistics", "affine", "partial", "state")
"""The keys of a description. ``state`` has what layers keep besides tensors."""

_MOST_PIXELS = 2**10  # height or width of an image


def describe_supernet(supernet: Supernet) -> dict[str, Any]:
    """Return what a supernet is built from."""
    return {
        "space": dict(supernet.space.spec()),
        "image": list(supernet.image),
        "classes": supernet.classes,
        "options": supernet.network_options,
        "statistics": supernet.statistics,
        "affine": supernet.affine,
        "partial": supernet.partial and dataclasses.asdict(supernet.partial),
        "state": {name: value for name, value in supernet.state_dict().items() if not isinstance(value, Tensor)},
    }


def plain_weights(supernet: Supernet) -> dict[str, Tensor]:
    """Return the weights of a supernet on the CPU, in float32, each with memory of its own."""
    return {name: _plain(value) for name, value in supernet.state_dict().items() if isinstance(value, Tensor)}


def build_supernet(description: Mapping[str, Any], weights: Weights) -> Supernet:
    """Build a supernet from its description and its weights, on the CPU, ready to score.

    Raises:
        DataError: the weights are not those of the described supernet.
        Exception: the description has something else than it should.
    """
    _check_numbers(description, weights)
    space, state = make_space(description["space"]), description["state"]
    with torch.device("meta"):
        expected = _assembled(description, space, meta=True).state_dict()
    _check_shapes({name: value for name, value in expected.items() if isinstance(value, Tensor)}, weights)
    _check_state({name: value for name, value in expected.items() if not isinstance(value, Tensor)}, description)
    supernet = _assembled(description, space, meta=False)
    tensors = {name: torch.from_numpy(np.ascontiguousarray(each)) for name, each in weights.items()}
    supernet.load_state_dict({**tensors, **state})
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
    return supernet_class(space)(space, **given) if meta else make_supernet(space, **given)


def _check_numbers(description: Mapping[str, Any], weights: Weights) -> None:
    image, options, partial = description["image"], description["options"], description["partial"]
    if not all(isinstance(description[name], dict) for name in ("space", "options", "state")):
        raise DataError("space, options and state must be mappings")
    if not isinstance(image, list) or not (partial is None or isinstance(partial, dict)):
        raise DataError("image or partial is not of the right kind")
    most = max([len(weights), _MOST_PIXELS, *(max(each.shape, default=1) for each in weights.values() if each.size)])
    numbers = [description["classes"], *image, *options.values(), *(partial or {}).values()]
    if not all(isinstance(each, int) and 0 < each <= most for each in numbers):
        raise DataError("image, classes, options or partial do not fit the weights")
    if description["statistics"] not in get_args(Statistics) or not isinstance(description["affine"], bool):
        raise DataError("statistics or affine has an unknown value")


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


def _check_state(expected: Mapping[str, Any], description: Mapping[str, Any]) -> None:
    """Check what layers keep besides tensors: numbers of channels, which may have grown once."""
    state, partial = description["state"], description["partial"]
    growth = 1 if partial is None else partial["growth"]
    if state.keys() != expected.keys():
        raise DataError("the state of its layers does not fit")
    if not all(
        type(value) is int and value in (expected[name], expected[name] * growth) for name, value in state.items()
    ):
        raise DataError("the numbers of channels do not fit")
