"""The data set that a user gives, in any of its forms, and the one of a table where none is given."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import shortened
from nasbench_lab.tables import Table
from nasbench_lab.train import datasets
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.datasets.image_shapes import image_shape

AnyDataset = Dataset | Mapping[str, Any] | str | os.PathLike[str]
"""A data set, its name, its description for `nasbench_lab.train.datasets.load`, or the path of an ``.npz`` file."""


def dataset_of(table: Table | None) -> str:
    """Return the data set that the name of a table contains; CIFAR-10, for which networks are published, without.

    >>> dataset_of(None)
    'cifar10'
    """
    parts = table.name.split("/") if table is not None else []
    return next((part for part in parts if part in datasets.names() and image_shape(part)), "cifar10")


def shape_of(dataset: AnyDataset) -> tuple[str, tuple[int, int, int], int]:
    """Return the name of a data set, the shape of its images and the number of its classes.

    >>> shape_of("cifar10")
    ('cifar10', (3, 32, 32), 10)
    """
    known = image_shape(dataset) if isinstance(dataset, str) else None
    if isinstance(dataset, str) and known:
        return dataset, *known
    data = load_dataset(dataset)
    return data.name, data.image, data.classes


def load_dataset(dataset: AnyDataset) -> Dataset:
    """Load a data set, unless it is loaded already.

    Raises:
        ParameterError: it is none of the forms of `AnyDataset`, or a data set does not take these options.
        UnknownNameError: no data set has this name.
        DataError: files are missing or damaged.
    """
    return dataset if isinstance(dataset, Dataset) else datasets.load(plain_dataset(dataset))


def plain_dataset(dataset: Mapping[str, Any] | str | os.PathLike[str]) -> Mapping[str, Any]:
    """Return a data set that is not loaded as plain data for `nasbench_lab.train.datasets.load`.

    >>> plain_dataset("digits"), plain_dataset("mine.npz")
    ({'name': 'digits'}, {'file': 'mine.npz'})
    """
    if isinstance(dataset, os.PathLike) or (isinstance(dataset, str) and dataset.endswith(".npz")):
        return {"file": os.fspath(dataset)}
    if not isinstance(dataset, str | Mapping):
        raise ParameterError(f"a data set must be a name, a description or a Dataset, got {shortened(dataset)}")
    return {"name": dataset} if isinstance(dataset, str) else dataset
