"""Training the architectures that a search picked."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.spaces import Space
from nasbench_lab.train.build.journal import Journal, Unit
from nasbench_lab.train.build.run import ExecutionOptions, identity, train_units
from nasbench_lab.train.build.spec import BuildSpec
from nasbench_lab.train.classification_metrics import MacroScores
from nasbench_lab.train.complexity import multiply_additions, parameters
from nasbench_lab.train.equivalent_networks import representatives
from nasbench_lab.train.hardware_costs import HardwareCosts, measure_costs
from nasbench_lab.train.network_builders import network_builder
from nasbench_lab.train.networks import networks_of
from nasbench_lab.train.recipes import TrainingRecipe, recipe


@dataclasses.dataclass(frozen=True, eq=False)
class Trained:
    """The results of training an architecture.

    Attributes:
        representative: the architecture that was trained for it: itself, or one that is the same network.
        valid_accuracy, test_accuracy: at the end, in percent, shape (seeds,); NaN for a failed training.
        confusion: test images of each class (row) taken for each (column), shape (seeds, classes, classes).
        scores: macro averages per seed.
        seconds: of training, per seed.
        parameters, flops: of the network.
        costs: of running the network.
    """

    representative: int
    valid_accuracy: NDArray[np.float64]
    test_accuracy: NDArray[np.float64]
    confusion: NDArray[np.int32]
    scores: tuple[MacroScores, ...]
    seconds: NDArray[np.float64]
    parameters: int
    flops: int
    costs: HardwareCosts


def default_recipe(dataset: str) -> TrainingRecipe:
    """Return the recipe for a data set where the user names none: ours for digits, NATS-Bench's 200 epochs for others.

    >>> default_recipe("digits").name, default_recipe("cifar10").name
    ('digits', 'nats-bench-200')
    """
    if dataset == "digits":
        return recipe("digits")
    padding = 2 if dataset == "ImageNet16-120" else 4  # as published for images of 16 and 32 pixels
    return dataclasses.replace(recipe("nats-bench-200"), padding=padding)


def default_network(space: Space, dataset: str) -> Mapping[str, Any]:
    """Return the options of networks where the user gives none: those of the embedded tables for digits.

    Raises:
        ParameterError: the space has no networks.

    >>> from nasbench_lab.spaces import TopologySpace
    >>> default_network(TopologySpace(), "digits"), default_network(TopologySpace(), "cifar10")
    ({'channels': 8, 'cells': 3}, {})
    """
    return networks_of(space).default_options(dataset)


def train_picks(
    spec: BuildSpec, architectures: Sequence[int], folder: Path, how: ExecutionOptions | None = None
) -> dict[int, Trained]:
    """Train architectures, from all seeds of the specification side by side, and return the results by architecture.

    Finished trainings are kept in the folder: after a kill, the same call continues and trains nothing twice.
    Architectures that are the same network are trained once.

    Args:
        spec: space, data set, recipe, seeds and networks.
        architectures: indices.
        folder: for the journal.
        how: processes, device and so on.

    Raises:
        DataError: the folder belongs to other trainings, or is damaged.
        OutputError: the folder cannot be written, or a process died.
        ParameterError: the space has no networks, or they do not take the options.
    """
    how = how or ExecutionOptions()
    space, dataset = spec.make_space(), spec.load_dataset()
    shared = representatives(space)
    (epochs,) = spec.trainings
    wanted: list[Unit] = sorted({(int(shared[architecture]), epochs) for architecture in architectures})
    path = folder / "trainings.sqlite"
    train_units(spec, wanted, path, how)
    with Journal(path, identity(spec, dataset, how.precision)) as journal:
        measured = dict(journal.items())

    def assess(architecture: int) -> Trained:
        arrays = measured[int(shared[architecture]), epochs]
        network = network_builder(
            space, architecture, image=dataset.image, classes=dataset.classes, options=spec.network
        )(1)
        return Trained(
            representative=int(shared[architecture]),
            valid_accuracy=arrays["valid_accuracy"][:, -1],
            test_accuracy=arrays["test_accuracy"][:, -1],
            confusion=arrays["confusion"],
            scores=tuple(MacroScores.from_confusion(confusion) for confusion in arrays["confusion"]),
            seconds=arrays["seconds"].sum(axis=1),
            parameters=parameters(network),
            flops=multiply_additions(network, dataset.image),
            costs=measure_costs(network, dataset.image, device=how.device),
        )

    return {architecture: assess(architecture) for architecture in dict.fromkeys(architectures)}
