"""Training one architecture from several seeds side by side, epoch by epoch."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from nasbench_lab.errors import DataError, ParameterError
from nasbench_lab.files import atomic_path
from nasbench_lab.train.clock import training_clock
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.devices import Precision, reproducible_arithmetic
from nasbench_lab.train.image_batches import ImageBatches
from nasbench_lab.train.network_copies import Build, initialised
from nasbench_lab.train.recipes import TrainingRecipe

QUANTITIES = ("train_loss", "train_accuracy", "valid_loss", "valid_accuracy", "test_loss", "test_accuracy", "seconds")
"""Quantities that are measured in every epoch: losses (mean cross-entropy in nats), accuracies (percent) and seconds.

Losses and accuracies on train are computed on the batches while the network is trained on them, as in NATS-Bench; those
on valid and test are measured after the epoch. The seconds cover the training steps of the epoch and the validation
after them, divided by the number of trainings side by side. With one thread on a CPU they are processor time, so that
other processes on the machine do not count; otherwise they are wall-clock time.
"""

Report = Callable[[int, Mapping[str, NDArray[np.float64]]], None]
"""Called with the number of epochs that were reported before, and the quantities of those since then."""

Measured = Literal["every", "last"]
"""Whether valid and test are measured after every epoch, or after the last only."""


@dataclasses.dataclass(frozen=True, eq=False)
class LearningCurves:
    """The measurements of trainings, epoch by epoch.

    Attributes:
        values: the quantities of `QUANTITIES` by name, each of shape (seeds, epochs). A training fails in the first
            epoch with a loss that is not finite; its values are NaN from there on.
        failed: whether a training failed, shape (seeds,).
    """

    values: dict[str, NDArray[np.float64]]
    failed: NDArray[np.bool_]


class Training:
    """The training of one architecture from one or several seeds side by side.

    A seed determines the initial weights, the order of the images and their augmentation. Trainings side by side are
    copies in one network that share no weights. The same seeds give the same curves on the same platform with the same
    versions. Global settings of torch are unchanged after every call.

    Args:
        build: builds the network with a number of copies.
        dataset: data set to train on.
        recipe: how to train.
        seeds: one training per seed.
        device: name of a torch device.
        precision: precision of multiplications; ``"bfloat16"`` is mixed precision (autocast).
        measured: ``"every"`` measures valid and test after every epoch; ``"last"`` only after the last epoch, with NaN
            before. ``"last"`` takes about half of the time and does not change the training.

    Raises:
        ParameterError: there are no seeds, or a seed is given twice.

    >>> from nasbench_lab.train.datasets import digits
    >>> from nasbench_lab.train.networks import topology_network
    >>> def build(copies):
    ...     return topology_network([3] * 6, channels=2, cells=1, image_channels=1, copies=copies)
    >>> curves = Training(build, digits(), TrainingRecipe("short", 1, 60, 0.1), [0, 1]).finish()
    >>> curves.values["valid_accuracy"].shape, curves.failed.tolist()
    ((2, 1), [False, False])
    """

    def __init__(
        self,
        build: Build,
        dataset: Dataset,
        recipe: TrainingRecipe,
        seeds: Sequence[int],
        *,
        device: torch.device | str = "cpu",
        precision: Precision = "float32",
        measured: Measured = "every",
    ) -> None:
        if not seeds or len(set(seeds)) != len(seeds):
            raise ParameterError(f"a training needs one or more different seeds, got {list(seeds)}")
        self.dataset, self.recipe, self.seeds = dataset, recipe, tuple(seeds)
        self.device, self.precision, self.measured = torch.device(device), precision, measured
        self.batches = ImageBatches(dataset, recipe, self.seeds, self.device)
        network = initialised(build, self.seeds)
        self.network = network.to(self.device, memory_format=torch.channels_last)
        self.averaged = copy.deepcopy(self.network) if recipe.average else self.network
        self.optimizer = optimizer_of(recipe, list(self.network.parameters()))
        self.epoch = 0
        self._before = 0.0  # seconds that were spent before the first epoch
        self._values = {name: np.full((len(self.seeds), recipe.epochs), np.nan) for name in QUANTITIES}
        self._failed = np.zeros(len(self.seeds), dtype=bool)

    def start_from(self, state: Mapping[str, Tensor], seconds: float = 0.0) -> None:
        """Replace the initial weights, before the first epoch.

        Args:
            state: of a network with all copies.
            seconds: spent to find these weights, for all trainings side by side; the first epoch has them, too.
        """
        if self.epoch:
            raise ParameterError(
                f"this training has {self.epoch} epochs; initial weights are replaced before the first"
            )
        for network in (self.network, self.averaged):
            network.load_state_dict(dict(state))
        self._before = seconds

    def finish(self, checkpoint: Path | None = None, report: Report | None = None) -> LearningCurves:
        """Train to the end and return the learning curves.

        Args:
            checkpoint: file that is written after every epoch. If it exists, the training resumes from it.
            report: called after every epoch with the number of the last epoch that was reported before, at first 0,
                and the quantities of the epochs since then, each of shape (seeds, epochs). After resuming, the first
                call has all epochs of the checkpoint, too.

        Raises:
            DataError: the checkpoint is damaged or belongs to another training.
        """
        if checkpoint is not None and checkpoint.exists():
            self.load(checkpoint)
        reported = 0
        for _ in self.epochs():
            if checkpoint is not None:
                self.save(checkpoint)
            if report is not None:
                report(reported, {name: value[:, reported : self.epoch].copy() for name, value in self._values.items()})
                reported = self.epoch
        return self.curves

    def epochs(self) -> Iterator[int]:
        """Train, and yield the number of finished epochs after every epoch; stop when all trainings have failed."""
        while self.epoch < self.recipe.epochs and not self._failed.all():
            # Not around the yield: what the caller does there uses the caller's settings.
            with reproducible_arithmetic(self.device):
                self._train_epoch()
            self.epoch += 1
            yield self.epoch

    @property
    def curves(self) -> LearningCurves:
        """The learning curves so far."""
        return LearningCurves({name: value.copy() for name, value in self._values.items()}, self._failed.copy())

    def predict(self, split: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the predicted classes of a split, shape (seeds, images), and its labels, shape (images,)."""
        part = getattr(self.dataset, split)
        with reproducible_arithmetic(self.device):
            batches = self._evaluate(self.batches.evaluation(part))
            classes = [scores.argmax(-1).T.cpu().numpy() for scores, _ in batches]
        return np.concatenate(classes, axis=1), part.labels

    def _train_epoch(self) -> None:
        start = training_clock(self.device)
        row = dict(zip(("train_loss", "train_accuracy"), self._steps(), strict=True))
        is_measured = self.measured == "every" or self.epoch + 1 == self.recipe.epochs
        if is_measured:
            row["valid_loss"], row["valid_accuracy"] = self._measure("valid")
        took = training_clock(self.device) - start + (self._before if self.epoch == 0 else 0.0)
        row["seconds"] = np.full(len(self.seeds), took / len(self.seeds))
        if is_measured:
            row["test_loss"], row["test_accuracy"] = self._measure("test")
        losses = [values for name, values in row.items() if name.endswith("_loss")]
        self._failed |= ~np.isfinite(np.stack(losses)).all(axis=0)
        for name, values in row.items():
            self._values[name][:, self.epoch] = np.where(self._failed, np.nan, values)

    def _steps(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Train for one epoch and return the loss and accuracy of its batches, each of shape (seeds,)."""
        self.network.train()
        steps, tally = self.batches.steps, _Tally(len(self.seeds), self.device)
        weights, averages = (_floating(module) for module in (self.network, self.averaged))
        for number, (images, labels) in enumerate(self.batches.training(self.epoch), start=self.epoch * steps):
            for group in self.optimizer.param_groups:
                group["lr"] = self.recipe.rate(number, steps)
            losses = self._losses(scores := self._scores(self.network, images), labels)
            self.optimizer.zero_grad()
            # Copies share no weights, so the sum of their losses gives each copy the gradient of its own loss.
            losses.mean(dim=0).sum().backward()
            self.optimizer.step()
            if self.recipe.average:
                decay = min(self.recipe.average, number / (number + 3))
                torch._foreach_lerp_(averages, weights, 1 - decay)
            tally.add(scores, losses, labels)
        return tally.means()

    def _measure(self, split: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        tally = _Tally(len(self.seeds), self.device)
        for scores, labels in self._evaluate(self.batches.evaluation(getattr(self.dataset, split))):
            tally.add(scores, self._losses(scores, labels.expand(-1, len(self.seeds))), labels)
        return tally.means()

    @torch.no_grad()
    def _evaluate(self, batches: Iterable[tuple[Tensor, Tensor]]) -> Iterator[tuple[Tensor, Tensor]]:
        self.averaged.eval()
        for images, labels in batches:
            yield self._scores(self.averaged, images), labels

    def _scores(self, network: nn.Module, images: Tensor) -> Tensor:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            scores = network(images)
        return scores.float().view(len(images), len(self.seeds), self.dataset.classes)

    @staticmethod
    def _losses(scores: Tensor, labels: Tensor) -> Tensor:
        return functional.cross_entropy(scores.movedim(-1, 1), labels, reduction="none")

    def save(self, path: Path) -> None:
        """Write a checkpoint that the training can resume from. An existing file is replaced atomically."""
        state = {
            "identity": self._identity(),
            "epoch": self.epoch,
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "values": {name: torch.from_numpy(value) for name, value in self._values.items()},
            "failed": torch.from_numpy(self._failed),
        }
        with atomic_path(path) as temporary:
            torch.save(state, temporary)

    def load(self, path: Path) -> None:
        """Resume from a checkpoint that `save` wrote.

        Raises:
            DataError: the file is damaged or belongs to another training.
        """
        try:
            state: dict[str, Any] = torch.load(path, map_location=self.device, weights_only=True)
            identity = state["identity"]
        except Exception as error:  # torch.load fails in many ways
            raise DataError(
                f"{path} is not a readable checkpoint of a training, or damaged; delete it to train again"
            ) from error
        if identity != self._identity():
            raise DataError(f"{path} is the checkpoint of another training (recipe, data, seeds or network differ)")
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.epoch = state["epoch"]
        self._values = {name: state["values"][name].cpu().numpy() for name in QUANTITIES}
        self._failed = state["failed"].cpu().numpy()

    def _identity(self) -> dict[str, Any]:
        return {
            "recipe": repr(self.recipe),
            "dataset": self.dataset.digest(),
            "seeds": list(self.seeds),
            "precision": self.precision,
            "measured": self.measured,
            "network": repr(self.network),
        }


class _Tally:
    """Sums of losses and correct predictions on the device, which is not waited for before the end of an epoch."""

    def __init__(self, copies: int, device: torch.device) -> None:
        self._images = 0
        self._loss = torch.zeros(copies, dtype=torch.float64, device=device)
        self._right = torch.zeros(copies, dtype=torch.float64, device=device)

    @torch.no_grad()
    def add(self, scores: Tensor, losses: Tensor, labels: Tensor) -> None:
        self._images += len(scores)
        self._loss += losses.sum(dim=0)
        self._right += (scores.argmax(-1) == labels).sum(dim=0)

    def means(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the mean loss and the accuracy in percent, each of shape (copies,)."""
        return (self._loss / self._images).cpu().numpy(), (100 * self._right / self._images).cpu().numpy()


def _floating(module: nn.Module) -> list[Tensor]:
    return [value.detach() for value in module.state_dict().values() if value.is_floating_point()]


def optimizer_of(recipe: TrainingRecipe, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    """Return the optimiser of a recipe."""
    shared: dict[str, Any] = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay}
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(parameters, **shared)
    if recipe.optimizer == "rmsprop":
        return torch.optim.RMSprop(parameters, alpha=0.9, eps=1.0, momentum=recipe.momentum, **shared)
    nesterov = recipe.nesterov and recipe.momentum > 0
    return torch.optim.SGD(parameters, momentum=recipe.momentum, nesterov=nesterov, foreach=True, **shared)
