"""Saving and loading supernets: one file with the weights, and with all that is needed to build and score it again.

The file is one of `torch.save`: a dictionary with the weights (float32) and a description in JSON. It is read by the
same reader as published torch files, which executes nothing and checks every checksum
(`nasbench_lab.tables.reading.torch_file`).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch

from nasbench_lab import __version__
from nasbench_lab.checks import AtLeast, check_fields, require
from nasbench_lab.errors import DataError, NasbenchLabError, ParameterError
from nasbench_lab.files import atomic_path
from nasbench_lab.messages import first_line
from nasbench_lab.plain_files import open_plain
from nasbench_lab.tables.reading import torch_file
from nasbench_lab.train.dataset_records import DatasetRecord
from nasbench_lab.train.one_shot.supernet_descriptions import (
    DESCRIBED,
    Weights,
    build_supernet,
    describe_supernet,
    plain_weights,
)
from nasbench_lab.train.one_shot.supernets.supernet import Supernet
from nasbench_lab.train.recipes import TrainingRecipe
from nasbench_lab.train.supernet_recipes import stored_recipe

SUFFIX = ".pt"
FORMAT = "nasbench-lab supernet"
FORMAT_VERSION = 1
_MOST_BYTES = 2**32
_MOST_DESCRIPTION = 2**20  # characters
_BUILD_ERRORS = (NasbenchLabError, TypeError, ValueError, AttributeError, RuntimeError, OverflowError)


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
class SupernetFile:
    """The content of a file of a supernet, which was read but not built.

    Attributes:
        path: of the file.
        details: how the supernet was trained.
        sha256: of the file.
        description: what the supernet is built from.
        weights: its weights by name.
    """

    path: Path
    details: SupernetDetails
    sha256: str
    description: Mapping[str, Any]
    weights: Weights

    def build(self) -> Supernet:
        """Return the supernet, on the CPU, ready to score.

        Raises:
            DataError: the weights are not those of the described supernet.
        """
        try:
            return build_supernet(self.description, self.weights)
        except _BUILD_ERRORS as error:
            raise DataError(f"{self.path}: the supernet cannot be built: {first_line(error)}") from error


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
    >>> from nasbench_lab.train.one_shot import make_supernet
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
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "description": description,
        "weights": plain_weights(supernet),
    }
    with atomic_path(where) as temporary:
        torch.save(content, temporary)
    return where


def load_supernet(path: str | os.PathLike[str]) -> Supernet:
    """Return the supernet of a file, on the CPU, ready to score. Nothing in the file is executed.

    Raises:
        DataError: the file is missing, damaged, or not a supernet.
    """
    return open_supernet(path).build()


def open_supernet(path: str | os.PathLike[str]) -> SupernetFile:
    """Read the file of a supernet. Nothing in the file is executed.

    Raises:
        DataError: the file is missing, damaged, or not a supernet.
    """
    data, description, weights = _parts(path)
    try:
        details = details_from_json(description["training"])
    except _BUILD_ERRORS as error:
        raise DataError(f"{path} has no valid details of a supernet: {first_line(error)}") from error
    return SupernetFile(Path(path), details, hashlib.sha256(data).hexdigest(), description, weights)


def _description(supernet: Supernet, details: SupernetDetails) -> dict[str, Any]:
    return {
        **describe_supernet(supernet),
        "training": details_to_json(details),
        "versions": {"nasbench-lab": __version__, "torch": str(torch.__version__)},
    }


def _parts(path: str | os.PathLike[str]) -> tuple[bytes, dict[str, Any], Weights]:
    """Return the content of a file, its description and its weights."""
    try:
        with open_plain(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > _MOST_BYTES:
                raise DataError(f"{path} has more than {_MOST_BYTES:,} bytes")
            data = file.read()
    except OSError as error:
        raise DataError(f"cannot read the supernet {path}: {error.strerror}") from error
    try:
        content = torch_file.load(data, most=_MOST_BYTES)
    except DataError as error:
        raise DataError(f"{path} is not the file of a supernet, or damaged: {first_line(error)}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(f"{path} is a torch file, but not of a supernet that nasbench-lab saved")
    if content.get("format_version") != FORMAT_VERSION:
        raise DataError(f"{path} has another format version; this version of nasbench-lab reads {FORMAT_VERSION}")
    weights = content.get("weights")
    if not isinstance(weights, dict) or not all(isinstance(each, np.ndarray) for each in weights.values()):
        raise DataError(f"{path} has no weights of a supernet")
    return data, _parsed(path, content.get("description")), weights


def _parsed(path: str | os.PathLike[str], text: Any) -> dict[str, Any]:
    try:
        description = json.loads(text) if isinstance(text, str) and len(text) <= _MOST_DESCRIPTION else None
    except (ValueError, RecursionError):
        description = None
    wanted = {*DESCRIBED, "training", "versions"}
    if not isinstance(description, dict) or description.keys() != wanted:
        raise DataError(f"{path} has no valid description of its supernet")
    return description


def details_to_json(details: SupernetDetails) -> dict[str, Any]:
    """Return details as plain data."""
    return {
        **{field.name: getattr(details, field.name) for field in dataclasses.fields(details)},
        "recipe": details.recipe and dataclasses.asdict(details.recipe),
        "dataset": details.dataset and dataclasses.asdict(details.dataset),
    }


def details_from_json(training: Any) -> SupernetDetails:
    """Return details from plain data.

    Raises:
        DataError, ParameterError, TypeError: the data is not what `details_to_json` returns.
    """
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
