"""One training of a live search: resumed where it stopped, never done twice, its failure recorded."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from nasbench_lab.errors import DataError, NasbenchLabError, OutputError
from nasbench_lab.messages import first_line
from nasbench_lab.train.classification_metrics import confusion_matrix
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.live_search.failures import NOT_FINITE, OUT_OF_MEMORY, RETRIED, kind_of, too_long
from nasbench_lab.train.live_search.inherited_starts import ParentTraining, keep_weights, start_from, weights_path
from nasbench_lab.train.live_search.journal import JournalledTraining, TrainingJournal
from nasbench_lab.train.live_search.spec import LiveSpec, TrainingLimits
from nasbench_lab.train.network_builders import check_network
from nasbench_lab.train.training import QUANTITIES, Training

CHECKPOINTS = "checkpoints"
"""Name of the folder of checkpoints."""

_BETWEEN_CHECKPOINTS = 30.0  # seconds

EpochReport = Callable[[int], None]
"""Called with the number of finished epochs after every epoch."""


class Request(NamedTuple):
    """A training that somebody needs.

    Attributes:
        network: name of the network, see `NamedNetwork`.
        architecture: index of the architecture to train.
        budget: epochs of the whole training.
        epochs: epochs after which a measurement is needed.
        origin: whose weights it starts from; None for random weights.
    """

    network: str
    architecture: int
    budget: int
    epochs: int
    origin: ParentTraining | None = None


def with_origin(request: Request, origin: ParentTraining) -> Request:
    """Return the request of a training that starts from the weights of a parent: another training of the network.

    >>> request = Request("a", 3, 12, 12)
    >>> child = with_origin(request, ParentTraining("b", 4, 12, 12, "overlapping"))
    >>> child.network == request.network, child.architecture
    (False, 3)
    """
    name = f"{request.network} {request.architecture} {origin.rule} {origin.name}"
    return request._replace(network=hashlib.sha256(name.encode()).hexdigest()[:32], origin=origin)


class TrainingAnswer(NamedTuple):
    """The answer to a request.

    Attributes:
        trained: the measurements.
        fresh: whether they needed training now.
    """

    trained: JournalledTraining
    fresh: bool


def is_answered(known: JournalledTraining, request: Request, limits: TrainingLimits) -> bool:
    """Return whether a training has what is requested: the measurements and, if they are kept, the weights."""
    if not known.answers(request.epochs):
        return False
    kept = not limits.keep_weights or known.reason
    return bool(kept) or weights_path(limits.folder, request.network, request.budget, request.epochs).exists()


def nothing(_epoch: int) -> None:
    """Report nothing."""


@dataclasses.dataclass(frozen=True)
class Trainer:
    """Trains networks one after the other, on one device.

    Attributes:
        spec: what is trained.
        dataset: the loaded data set.
        journal: where finished trainings are kept.
        limits: how trainings are run.
        device: name of a torch device.
    """

    spec: LiveSpec
    dataset: Dataset
    journal: TrainingJournal
    limits: TrainingLimits
    device: str = "cpu"

    def answer(self, request: Request, report: EpochReport = nothing) -> TrainingAnswer:
        """Return the measurements of a training, which is done unless any process has finished it.

        While another process trains the same network, this one waits.

        Args:
            request: what is needed.
            report: called after every epoch.
        """
        if (known := self._known(request)) is not None:
            return TrainingAnswer(known, fresh=False)
        with self.journal.locked(request.network, request.budget):
            if (known := self._known(request)) is not None:
                return TrainingAnswer(known, fresh=False)
            started = time.monotonic()
            checkpoint = self._checkpoint(request)
            trained = self._train(request, checkpoint, started, report)
            self.journal.record(trained)
            if trained.epochs == trained.budget and not _may_be_retried(trained.reason):
                checkpoint.unlink(missing_ok=True)
        return TrainingAnswer(trained, fresh=True)

    def fail(self, request: Request, reason: str, wall: float) -> JournalledTraining:
        """Record a training as failed, for example because its process died, and return the record."""
        known = self.journal.find(request.network, request.budget)
        if known is not None and known.answers(request.epochs):
            return known
        failed = self._failed(request, reason, wall, self._recorded_curve(request))
        self.journal.record(failed)
        return failed

    def _known(self, request: Request) -> JournalledTraining | None:
        known = self.journal.find(request.network, request.budget)
        return known if known is not None and is_answered(known, request, self.limits) else None

    def _checkpoint(self, request: Request) -> Path:
        return self.limits.folder / CHECKPOINTS / f"{request.network}-{request.budget}.pt"

    def _train(self, request: Request, checkpoint: Path, started: float, report: EpochReport) -> JournalledTraining:
        """Train to the requested epoch; a failure becomes a record."""
        training: Training | None = None
        try:
            training = self._prepared(request, checkpoint)
            self._run(training, request, checkpoint, started, report)
        except _FailedError as error:
            reason = str(error)
        except (OutputError, DataError):
            raise
        except NasbenchLabError as error:  # there is no such network
            reason = first_line(error)
        except (MemoryError, RuntimeError) as error:
            reason = OUT_OF_MEMORY if _is_memory(error) else f"{type(error).__name__}: {first_line(error)}"
        else:
            return self._finished(training, request, started)
        curve = self._recorded_curve(request) if training is None else training.curves.values
        return self._failed(request, reason, time.monotonic() - started, curve)

    def _prepared(self, request: Request, checkpoint: Path) -> Training:
        """Return the training, as far as its checkpoint has it."""
        recipe = dataclasses.replace(self.spec.recipe, epochs=request.budget)
        build = self.spec.builder(request.architecture, self.dataset)
        check_network(build, self.dataset.image)

        def made() -> Training:
            return Training(
                build,
                self.dataset,
                recipe,
                self.spec.seeds,
                device=self.device,
                precision=self.spec.precision,
                measured="last" if self.spec.budgets else "every",
            )

        training = made()
        if checkpoint.exists():
            try:
                training.load(checkpoint)
            except DataError:  # half of it is no help; the training starts again
                checkpoint.unlink(missing_ok=True)
                training = made()
        if request.origin is not None and training.epoch == 0:
            start_from(
                training, build, self.spec, self.dataset, request.architecture, request.origin, self.limits.folder
            )
        return training

    def _run(self, training: Training, request: Request, checkpoint: Path, started: float, report: EpochReport) -> None:
        """Train until the requested epoch is finished, or all seeds have failed."""
        known = self.journal.find(request.network, request.budget)
        before = 0.0 if known is None else known.wall
        saved = time.monotonic()
        epochs = training.epochs() if training.epoch < request.epochs else iter(())
        for epoch in epochs:
            report(epoch)
            now = time.monotonic()
            longest = self.limits.longest
            if longest is not None and before + now - started > longest and epoch < request.epochs:
                training.save(checkpoint)  # another try continues here
                raise _FailedError(too_long(longest))
            if epoch >= request.epochs:
                break
            if now - saved > _BETWEEN_CHECKPOINTS:
                training.save(checkpoint)
                saved = now
        if training.curves.failed.all():
            raise _FailedError(NOT_FINITE)
        if training.epoch < request.budget:
            training.save(checkpoint)
        if self.limits.keep_weights:
            keep_weights(training, self.limits.folder, request.network)

    def _finished(self, training: Training, request: Request, started: float) -> JournalledTraining:
        arrays = {name: values[:, : training.epoch] for name, values in training.curves.values.items()}
        if training.epoch == request.budget:
            predicted, labels = training.predict("test")
            confusion = np.stack([confusion_matrix(labels, row, self.dataset.classes) for row in predicted])
            arrays["confusion"] = confusion.astype(np.int32)
        known = self.journal.find(request.network, request.budget)
        wall = time.monotonic() - started + (0.0 if known is None else known.wall)
        named = (request.network, request.budget, training.epoch, request.architecture)
        return JournalledTraining(*named, "", wall, arrays, _parent(request))

    def _recorded_curve(self, request: Request) -> dict[str, NDArray[Any]]:
        known = self.journal.find(request.network, request.budget)
        return {} if known is None else {name: known.arrays[name] for name in QUANTITIES}

    def _failed(self, request: Request, reason: str, wall: float, curve: dict[str, NDArray[Any]]) -> JournalledTraining:
        """Return the record of a failed training: what was measured, and NaN from there on."""
        arrays = {name: np.full((len(self.spec.seeds), request.budget), np.nan) for name in QUANTITIES}
        for name, values in curve.items():
            arrays[name][:, : values.shape[1]] = values
        known = self.journal.find(request.network, request.budget)
        wall += 0.0 if known is None else known.wall
        named = (request.network, request.budget, request.budget, request.architecture)
        return JournalledTraining(*named, reason, wall, arrays, _parent(request))


def _parent(request: Request) -> str:
    return "" if request.origin is None else request.origin.name


def _may_be_retried(reason: str) -> bool:
    return bool(reason) and kind_of(reason) in RETRIED


class _FailedError(Exception):
    """A training failed; the text says why."""


def _is_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError | torch.cuda.OutOfMemoryError) or "out of memory" in str(error).lower()
