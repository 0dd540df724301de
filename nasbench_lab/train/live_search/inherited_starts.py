"""Trainings that start from the weights of a parent."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, cast

import torch

from nasbench_lab.errors import DataError
from nasbench_lab.files import atomic_path
from nasbench_lab.train.clock import training_clock
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.inheritance.children import Inheritance, Rule
from nasbench_lab.train.live_search.spec import LiveSpec
from nasbench_lab.train.network_copies import Build, weights_of_copies, weights_together
from nasbench_lab.train.training import Training

WEIGHTS = "weights"
"""Name of the folder of the weights of trainings, in a search in which children inherit."""


class ParentTraining(NamedTuple):
    """The training whose weights another training starts from.

    Attributes:
        network: its name in the journal.
        architecture: what was trained.
        budget: epochs of the whole training.
        epochs: epochs after which the weights are taken.
        rule: how weights are inherited.
    """

    network: str
    architecture: int
    budget: int
    epochs: int
    rule: str

    @property
    def name(self) -> str:
        """The name of the weights."""
        return f"{self.network}-{self.budget}-{self.epochs}"


def weights_path(folder: Path, network: str, budget: int, epochs: int) -> Path:
    """Return the file of the weights of a training after a number of epochs."""
    return folder / WEIGHTS / f"{network}-{budget}-{epochs}.pt"


def keep_weights(training: Training, folder: Path, network: str) -> None:
    """Write the weights that a training has now, those of all seeds side by side.

    Raises:
        OutputError: the file cannot be written.
    """
    state = {name: value.detach().cpu().contiguous() for name, value in training.averaged.state_dict().items()}
    with atomic_path(weights_path(folder, network, training.recipe.epochs, training.epoch)) as temporary:
        torch.save(state, temporary)


def start_from(
    training: Training,
    build: Build,
    spec: LiveSpec,
    dataset: Dataset,
    architecture: int,
    origin: ParentTraining,
    folder: Path,
) -> None:
    """Give a training that has not begun the weights of its parent, seed by seed; the time for it is part of its cost.

    Args:
        training: of the child.
        build: builds its network.
        spec: what is trained.
        dataset: the data set.
        architecture: of the child.
        origin: the parent.
        folder: of the trainings.

    Raises:
        DataError: the weights of the parent are missing or damaged.
    """
    started = training_clock(training.device)
    seeds, path = spec.seeds, weights_path(folder, origin.network, origin.budget, origin.epochs)
    inheritance = Inheritance(spec.made_space, dataset.image, dataset.classes, spec.network, cast("Rule", origin.rule))
    try:
        parent = spec.builder(origin.architecture, dataset)
        together = parent(len(seeds))
        together.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # torch.load fails in many ways
        raise DataError(
            f"{path} has not the weights of a parent, or is damaged; delete it to train it again"
        ) from error
    states = weights_of_copies(together, parent, len(seeds))
    own = weights_of_copies(training.network, build, len(seeds))
    for place, (seed, state) in enumerate(zip(seeds, states, strict=True)):
        found = inheritance.initial_weights(architecture, origin.architecture, state, seed=seed)
        if found is not None:
            own[place] = found.state
    training.start_from(weights_together(own, build), training_clock(training.device) - started)
