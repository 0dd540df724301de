"""What the faces ask of the trainings on one data set with one set of hyper-parameters, whatever table has them."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.compat.nats.errors import MissingResultError
from nasbench_lab.pickling import state_without_caches
from nasbench_lab.tables.table import Table

EVALUATIONS = {
    "cifar10-valid": {"x-valid": "valid", "ori-test": "test"},
    "cifar10": {"ori-test": "test"},
    "cifar100": {"x-valid": "valid", "x-test": "test", "ori-test": "valtest"},
    "ImageNet16-120": {"x-valid": "valid", "x-test": "test", "ori-test": "valtest"},
}
"""For each data set, the official names of the evaluation sets, and their names in our tables."""

TRAIN = "train"

Measured = dict[str, Any]
"""Measurements at one epoch: iepoch, loss, accuracy, cur_time and all_time (seconds; None if unknown)."""

Mean = Callable[[Sequence[Any]], Any]
"""Computes a mean as one of the official APIs does."""

_MOST_ANSWERS = 2**16  # results that are kept, about 1 kB each: all trainings of the topology space at one epoch


class SplitMetrics(NamedTuple):
    """Names of a table's metrics on one set of images; empty where the table has none.

    Attributes:
        name: name of the images in our tables: train, valid, test or valtest.
        accuracy: metric of the accuracy in percent.
        loss: metric of the loss.
        seconds: metric of the seconds per epoch.
        steady: whether the seconds are equal at all epochs of a training, and stored once.
    """

    name: str
    accuracy: str
    loss: str
    seconds: str
    steady: bool


class Trainings(abc.ABC):
    """The trainings on one data set with one set of hyper-parameters.

    Args:
        table: the table that has them.
        dataset: official name of the data set.
        hp: official name of the hyper-parameters, e.g. ``"200"``.
        epochs: number of epochs of each training.
        seeds: seed of every repeat of the table.
        parts: metrics of the sets of images with measurements.

    Attributes:
        repeats: largest number of trainings per architecture.
        answers: cache of earlier results, with keys of the caller's choice; see `remember`.
        costs: the same for the costs of architectures.
    """

    def __init__(
        self,
        table: Table,
        dataset: str,
        hp: str,
        epochs: int,
        seeds: Sequence[Any],
        parts: Sequence[SplitMetrics],
    ) -> None:
        self._table, self.dataset, self.hp, self.epochs = table, dataset, hp, epochs
        self.size = table.space.size
        self.repeats = table.repeats
        self.seeds, self.parts = tuple(seeds), tuple(parts)
        self._parts = {part.name: part for part in self.parts}
        self._present: dict[int, tuple[int, ...]] = {}
        self.answers: dict[int, dict[str, Any]] = {}
        self.costs: dict[int, dict[str, Any]] = {}

    @property
    def space(self) -> Any:
        """The search space."""
        return self._table.space

    @property
    def evaluations(self) -> Mapping[str, str]:
        """Official names of the evaluation sets, and their names in our tables."""
        return EVALUATIONS.get(self.dataset, {"x-valid": "valid", "x-test": "test"})

    def has_part(self, part: str) -> bool:
        """Return whether there are measurements on a set of images."""
        return part in self._parts

    @abc.abstractmethod
    def present(self, index: int) -> tuple[int, ...]:
        """Return the repeats in which an architecture was trained, ascending by seed; empty if there are none.

        Raises:
            ArgumentError: there is no architecture with that index.
        """

    @abc.abstractmethod
    def trained(self) -> NDArray[np.intp]:
        """Return the indices of all trained architectures, without reading the learning curves."""

    @abc.abstractmethod
    def info_of_one(self, index: int, repeat: int, epoch: int, comment: dict[str, Any]) -> dict[str, Any]:
        """Return the result of ``get_more_info`` for one training.

        Args:
            index: index of the architecture.
            repeat: repeat of the training.
            epoch: epoch, counted from 0.
            comment: entries to add after those of train.

        Raises:
            MissingResultError: the archive does not have a required value.
        """

    @abc.abstractmethod
    def info_of_all(
        self, index: int, repeats: Sequence[int], epoch: int, comment: dict[str, Any], mean: Mean
    ) -> dict[str, Any]:
        """Return the result of ``get_more_info`` for the means over trainings; see `info_of_one`."""

    @abc.abstractmethod
    def mean_accuracy(self, part: SplitMetrics, index: int, repeats: Sequence[int], mean: Mean) -> Any:
        """Return the mean accuracy of trainings after the last epoch; None if one of them has none."""

    @abc.abstractmethod
    def measured(self, part: str, index: int, repeat: int, epoch: int) -> Measured | None:
        """Return the measurements of a training on one set of images at an epoch; None if there are none."""

    @abc.abstractmethod
    def part_seconds(self, part: str, index: int, repeat: int) -> Sequence[float]:
        """Return the seconds of every epoch on one set of images; empty if they are unknown."""

    @abc.abstractmethod
    def curve(self, metric: str, index: int, repeat: int) -> list[float] | None:
        """Return a metric at every epoch, NaN where missing; None if the table has no such metric."""

    @abc.abstractmethod
    def once(self, metric: str, index: int, repeat: int) -> float | None:
        """Return flops, parameters (millions) or latency (s), which do not depend on the epoch; None if missing."""

    def evaluated_sets(self, index: int, repeat: int) -> list[str]:
        """Return the official names of the evaluation sets of a training."""
        last = self.epochs - 1
        return [
            name
            for name, part in self.evaluations.items()
            if self.has_part(part)
            and (self.measured(part, index, repeat, last) or self.part_seconds(part, index, repeat))
        ]

    def remember(self, answers: dict[int, dict[str, Any]], key: int, answer: dict[str, Any]) -> dict[str, Any]:
        """Store a result in a cache, which is emptied when it gets large, and return the result."""
        if len(answers) >= _MOST_ANSWERS:
            answers.clear()
        answers[key] = answer
        return answer

    def missing(self, what: str, index: int) -> MissingResultError:
        """Return the error for a result that the table does not have."""
        return missing(what, index, self.dataset, self.hp)

    def __getstate__(self) -> dict[str, Any]:
        return {**state_without_caches(self), "_present": {}, "answers": {}, "costs": {}}


def mean(values: Sequence[Any]) -> Any:
    """Return the sum divided by the number of values, as ``nats_bench`` does; NumPy adds in another order.

    >>> mean([1.0, 2.0])
    1.5
    """
    return sum(values) / len(values)


def average(found: Sequence[Measured], mean: Mean) -> Measured:
    """Return means of the measurements of several trainings by key; None if the first training has none."""
    answer = found[0].copy()
    for key, value in answer.items():
        answer[key] = mean([one[key] for one in found]) if value is not None else None
    return answer


def missing(what: str, index: int, dataset: str, hp: object) -> MissingResultError:
    """Return the error for a result that the archive does not have."""
    return MissingResultError(f"architecture {index} has no {what} on {dataset!r} with hp {hp}")
