"""A process of a build, which trains units."""

from __future__ import annotations

import dataclasses
import multiprocessing
import multiprocessing.connection
import os
import threading
from pathlib import Path

import numpy as np
import torch

from nasbench_lab.spaces import Space
from nasbench_lab.train.build.followed_units import EpochQueue, send_epochs
from nasbench_lab.train.build.journal import Arrays, Unit
from nasbench_lab.train.build.saved_units import save_unit
from nasbench_lab.train.build.spec import BuildSpec
from nasbench_lab.train.classification_metrics import confusion_matrix
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.devices import Precision
from nasbench_lab.train.network_builders import network_builder
from nasbench_lab.train.training import QUANTITIES, Report, Training


@dataclasses.dataclass(frozen=True)
class Worker:
    """Trains units of a specification.

    Attributes:
        spec: specification of the table.
        space: search space of the table.
        dataset: data set to train on.
        device: name of a torch device.
        precision: precision of multiplications.
        checkpoints: folder from which unfinished trainings resume; None starts them again.
        weights: folder for the weights of finished trainings; None keeps no weights.
    """

    spec: BuildSpec
    space: Space
    dataset: Dataset
    device: str = "cpu"
    precision: Precision = "float32"
    checkpoints: Path | None = None
    weights: Path | None = None

    def train(self, unit: Unit, report: Report | None = None) -> Arrays:
        """Train an architecture from all seeds side by side.

        Args:
            unit: what to train.
            report: called after every epoch, see `Training.finish`.

        Returns:
            The quantities of `QUANTITIES`, each of shape (seeds, epochs), where the training of a budget has validation
            and test after its last epoch only; ``failed``, shape (seeds,); and ``confusion``, the number of test images
            of each class (row) that were predicted as each class (column), shape (seeds, classes, classes).
        """
        architecture, epochs = unit
        build = network_builder(
            self.space, architecture, image=self.dataset.image, classes=self.dataset.classes, options=self.spec.network
        )
        recipe = dataclasses.replace(self.spec.recipe, epochs=epochs)
        training = Training(
            build,
            self.dataset,
            recipe,
            self.spec.seeds,
            device=self.device,
            precision=self.precision,
            measured="last" if self.spec.budgets else "every",
        )
        checkpoint = self.checkpoints and self.checkpoints / f"{architecture}-{epochs}.pt"
        curves = training.finish(checkpoint, report)
        predicted, labels = training.predict("test")
        confusion = np.stack([confusion_matrix(labels, row, self.dataset.classes) for row in predicted])
        arrays = {name: curves.values[name] for name in QUANTITIES}
        found = {**arrays, "failed": curves.failed, "confusion": confusion.astype(np.int32)}
        if self.weights is not None:
            save_unit(self.weights, self.spec, self.space, unit, training, build, found)
        return found


_worker: Worker | None = None
_epochs: EpochQueue | None = None


def start(
    spec: BuildSpec,
    threads: int,
    device: str,
    precision: Precision,
    checkpoints: Path | None,
    weights: Path | None,
    epochs: EpochQueue | None,
) -> None:
    """Prepare this process, which the build has started, for training units of a specification."""
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    global _worker, _epochs  # noqa: PLW0603 - a process pool has no other place for what is loaded once per process
    torch.set_num_threads(threads)
    _worker = Worker(spec, spec.make_space(), spec.load_dataset(), device, precision, checkpoints, weights)
    _epochs = epochs


def _end_with_the_parent() -> None:
    """End this process when its parent has ended, even if the parent was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)


def train(unit: Unit) -> tuple[Unit, Arrays]:
    """Train a unit in a process that `start` has prepared."""
    assert _worker is not None  # noqa: S101
    if _epochs is None:
        return unit, _worker.train(unit)
    queue = _epochs
    return unit, _worker.train(unit, lambda first, values: send_epochs(queue, unit, first, values))
