"""What an evaluation observes: one repeat of the objective at one fidelity, and its cost."""

from __future__ import annotations

import abc
import math
from typing import Literal, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import MissingDataError, ParameterError
from nasbench_lab.simulation.budget import Budget
from nasbench_lab.streams import Streams, scale
from nasbench_lab.tables.any_table import MEAN_REPEAT, AnyTable
from nasbench_lab.tables.description import Metric
from nasbench_lab.tables.table import Table, best

RepeatPolicy = int | Literal["sample", "mean"]

MEAN = MEAN_REPEAT
"""Number of the repeat in a trace if the mean was observed."""


class Observation(NamedTuple):
    """The observations of evaluations; every array has the shape of the architectures."""

    value: FloatArray  # in the metric's unit
    repeat: NDArray[np.int16]  # number of the repeat, or MEAN
    seconds: FloatArray | None  # None if the table has no times


class AnyMeasurements(abc.ABC):
    """What evaluations of architectures of a table observe and cost at one fidelity."""

    table: str
    """Name of the table."""
    metric: Metric
    """The metric that is observed."""
    fidelity: int
    """Training epochs of every evaluation."""
    repeat: RepeatPolicy
    """What an evaluation observes; see `Measurements`."""
    best: float
    """The best value that an evaluation can observe; NaN if it is not known."""

    def resolved(self, budget: Budget) -> Budget:
        """Return a budget with trainings converted to epochs, and mean trainings to seconds.

        Raises:
            MissingDataError: it is in mean trainings, and the mean time of a training is not known.
        """
        at = budget.at(self.fidelity)
        return at if at.mean_trainings is None else at.in_seconds(self.mean_seconds())

    def check_budget(self, budget: Budget) -> None:
        """Raise MissingDataError if a budget is in seconds and some evaluation has no positive time.

        Without this check, a run could continue for ever.
        """
        if budget.seconds is not None:
            self.check_times("a budget in seconds is")

    @abc.abstractmethod
    def check_times(self, what: str) -> None:
        """Raise MissingDataError unless every evaluation has a positive time; ``what`` is what needs the times."""

    @abc.abstractmethod
    def mean_seconds(self) -> float:
        """Return the seconds of an evaluation, averaged over all architectures.

        Raises:
            MissingDataError: they are not known.
        """

    @abc.abstractmethod
    def observable(self) -> FloatArray:
        """Return values between whose lowest and highest are all that an evaluation can observe, shape (n,)."""

    @abc.abstractmethod
    def observe(self, architecture: IntArray, streams: Streams) -> Observation:
        """Evaluate architectures, shape (runs, k), with one draw each from the streams if there are several repeats.

        Architecture -1 is not evaluated; what is returned for it has no meaning.
        """


NO_TIMES = "so {} impossible; give the budget in evaluations, epochs or trainings, and one worker"
"""End of messages where times are missing."""


@final
class Measurements(AnyMeasurements):
    """The repeats that an evaluation can observe, per architecture, with their values and costs.

    Args:
        table: the table.
        fidelity: training epochs of every evaluation; None means the highest.
        repeat: what an evaluation observes: ``"sample"``, one of the architecture's repeats, drawn uniformly for
            every evaluation (the published mean if there are no single repeats); ``"mean"``, the mean over repeats; or
            the number of a repeat.

    Raises:
        UnknownNameError: the table has no such fidelity.
        ParameterError: the table has no such repeat.
        MissingDataError: the table does not have the objective at this fidelity or repeat.
    """

    def __init__(self, table: Table, fidelity: int | None, repeat: RepeatPolicy) -> None:
        self.table = table.name
        self.metric = table.objective
        self.fidelity = table.fidelities[table.fidelity_position(fidelity)]
        self.repeat = check_policy(table, repeat)
        if self.repeat == "sample":
            values, labels, self._count = _sampled(table, self.fidelity)
        else:
            values, labels, self._count = _fixed(table, self.fidelity, self.repeat)
        if np.isnan(values).all():
            raise MissingDataError(f"table {table.name!r} has no {self.metric.name} at {self.fidelity} epochs")
        self.best = best(values, self.metric)
        self._width = values.shape[1]
        self._values, self._labels = values.reshape(-1), labels.reshape(-1)
        self._label_is_choice = bool((labels == np.arange(self._width))[self._exists()].all())
        self._seconds = _seconds(table.cost(self.fidelity), labels) if table.has_times else None

    def choices(self) -> tuple[IntArray, NDArray[np.int16]]:
        """Return all pairs of an architecture and a repeat that an evaluation can observe, shape (choices,) each."""
        exists = self._exists()
        architecture = np.broadcast_to(np.arange(len(exists))[:, None], exists.shape)
        return architecture[exists], self._labels.reshape(exists.shape)[exists]

    def check_times(self, what: str) -> None:
        """Raise MissingDataError unless every evaluation has a positive time; ``what`` is what needs the times."""
        advice = NO_TIMES.format(what)
        if self._seconds is None:
            raise MissingDataError(f"table {self.table!r} has no times, {advice}")
        check_positive(self.table, "times", self._seconds.reshape(-1, self._width)[self._exists()], advice)

    def mean_seconds(self) -> float:
        """Return the seconds of an evaluation, averaged over all architectures; repeats count equally.

        Raises:
            MissingDataError: some evaluation has no positive time.
        """
        self.check_times("a budget in mean trainings is")
        assert self._seconds is not None  # noqa: S101 - checked
        seconds, exists = self._seconds.reshape(-1, self._width), self._exists()
        means = np.where(exists, seconds, 0.0).sum(axis=1) / exists.sum(axis=1)
        return math.fsum(means.tolist()) / len(means)  # exact, so the same on every machine

    def observable(self) -> FloatArray:
        """Return every value that an evaluation can observe, shape (n,)."""
        return self.outcomes()[0]

    def outcomes(self) -> tuple[FloatArray, FloatArray, IntArray]:
        """Return every value that an evaluation of a random architecture can observe; three arrays of the same shape.

        Returns:
            The values, their probabilities, and the architectures. Failed trainings (NaN) are omitted.
        """
        values = self._values.reshape(-1, self._width)
        exists = self._exists()
        probability = exists / exists.sum(axis=1, keepdims=True) / len(values)
        architecture = np.broadcast_to(np.arange(len(values))[:, None], values.shape)
        known = exists & ~np.isnan(values)
        return values[known], probability[known], architecture[known]

    def _exists(self) -> NDArray[np.bool_]:
        """Return which choices exist, shape (architectures, choices)."""
        architectures = len(self._values) // self._width
        return np.arange(self._width) < np.broadcast_to(self._count, architectures)[:, None]

    def observe(self, architecture: IntArray, streams: Streams) -> Observation:
        """Evaluate architectures, shape (runs, k), with one draw each from the streams if there are several repeats."""
        uniform = streams.uniform(architecture.shape[1]) if self._width > 1 else None
        return self.observe_with(np.maximum(architecture, 0), uniform)

    def observe_with(self, architecture: IntArray, uniform: FloatArray | None) -> Observation:
        """Evaluate architectures with the given uniform draws, of the same shape; unused with only one repeat."""
        where, choice = architecture, np.zeros((), dtype=np.int64)
        if self._width > 1 and uniform is not None:
            choice = scale(uniform, self._width if isinstance(self._count, int) else self._count.take(architecture))
            where = architecture * self._width
            where += choice
        value = self._values.take(where)
        repeat = choice.astype(np.int16) if self._label_is_choice else self._labels.take(where)
        seconds = None if self._seconds is None else self._seconds.take(where)
        return Observation(value, np.broadcast_to(repeat, where.shape), seconds)


