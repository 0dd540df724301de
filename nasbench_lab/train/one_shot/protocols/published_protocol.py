"""A published protocol: which method was run, how, and on which images."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nasbench_lab.errors import ParameterError
from nasbench_lab.train.one_shot.protocols.published_rows import DATASETS, PUBLISHED, PublishedResult
from nasbench_lab.train.recipes import padding_of
from nasbench_lab.train.supernet_recipes import SupernetRecipe

if TYPE_CHECKING:
    from nasbench_lab.train.chosen_datasets import AnyDataset
    from nasbench_lab.train.one_shot.one_shot_trace import OneShotTrace


@dataclasses.dataclass(frozen=True)
class PublishedProtocol:
    """The settings of published searches with a method, as frozen data.

    Attributes:
        name: e.g. ``"nas-bench-201/gdas"``.
        method: name of the method.
        parameters: of the method.
        recipe: how the shared weights are trained, with the name of the protocol.
        benchmark: first part of the name of the table that answers for the derived architecture; the second is the data
            set.
        network: options of the networks.
        split: how the official images are divided: ``"nats-bench"`` or ``"halves"``.
        source: repository, commit and files of the settings.
        notes: how the searches here differ from the published code.
        row: source and method of the `PublishedResult` that the authors got with it, if they give one.

    Normalisations have no trained scales and shifts, and use the statistics of the batch.
    """

    name: str
    method: str
    parameters: Mapping[str, Any]
    recipe: SupernetRecipe
    benchmark: str
    network: Mapping[str, int]
    split: str
    source: str
    notes: str = ""
    row: tuple[str, str] | None = None

    @property
    def published(self) -> PublishedResult | None:
        """What the authors got with it; None if they give no table."""
        return next((each for each in PUBLISHED if (each.source, each.method) == self.row), None)

    def table(self, dataset: str) -> str:
        """Return the name of the table that knows the accuracies on a data set.

        >>> from nasbench_lab.train.one_shot.protocols import protocol
        >>> protocol("nas-bench-201/gdas").table("cifar100")
        'nats-bench-tss/cifar100'
        """
        return f"{self.benchmark}/{dataset}"

    def options(
        self,
        dataset: AnyDataset,
        *,
        parameters: Mapping[str, Any] | None = None,
        network: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> dict[str, Any]:
        """Return the arguments of `nasbench_lab.train.one_shot.search`.

        Args:
            dataset: what the supernet is trained on, e.g. ``{"name": "cifar10", "folder": "data"}``. If it is not
                loaded, its images are divided as in the protocol.
            parameters: of the method, where they differ from the protocol.
            network: options of the networks, where they differ from the protocol.
            **changes: other arguments of `search`, e.g. ``runs`` and ``device``; ``table`` if it is not that of the
                protocol.

        Raises:
            ParameterError: the benchmark has no such data set, and no table is given.
        """
        from nasbench_lab.train.chosen_datasets import plain_dataset
        from nasbench_lab.train.datasets import Dataset

        given: AnyDataset = dataset
        name = dataset.name if isinstance(dataset, Dataset) else ""
        if not isinstance(dataset, Dataset):
            source = dict(plain_dataset(dataset))
            name = str(source.get("name", ""))
            if self.split != "nats-bench" and name in self.datasets:
                source.setdefault("split", self.split)
            given = source
        if "table" not in changes and name not in self.datasets:
            raise ParameterError(
                f"protocol {self.name!r} is for {', '.join(self.datasets)}; "
                f"for the data set {name or dataset!r}, give the table that knows its accuracies"
            )
        return {
            "table": self.table(name),
            "method": self.method,
            "parameters": {**self.parameters, **(parameters or {})},
            "dataset": given,
            "recipe": self._recipe(name),
            "network": {**self.network, **(network or {})},
            "statistics": "batch",
            "affine": False,
            **changes,
        }

    def _recipe(self, dataset: str) -> SupernetRecipe:
        # Crops and mirror images are for pictures, not for digits of 8 x 8 pixels.
        changes = {"padding": 0, "flip": False} if dataset == "digits" else {"padding": padding_of(dataset)}
        return dataclasses.replace(self.recipe, **changes)  # type: ignore[arg-type]

    @property
    def datasets(self) -> tuple[str, ...]:
        """The data sets of the benchmark."""
        return DATASETS

    def search(self, dataset: AnyDataset, **changes: Any) -> OneShotTrace:
        """Search as in the protocol; see `options` for the arguments, and `nasbench_lab.train.one_shot.search`.

        >>> from nasbench_lab.train.one_shot.protocols import protocol
        >>> found = protocol("nas-bench-201/gdas").search(
        ...     "digits", table="digits/topology", epochs=1, network={"channels": 2, "cells": 1}, scale=1.0
        ... )
        >>> found.runs
        1
        """
        from nasbench_lab.train.one_shot.searches import search

        return search(**self.options(dataset, **changes))
