"""What a strategy is given, what it proposes and what it is told: all that passes between it and the simulation."""

from __future__ import annotations

import abc
from dataclasses import dataclass, field
from typing import NamedTuple

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import unknown
from nasbench_lab.spaces.base import Space
from nasbench_lab.streams import Streams


class Scores(abc.ABC):
    """Scores of architectures that need no training, such as synflow or naswot. Asking for one costs simulated time.

    The time is charged to the run that asks, before its next evaluation starts.
    """

    @property
    @abc.abstractmethod
    def names(self) -> tuple[str, ...]:
        """Which scores there are."""

    @abc.abstractmethod
    def score(self, name: str, architecture: IntArray) -> FloatArray:
        """Return the scores of architectures, shape (runs, k) to (runs, k); higher is better, NaN where unknown.

        Raises:
            UnknownNameError: there is no such score.
        """


class NoScores(Scores):
    """Where a table has no scores."""

    names = ()

    def score(self, name: str, architecture: IntArray) -> FloatArray:
        """Raise UnknownNameError."""
        raise unknown("score", name, ())


@dataclass(frozen=True)
class Problem:
    """What a strategy is given before the first evaluation. It never learns more than this and what it is told.

    Attributes:
        space: what can be proposed.
        streams: the random numbers of all runs.
        fidelities: numbers of training epochs at which architectures can be evaluated, ascending. The last is the one
            that counts, and the one of proposals that do not say.
        workers: how many evaluations of a run can happen at the same time.
        objectives: names of what is told of every evaluation; the first is the one that incumbents are chosen by.
        scores: what can be asked about architectures without an evaluation.
    """

    space: Space
    streams: Streams
    fidelities: tuple[int, ...] = (1,)
    workers: int = 1
    objectives: tuple[str, ...] = ("value",)
    scores: Scores = field(default_factory=NoScores)

    @property
    def runs(self) -> int:
        """Number of runs that are simulated together."""
        return self.streams.runs


class Proposals(NamedTuple):
    """What every run evaluates next. Arrays of shape (runs, k).

    Attributes:
        architecture: indices; -1 where a run has nothing more to propose.
        fidelity: training epochs, out of `Problem.fidelities`; None for the highest.
        resume: number of the earlier evaluation, of the same architecture at a lower fidelity, that is gone on with; -1
            for a training from the start. The evaluations of a run are numbered 0, 1, 2, ... as they were proposed.
            Where the table's trainings cannot be resumed it is a training from the start, and costs one.
    """

    architecture: IntArray
    fidelity: IntArray | None = None
    resume: IntArray | None = None


class Evaluations(NamedTuple):
    """What is told of evaluations that ended. Arrays of shape (runs, k).

    Attributes:
        architecture: indices, as proposed.
        value: the observed objective; higher is better, whatever the metric; NaN for a failed training.
        number: which proposal of the run this was, counted from 0.
        fidelity: training epochs, None where all are the highest.
        objectives: all objectives, shape (runs, k, objectives), higher is better; None where there is only the value.
    """

    architecture: IntArray
    value: FloatArray
    number: IntArray
    fidelity: IntArray | None = None
    objectives: FloatArray | None = None
