"""Trainings on demand: each is done once, by whoever asks first, and kept in the folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import DataError, NasbenchLabError
from nasbench_lab.files import atomic_path
from nasbench_lab.messages import first_line
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.devices import torch_threads
from nasbench_lab.train.live_search.inherited_starts import ParentTraining
from nasbench_lab.train.live_search.journal import JournalledTraining, TrainingJournal
from nasbench_lab.train.live_search.network_keys import NetworkNames
from nasbench_lab.train.live_search.network_numbers import NetworkNumbers
from nasbench_lab.train.live_search.one_training import Request, Trainer, is_answered, with_origin
from nasbench_lab.train.live_search.spec import LiveSpec, TrainingLimits
from nasbench_lab.train.live_search.workers import TrainingWorkers

SPEC = "trainings.json"
"""Name of the file that says what is trained."""


class TrainingsOnDemand:
    """The trainings of a folder.

    Args:
        spec: what is trained.
        dataset: the loaded data set.
        limits: the folder, and how trainings are run.
        devices: name of a torch device for every training at the same time.

    Raises:
        DataError: the folder belongs to other trainings, or is damaged.
        OutputError: the folder cannot be written.
        ParameterError: the space has no networks.
    """

    def __init__(self, spec: LiveSpec, dataset: Dataset, limits: TrainingLimits, devices: Sequence[str]) -> None:
        self.spec, self.dataset, self.limits, self.devices = spec, dataset, limits, tuple(devices)
        self.names = NetworkNames(spec.made_space)
        self.identity = spec.identity(dataset)
        self.journal = TrainingJournal(limits.folder, self.identity)
        _describe(limits.folder, spec)
        self.trainer = Trainer(spec, dataset, self.journal, limits, self.devices[0])
        self.numbers = NetworkNumbers(spec, dataset, self.journal, self.names, self.devices[0])
        self._known: dict[tuple[str, int], JournalledTraining] = {}
        self._workers: TrainingWorkers | None = None

    @property
    def folder(self) -> Path:
        """The folder."""
        return self.limits.folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end_workers()
        self.journal.close()

    def request(self, architecture: int, epochs: int) -> Request:
        """Return what has to be trained to measure an architecture after a number of epochs."""
        network = self.names.of(architecture)
        return Request(network.key, network.architecture, self.spec.budget_of(epochs), epochs)

    def child(self, architecture: int, epochs: int, parent: Request, rule: str) -> Request | None:
        """Return what has to be trained to measure an architecture that starts from the weights of another.

        It is the architecture itself, not another one with the same network: its layers have their places. The result
        is None if the parent has no weights, as its training has failed.

        Args:
            architecture: the child.
            epochs: after which it is measured.
            parent: what was trained of the parent.
            rule: how weights are inherited, see `nasbench_lab.train.inheritance.Inheritance`.
        """
        trained = self.known(parent)
        if trained is None or trained.reason:
            return None
        origin = ParentTraining(parent.network, parent.architecture, parent.budget, parent.epochs, rule)
        return with_origin(self.request(architecture, epochs)._replace(architecture=architecture), origin)

    def known(self, request: Request) -> JournalledTraining | None:
        """Return a training that is finished, at least to the requested epoch; None if it is not."""
        place = request.network, request.budget
        found = self._known.get(place)
        if found is None or not is_answered(found, request, self.limits):
            found = self.journal.find(*place)
            if found is not None:
                self._known[place] = found
        return found if found is not None and is_answered(found, request, self.limits) else None

    def train(self, requests: Sequence[Request]) -> list[JournalledTraining]:
        """Return the trainings of requests; those that are not finished are done now, side by side."""
        todo = list(dict.fromkeys(each for each in requests if self.known(each) is None))
        if min(len(self.devices), len(todo)) > 1:
            self._train_side_by_side(todo)
        else:
            with torch_threads(self.limits.threads):
                for each in todo:
                    self.trainer.answer(each)
        found = [self.known(each) for each in requests]
        assert all(each is not None for each in found)  # noqa: S101
        return [each for each in found if each is not None]

    def retry_failed(self, kinds: Sequence[str]) -> list[str]:
        """Forget that trainings failed, so that they are done again when they are asked for.

        Args:
            kinds: kinds of failures, see `nasbench_lab.train.live_search.failures.KINDS`.

        Returns:
            The reason of each.
        """
        forgotten = self.journal.forget_failures(kinds)
        for network, budget, _ in forgotten:
            self._known.pop((network, budget), None)
        return [reason for _, _, reason in forgotten]

    def _train_side_by_side(self, todo: Sequence[Request]) -> None:
        """Train in processes, which are kept for the next requests."""
        if self._workers is None:
            self._workers = TrainingWorkers(self.trainer, self.devices).__enter__()
            self._workers.get_ready()
        for each in todo:
            self._workers.submit(each)
        left = len(todo)
        try:
            while left:
                left -= len(self._workers.wait(60.0))
        except BaseException:
            self._end_workers()
            raise

    def _end_workers(self) -> None:
        if self._workers is not None:
            self._workers.__exit__()
            self._workers = None

    def at_epoch(self, trained: JournalledTraining, epochs: int) -> dict[str, FloatArray]:
        """Return the measurements of a training after a number of epochs, by quantity, each of shape (seeds,).

        They are rounded to float32, as in a table file. The seconds are those from the start.
        """
        arrays = trained.arrays
        found: dict[str, NDArray[Any]] = {name: arrays[name][:, epochs - 1] for name in arrays if name not in _OTHERS}
        found["seconds"] = np.nancumsum(arrays["seconds"], axis=1)[:, epochs - 1]
        if trained.reason:  # no training is free
            found["seconds"] = np.maximum(found["seconds"], max(trained.wall / len(self.spec.seeds), 1e-3))
        return {name: values.astype(np.float32).astype(np.float64) for name, values in found.items()}


def stored_spec(folder: Path) -> LiveSpec:
    """Return what the trainings of a folder are.

    Raises:
        DataError: the folder has no trainings, or is damaged.
    """
    path = folder / SPEC
    try:
        return LiveSpec.of_data(json.loads(path.read_text(encoding="utf-8")))
    except OSError:
        raise DataError(f"{folder} has no trainings of a live search") from None
    except (NasbenchLabError, ValueError, RecursionError) as error:
        raise DataError(f"{path} is damaged: {first_line(error)}") from error


def _describe(folder: Path, spec: LiveSpec) -> None:
    """Write what the trainings are, unless it is there."""
    path = folder / SPEC
    if not path.exists():
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(spec.to_data(), indent=1, sort_keys=True) + "\n", encoding="utf-8")


_OTHERS = ("seconds", "confusion", "failed")
