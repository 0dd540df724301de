"""Fast access to all trainings on one data set with one set of hyper-parameters, which are one table.

The first architectures are read row by row, so that the first result from a table of gigabytes takes milliseconds. When
more architectures are requested, the whole arrays are verified once; then each value is one read of mapped memory. Only
the values of results are copied.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.compat.nats.errors import ArgumentError, MissingResultError
from nasbench_lab.errors import DataError
from nasbench_lab.tables.store import open_table

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

_COSTS = ("parameters", "flops", "latency")
_FULL = ("architecture", "fidelity", "repeat")
_PER_TRAINING = ("architecture", "repeat")
_ROWS = 32  # architectures that are read row by row before whole arrays are verified
_MOST_ANSWERS = 2**16  # results that are kept, about 1 kB each: all trainings of the topology space at one epoch


class SplitMetrics(NamedTuple):
    """Names of a table's metrics on one set of images.

    Attributes:
        name: name of the images in our tables: train, valid, test or valtest.
        accuracy: metric of the accuracy in percent.
        loss: metric of the loss.
        seconds: metric of the seconds per epoch; empty if the table has none.
        steady: whether the seconds are equal at all epochs of a training, and stored once.
    """

    name: str
    accuracy: str
    loss: str
    seconds: str
    steady: bool


Views = dict[str, Any]  # metric to a flat memory view of float64


@final
class TrainingTable:
    """The trainings of one table file.

    Args:
        path: path of the file.
        dataset: official name of the data set.
        hp: official name of the hyper-parameters, e.g. ``"200"``.

    Attributes:
        epochs: number of epochs of each training.
        repeats: largest number of trainings per architecture.
        seeds: seed of every repeat of the table.
        parts: metrics of the sets of images with measurements.
        answers: cache of earlier results, with keys of the caller's choice; see `remember`.
        costs: the same for the costs of architectures.

    Raises:
        DataError: the file is damaged, or is not a table of NATS-Bench.
    """

    def __init__(self, path: Path, dataset: str, hp: str) -> None:
        self._table = open_table(path)
        self.dataset, self.hp = dataset, hp
        self.size = self._table.space.size
        self.epochs = len(self._table.fidelities)
        self.seeds = _seeds(self._table.description.repeats, path)
        self.repeats = len(self.seeds)
        self._axes = {metric.name: metric.axes for metric in self._table.description.metrics}
        self._check(path)
        every = (_part(name, self._axes) for name in (TRAIN, "valid", "test", "valtest"))
        self.parts = tuple(part for part in every if part.name == TRAIN or part.name in EVALUATIONS[dataset].values())
        self._parts = {part.name: part for part in self.parts}
        self._order = sorted(range(self.repeats), key=self.seeds.__getitem__)
        self._rows: dict[int, Views] = {}
        self._whole: Views | None = None
        self._present: dict[int, tuple[int, ...]] = {}
        self.answers: dict[int, dict[str, Any]] = {}
        self.costs: dict[int, dict[str, Any]] = {}

    @property
    def space(self) -> Any:
        """The search space."""
        return self._table.space

    def present(self, index: int) -> tuple[int, ...]:
        """Return the repeats in which an architecture was trained, ascending by seed; empty if there are none.

        Raises:
            ArgumentError: there is no architecture with that index.
        """
        found = self._present.get(index)
        if found is None:
            if not 0 <= index < self.size:
                raise ArgumentError(f"there is no architecture {index}; the space has 0..{self.size - 1}")
            views, at = self.locate(index)
            last = ((at + 1) * self.epochs - 1) * self.repeats
            accuracies = views["train_accuracy"]
            found = tuple(repeat for repeat in self._order if accuracies[last + repeat] == accuracies[last + repeat])
            self._present[index] = found
        return found

    def trained(self) -> NDArray[np.intp]:
        """Return the indices of all trained architectures, without reading the learning curves."""
        costs = [self._table.values(metric).reshape(self.size, -1) for metric in _COSTS if metric in self._axes]
        return np.flatnonzero(~np.isnan(np.concatenate(costs, axis=1)).all(axis=1))

    def check_epoch(self, iepoch: int | None) -> int:
        """Return an epoch counted from 0; the last epoch for None.

        Raises:
            ArgumentError: the trainings do not have the epoch.
        """
        return check_epoch(iepoch, self.epochs)

    def repeat_of(self, index: int, seed: int) -> int:
        """Return the repeat of an architecture with a seed.

        Raises:
            ArgumentError: there is no such repeat.
        """
        present = self.present(index)
        for repeat in present:
            if self.seeds[repeat] == seed:
                return repeat
        raise ArgumentError(f"no training from seed {seed}; there are {[self.seeds[r] for r in present]}")

    def measured(self, part: str, index: int, repeat: int, epoch: int) -> Measured | None:
        """Return the measurements of a training on one set of images at an epoch; None if there are none."""
        known = self._parts[part]
        views, at = self.locate(index)
        here = (at * self.epochs + epoch) * self.repeats + repeat
        accuracy = views[known.accuracy][here]
        if accuracy != accuracy:
            return None
        times = self.seconds(known, index, repeat, epoch)
        return {
            "iepoch": epoch,
            "loss": views[known.loss][here],
            "accuracy": accuracy,
            "cur_time": times[epoch] if times else None,
            "all_time": sum(times) if times else None,
        }

    def part_seconds(self, part: str, index: int, repeat: int) -> Sequence[float]:
        """Return the seconds of every epoch on one set of images; empty if they are unknown."""
        return self.seconds(self._parts[part], index, repeat, self.epochs - 1)

    def seconds(self, part: SplitMetrics, index: int, repeat: int, epoch: int) -> Sequence[float]:
        """Return the seconds of each epoch up to and including ``epoch``; empty if they are unknown."""
        if not part.seconds:
            return ()
        views, at = self.locate(index)
        if part.steady:
            each = views[part.seconds][at * self.repeats + repeat]
            return (each,) * (epoch + 1) if each == each else ()
        first = at * self.epochs * self.repeats + repeat
        times: list[float] = views[part.seconds][first : first + epoch * self.repeats + 1 : self.repeats].tolist()
        return () if any(each != each for each in times) else times

    def curve(self, metric: str, index: int, repeat: int) -> list[float] | None:
        """Return a metric at every epoch, NaN where missing; None if the table has no such metric."""
        if metric not in self._axes:
            return None
        views, at = self.locate(index)
        first = at * self.epochs * self.repeats + repeat
        return views[metric][first : first + self.epochs * self.repeats : self.repeats].tolist()

    def once(self, metric: str, index: int, repeat: int) -> float | None:
        """Return a metric that does not depend on the epoch; None if missing."""
        axes = self._axes.get(metric)
        if axes is None:
            return None
        views, at = self.locate(index)
        value: float = views[metric][at * self.repeats + repeat if axes == _PER_TRAINING else at]
        return value if value == value else None

    def evaluations(self, index: int, repeat: int) -> list[str]:
        """Return the official names of the evaluation sets of a training."""
        last = self.epochs - 1
        return [
            name
            for name, part in EVALUATIONS[self.dataset].items()
            if self.measured(part, index, repeat, last) or self.seconds(self._parts[part], index, repeat, 0)
        ]

    def remember(self, answers: dict[int, dict[str, Any]], key: int, answer: dict[str, Any]) -> dict[str, Any]:
        """Store a result in a cache, which is emptied when it gets large, and return the result."""
        if len(answers) >= _MOST_ANSWERS:
            answers.clear()
        answers[key] = answer
        return answer

    def locate(self, index: int) -> tuple[Views, int]:
        """Return flat views by metric, and the number of the architecture in them."""
        if self._whole is not None:
            return self._whole, index
        row = self._rows.get(index)
        if row is not None:
            return row, 0
        if len(self._rows) < _ROWS:
            self._rows[index] = {metric: _flat(self._table.row(metric, index)) for metric in self._axes}
            return self._rows[index], 0
        self._whole = {metric: _flat(self._table.values(metric)) for metric in self._axes}
        self._rows.clear()
        return self._whole, index

    def _check(self, path: Path) -> None:
        """Raise DataError unless the table has the metrics and axes of an imported archive."""
        wanted: dict[str, tuple[tuple[str, ...], ...]] = dict.fromkeys(_COSTS, (("architecture",), _PER_TRAINING))
        for name in (TRAIN, *EVALUATIONS[self.dataset].values()):
            part = _part(name, self._axes)
            wanted |= {part.accuracy: (_FULL,), part.loss: (_FULL,)}
            wanted |= {part.seconds: (_PER_TRAINING, _FULL)} if part.seconds else {}
        for metric, allowed in wanted.items():
            if self._axes.get(metric) not in allowed:
                raise DataError(f"{path} is not an imported archive of NATS-Bench: {metric!r} is missing or different")
        if self._table.fidelities != tuple(range(1, self.epochs + 1)):
            raise DataError(f"{path} is not an imported archive of NATS-Bench: it does not have every epoch")


def mean(values: Sequence[Any]) -> Any:
    """Return the sum divided by the number of values, as ``nats_bench`` does; NumPy adds in another order.

    >>> mean([1.0, 2.0])
    1.5
    """
    return sum(values) / len(values)


def average(found: Sequence[Measured], mean: Callable[[Sequence[Any]], Any]) -> Measured:
    """Return means of the measurements of several trainings by key; None if the first training has none."""
    return {key: mean([one[key] for one in found]) if value is not None else None for key, value in found[0].items()}


def check_epoch(iepoch: int | None, epochs: int) -> int:
    """Return an epoch counted from 0; the last epoch for None.

    Raises:
        ArgumentError: there is no such epoch.
    """
    if iepoch is None:
        return epochs - 1
    if not 0 <= iepoch < epochs:
        raise ArgumentError(f"epoch {iepoch} is not in 0..{epochs - 1}")
    return iepoch


def missing(what: str, index: int, dataset: str, hp: object) -> MissingResultError:
    """Return the error for a result that the archive does not have."""
    return MissingResultError(f"architecture {index} has no {what} on {dataset!r} with hp {hp}")


def _part(name: str, axes: Mapping[str, tuple[str, ...]]) -> SplitMetrics:
    """Return the metrics of one set of images among those of a table."""
    seconds = "epoch_seconds" if name == TRAIN else f"{name}_seconds"
    known = seconds if seconds in axes else ""
    return SplitMetrics(name, f"{name}_accuracy", f"{name}_loss", known, axes.get(known) == _PER_TRAINING)


def _flat(array: NDArray[Any]) -> Any:
    return np.ascontiguousarray(array, dtype=np.float64).reshape(-1).data


def _seeds(repeats: Sequence[str], path: Path) -> tuple[int, ...]:
    try:
        return tuple(map(int, repeats))
    except ValueError:
        raise DataError(f"{path} is not an imported archive of NATS-Bench: its repeats are not seeds") from None
