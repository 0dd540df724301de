"""What trainings of a table show: labels, learning curves, scores, and the seconds that they cost."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import MissingDataError
from nasbench_lab.simulation.measurements import MEAN, Measurements, RepeatPolicy
from nasbench_lab.spaces import Space
from nasbench_lab.tables import Metric, Table
from nasbench_lab.tables.description import Direction


class Labels(NamedTuple):
    """Full trainings of architectures; every array has shape (architectures,).

    Attributes:
        values: in the unit of the metric.
        repeats: which repeat was trained; -1 for the mean over repeats.
        seconds: of the trainings; NaN for a table without times.
    """

    values: FloatArray
    repeats: IntArray
    seconds: FloatArray


class TableTrainings:
    """The trainings of a table, as predictors see them.

    Args:
        table: the table.
        epochs: training epochs of labels; by default the highest fidelity.
        repeat: what a label is: one of the architecture's repeats (``"sample"``), their ``"mean"``, or the number of
            one. The mean costs the mean seconds of one training, as in simulated searches.

    Raises:
        UnknownNameError: the table has no such fidelity.
        ParameterError: the table has no such repeat.
        MissingDataError: the table has no values there.
    """

    def __init__(self, table: Table, epochs: int | None = None, repeat: RepeatPolicy = "sample") -> None:
        self.table = table
        self._measurements = Measurements(table, epochs, repeat)
        self.epochs = self._measurements.fidelity
        self.repeat: RepeatPolicy = self._measurements.repeat

    @property
    def space(self) -> Space:
        """The space of the table."""
        return self.table.space

    @property
    def objective(self) -> Metric:
        """The metric of labels."""
        return self.table.objective

    @property
    def direction(self) -> Direction:
        """Whether labels are maximised or minimised."""
        return self.objective.direction

    @cached_property
    def truth(self) -> FloatArray:
        """Mean values of the objective at the highest fidelity, shape (architectures,)."""
        return self.table.mean_values(self.objective.name)

    @cached_property
    def labelled(self) -> IntArray:
        """The architectures that have a true value, and a label at `epochs`, ascending."""
        here = self.table.mean_values(self.objective.name, self.epochs)
        return np.flatnonzero(np.isfinite(self.truth) & np.isfinite(here))

    def label(self, architectures: IntArray, uniform: FloatArray) -> Labels:
        """Train architectures.

        Args:
            architectures: indices, shape (n,).
            uniform: numbers in [0, 1) that choose their repeats, shape (n,).
        """
        seen = self._measurements.observe_with(architectures, uniform)
        seconds = np.full(len(architectures), np.nan) if seen.seconds is None else seen.seconds
        return Labels(seen.value, seen.repeat.astype(np.int64), seconds)

    def curves(self, metric: str, architectures: IntArray, repeats: IntArray, epochs: int) -> FloatArray:
        """Return learning curves up to some epochs, shape (architectures, points).

        The points are the fidelities of the table, see `points`. Where a repeat was not measured at a fidelity, its
        value is the mean over the repeats that were; NaN where there is none.

        Raises:
            UnknownNameError: there is no such metric.
            MissingDataError: the metric is not measured over epochs.
        """
        if "fidelity" not in self.table.description.metric(metric).axes:
            raise MissingDataError(f"{metric} of table {self.table.name!r} has no learning curve")
        return np.stack([self._at(metric, at, architectures, repeats) for at in self.points(epochs)], axis=1)

    def points(self, epochs: int) -> tuple[int, ...]:
        """Return the fidelities of the table up to some epochs."""
        self.table.fidelity_position(epochs)
        return tuple(at for at in self.table.fidelities if at <= epochs)

    def training_seconds(self, architectures: IntArray, repeats: IntArray, epochs: int) -> FloatArray:
        """Return the seconds of trainings up to some epochs, with one validation, shape (architectures,)."""
        if not self.table.has_times:
            return np.full(len(architectures), np.nan)
        return _of_repeat(self.table.cost(epochs)[architectures], repeats)

    def _at(self, metric: str, epochs: int, architectures: IntArray, repeats: IntArray) -> FloatArray:
        mean = self._means(metric, epochs)[architectures]
        values = self._repeats(metric, epochs)[architectures]
        if values.shape[1] == 1:
            return np.where(np.isnan(values[:, 0]), mean, values[:, 0])
        chosen = np.take_along_axis(values, np.maximum(repeats, 0)[:, None], axis=1)[:, 0]
        return np.where((repeats == MEAN) | np.isnan(chosen), mean, chosen)

    def _means(self, metric: str, epochs: int) -> FloatArray:
        return self._cached(metric, epochs)[0]

    def _repeats(self, metric: str, epochs: int) -> FloatArray:
        return self._cached(metric, epochs)[1]

    def _cached(self, metric: str, epochs: int) -> tuple[FloatArray, FloatArray]:
        if (metric, epochs) not in self._known:
            table = self.table
            self._known[metric, epochs] = table.mean_values(metric, epochs), table.repeat_values(metric, epochs)
        return self._known[metric, epochs]

    @cached_property
    def _known(self) -> dict[tuple[str, int], tuple[FloatArray, FloatArray]]:
        return {}


def _of_repeat(values: FloatArray, repeats: IntArray) -> FloatArray:
    """Return the values of repeats, or the mean where the mean was seen or a value is missing."""
    if values.shape[1] == 1:
        return values[:, 0]
    with np.errstate(invalid="ignore"):
        mean = np.nansum(values, axis=1) / (~np.isnan(values)).sum(axis=1)
    chosen = np.take_along_axis(values, np.maximum(repeats, 0)[:, None], axis=1)[:, 0]
    return np.where((repeats == MEAN) | np.isnan(chosen), mean, chosen)
