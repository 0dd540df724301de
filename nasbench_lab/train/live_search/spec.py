"""What a live search trains: space, data set, recipe, seeds and networks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from nasbench_lab import spaces
from nasbench_lab.checks import Above, check_fields, require
from nasbench_lab.errors import DataError
from nasbench_lab.spaces import Space
from nasbench_lab.train.build.run import identity
from nasbench_lab.train.build.spec import BuildSpec
from nasbench_lab.train.dataset_records import DatasetRecord
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.devices import Precision
from nasbench_lab.train.network_builders import network_builder
from nasbench_lab.train.network_copies import Build
from nasbench_lab.train.recipes import TrainingRecipe


@dataclasses.dataclass(frozen=True)
class LiveSpec:
    """What is trained, as plain data.

    Attributes:
        name: of the table that the trainings answer like.
        space: entries for `nasbench_lab.spaces.make_space`.
        dataset: the data set, and how to load it.
        recipe: how every network is trained.
        seeds: seeds that are trained side by side, one per repeat.
        budgets: numbers of epochs, each with a training of its own; empty for one learning curve.
        network: options of the networks.
        precision: of multiplications.

    Raises:
        ParameterError: a value is not allowed.
    """

    name: str
    space: Mapping[str, Any]
    dataset: DatasetRecord
    recipe: TrainingRecipe
    seeds: tuple[int, ...] = (0,)
    budgets: tuple[int, ...] = ()
    network: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        check_fields(self)
        self.as_build  # noqa: B018 - checks the rest

    @cached_property
    def as_build(self) -> BuildSpec:
        """The specification of a table with the same trainings."""
        return BuildSpec(
            name=self.name,
            title=f"trained on demand on {self.dataset.name}",
            space=self.space,
            dataset=self.dataset.source or {},
            recipe=self.recipe,
            seeds=self.seeds,
            budgets=self.budgets,
            network=self.network,
        )

    @cached_property
    def made_space(self) -> Space:
        """The search space."""
        return spaces.make_space(self.space)

    @property
    def fidelities(self) -> tuple[int, ...]:
        """Numbers of epochs at which architectures can be evaluated."""
        return self.as_build.fidelities

    def budget_of(self, epochs: int) -> int:
        """Return the number of epochs of the training that measures a fidelity.

        >>> from nasbench_lab.train.recipes import recipe
        >>> data = DatasetRecord.of("digits")
        >>> LiveSpec("mine", {"name": "topology"}, data, recipe("digits")).budget_of(4)
        12
        >>> LiveSpec("mine", {"name": "topology"}, data, recipe("digits"), budgets=(2, 4)).budget_of(4)
        4
        """
        return epochs if self.budgets else self.recipe.epochs

    def builder(self, architecture: int, dataset: Dataset) -> Build:
        """Return what builds the network of an architecture."""
        return network_builder(
            self.made_space, architecture, image=dataset.image, classes=dataset.classes, options=self.network
        )

    def identity(self, dataset: Dataset) -> str:
        """Return a text that is the same for all trainings whose results may be combined."""
        return identity(self.as_build, dataset, self.precision)

    def to_data(self) -> dict[str, Any]:
        """Return the specification as plain data that JSON can store."""
        return dataclasses.asdict(self)

    @classmethod
    def of_data(cls, data: Any) -> LiveSpec:
        """Return the specification that `to_data` converted to plain data.

        Raises:
            DataError: the data is no specification.
        """
        try:
            given = dict(data)
            given["dataset"] = DatasetRecord.from_json(given["dataset"])
            given["recipe"] = TrainingRecipe(**given["recipe"])
            for key in ("seeds", "budgets"):
                given[key] = tuple(given[key])
            return cls(**given)
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise DataError(f"this is not the specification of a live search: {error}") from error


@dataclasses.dataclass(frozen=True)
class TrainingLimits:
    """How trainings are run. It does not change what they measure.

    Attributes:
        folder: of the journal, checkpoints and locks.
        threads: number of threads per training.
        longest: wall-clock seconds after which a training counts as failed; None for no limit.
        keep_weights: whether the weights of every training are kept, for its children.
    """

    folder: Path
    threads: int = 1
    longest: Annotated[float | None, Above(0)] = None
    keep_weights: bool = False

    def __post_init__(self) -> None:
        check_fields(self)
        require(self.threads >= 1, f"threads must be at least 1, got {self.threads}")
