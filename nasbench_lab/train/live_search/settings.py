"""What a live search trains, from the settings of a user: names, files and numbers."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from nasbench_lab import spaces
from nasbench_lab.checks import AtLeast, Below, whole
from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import shortened
from nasbench_lab.spaces import Space, list_spaces
from nasbench_lab.tables import Table
from nasbench_lab.tables import load as load_table
from nasbench_lab.train.build.stated_training import StatedTraining, stated_training
from nasbench_lab.train.chosen_datasets import AnyDataset, load_dataset
from nasbench_lab.train.dataset_records import DatasetRecord
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.default_settings import default_network, default_recipe
from nasbench_lab.train.devices import check_precision
from nasbench_lab.train.live_search.spec import LiveSpec
from nasbench_lab.train.network_builders import check_network
from nasbench_lab.train.recipes import TrainingRecipe
from nasbench_lab.train.recipes import recipe as recipe_named

_MAX_SEED = 2**63


def live_spec(
    space: Space | Table | str | os.PathLike[str],
    dataset: AnyDataset | None = None,
    recipe: TrainingRecipe | str | None = None,
    *,
    epochs: int | None = None,
    budgets: Sequence[int] = (),
    seeds: int | Sequence[int] | None = None,
    precision: str = "float32",
    name: str | None = None,
    **options: int,
) -> tuple[LiveSpec, Any]:
    """Return the specification of a live search and its loaded data set; see `live` for the arguments."""
    made, stated = _space_and_training(space)
    given = "digits" if dataset is None and stated is not None else dataset
    if given is None:
        raise ParameterError("give a data set: a name such as digits, or the path of an .npz file")
    data = load_dataset(given)
    known = data.name if data.name == "digits" else ""
    if isinstance(recipe, str):
        how = recipe_named(recipe)
    elif recipe is not None:
        how = recipe
    else:
        how = default_recipe(data.name) if stated is None else stated.recipe
    if epochs is not None:
        how = dataclasses.replace(how, epochs=whole("epochs", epochs, AtLeast(1)))
    network = default_network(made, known) if stated is None else stated.network
    if not budgets and epochs is None and stated is not None and recipe is None:
        budgets = stated.budgets
    spec = LiveSpec(
        name=name or f"live/{data.name}/{(made.parent or made).name}",
        space=made.spec(),
        dataset=DatasetRecord.of(given),
        recipe=how,
        seeds=_seeds((0,) if stated is None else stated.seeds) if seeds is None else _seeds(seeds),
        budgets=tuple(whole("a budget", each, AtLeast(1)) for each in budgets),
        network={**network, **options},
        precision=check_precision(precision),
    )
    check_networks(spec, data)
    return spec, data


def check_networks(spec: LiveSpec, dataset: Dataset) -> None:
    """Build some networks, so that options that do not fit are found before any training.

    Raises:
        ParameterError: none of some networks can be built for the images.
    """
    random = np.random.Generator(np.random.Philox(0))
    size = spec.made_space.size
    error: ParameterError | None = None
    for index in random.integers(size, size=8).tolist():
        try:
            check_network(spec.builder(index, dataset), dataset.image)
        except ParameterError as found:
            error = found
        else:
            return
    assert error is not None  # noqa: S101
    raise error


def _space_and_training(given: Any) -> tuple[Space, StatedTraining | None]:
    if isinstance(given, Space):
        return given, None
    if isinstance(given, Table):
        return given.space, stated_training(given)
    if not isinstance(given, str | os.PathLike):
        raise ParameterError(f"a space must be a Space, its name, a TOML file or a table, got {shortened(given)}")
    text = os.fspath(given)
    if text.endswith(".toml"):
        return spaces.read_space(text), None
    if text in list_spaces():
        return spaces.make_space({"name": text}), None
    table = load_table(text)
    return table.space, stated_training(table)


def _seeds(given: Any) -> tuple[int, ...]:
    if isinstance(given, int) and not isinstance(given, bool):
        return tuple(range(whole("seeds", given, AtLeast(1))))
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise ParameterError(f"seeds must be a number of seeds, or a list of them, got {shortened(given)}")
    return tuple(whole("a seed", each, AtLeast(0), Below(_MAX_SEED)) for each in given)
