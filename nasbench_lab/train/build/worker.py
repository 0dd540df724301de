"""One process of a build: it trains the units that it is given."""

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
from nasbench_lab.train.build.journal import Arrays, Unit
from nasbench_lab.train.build.spec import BuildSpec
from nasbench_lab.train.classification_metrics import confusion_matrix
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.devices import Precision
from nasbench_lab.train.network_builders import network_builder
from nasbench_lab.train.training import QUANTITIES, Training


@dataclasses.dataclass(frozen=True)
class Worker:
    """What trains units.

    Attributes:
        spec: of the table.
        space: of the architectures.
        dataset: to train on.
        device: of torch.
        precision: of multiplications.
        checkpoints: folder for unfinished trainings, which go on from there; None: they start again.
    """

    spec: BuildSpec
    space: Space
    dataset: Dataset
    device: str = "cpu"
    precision: Precision = "float32"
    checkpoints: Path | None = None

    def train(self, unit: Unit) -> Arrays:
        """Train an architecture from all seeds side by side.

        Returns:
            the quantities of `QUANTITIES`, each of shape (seeds, epochs), where a budget's training has validation and
            test after its last epoch only; ``failed``, shape (seeds,); and
            ``confusion``, how many test images of each class (row) were taken for each (column), shape (seeds,
            classes, classes).
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
        curves = training.finish(checkpoint)
        predicted, labels = training.predict("test")
        confusion = np.stack([confusion_matrix(labels, row, self.dataset.classes) for row in predicted])
        arrays = {name: curves.values[name] for name in QUANTITIES}
        return {**arrays, "failed": curves.failed, "confusion": confusion.astype(np.int32)}


_worker: Worker | None = None


def start(spec: BuildSpec, threads: int, device: str, precision: Precision, checkpoints: Path | None) -> None:
    """Make this process ready to train units of a specification."""
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    global _worker  # noqa: PLW0603 - a process pool has no other way to keep what is loaded once
    torch.set_num_threads(threads)
    _worker = Worker(spec, spec.make_space(), spec.load_dataset(), device, precision, checkpoints)


def _end_with_the_parent() -> None:
    """End this process when the one that started it is gone, also by a kill that gave it no time to say so."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)


def train(unit: Unit) -> tuple[Unit, Arrays]:
    """Train a unit in the process that `start` made ready."""
    assert _worker is not None  # noqa: S101
    return unit, _worker.train(unit)
