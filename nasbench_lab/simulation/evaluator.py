"""Evaluation of proposals: the observed values, their cost, and the record of trainings to resume later."""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import StrategyError
from nasbench_lab.simulation.measurements import MEAN, AnyMeasurements, Measurements, Observation
from nasbench_lab.strategies.problem import Proposals
from nasbench_lab.streams import Streams
from nasbench_lab.tables.table import Table


class Outcome(NamedTuple):
    """The outcome of evaluations, arrays of shape (runs, k)."""

    architecture: IntArray  # as proposed; -1 for no proposal
    value: FloatArray  # in the metric's unit
    repeat: NDArray[np.int16]  # number of the repeat, or MEAN
    seconds: FloatArray | None  # None if the table has no times
    fidelity: IntArray | None = None  # training epochs; None if all are the same
    epochs: IntArray | None = None  # epochs that were paid for; None if all are the same

    def each(self, function: Callable[[NDArray[Any]], NDArray[Any]]) -> Outcome:
        """Return an outcome with a function applied to every array that is not None."""
        return Outcome(*(None if array is None else function(array) for array in self))  # type: ignore[arg-type]


def joined_outcomes(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the outcomes of consecutive evaluations of the same runs as one."""
    columns = zip(*outcomes, strict=True)
    joined = (None if any(a is None for a in each) else np.concatenate(each, axis=1) for each in columns)
    return Outcome(*joined)  # type: ignore[arg-type]


class Evaluator(abc.ABC):
    """Evaluates the proposals of several runs, in the order of the proposals."""

    @abc.abstractmethod
    def evaluate(self, proposals: Proposals) -> Outcome:
        """Return the outcome of proposals, shape (runs, k); proposals of -1 are ignored."""


@final
class OneFidelity(Evaluator):
    """Evaluates at one fidelity: every evaluation is a training from the start for the same number of epochs."""

    def __init__(self, measurements: AnyMeasurements, draws: Streams) -> None:
        self._measurements, self._draws = measurements, draws

    def evaluate(self, proposals: Proposals) -> Outcome:
        """Observe one repeat of each architecture."""
        observation = self._measurements.observe(proposals.architecture, self._draws)
        return Outcome(proposals.architecture, *observation)


Which = tuple[IntArray, NDArray[np.int16]]
"""Architectures and numbers of repeats, of the same shape."""


class AskedTrainings(NamedTuple):
    """Trainings to observe, arrays of shape (runs, k).

    Attributes:
        architecture: indices; -1 for no training.
        fidelity: epochs up to which each is trained.
        started: epochs from which it is resumed; 0 for a training from the start.
        repeat: the repeat of the resumed training; without meaning where nothing is resumed.
        uniform: random numbers that choose the repeats of the other trainings.
    """

    architecture: IntArray
    fidelity: IntArray
    started: IntArray
    repeat: NDArray[np.int16]
    uniform: FloatArray


class AnyFidelities(abc.ABC):
    """What trainings of one table observe and cost at several fidelities.

    Attributes:
        epochs: the fidelities up to that of the search, ascending.
        resumable: whether trainings are resumed; otherwise, each is from the start.
    """

    epochs: tuple[int, ...]
    resumable: bool

    @abc.abstractmethod
    def observe(self, trainings: AskedTrainings) -> Observation:
        """Return what trainings observe and cost. A resumed training costs only what is added."""


@final
class Fidelities(AnyFidelities):
    """The measurements of one table at several fidelities, each prepared on first use.

    Args:
        table: the table.
        highest: the measurements at the highest fidelity.
    """

    def __init__(self, table: Table, highest: Measurements) -> None:
        self.table, self.highest = table, highest
        self.epochs = tuple(epochs for epochs in table.fidelities if epochs <= highest.fidelity)
        self.resumable = table.description.resumable
        self._prepared = {highest.fidelity: highest}
        self._arrays: dict[tuple[str, int], FloatArray] = {}

    def observe(self, trainings: AskedTrainings) -> Observation:
        """Return what trainings observe and cost, fidelity by fidelity."""
        where, fidelity, started = np.maximum(trainings.architecture, 0), trainings.fidelity, trainings.started
        value = np.full(where.shape, np.nan)
        repeat = np.full(where.shape, MEAN, dtype=np.int16)
        seconds = np.full(where.shape, np.nan) if self.table.has_times else None
        for epochs in np.unique(fidelity).tolist():
            here = fidelity == epochs
            seen = self.at(epochs).observe_with(where[here], trainings.uniform[here])
            value[here], repeat[here] = seen.value, seen.repeat
            if seconds is not None and seen.seconds is not None:
                seconds[here] = seen.seconds
            on = here & (started > 0)
            if on.any():
                repeat[on] = trainings.repeat[on]
                value[on] = self.values(epochs, where[on], repeat[on])
                if seconds is not None:
                    seconds[on] = self._added_seconds(epochs, where[on], started[on], repeat[on])
        return Observation(value, repeat, seconds)

    def _added_seconds(
        self, epochs: int, architecture: IntArray, started: IntArray, repeat: NDArray[np.int16]
    ) -> FloatArray:
        """Return the seconds of resumed trainings."""
        seconds = self.seconds("cost", epochs, (architecture, repeat))
        for earlier in np.unique(started).tolist():
            same = started == earlier
            seconds[same] -= self.seconds("training", earlier, (architecture[same], repeat[same]))
        return seconds

    def at(self, epochs: int) -> Measurements:
        """Return the measurements at a fidelity."""
        if epochs not in self._prepared:
            self._prepared[epochs] = Measurements(self.table, epochs, self.highest.repeat)
        return self._prepared[epochs]

    def values(self, epochs: int, architecture: IntArray, repeat: NDArray[np.int16]) -> FloatArray:
        """Return the values of the given repeats at a fidelity; NaN where a repeat was not measured there."""
        name = self.highest.metric.name
        shown = self._of_repeats("values", epochs, architecture, repeat)
        mean = repeat == MEAN
        if mean.any():
            shown[mean] = self.table.lookup(architecture[mean], epochs, "mean", name)
        return shown

    def seconds(self, part: Literal["cost", "training"], epochs: int, which: Which) -> FloatArray:
        """Return the seconds of the given repeats up to a fidelity: the full cost, or only the training."""
        return self._of_repeats(part, epochs, *which)

    def _of_repeats(self, what: str, epochs: int, architecture: IntArray, repeat: NDArray[np.int16]) -> FloatArray:
        if (what, epochs) not in self._arrays:
            table = self.table
            made = {
                "values": lambda: table.repeat_values(self.highest.metric.name, epochs),
                "cost": lambda: table.cost(epochs),
                "training": lambda: table.training_cost(epochs),
            }
            self._arrays[what, epochs] = made[what]()
        repeats = self._arrays[what, epochs]
        if repeats.shape[-1] == 1:
            return repeats[architecture, 0]
        shown = repeats[architecture, np.maximum(repeat, 0)]
        mean = repeat == MEAN
        if mean.any():
            rows = repeats[architecture[mean]]
            known = ~np.isnan(rows)
            with np.errstate(invalid="ignore"):
                shown[mean] = np.where(known, rows, 0.0).sum(axis=-1) / known.sum(axis=-1)
        return shown


@final
class ManyFidelities(Evaluator):
    """Evaluates at several fidelities: every proposal has a number of epochs, and may resume an earlier evaluation.

    If the table's trainings can be resumed, the resumed evaluation observes the same repeat and costs only the
    additional training. If not, it is a new training from the start.
    """

    def __init__(self, fidelities: AnyFidelities, draws: Streams, strategy: str) -> None:
        self._fidelities, self._draws, self._strategy = fidelities, draws, strategy
        self._run = np.arange(draws.runs)[:, None]
        self._count = 0
        self._past: dict[str, NDArray[Any]] = {
            "architecture": np.empty((16, draws.runs), dtype=np.int64),
            "fidelity": np.empty((16, draws.runs), dtype=np.int32),
            "repeat": np.empty((16, draws.runs), dtype=np.int16),
        }

    def evaluate(self, proposals: Proposals) -> Outcome:
        """Observe architectures at the proposed fidelities."""
        architecture = proposals.architecture
        where = np.maximum(architecture, 0)
        fidelity = self._check_fidelity(proposals)
        resume = self._check_resume(proposals, fidelity)
        started = np.where((resume >= 0) & self._fidelities.resumable, self._remember("fidelity", resume), 0)
        uniform = self._draws.uniform(where.shape[1]).copy()
        resumed = self._remember("repeat", resume)
        seen = self._fidelities.observe(AskedTrainings(architecture, fidelity, started, resumed, uniform))
        self._keep(where, fidelity, seen.repeat)
        return Outcome(architecture, seen.value, seen.repeat, seen.seconds, fidelity, fidelity - started)

    def _check_fidelity(self, proposals: Proposals) -> IntArray:
        if proposals.fidelity is None:
            return np.full(proposals.architecture.shape, self._fidelities.epochs[-1], dtype=np.int64)
        fidelity = np.asarray(proposals.fidelity)
        if fidelity.shape != proposals.architecture.shape or fidelity.dtype.kind not in "iu":
            raise StrategyError(f"strategy {self._strategy!r} must give one whole number of epochs per proposal")
        fidelity = np.where(proposals.architecture < 0, self._fidelities.epochs[-1], fidelity)
        wrong = ~np.isin(fidelity, self._fidelities.epochs)
        if wrong.any():
            allowed = ", ".join(map(str, self._fidelities.epochs))
            raise StrategyError(
                f"strategy {self._strategy!r} asked for {int(fidelity[wrong][0])} epochs; available: {allowed}"
            )
        return fidelity.astype(np.int64)

    def _check_resume(self, proposals: Proposals, fidelity: IntArray) -> IntArray:
        if proposals.resume is None:
            return np.full(fidelity.shape, -1, dtype=np.int64)
        resume = np.asarray(proposals.resume)
        if resume.shape != fidelity.shape or resume.dtype.kind not in "iu" or resume.max(initial=-1) >= self._count:
            raise StrategyError(f"strategy {self._strategy!r} resumes an evaluation that does not exist yet")
        resume = np.where(proposals.architecture < 0, -1, resume).astype(np.int64)
        on = resume >= 0
        other = self._remember("architecture", resume) != proposals.architecture
        if (on & (other | (self._remember("fidelity", resume) >= fidelity))).any():
            raise StrategyError(
                f"strategy {self._strategy!r} may only resume the same architecture from a lower fidelity"
            )
        return resume

    def _remember(self, what: str, number: IntArray) -> NDArray[Any]:
        """Return one column of the earlier evaluations with these numbers, shape (runs, k)."""
        return self._past[what][np.maximum(number, 0), self._run]

    def _keep(self, architecture: IntArray, fidelity: IntArray, repeat: NDArray[np.int16]) -> None:
        end = self._count + architecture.shape[1]
        kept: dict[str, NDArray[Any]] = {"architecture": architecture, "fidelity": fidelity, "repeat": repeat}
        for name, array in kept.items():
            past = self._past[name]
            if end > len(past):
                self._past[name] = np.empty((max(end, 2 * len(past)), past.shape[1]), dtype=past.dtype)
                self._past[name][: len(past)] = past
            self._past[name][self._count : end] = array.T
        self._count = end
