"""What evaluations of a table that computes its answers observe and cost: each step asks for one batch."""

from __future__ import annotations

from typing import final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import MissingDataError
from nasbench_lab.simulation.evaluator import AnyFidelities, AskedTrainings, Fidelities
from nasbench_lab.simulation.measurements import (
    MEAN,
    NO_TIMES,
    AnyMeasurements,
    Measurements,
    Observation,
    RepeatPolicy,
    check_policy,
)
from nasbench_lab.streams import Streams, scale
from nasbench_lab.tables.any_table import AnyTable
from nasbench_lab.tables.computed import Answers, ComputedTable
from nasbench_lab.tables.table import Table

_NOT_ASKED = 1.0
"""Seconds of what is not evaluated: the proposals of runs that have ended."""


def measurements_of(table: AnyTable, fidelity: int | None, repeat: RepeatPolicy) -> AnyMeasurements:
    """Return what evaluations of a table observe and cost; see `Measurements` for arguments and errors."""
    if isinstance(table, ComputedTable):
        return ComputedMeasurements(table, fidelity, repeat)
    assert isinstance(table, Table)  # noqa: S101 - there are two kinds of tables
    return Measurements(table, fidelity, repeat)


def fidelities_of(table: AnyTable, highest: AnyMeasurements) -> AnyFidelities:
    """Return what trainings of a table observe and cost at the fidelities up to that of the given measurements."""
    if isinstance(highest, ComputedMeasurements):
        return ComputedFidelities(highest)
    assert isinstance(table, Table)  # noqa: S101
    assert isinstance(highest, Measurements)  # noqa: S101
    return Fidelities(table, highest)


@final
class ComputedMeasurements(AnyMeasurements):
    """What evaluations of a computed table observe and cost at one fidelity.

    Args:
        table: the table.
        fidelity: training epochs of every evaluation; None means the highest.
        repeat: what an evaluation observes, see `Measurements`. A repeat is drawn from all, and a failed training is an
            observation without a value.
    """

    def __init__(self, table: ComputedTable, fidelity: int | None, repeat: RepeatPolicy) -> None:
        self.source = table
        self.table = table.name
        self.metric = table.objective
        self.fidelity = table.fidelities[table.fidelity_position(fidelity)]
        self.repeat = check_policy(table, repeat)
        self.best = float("nan")
        if self.repeat == "mean" and self.fidelity == table.fidelities[-1]:
            self.best = table.known_optimum("test" if table.description.valid is None else "valid")
        self._positive = ""

    def check_times(self, what: str) -> None:
        """Raise MissingDataError if there are no times. Those of every evaluation are checked when it is made."""
        advice = NO_TIMES.format(what)
        if not self.source.has_times:
            raise MissingDataError(f"table {self.table!r} has no times, {advice}")
        self._positive = advice

    def mean_seconds(self) -> float:
        """Raise MissingDataError: there is no mean over architectures that are not listed."""
        raise MissingDataError(
            f"table {self.table!r} computes its answers, so the mean time of a training is not known; "
            "give the budget in seconds"
        )

    def observable(self) -> FloatArray:
        """Return the lowest and the highest value that the table can give."""
        return np.array(possible_values(self.source, self.metric.name, self.fidelity))

    def observe(self, architecture: IntArray, streams: Streams) -> Observation:
        """Evaluate architectures, shape (runs, k), in one batch."""
        draws = self.repeat == "sample" and self.source.repeats > 1
        uniform = streams.uniform(architecture.shape[1]) if draws else np.zeros(architecture.shape)
        repeat = self.choose(uniform)
        asked = architecture >= 0
        answers = self.source.answers(architecture[asked], self.fidelity, repeat[asked])
        return self.observed(answers, answers.cost, repeat, asked)

    def choose(self, uniform: FloatArray) -> NDArray[np.int16]:
        """Return the repeats that uniform draws choose."""
        if self.repeat == "sample":
            return scale(uniform, self.source.repeats).astype(np.int16)
        return np.full(uniform.shape, MEAN if self.repeat == "mean" else self.repeat, dtype=np.int16)

    def observed(
        self, answers: Answers, cost: FloatArray | None, repeat: NDArray[np.int16], asked: NDArray[np.bool_]
    ) -> Observation:
        """Return answers, in the places where something was asked."""
        value = np.full(asked.shape, np.nan)
        value[asked] = answers.values[self.metric.name]
        if cost is None:
            return Observation(value, repeat, None)
        if self._positive and (cost <= 0).any():
            raise MissingDataError(
                f"table {self.table!r} gave seconds that are not positive, such as {cost.min():g}, {self._positive}"
            )
        seconds = np.full(asked.shape, _NOT_ASKED)
        seconds[asked] = cost
        return Observation(value, repeat, seconds)


@final
class ComputedFidelities(AnyFidelities):
    """What trainings of a computed table observe and cost at several fidelities.

    Args:
        highest: the measurements at the highest fidelity of the search.
    """

    def __init__(self, highest: ComputedMeasurements) -> None:
        self._highest = highest
        self.epochs = tuple(epochs for epochs in highest.source.fidelities if epochs <= highest.fidelity)
        self.resumable = highest.source.description.resumable

    def observe(self, trainings: AskedTrainings) -> Observation:
        """Return what trainings observe and cost; all of them are asked for in one batch."""
        table, asked = self._highest.source, trainings.architecture >= 0
        resumed = asked & (trainings.started > 0)
        repeat = np.where(resumed, trainings.repeat, self._highest.choose(trainings.uniform))
        answers = table.answers(trainings.architecture[asked], trainings.fidelity[asked], repeat[asked])
        cost = answers.cost
        if cost is not None and resumed.any():
            paid = table.answers(trainings.architecture[resumed], trainings.started[resumed], repeat[resumed]).training
            assert paid is not None  # noqa: S101 - there is a cost
            cost = cost.copy()
            cost[resumed[asked]] -= paid
        return self._highest.observed(answers, cost, repeat, asked)


_SAMPLE, _COSTLY_SAMPLE = 1024, 16
"""Numbers of architectures that show the range of a metric, where answers are cheap and where they are not."""


def sample_of(table: ComputedTable, count: int) -> IntArray:
    """Return architectures that stand for all of a table, the same ones for all runs, shape (count,)."""
    return table.space.draw(Streams(0, 0, 1), count)[0]


def possible_values(table: ComputedTable, metric: str, fidelity: int) -> tuple[float, float]:
    """Return between which numbers all values of a metric are, as far as it is known.

    Where the table does not say it, they are the values of random architectures, and on both sides once more the width
    of their range.

    Raises:
        MissingDataError: the table does not say it, and the values need trainings.
    """
    said = table.value_range(metric)
    if said is not None:
        return said
    some = sample_of(table, _SAMPLE if table.is_cheap else _COSTLY_SAMPLE)
    values = values_without_training(table, metric, some, fidelity)
    if np.isnan(values).all():
        return 0.0, 1.0
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    return 2 * low - high, 2 * high - low


def values_without_training(table: ComputedTable, metric: str, architecture: IntArray, fidelity: int) -> FloatArray:
    """Return a metric of architectures without what an evaluation costs: means over repeats where there are several.

    Raises:
        MissingDataError: it is known only after a training.
    """
    if table.description.metric(metric).axes == ("architecture",):
        return table.untrained(architecture, [metric])[metric]
    if not table.is_cheap:
        raise MissingDataError(
            f"{metric!r} of table {table.name!r} is known only after a training, so it can be neither an objective "
            "nor a limit; its class can say the range of values (value_range)"
        )
    return table.answers(architecture, fidelity, MEAN).values[metric]
