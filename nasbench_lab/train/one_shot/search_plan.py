"""What a one-shot search is: method, table, data set, training and seed, checked before anything is trained."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import numpy as np

from nasbench_lab.checks import AtLeast, Below, flag, one_of, whole
from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import shortened
from nasbench_lab.strategies.base import shown
from nasbench_lab.tables import Table
from nasbench_lab.tables import load as load_table
from nasbench_lab.train.chosen_datasets import AnyDataset, dataset_of, load_dataset
from nasbench_lab.train.dataset_records import DatasetRecord
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.default_settings import default_network, default_supernet_recipe
from nasbench_lab.train.devices import check_device, check_precision
from nasbench_lab.train.one_shot.methods.base import Method
from nasbench_lab.train.one_shot.methods.registry import make_method
from nasbench_lab.train.one_shot.run_tasks import RunTask, snapshot_epochs
from nasbench_lab.train.one_shot.search_context import SupernetOptions
from nasbench_lab.train.one_shot.supernets import Statistics
from nasbench_lab.train.recipes import TrainingRecipe
from nasbench_lab.train.supernet_recipes import SupernetRecipe, supernet_recipe

_MAX_SEED = 2**63
_LONGEST_LABEL = 200


@dataclasses.dataclass(frozen=True, eq=False)
class SearchPlan:
    """A one-shot search, without its runs.

    Attributes:
        method: the method.
        table: judges what the method recommends.
        dataset: what supernets are trained on.
        record: how the data set is found again.
        recipe: how the shared weights are trained.
        options: how supernets are built and trained.
        seed: root seed.
        snapshots: number of epochs after which each supernet is saved.
        threads: of torch per process.
        choices: what was chosen besides the parameters of the method, see `choices_of`.
    """

    method: Method[Any]
    table: Table
    dataset: Dataset
    record: DatasetRecord
    recipe: SupernetRecipe
    options: SupernetOptions
    seed: int
    snapshots: int
    threads: int
    choices: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the method, the number of epochs, and all other choices, as plain data."""
        return {**self.method.parameters, "epochs": self.recipe.epochs, **self.choices}

    @property
    def label(self) -> str:
        """The name of the method, and what differs from the defaults, e.g. for legends.

        >>> plan_search("digits/topology", "spos", epochs=20, parameters={"population": 9, "parents": 3}).label
        'spos:population=9,parents=3,epochs=20'
        """
        return label_of(self.method, self.choices)

    @property
    def identity(self) -> dict[str, Any]:
        """What makes it this search and no other, as plain data."""
        return {
            "method": self.method.name,
            "version": self.method.version,
            "parameters": {name: repr(value) for name, value in self.method.parameters.items()},
            "table": self.table.name,
            "space": self.table.space.spec(),
            "dataset": self.record.sha256,
            "recipe": dataclasses.asdict(self.recipe),
            "options": dataclasses.asdict(self.options),
            "seed": self.seed,
        }

    @property
    def facts(self) -> dict[str, Any]:
        """What a trace says about the training, as plain data."""
        return {
            "dataset": self.record.name,
            "epochs": self.recipe.epochs,
            "recipe": self.recipe.name,
            "statistics": self.options.statistics,
            "affine": self.options.affine,
            "network": dict(self.options.network),
            "device": self.options.device,
            "precision": self.options.precision,
            "threads": self.threads,
        }

    def task(self, run: int, folder: Path) -> RunTask:
        """Return a run as a task."""
        return RunTask(
            method=self.method,
            space=self.table.space,
            dataset=self.dataset,
            record=self.record,
            recipe=self.recipe,
            run=run,
            seed=seed_of_run(self.seed, run),
            options=self.options,
            folder=folder,
            snapshots=snapshot_epochs(self.recipe.epochs, self.snapshots),
            table=self.table.name,
            threads=self.threads,
        )


