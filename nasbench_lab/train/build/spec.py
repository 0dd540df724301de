"""What to build: the specification of a table that is trained here, as frozen data."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nasbench_lab import spaces
from nasbench_lab.errors import DataError, NasbenchLabError, ParameterError, first_line, unknown
from nasbench_lab.spaces import Space
from nasbench_lab.train import datasets
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.recipes import TrainingRecipe, recipe


@dataclasses.dataclass(frozen=True)
class BuildSpec:
    """A table to be trained.

    Attributes:
        name: of the table, e.g. ``"digits/topology"``.
        title: one line for people.
        space: plain data from which `nasbench_lab.spaces.make_space` makes the space.
        dataset: plain data from which `nasbench_lab.train.datasets.by_name` loads the data set.
        recipe: how every architecture is trained.
        seeds: of the repeats; they are trained side by side.
        budgets: numbers of epochs, ascending, each trained from scratch with a schedule of its own. Empty: one training
            of the recipe's epochs gives the whole learning curve.
        network: options of the networks, e.g. ``channels`` and ``cells``.
        sample: how many architectures to train, drawn without replacement; None: all of them.
        sample_seed: of that draw.
        licence: SPDX name for the table's numbers.
        citation: BibTeX.
        notes: what a reader must know before publishing numbers from the table.
    """

    name: str
    title: str
    space: Mapping[str, Any]
    dataset: Mapping[str, Any]
    recipe: TrainingRecipe
    seeds: tuple[int, ...]
    budgets: tuple[int, ...] = ()
    network: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    sample: int | None = None
    sample_seed: int = 0
    licence: str = ""
    citation: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("name", "title", "licence", "citation"):
            if not isinstance(getattr(self, name), str):
                raise ParameterError(f"{name} must be a text, got {getattr(self, name)!r}")
        for name in ("sample", "sample_seed"):
            if not _whole(getattr(self, name), 0) and (name, self.sample) != ("sample", None):
                raise ParameterError(f"{name} must be a whole number from 0, got {getattr(self, name)!r}")
        if not all(_whole(budget, 1) for budget in self.budgets):
            raise ParameterError(f"budgets must be whole numbers of epochs, got {list(self.budgets)}")
        if not all(isinstance(note, str) for note in self.notes):
            raise ParameterError(f"notes must be texts, got {list(self.notes)}")
        if max(self.seeds, default=0) > _LARGEST_SEED:
            raise ParameterError(f"seeds must be less than 2**63, got {max(self.seeds)}")
        if not self.seeds or len(set(self.seeds)) != len(self.seeds) or min(self.seeds) < 0:
            raise ParameterError(f"seeds must be different whole numbers from 0, at least one, got {list(self.seeds)}")
        if list(self.budgets) != sorted(set(self.budgets)) or any(budget < 1 for budget in self.budgets):
            raise ParameterError(f"budgets must be ascending positive numbers of epochs, got {list(self.budgets)}")
        if self.sample is not None and not 1 <= self.sample <= self.make_space().size:
            raise ParameterError(f"sample must be 1 to {self.make_space().size} architectures, got {self.sample}")

    def make_space(self) -> Space:
        """Return the space."""
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
        """Epochs of the trainings that every architecture gets."""
        return self.budgets or (self.recipe.epochs,)

    def chosen(self) -> list[int]:
        """Return the indices of the architectures to train, ascending."""
        size = self.make_space().size
        if self.sample is None:
            return list(range(size))
        random = np.random.Generator(np.random.Philox(self.sample_seed))
        return sorted(random.choice(size, self.sample, replace=False).tolist())

    def digest(self, dataset: Dataset) -> str:
        """Return the sha256 of all that decides about the measurements, with the data set's content."""
        parts = {
            field: getattr(self, field) for field in ("space", "seeds", "budgets", "network", "sample", "sample_seed")
        }
        parts["recipe"] = dataclasses.asdict(self.recipe)
        parts["dataset"] = dataset.digest()
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=dict).encode()).hexdigest()


def read_spec(path: Path) -> BuildSpec:
    """Read a specification from a TOML file.

    Raises:
        DataError: the file is missing, no TOML, or says something that does not fit; the message names it.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        return spec_from(data, folder=path.parent)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not a TOML file: {error}") from error
    except NasbenchLabError as error:
        raise DataError(f"{path}: {first_line(error)}") from error


_LARGEST_SEED = 2**63 - 1


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


_REQUIRED = ("name", "space", "dataset", "recipe", "seeds")


def spec_from(data: Mapping[str, Any], *, folder: Path = Path()) -> BuildSpec:
    """Make a specification from plain data, as TOML gives it.

    Args:
        data: as in docs/build.md.
        folder: what the paths of data files are relative to.
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
    """A name, or a table: of all fields, or of a ``base`` recipe's name and what differs from it."""
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
    """A list of seeds, or how many: 0, 1, 2, ..."""
    if isinstance(data, int) and not isinstance(data, bool):
        return tuple(range(data))
    if isinstance(data, list) and all(isinstance(seed, int) and not isinstance(seed, bool) for seed in data):
        return tuple(data)
    raise ParameterError(f"seeds must be a number of seeds, or a list of them, got {data!r}")
