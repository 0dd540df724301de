"""The specification of a table to build by training, as frozen data."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from nasbench_lab import spaces
from nasbench_lab.checks import AtLeast, check_fields, require, whole
from nasbench_lab.errors import DataError, NasbenchLabError, ParameterError
from nasbench_lab.messages import first_line, unknown
from nasbench_lab.plain_files import read_toml
from nasbench_lab.spaces import Space, SubsetSpace
from nasbench_lab.train import datasets
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.recipes import TrainingRecipe, recipe


@dataclasses.dataclass(frozen=True)
class BuildSpec:
    """A table to build by training.

    Attributes:
        name: name of the table, e.g. ``"digits/topology"``.
        title: one line that describes the table.
        space: plain data for `nasbench_lab.spaces.make_space`.
        dataset: plain data for `nasbench_lab.train.datasets.load`.
        recipe: how every architecture is trained.
        seeds: seeds of the repeats, which are trained side by side.
        budgets: numbers of epochs, ascending; each is trained from scratch with its own learning rate schedule. If
            empty, one training with the recipe's epochs gives the whole learning curve.
        network: options of the networks, e.g. ``channels`` and ``cells``.
        sample: number of architectures to train, drawn without replacement; None trains all of them. The table has
            these architectures only.
        sample_seed: seed of that draw.
        licence: SPDX name of the licence of the table's numbers.
        citation: BibTeX entry.
        notes: what readers must know before they publish numbers from the table.

    Raises:
        ParameterError: a field has a value that is not allowed.
    """

    name: str
    title: str
    space: Mapping[str, Any]
    dataset: Mapping[str, Any]
    recipe: TrainingRecipe
    seeds: tuple[int, ...]
    budgets: tuple[int, ...] = ()
    network: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    sample: Annotated[int | None, AtLeast(1)] = None
    sample_seed: Annotated[int, AtLeast(0)] = 0
    licence: str = ""
    citation: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_fields(self)
        for name in ("name", "title", "licence", "citation"):
            require(isinstance(getattr(self, name), str), f"{name} must be a text, got {getattr(self, name)!r}")
        require(all(isinstance(note, str) for note in self.notes), f"notes must be texts, got {list(self.notes)}")
        require(bool(self.seeds), "seeds must be at least one number")
        for seed in self.seeds:
            whole("a seed", seed, AtLeast(0))
        require(max(self.seeds) < _MAX_SEED, f"a seed must be below 2**63, got {max(self.seeds)}")
        require(len(set(self.seeds)) == len(self.seeds), f"seeds must be different, got {list(self.seeds)}")
        for budget in self.budgets:
            whole("a budget", budget, AtLeast(1))
        ascending = list(self.budgets) == sorted(set(self.budgets))
        require(ascending, f"budgets must be ascending numbers of epochs, got {list(self.budgets)}")
        if self.sample is not None:
            size = self.make_space().size
            require(self.sample <= size, f"sample must be at most the size of the space, {size}, got {self.sample}")

    def make_space(self) -> Space:
        """Return the search space."""
        return spaces.make_space(self.space)

    def load_dataset(self) -> Dataset:
        """Return the data set."""
        return datasets.load(self.dataset)

    @property
    def fidelities(self) -> tuple[int, ...]:
        """Numbers of epochs at which the table has measurements."""
        return self.budgets or tuple(range(1, self.recipe.epochs + 1))

    @property
    def trainings(self) -> tuple[int, ...]:
        """Number of epochs of every training of an architecture."""
        return self.budgets or (self.recipe.epochs,)

    def chosen(self) -> list[int]:
        """Return the indices of the architectures to train, ascending."""
        space = self.make_space()
        size = space.size
        if self.sample is None:
            require(
                space.is_listed, f"{size:,} architectures are too many to train: give sample, the number to be trained"
            )
            return list(range(size))
        random = np.random.Generator(np.random.Philox(self.sample_seed))
        return sorted(random.choice(size, self.sample, replace=False).tolist())

    def label(self, architecture: int) -> str:
        """Return a short name of an architecture for people: its space and its index there, also for a sample.

        >>> from nasbench_lab.train.recipes import recipe
        >>> BuildSpec("mine", "", {"name": "topology"}, {"name": "digits"}, recipe("digits"), (0,)).label(1462)
        'topology 1462'
        """
        space = self.make_space()
        return f"{(space.parent or space).name} {int(space.in_parent(architecture))}"

    def trained_space(self) -> Mapping[str, Any]:
        """Return the description of the space of the table: the search space, or the sample of it."""
        space, chosen = self.make_space(), self.chosen()
        return self.space if len(chosen) == space.size else SubsetSpace(space, chosen).spec()

    def digest(self, dataset: Dataset) -> str:
        """Return the SHA-256 of everything that determines the measurements, including the content of the data set."""
        parts = {
            field: getattr(self, field) for field in ("space", "seeds", "budgets", "network", "sample", "sample_seed")
        }
        parts["recipe"] = dataclasses.asdict(self.recipe)
        parts["dataset"] = dataset.digest()
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=dict).encode()).hexdigest()


def read_spec(path: Path) -> BuildSpec:
    """Read a specification from a TOML file.

    Raises:
        DataError: the file is missing, not TOML, or has a missing, unknown or wrong entry; the message names it.
    """
    data = read_toml(path)
    try:
        return spec_from(data, folder=path.parent)
    except NasbenchLabError as error:
        raise DataError(f"{path}: {first_line(error)}") from error


_MAX_SEED = 2**63

_REQUIRED = ("name", "space", "dataset", "recipe", "seeds")


def spec_from(data: Mapping[str, Any], *, folder: Path = Path()) -> BuildSpec:
    """Make a specification from plain data, such as the content of a TOML file.

    Args:
        data: entries as described in docs/build.md.
        folder: folder that relative paths of data files start from.

    Raises:
        ParameterError: an entry is missing or has a wrong value.
        UnknownNameError: there is no such entry; the message suggests similar names.
    """
    fields = {field.name for field in dataclasses.fields(BuildSpec)}
    for key in data:
        if key not in fields:
            raise unknown("key", key, fields)
    missing = [key for key in _REQUIRED if key not in data]
    if missing:
        raise ParameterError(f"the specification lacks {', '.join(missing)}")
    for key, kind in (("space", dict), ("dataset", dict), ("network", dict), ("budgets", list), ("notes", list)):
        if key in data and not isinstance(data[key], kind):
            raise ParameterError(f"{key} must be a {'table' if kind is dict else 'list'}, got {data[key]!r}")
    given = dict(data)
    given.setdefault("title", given["name"])
    given["recipe"] = _recipe(given["recipe"])
    given["seeds"] = _seeds(given["seeds"])
    for key in ("budgets", "notes"):
        given[key] = tuple(given.get(key, ()))
    for key in {"file", "folder", "split_file"} & given["dataset"].keys():
        given["dataset"] = {**given["dataset"], key: str(folder / Path(str(given["dataset"][key])).expanduser())}
    return BuildSpec(**given)


def _recipe(data: Any) -> TrainingRecipe:
    """Return a recipe from its name, from all its fields, or from the name of a ``base`` recipe and changed fields."""
    if isinstance(data, str):
        return recipe(data)
    if not isinstance(data, dict):
        raise ParameterError(f"recipe must be a name or a table, got {data!r}")
    fields = {field.name for field in dataclasses.fields(TrainingRecipe)}
    for key in data:
        if key not in fields | {"base"}:
            raise unknown("key of the recipe", key, fields)
    changes = {key: value for key, value in data.items() if key != "base"}
    try:
        return dataclasses.replace(recipe(data["base"]), **changes) if "base" in data else TrainingRecipe(**changes)
    except TypeError as error:
        raise ParameterError(f"the recipe is wrong: {first_line(error)}") from error


def _seeds(data: Any) -> tuple[int, ...]:
    """Return the seeds of a list, or the first seeds 0, 1, 2, ... if only their number is given."""
    if isinstance(data, int) and not isinstance(data, bool):
        return tuple(range(whole("the number of seeds", data, AtLeast(1))))
    if isinstance(data, list) and all(isinstance(seed, int) and not isinstance(seed, bool) for seed in data):
        return tuple(data)
    raise ParameterError(f"seeds must be a number of seeds, or a list of them, got {data!r}")
