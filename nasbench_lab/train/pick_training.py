"""Training the architectures that a search picked."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.errors import SettingWarning
from nasbench_lab.train.build.journal import Journal, Unit
from nasbench_lab.train.build.run import ExecutionOptions, identity, train_units
from nasbench_lab.train.build.saved_units import has_weights, weight_paths
from nasbench_lab.train.build.spec import BuildSpec
from nasbench_lab.train.classification_metrics import MacroScores
from nasbench_lab.train.complexity import multiply_additions, parameters
from nasbench_lab.train.equivalent_networks import stand_ins
from nasbench_lab.train.hardware_costs import HardwareCosts, measure_costs
from nasbench_lab.train.network_builders import network_builder


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
        weights: files of the weights, one per seed; none if they were not kept.
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
    weights: tuple[Path, ...] = ()


def train_picks(
    spec: BuildSpec,
    architectures: Sequence[int],
    folder: Path,
    how: ExecutionOptions | None = None,
    *,
    keep_weights: bool = True,
) -> dict[int, Trained]:
    """Train architectures, from all seeds of the specification side by side, and return the results by architecture.

    Finished trainings are kept in the folder: after a kill, the same call continues and trains nothing twice.
    Architectures that are the same network are trained once.

    Args:
        spec: space, data set, recipe, seeds and networks.
        architectures: indices.
        folder: for the journal and the weights.
        how: processes, device and so on.
        keep_weights: whether the weights of all trainings are kept, in the subfolder ``weights``. A training that was
            finished without its weights is then done again.

    Raises:
        DataError: the folder belongs to other trainings, or is damaged.
        OutputError: the folder cannot be written, or a process died.
        ParameterError: the space has no networks, or they do not take the options.
    """
    how = how or ExecutionOptions()
    space, dataset = spec.make_space(), spec.load_dataset()
    shared = stand_ins(space, architectures)
    (epochs,) = spec.trainings
    wanted: list[Unit] = sorted({(shared[architecture], epochs) for architecture in architectures})
    path = folder / "trainings.sqlite"
    weights = folder / "weights" if keep_weights else None
    with Journal(path, identity(spec, dataset, how.precision)) as journal:
        finished = journal.finished()
    again = [unit for unit in wanted if weights and unit in finished and not has_weights(weights, spec, unit)]
    if again:
        warnings.warn(
            f"{len(again)} of {len(wanted)} trainings in {folder} were finished without their weights, and are done "
            "again; without weights (--no-weights), they would be used as they are",
            SettingWarning,
            stacklevel=2,
        )
    train_units(spec, wanted, path, how, weights)
    with Journal(path, identity(spec, dataset, how.precision)) as journal:
        measured = dict(journal.items())

    def assess(architecture: int) -> Trained:
        arrays = measured[shared[architecture], epochs]
        network = network_builder(
            space, architecture, image=dataset.image, classes=dataset.classes, options=spec.network
        )(1)
        return Trained(
            representative=shared[architecture],
            valid_accuracy=arrays["valid_accuracy"][:, -1],
            test_accuracy=arrays["test_accuracy"][:, -1],
            confusion=arrays["confusion"],
            scores=tuple(MacroScores.from_confusion(confusion) for confusion in arrays["confusion"]),
            seconds=arrays["seconds"].sum(axis=1),
            parameters=parameters(network),
            flops=multiply_additions(network, dataset.image),
            costs=measure_costs(network, dataset.image, device=how.device),
            weights=tuple(weight_paths(weights, spec, (shared[architecture], epochs))) if weights else (),
        )

    return {architecture: assess(architecture) for architecture in dict.fromkeys(architectures)}
