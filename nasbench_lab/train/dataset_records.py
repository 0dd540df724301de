"""What is recorded about the data set of a training: how to load it again, and a digest of its content."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nasbench_lab.errors import DataError
from nasbench_lab.train import datasets
from nasbench_lab.train.chosen_datasets import AnyDataset, load_dataset, plain_dataset
from nasbench_lab.train.datasets import Dataset

_PATHS = ("file", "folder", "split_file")
"""The options of data sets that are paths."""


@dataclasses.dataclass(frozen=True)
class DatasetRecord:
    """A data set as plain data.

    Attributes:
        name: of the data set.
        sha256: digest of all its images and labels.
        source: plain data for `nasbench_lab.train.datasets.load`, with absolute paths; None for a data set that was
            made in memory.
    """

    name: str
    sha256: str
    source: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, given: AnyDataset) -> DatasetRecord:
        """Return the record of a data set, given in any form.

        A `Dataset` in memory that equals the built-in one of its name is recorded by that name.

        >>> DatasetRecord.of("digits").source
        {'name': 'digits'}
        """
        if not isinstance(given, Dataset):
            source = dict(plain_dataset(given))
            source |= {key: os.fspath(Path(source[key]).expanduser().absolute()) for key in _PATHS if key in source}
            loaded = load_dataset(source)
            return cls(loaded.name, _digest(loaded), source)
        digest = _digest(given)
        # Only the digits can be loaded by their name alone; others need a folder or a file.
        built_in = given.name == "digits" and _digest(_digits()) == digest
        return cls(given.name, digest, {"name": "digits"} if built_in else None)

    @classmethod
    def from_json(cls, data: Any) -> DatasetRecord:
        """Return a record from plain data.

        Raises:
            DataError: the data is no record.
        """
        if not isinstance(data, dict) or data.keys() != {"name", "sha256", "source"}:
            raise DataError("the record of a data set must have name, sha256 and source")
        texts = isinstance(data["name"], str) and isinstance(data["sha256"], str)
        if not texts or not (data["source"] is None or isinstance(data["source"], dict)):
            raise DataError("the record of a data set must have two texts and a mapping")
        return cls(**data)

    def load(self) -> Dataset:
        """Load the data set again.

        Raises:
            DataError: the data set was made in memory, its files are missing or damaged, or its content has changed.
            ParameterError: there is no such data set any more, or it does not take these options.
        """
        if self.source is None:
            raise DataError(f"the data set {self.name!r} was made in memory; give it with dataset=")
        loaded = load_dataset(self.source)
        self.check(loaded)
        return loaded

    def check(self, dataset: Dataset) -> None:
        """Check that a data set is the recorded one.

        Raises:
            DataError: it has other images or labels.
        """
        if _digest(dataset) != self.sha256:
            raise DataError(f"the data set {dataset.name!r} is not the {self.name!r} of the training: images differ")


@functools.lru_cache(maxsize=4)  # a data set does not change, and hashing a large one takes a second
def _digest(dataset: Dataset) -> str:
    return dataset.digest()


@functools.cache
def _digits() -> Dataset:
    return datasets.digits()
