"""Fast access to all trainings on one data set with one set of hyper-parameters, which are one learning-curve table.

The first architectures are read row by row, so that the first result from a table of gigabytes takes milliseconds. When
more architectures are requested, the whole arrays are verified once; then each value is one read of mapped memory. Only
the values of results are copied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.compat.nats import more_info
from nasbench_lab.compat.nats.errors import ArgumentError
from nasbench_lab.compat.nats.more_info import PartViews, Views
from nasbench_lab.compat.nats.trainings import EVALUATIONS, TRAIN, Measured, SplitMetrics, Trainings
from nasbench_lab.errors import DataError
from nasbench_lab.tables.store import open_table

_COSTS = ("parameters", "flops", "latency")
_FULL = ("architecture", "fidelity", "repeat")
_PER_TRAINING = ("architecture", "repeat")
_ROWS = 32  # architectures that are read row by row before whole arrays are verified


@final
class TrainingTable(Trainings):
    """The trainings of one table file with learning curves.

    Args:
        path: path of the file.
        dataset: official name of the data set.
        hp: official name of the hyper-parameters, e.g. ``"200"``.

    Raises:
        DataError: the file is damaged, or is not a table of NATS-Bench.
    """

    def __init__(self, path: Path, dataset: str, hp: str) -> None:
        table = open_table(path)
        self._axes = {metric.name: metric.axes for metric in table.description.metrics}
        every = (_part(name, self._axes) for name in (TRAIN, "valid", "test", "valtest"))
        parts = [part for part in every if part.name == TRAIN or part.name in EVALUATIONS[dataset].values()]
        seeds = _seeds(table.description.repeats, path)
        super().__init__(table, dataset, hp, len(table.fidelities), seeds, parts)
        self._check(path)
        self._order = sorted(range(self.repeats), key=self.seeds.__getitem__)
        self._rows: dict[int, Views] = {}
        self._whole: Views | None = None

    info_of_one = more_info.of_one
    info_of_all = more_info.of_all
    mean_accuracy = more_info.mean_accuracy

    def present(self, index: int) -> tuple[int, ...]:
        """Return the repeats in which an architecture was trained, ascending by seed; empty if there are none."""
        found = self._present.get(index)
        if found is None:
            if not 0 <= index < self.size:
                raise ArgumentError(f"there is no architecture {index}; the space has 0..{self.size - 1}")
            views, at = self.locate(index)
            last = ((at + 1) * self.epochs - 1) * self.repeats
            accuracies = views.metrics["train_accuracy"]
            found = tuple(repeat for repeat in self._order if accuracies[last + repeat] == accuracies[last + repeat])
            self._present[index] = found
        return found

    def trained(self) -> NDArray[np.intp]:
        """Return the indices of all trained architectures, without reading the learning curves."""
        costs = [self._table.values(metric).reshape(self.size, -1) for metric in _COSTS if metric in self._axes]
        return np.flatnonzero(~np.isnan(np.concatenate(costs, axis=1)).all(axis=1))

    def measured(self, part: str, index: int, repeat: int, epoch: int) -> Measured | None:
        """Return the measurements of a training on one set of images at an epoch; None if there are none."""
        known = self._parts[part]
        views, at = self.locate(index)
        here = (at * self.epochs + epoch) * self.repeats + repeat
        accuracy = views.metrics[known.accuracy][here]
        if accuracy != accuracy:
            return None
        times = self.seconds(known, index, repeat, epoch)
        return {
            "iepoch": epoch,
            "loss": views.metrics[known.loss][here],
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
        view = views.metrics[part.seconds]
        if part.steady:
            each = view[at * self.repeats + repeat]
            return (each,) * (epoch + 1) if each == each else ()
        first = at * self.epochs * self.repeats + repeat
        times: list[float] = view[first : first + epoch * self.repeats + 1 : self.repeats].tolist()
        return () if any(each != each for each in times) else times

    def curve(self, metric: str, index: int, repeat: int) -> list[float] | None:
        """Return a metric at every epoch, NaN where missing; None if the table has no such metric."""
        if metric not in self._axes:
            return None
        views, at = self.locate(index)
        first = at * self.epochs * self.repeats + repeat
        return views.metrics[metric][first : first + self.epochs * self.repeats : self.repeats].tolist()

    def once(self, metric: str, index: int, repeat: int) -> float | None:
        """Return a metric that does not depend on the epoch; None if missing."""
        axes = self._axes.get(metric)
        if axes is None:
            return None
        views, at = self.locate(index)
        value: float = views.metrics[metric][at * self.repeats + repeat if axes == _PER_TRAINING else at]
        return value if value == value else None

    def locate(self, index: int) -> tuple[Views, int]:
        """Return flat views of the metrics, and the number of the architecture in them."""
        if self._whole is not None:
            return self._whole, index
        row = self._rows.get(index)
        if row is not None:
            return row, 0
        if len(self._rows) < _ROWS:
            self._rows[index] = self._views({metric: _flat(self._table.row(metric, index)) for metric in self._axes})
            return self._rows[index], 0
        self._whole = self._views({metric: _flat(self._table.values(metric)) for metric in self._axes})
        self._rows.clear()
        return self._whole, index

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_rows": {}, "_whole": None}

    def _views(self, metrics: dict[str, Any]) -> Views:
        parts = [
            PartViews(
                part,
                metrics[part.accuracy],
                metrics[part.loss],
                metrics[part.seconds] if part.steady else None,
                *more_info.KEYS[part.name],
            )
            for part in self.parts
        ]
        return Views(metrics, tuple(parts))

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