def check_positive(table: str, noun: str, costs: FloatArray, advice: str) -> None:
    """Raise MissingDataError unless every evaluation has a cost, and all costs are positive.

    Args:
        table: name of the table.
        noun: of the costs, plural.
        costs: of all evaluations that are possible.
        advice: end of the message.
    """
    if np.isnan(costs).any():
        raise MissingDataError(f"table {table!r} lacks the {noun} of some evaluations, {advice}")
    if not (costs > 0).all():
        raise MissingDataError(f"table {table!r} has {noun} that are not positive, such as {costs.min():g}, {advice}")


def check_policy(table: AnyTable, repeat: RepeatPolicy) -> RepeatPolicy:
    """Return a policy with the number of a named repeat; raise ParameterError if the table has no such repeat."""
    if isinstance(repeat, str):
        if repeat not in ("sample", "mean"):
            raise ParameterError(f'repeat must be "sample", "mean" or a number, got {repeat!r}')
        return repeat
    return table.check_repeat(repeat)


def _sampled(table: Table, fidelity: int) -> tuple[FloatArray, NDArray[np.int16], int | IntArray]:
    """Return the existing repeats of every architecture, moved to the front: values, repeat numbers, counts."""
    repeats = table.repeat_values(table.objective.name, fidelity)
    order = np.argsort(np.isnan(repeats), axis=1, kind="stable")
    values = np.take_along_axis(repeats, order, axis=1)
    labels = order.astype(np.int16)
    count = (~np.isnan(repeats)).sum(axis=1, dtype=np.int64)
    without = count == 0
    values[without, 0] = table.mean_values(table.objective.name, fidelity)[without]
    labels[without, 0] = MEAN
    count = np.maximum(count, 1)
    width = int(count.max())
    everywhere = bool((count == width).all())
    return values[:, :width], labels[:, :width], width if everywhere else count


def _fixed(table: Table, fidelity: int, repeat: RepeatPolicy) -> tuple[FloatArray, NDArray[np.int16], int]:
    """Return the mean or one repeat of every architecture: values and repeat numbers, shape (architectures, 1)."""
    name = table.objective.name
    if repeat == "mean":
        values, label = table.mean_values(name, fidelity), MEAN
    else:
        assert not isinstance(repeat, str)  # noqa: S101 - narrowed by check_policy
        repeats = table.repeat_values(name, fidelity)
        values, label = repeats[:, repeat], repeat
        missing = int(np.isnan(values).sum())
        if missing:
            raise MissingDataError(
                f"{missing} of {table.space.size} architectures of {table.name!r} have no repeat {repeat} of {name} "
                f'at {fidelity} epochs; use repeat="sample" or "mean"'
            )
    return values[:, None], np.full((table.space.size, 1), label, dtype=np.int16), 1


def _seconds(cost: FloatArray, labels: NDArray[np.int16]) -> FloatArray:
    """Return the seconds of every architecture and choice, flattened; mean seconds where the mean is observed."""
    if cost.shape[1] == 1:
        return np.repeat(cost, labels.shape[1], axis=1).reshape(-1)
    with np.errstate(invalid="ignore"):
        mean = np.nansum(cost, axis=1) / (~np.isnan(cost)).sum(axis=1)
    chosen = np.take_along_axis(cost, np.maximum(labels, 0).astype(np.int64), axis=1)
    return np.where(labels == MEAN, mean[:, None], chosen).reshape(-1)