def plan_search(
    table: Table | str | os.PathLike[str],
    method: str | Method[Any],
    *,
    epochs: int | None = None,
    seed: int = 0,
    parameters: Mapping[str, Any] | None = None,
    dataset: AnyDataset | None = None,
    recipe: TrainingRecipe | str | None = None,
    statistics: Statistics = "batch",
    affine: bool = False,
    network: Mapping[str, Any] | None = None,
    device: str = "cpu",
    precision: str = "float32",
    snapshots: int = 10,
    threads: int = 1,
) -> SearchPlan:
    """Return a checked search; see `search` for the arguments and errors.

    >>> plan = plan_search("digits/topology", "spos", epochs=20)
    >>> plan.recipe.epochs, dict(plan.options.network)
    (20, {'channels': 8, 'cells': 3})
    """
    opened = table if isinstance(table, Table) else load_table(table)
    made = make_method(method, parameters)
    if network is not None and not isinstance(network, Mapping):
        raise ParameterError(f"network must be a dictionary, such as {{'channels': 8}}, got {shortened(network)}")
    given = dataset_of(opened) if dataset is None else dataset
    data = load_dataset(given)
    options = SupernetOptions(
        statistics=one_of("statistics", statistics, get_args(Statistics)),
        affine=flag("affine", affine),
        network=dict(default_network(opened.space, data.name) if network is None else network),
        device=check_device(device),
        precision=check_precision(precision),
    )
    # What does not fit together is found now, not in the first run.
    made.build(opened.space, **options.supernet(data.image, data.classes, seed=0))
    return SearchPlan(
        method=made,
        table=opened,
        dataset=data,
        record=DatasetRecord.of(given),
        recipe=_recipe(recipe, epochs, made, data),
        options=options,
        seed=whole("seed", seed, AtLeast(0), Below(_MAX_SEED)),
        snapshots=whole("snapshots", snapshots, AtLeast(1)),
        threads=whole("threads", threads, AtLeast(1)),
        choices=choices_of(
            made,
            {
                "epochs": epochs,
                "dataset": None if _is_that_of(opened, dataset) else dataset,
                "recipe": recipe,
                "statistics": statistics,
                "affine": affine,
                "network": network,
                "device": device,
                "precision": precision,
                "threads": threads,
            },
        ),
    )


def _is_that_of(table: Table, dataset: AnyDataset | None) -> bool:
    """Return whether a data set is the one in the name of a table, by its name alone."""
    name = dataset.get("name") if isinstance(dataset, Mapping) and "split" not in dataset else dataset
    return isinstance(name, str) and name == dataset_of(table)


_DEFAULTS = {
    "epochs": None,
    "dataset": None,
    "recipe": None,
    "statistics": "batch",
    "affine": False,
    "network": None,
    "device": "cpu",
    "precision": "float32",
    "threads": 1,
}
"""The arguments of `search` that change its results, in the order of labels, and their defaults."""


def choices_of(method: Method[Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of `search` that were chosen and change its results, as plain data in a fixed order.

    >>> choices_of(make_method("spos"), {"epochs": 20, "statistics": "batch", "network": None})
    {'epochs': 20}
    """
    defaults = {**_DEFAULTS, "epochs": None if options.get("recipe") is not None else method.epochs}
    chosen = {key: options.get(key) for key in _DEFAULTS}
    return {key: _plain(value) for key, value in chosen.items() if value is not None and value != defaults[key]}


def _plain(value: Any) -> Any:
    """Return a choice as plain data: of a data set or a recipe, its name."""
    if isinstance(value, Dataset | TrainingRecipe):
        return value.name
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return dict(sorted(value.items())) if isinstance(value, Mapping) else value


def label_of(method: Method[Any], choices: Mapping[str, Any]) -> str:
    """Return the label of a method, with choices that differ from the defaults.

    Of a data set it has the name and the split, not the place of its files. A label that is too long for a trace ends
    with a digest instead.

    >>> label_of(make_method("spos"), {"dataset": {"name": "cifar10", "folder": "downloads/cifar-10"}})
    'spos:dataset=cifar10'
    >>> label_of(make_method("spos"), {"dataset": {"folder": "/data", "name": "cifar10", "split": "halves"}})
    'spos:dataset=cifar10/halves'
    """
    more = ",".join(
        f"{name}={_name_of_dataset(value) if name == 'dataset' else shown(value)}" for name, value in choices.items()
    )
    separator = "," if ":" in method.label else ":"
    label = f"{method.label}{separator}{more}" if more else method.label
    if len(label) <= _LONGEST_LABEL:
        return label
    return f"{label[: _LONGEST_LABEL - 12]}...{hashlib.sha256(label.encode()).hexdigest()[:8]}"


def _name_of_dataset(plain: Mapping[str, Any] | str) -> str:
    """Return the name of a data set, or of its file, without folders, and its split if one was chosen."""
    if not isinstance(plain, Mapping):
        return Path(str(plain)).name
    name = Path(str(plain.get("name") or plain.get("file", ""))).name
    return f"{name}/{plain['split']}" if "split" in plain else name


def seed_of_run(seed: int, run: int) -> int:
    """Return the seed of a run; runs of one root seed, and of different ones, are independent.

    >>> seed_of_run(0, 1) == seed_of_run(1, 0)
    False
    """
    state = np.random.SeedSequence([seed, run]).generate_state(1, np.uint64)
    return int(state[0]) % _MAX_SEED


def _recipe(
    given: TrainingRecipe | str | None, epochs: int | None, method: Method[Any], dataset: Dataset
) -> SupernetRecipe:
    if given is None:
        found = dataclasses.replace(default_supernet_recipe(dataset.name), epochs=method.epochs)
    elif isinstance(given, str):
        found = supernet_recipe(given)
    elif isinstance(given, TrainingRecipe):
        found = SupernetRecipe.of(given)
    else:
        raise ParameterError(f"recipe must be a TrainingRecipe or the name of one, got {shortened(given)}")
    return found if epochs is None else dataclasses.replace(found, epochs=epochs)
