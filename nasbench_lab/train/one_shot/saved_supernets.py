"""Saving and loading supernets: one file with the weights, and with all that is needed to build and score it again.

The file is one of `torch.save`: a dictionary with the weights (float32) and a description in JSON. It is read by the
same reader as published torch files, which executes nothing and checks every checksum
(`nasbench_lab.tables.reading.torch_file`).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nasbench_lab import __version__
from nasbench_lab.checks import AtLeast, check_fields, require
from nasbench_lab.errors import DataError, NasbenchLabError, ParameterError
from nasbench_lab.files import atomic_path
from nasbench_lab.messages import first_line
from nasbench_lab.plain_files import read_plain
from nasbench_lab.spaces import make_space
from nasbench_lab.tables.reading import torch_file
from nasbench_lab.train.dataset_records import DatasetRecord
from nasbench_lab.train.one_shot.supernets.partial_channels import PartialChannels
from nasbench_lab.train.one_shot.supernets.registry import make_supernet, supernet_class
from nasbench_lab.train.one_shot.supernets.shared_norm import Statistics
from nasbench_lab.train.one_shot.supernets.split import SplitSupernet
from nasbench_lab.train.one_shot.supernets.supernet import Supernet
from nasbench_lab.train.recipes import TrainingRecipe
from nasbench_lab.train.supernet_recipes import stored_recipe

SUFFIX = ".pt"
_FORMAT, _VERSION = "nasbench-lab supernet", 1
_MOST_BYTES = 2**32
_MOST_DESCRIPTION = 2**20  # characters

Weights = Mapping[str, NDArray[Any]]


@dataclasses.dataclass(frozen=True)
class SupernetDetails:
    """How a supernet was trained, as far as it is known.

    Attributes:
        method: name of the method or sampler, e.g. ``"spos"``.
        epoch: number of finished epochs.
        seed: of the training.
        seconds: of the training so far.
        recipe: how it was trained.
        dataset: what it was trained on.
        table: name or file of the table of the search; empty without one.
        notes: anything else that JSON can hold, e.g. the settings of the method.

    Raises:
        ParameterError: a field has a value that is not allowed.
    """

    method: str = ""
    epoch: Annotated[int, AtLeast(0)] = 0
    seed: Annotated[int, AtLeast(0)] = 0
    seconds: Annotated[float, AtLeast(0)] = 0.0
    recipe: TrainingRecipe | None = None
    dataset: DatasetRecord | None = None
    table: str = ""
    notes: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        check_fields(self)
        for name, text in (("method", self.method), ("table", self.table)):
            require(isinstance(text, str), f"{name} must be a text, got {text!r}")
        require(isinstance(self.notes, Mapping), "notes must be a mapping")


@dataclasses.dataclass(frozen=True, eq=False)
class SavedSupernet:
    """A supernet that was read from a file.

    Attributes:
        supernet: ready to score.
        details: how it was trained.
        sha256: of the file.
    """

    supernet: Supernet
    details: SupernetDetails
    sha256: str


def save_supernet(path: str | os.PathLike[str], supernet: Supernet, details: SupernetDetails | None = None) -> Path:
    """Write a supernet to one file, which replaces an older one atomically, and return its path.

    The supernet of ``digits/topology`` with 8 channels and 3 cells per stage takes 1 MB.

    Args:
        path: file, whose name ends in ``.pt``.
        supernet: the network; it stays as it is.
        details: how it was trained.

    Raises:
        ParameterError: the name does not end in ``.pt``, or the notes are nothing that JSON can hold.
        OutputError: the file cannot be written.

    >>> import tempfile
    >>> from nasbench_lab.spaces import TopologySpace
    >>> net = make_supernet(TopologySpace(), image=(1, 8, 8), classes=10, options={"channels": 2, "cells": 1})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = save_supernet(f"{folder}/mine.pt", net, SupernetDetails("spos", epoch=3))
    ...     load_supernet(file).network_options
    {'channels': 2, 'cells': 1}
    """
    where = Path(path)
    if where.suffix != SUFFIX:
        raise ParameterError(f"the name of a file of a supernet must end in {SUFFIX}, got {where}")
    try:
        description = json.dumps(_description(supernet, details or SupernetDetails()), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ParameterError(f"notes of a supernet must be what JSON can hold: {first_line(error)}") from error
    content = {
        "format": _FORMAT,
        "format_version": _VERSION,
        "description": description,
        "weights": {name: _plain(value) for name, value in supernet.state_dict().items()},
    }
    with atomic_path(where) as temporary:
        torch.save(content, temporary)
    return where


def load_supernet(path: str | os.PathLike[str]) -> Supernet:
    """Return the supernet of a file, on the CPU, ready to score. Nothing in the file is executed.

    Raises:
        DataError: the file is missing, damaged, or not a supernet.
    """
    return read_supernet(path).supernet


def read_supernet(path: str | os.PathLike[str]) -> SavedSupernet:
    """Return the supernet of a file with the details of its training. Nothing in the file is executed.

    Raises:
        DataError: the file is missing, damaged, or not a supernet.
    """
    data, description, weights = _parts(path)
    try:
        details = _details(description)
        supernet = _build(description, weights)
    except (NasbenchLabError, TypeError, ValueError, AttributeError, RuntimeError, OverflowError) as error:
        raise DataError(f"{path}: the supernet cannot be built: {first_line(error)}") from error
    return SavedSupernet(supernet, details, hashlib.sha256(data).hexdigest())


def read_details(path: str | os.PathLike[str]) -> SupernetDetails:
    """Return how the supernet of a file was trained, without building it.

    Raises:
        DataError: the file is missing, damaged, or not a supernet.
    """
    try:
        return _details(_parts(path)[1])
    except (TypeError, ParameterError) as error:
        raise DataError(f"{path} has no valid details of a supernet: {first_line(error)}") from error


def _plain(value: Tensor) -> Tensor:
    value = value.detach().to("cpu", torch.float32 if value.is_floating_point() else value.dtype)
    return value.clone(memory_format=torch.contiguous_format)  # a view would be saved with all of its storage


def _description(supernet: Supernet, details: SupernetDetails) -> dict[str, Any]:
    return {
        "space": dict(supernet.space.spec()),
        "image": list(supernet.image),
        "classes": supernet.classes,
        "options": supernet.network_options,
        "statistics": supernet.statistics,
        "affine": supernet.affine,
        **({"split": supernet.decisions} if isinstance(supernet, SplitSupernet) else {}),
        **({} if supernet.partial is None else {"partial": dataclasses.asdict(supernet.partial)}),
        "training": {
            **{field.name: getattr(details, field.name) for field in dataclasses.fields(details)},
            "recipe": details.recipe and dataclasses.asdict(details.recipe),
            "dataset": details.dataset and dataclasses.asdict(details.dataset),
        },
        "versions": {"nasbench-lab": __version__, "torch": str(torch.__version__)},
    }


def _parts(path: str | os.PathLike[str]) -> tuple[bytes, dict[str, Any], Weights]:
    """Return the content of a file, its description and its weights."""
    try:
        data = read_plain(path, _MOST_BYTES)
    except OSError as error:
        raise DataError(f"cannot read the supernet {path}: {error.strerror}") from error
    try:
        content = torch_file.load(data, most=_MOST_BYTES)
    except DataError as error:
        raise DataError(f"{path} is not the file of a supernet, or damaged: {first_line(error)}") from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise DataError(f"{path} is a torch file, but not of a supernet that nasbench-lab saved")
    if content.get("format_version") != _VERSION:
        raise DataError(f"{path} has another format version; this version of nasbench-lab reads {_VERSION}")
    weights = content.get("weights")
    if not isinstance(weights, dict) or not all(isinstance(each, np.ndarray) for each in weights.values()):
        raise DataError(f"{path} has no weights of a supernet")
    return data, _parsed(path, content.get("description")), weights


def _parsed(path: str | os.PathLike[str], text: Any) -> dict[str, Any]:
    try:
        description = json.loads(text) if isinstance(text, str) and len(text) <= _MOST_DESCRIPTION else None
    except (ValueError, RecursionError):
        description = None
    wanted = {"space", "image", "classes", "options", "statistics", "affine", "training", "versions"}
    if not isinstance(description, dict) or description.keys() - {"split", "partial"} != wanted:
        raise DataError(f"{path} has no valid description of its supernet")
    return description


def _details(description: Mapping[str, Any]) -> SupernetDetails:
    training = description["training"]
    names = {field.name for field in dataclasses.fields(SupernetDetails)}
    if not isinstance(training, dict) or training.keys() != names:
        raise DataError(f"the training of a supernet must have {', '.join(sorted(names))}")
    recipe, dataset = training["recipe"], training["dataset"]
    if not (recipe is None or isinstance(recipe, dict)):
        raise DataError("the recipe of a supernet must be a mapping")
    return SupernetDetails(
        **{
            **training,
            "recipe": None if recipe is None else stored_recipe(recipe),
            "dataset": None if dataset is None else DatasetRecord.from_json(dataset),
        }
    )


def _build(description: Mapping[str, Any], weights: Weights) -> Supernet:
    """Build the supernet, after checks that the weights are those of the described one.

    A file must not make us build a network that is larger than the file. So no number of the description may be larger
    than what the weights show, and the shapes are compared on a network without numbers.
    """
    image, classes, options = description["image"], description["classes"], description["options"]
    if not isinstance(options, dict) or not isinstance(image, list) or not isinstance(description["space"], dict):
        raise DataError("space, image and options are not of the right kind")
    numbers = [classes, *image, *options.values()]
    most = max([len(weights), _MOST_PIXELS, *(max(each.shape, default=1) for each in weights.values() if each.size)])
    if not all(isinstance(each, int) and 0 < each <= most for each in numbers):
        raise DataError("image, classes or options do not fit the weights")
    if description["statistics"] not in get_args(Statistics) or not isinstance(description["affine"], bool):
        raise DataError("statistics or affine has an unknown value")
    partial = description.get("partial")
    if not (partial is None or isinstance(partial, dict)):
        raise DataError("partial channels must be a mapping")
    space = make_space(description["space"])
    given: dict[str, Any] = {
        "image": tuple(image),
        "classes": classes,
        "statistics": description["statistics"],
        "affine": description["affine"],
        "partial": None if partial is None else PartialChannels(**partial),
        "options": options,
    }

    def as_trained(supernet: Supernet) -> Supernet:
        return SplitSupernet(supernet, description["split"]) if "split" in description else supernet

    with torch.device("meta"):
        _check_shapes(as_trained(supernet_class(space)(space, **given)).state_dict(), weights)
    supernet = as_trained(make_supernet(space, **given))
    supernet.load_state_dict({name: torch.from_numpy(np.ascontiguousarray(each)) for name, each in weights.items()})
    # The order of numbers in memory decides their last digits in sums; this is the order of the training.
    return supernet.to(memory_format=torch.channels_last).eval()


_MOST_PIXELS = 2**10


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
