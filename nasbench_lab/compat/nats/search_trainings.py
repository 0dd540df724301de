"""The trainings that a table for searches describes: few epochs, often only means, and not all metrics.

Such tables are those of the catalogue (``nats-bench-tss/cifar10``), the search tables of an imported archive, and
tables of users. What a table lacks is not in the results, and asking a result for it is an error that says so.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray
from nasbench_lab.compat.nats.errors import ArgumentError, MissingResultError
from nasbench_lab.compat.nats.more_info import KEYS
from nasbench_lab.compat.nats.trainings import TRAIN, Mean, Measured, SplitMetrics, Trainings
from nasbench_lab.errors import DataError
from nasbench_lab.tables.any_table import SECONDS_PER_EPOCH
from nasbench_lab.tables.table import Table

MEAN = "mean"
"""Name, in place of a seed, of results that are means over trainings."""

_MEAN = -1  # the repeat with that name
_PER_MILLION, _PER_CENT = 1e-6, 100
_SPLITS = (TRAIN, "valid", "test", "valtest")
_HALVES = {"cifar10-valid": ("valid",), "cifar10": ("test", "valtest")}
"""Where a table of CIFAR-10 has two trainings: the one that is validated, and the one on all training images."""


@final
class PartialAnswer(dict[str, Any]):
    """Measurements by name, with an error that says what the table lacks for all other names."""

    def __init__(self, lacking: str, values: Mapping[str, Any] | None = None) -> None:
        super().__init__(values or {})
        self._lacking = lacking

    def __missing__(self, key: object) -> Any:
        raise MissingResultError(f"{self._lacking} has no {key!r}; it has {', '.join(map(str, self))}")

    def copy(self) -> PartialAnswer:
        """Return a copy with the same error."""
        return PartialAnswer(self._lacking, self)

    def __reduce__(self) -> tuple[Any, ...]:
        return PartialAnswer, (self._lacking, dict(self))


class _Column(NamedTuple):
    """A metric at one epoch: of single trainings (architectures, repeats), and published means or None."""

    single: FloatArray
    means: FloatArray | None


def trainings_of(table: Table) -> dict[tuple[str, str], Callable[[], Trainings]]:
    """Return the trainings of a table by data set and hyper-parameters, as functions that make them.

    The data set is the last part of the table's name. If trainings cannot be resumed, every fidelity is a set of
    hyper-parameters of its own. Otherwise fidelities are epochs of the same trainings, whose hyper-parameters are named
    by the last of them.

    Raises:
        DataError: the table has no accuracies.
    """
    parts = [part for name in _SPLITS if (part := _part(table, name)) is not None]
    if not any(part.accuracy for part in parts):
        raise DataError(f"table {table.name!r} has no metrics named like valid_accuracy or test_accuracy")
    dataset = table.name.rpartition("/")[2]
    halves = _HALVES if dataset == "cifar10" else {dataset: _SPLITS[1:]}
    found: dict[tuple[str, str], Callable[[], Trainings]] = {}
    for name, splits in halves.items():
        # The seconds of a training are of the one that is validated.
        own = [part for part in parts if part.name in splits or (part.name == TRAIN and name != "cifar10")]
        if not any(part.accuracy for part in own):
            continue
        fidelities = table.fidelities[-1:] if table.description.resumable else table.fidelities
        for last in fidelities:
            known = table.fidelities if table.description.resumable else (last,)
            hp = f"{last:02d}"
            found[name, hp] = functools.partial(SearchTrainings, table, name, hp, known, own)
    return found


@final
class SearchTrainings(Trainings):
    """Trainings of one table on one data set with one set of hyper-parameters.

    A random training is the mean over trainings where only that was published, with a warning.

    Args:
        table: the table.
        dataset: name of the data set.
        hp: name of the hyper-parameters.
        fidelities: numbers of epochs with measurements, ascending.
        parts: metrics of the sets of images.
    """

    def __init__(
        self, table: Table, dataset: str, hp: str, fidelities: Sequence[int], parts: Sequence[SplitMetrics]
    ) -> None:
        repeats = table.description.repeats
        names = [int(name) for name in repeats] if all(name.isdecimal() for name in repeats) else list(repeats)
        super().__init__(table, dataset, hp, fidelities[-1], (*names, MEAN), parts)
        self._fidelities = tuple(fidelities)
        self._warned: set[str] = set()

    def present(self, index: int) -> tuple[int, ...]:
        """Return the repeats with an accuracy after the last epoch, or only that of the mean if there are none."""
        if not 0 <= index < self.size:
            raise ArgumentError(f"there is no architecture {index}; the space has 0..{self.size - 1}")
        single, means = self._accuracies
        found = tuple(np.flatnonzero(single[index]).tolist())
        return found or ((_MEAN,) if means[index] else ())

    def trained(self) -> NDArray[np.intp]:
        """Return the indices of all trained architectures."""
        single, means = self._accuracies
        return np.flatnonzero(single.any(axis=1) | means)

    def info_of_one(self, index: int, repeat: int, epoch: int, comment: dict[str, Any]) -> dict[str, Any]:
        """Return the result of ``get_more_info`` for one training."""
        for part in self.parts:
            self._warn_of_mean(part.accuracy, index, repeat, epoch)
        return self._info(index, epoch, comment, lambda metric: self._number(metric, index, repeat, epoch))

    def info_of_all(
        self, index: int, repeats: Sequence[int], epoch: int, comment: dict[str, Any], mean: Mean
    ) -> dict[str, Any]:
        """Return the result of ``get_more_info`` for the means over trainings."""
        return self._info(index, epoch, comment, lambda metric: self._mean(metric, index, repeats, epoch, mean))

    def mean_accuracy(self, part: SplitMetrics, index: int, repeats: Sequence[int], mean: Mean) -> Any:
        """Return the mean accuracy of trainings after the last epoch; None if there is none."""
        return self._mean(part.accuracy, index, repeats, self.epochs - 1, mean)

    def measured(self, part: str, index: int, repeat: int, epoch: int) -> Measured | None:
        """Return the measurements of a training on one set of images at an epoch; None if there are none."""
        if not self.has_part(part):
            return None
        known = self._parts[part]
        values = {key: self._number(metric, index, repeat, epoch) for key, metric in _measurements(known)}
        times = self.part_seconds(part, index, repeat)
        if values["accuracy"] is None and not (part == TRAIN and times):
            return None
        answer = PartialAnswer(f"table {self._table.name!r}", {"iepoch": epoch})
        answer.update({key: value for key, value in values.items() if value is not None})
        answer["cur_time"] = times[epoch] if times else None
        answer["all_time"] = self._all_seconds(known, index, repeat, epoch)
        return answer

    def part_seconds(self, part: str, index: int, repeat: int) -> Sequence[float]:
        """Return the seconds of every epoch on one set of images; empty if they are unknown."""
        known = self._parts.get(part)
        every = None if known is None else self._all_seconds(known, index, repeat, self.epochs - 1)
        return () if every is None else (every / self.epochs,) * self.epochs

    def curve(self, metric: str, index: int, repeat: int) -> list[float] | None:
        """Return a metric at every epoch, NaN where missing; None if the table has no such metric."""
        if metric not in self._table.metrics:
            return None
        found = (self._number(metric, index, repeat, epoch) for epoch in range(self.epochs))
        return [float("nan") if value is None else value for value in found]

    def once(self, metric: str, index: int, repeat: int) -> float | None:
        """Return flops, parameters (millions) or latency (s); None if missing."""
        if metric not in self._table.metrics:
            return None
        value = self._number(metric, index, repeat, self.epochs - 1)
        counted = self._table.description.metric(metric).unit == "count"
        return value * _PER_MILLION if counted and value is not None else value

    def _info(
        self, index: int, epoch: int, comment: dict[str, Any], number: Callable[[str], float | None]
    ) -> dict[str, Any]:
        """Return the measurements that the table has at an epoch, where ``number`` gives the value of a metric."""
        if epoch + 1 not in self._fidelities:
            known = ", ".join(str(fidelity - 1) for fidelity in self._fidelities)
            raise self.missing(f"measurement at epoch {epoch} (from 0; there are {known})", index)
        answer = PartialAnswer(f"the result of table {self._table.name!r} at epoch {epoch}")
        for part in self.parts:
            loss, right, per_time, all_time = KEYS[part.name]
            accuracy, lost, seconds = number(part.accuracy), number(part.loss), number(part.seconds)
            if accuracy is None and part.name != TRAIN:
                continue
            answer.update({key: value for key, value in ((loss, lost), (right, accuracy)) if value is not None})
            if seconds is not None:
                every = seconds if self._is_total(part) else seconds * (epoch + 1)
                answer[per_time], answer[all_time] = every / (epoch + 1), every
            if part.name == TRAIN:
                answer.update(comment)
        if not answer:
            raise self.missing(f"measurement at epoch {epoch} (from 0)", index)
        return answer

    def _is_total(self, part: SplitMetrics) -> bool:
        """Return whether the seconds are of the training until the epoch, not of one pass over the images."""
        return part.name == TRAIN and self._table.description.metric(part.seconds).unit != SECONDS_PER_EPOCH

    def _all_seconds(self, part: SplitMetrics, index: int, repeat: int, epoch: int) -> float | None:
        seconds = self._number(part.seconds, index, repeat, epoch)
        return seconds if seconds is None or self._is_total(part) else seconds * (epoch + 1)

    def _number(self, metric: str, index: int, repeat: int, epoch: int) -> float | None:
        """Return a metric of one training, or the mean over trainings if only that was published; None if missing."""
        column = self._column(metric, epoch)
        if column is None:
            return None
        alone = column.single.shape[1] == 1  # the same number for all trainings
        if repeat != _MEAN or alone:
            value = float(column.single[index, 0 if alone else repeat])
            if value == value:
                return value
        return self._published_mean(column, index)

    def _mean(self, metric: str, index: int, repeats: Sequence[int], epoch: int, mean: Mean) -> Any:
        column = self._column(metric, epoch)
        if column is None:
            return None
        singles = [float(value) for value in column.single[index] if value == value]
        return mean(singles) if singles else self._published_mean(column, index)

    @staticmethod
    def _published_mean(column: _Column, index: int) -> float | None:
        value = float("nan") if column.means is None else float(column.means[index])
        return value if value == value else None

    def _warn_of_mean(self, metric: str, index: int, repeat: int, epoch: int) -> None:
        """Warn, once per metric, where the mean over trainings is returned for a single one."""
        column = None if metric in self._warned else self._column(metric, epoch)
        if column is None or self._published_mean(column, index) is None:
            return
        if repeat == _MEAN or np.isnan(column.single[index, min(repeat, column.single.shape[1] - 1)]):
            self._warned.add(metric)
            warnings.warn(
                f"table {self._table.name!r} has only the mean over trainings of {metric!r} at {self.epochs} epochs; "
                "it is returned for single trainings",
                stacklevel=5,
            )

    def _column(self, metric: str, epoch: int) -> _Column | None:
        """Return a metric at an epoch; None if the table does not have it."""
        if not metric or epoch + 1 not in self._fidelities:
            return None
        found = self._columns.get((metric, epoch))
        if found is None:
            means = self._table.published_means(metric)
            position = self._table.fidelity_position(epoch + 1)
            unit = _PER_CENT if self._table.description.metric(metric).unit == "fraction" else 1
            single = self._table.repeat_values(metric, epoch + 1) * unit
            found = _Column(single, None if means is None else means[:, position] * unit)
            self._columns[metric, epoch] = found
        return found

    @cached_property
    def _columns(self) -> dict[tuple[str, int], _Column]:
        return {}

    @cached_property
    def _accuracies(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Whether any accuracy is known of every training (architectures, repeats), and of means (architectures,)."""
        single = np.zeros((self.size, self.repeats), dtype=bool)
        means = np.zeros(self.size, dtype=bool)
        for part in self.parts:
            column = self._column(part.accuracy, self.epochs - 1)
            if column is not None:
                single[:, : column.single.shape[1]] |= ~np.isnan(column.single)
                means |= False if column.means is None else ~np.isnan(column.means)
        return single, means


def _part(table: Table, name: str) -> SplitMetrics | None:
    """Return the metrics of one set of images, or None if the table has none."""
    description = table.description
    roles = {"valid": description.valid, "test": description.test}
    accuracy = f"{name}_accuracy" if f"{name}_accuracy" in table.metrics else roles.get(name) or ""
    if accuracy and description.metric(accuracy).direction != "maximize" and accuracy == roles.get(name):
        accuracy = ""
    loss = f"{name}_loss" if f"{name}_loss" in table.metrics else ""
    if name == TRAIN:
        seconds = description.cost[0] if description.cost else ""
    else:
        seconds = f"{name}_seconds" if f"{name}_seconds" in table.metrics else ""
    return SplitMetrics(name, accuracy, loss, seconds, False) if accuracy or seconds else None


def _measurements(part: SplitMetrics) -> tuple[tuple[str, str], tuple[str, str]]:
    return (("loss", part.loss), ("accuracy", part.accuracy))
