"""The messages between a strategy and the simulation: the problem, the proposals and the evaluations."""

from __future__ import annotations

import abc
from dataclasses import dataclass, field
from typing import NamedTuple

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.messages import unknown
from nasbench_lab.spaces.base import Space
from nasbench_lab.streams import Streams


class Scores(abc.ABC):
    """Scores of architectures that need no training of the architecture, such as synflow, or accuracies in a supernet.

    Asking for a score costs simulated time. The run that asks pays it before its next evaluation starts. The training
    of a supernet is paid once per run, with its first score.
    """

    @property
    @abc.abstractmethod
    def names(self) -> tuple[str, ...]:
        """Names of the available scores."""

    @abc.abstractmethod
    def score(self, name: str, architecture: IntArray) -> FloatArray:
        """Return the scores of architectures, shape (runs, k) to (runs, k); higher is better, NaN where unknown.

        Raises:
            UnknownNameError: there is no such score.
        """


class NoScores(Scores):
    """The scores of a table that has none."""

    names = ()

    def score(self, name: str, architecture: IntArray) -> FloatArray:
        """Raise UnknownNameError."""
        raise unknown("score", name, ())


@dataclass(frozen=True)
class Problem:
    """What a strategy knows before the first evaluation. Later it learns only what it is told.

    Attributes:
        space: the search space.
        streams: the random numbers of all runs.
        fidelities: numbers of training epochs at which architectures can be evaluated, ascending. The last one is the
            fidelity that counts, and the default of proposals.
        workers: number of evaluations of a run that can happen at the same time.
        objectives: names of the observed values of every evaluation; the first one decides the incumbents.
        scores: scores of architectures that need no evaluation.
        inherits: whether a proposal may name a parent, from whose weights its training starts.
    """

    space: Space
    streams: Streams
    fidelities: tuple[int, ...] = (1,)
    workers: int = 1
    objectives: tuple[str, ...] = ("value",)
    scores: Scores = field(default_factory=NoScores)
    inherits: bool = False

    @property
    def runs(self) -> int:
        """Number of runs that are simulated together."""
        return self.streams.runs


class Proposals(NamedTuple):
    """What every run evaluates next. Arrays of shape (runs, k).

    Attributes:
        architecture: indices; -1 where a run has nothing more to propose.
        fidelity: training epochs, out of `Problem.fidelities`; None for the highest.
        resume: number of the earlier evaluation whose training resumes; -1 for a training from the start. It must be an
            evaluation of the same architecture at a lower fidelity. The evaluations of a run are numbered 0, 1, 2, ...
            in the order of their proposals. If the table's trainings cannot be resumed, this is a training from the
            start, at full cost.
        parent: number of the earlier evaluation from whose trained weights the training starts, counted like those of
            ``resume``; -1 for random initial weights. It must have ended. None for none, and only where
            `Problem.inherits`: a table of measured trainings has none with inherited weights.
    """

    architecture: IntArray
    fidelity: IntArray | None = None
    resume: IntArray | None = None
    parent: IntArray | None = None


class Evaluations(NamedTuple):
    """What a strategy is told about evaluations that have ended. Arrays of shape (runs, k).

    Attributes:
        architecture: indices, as proposed.
        value: the observed objective; higher is better, whatever the metric; NaN for a failed training.
        number: number of the proposal within the run, counted from 0.
        fidelity: training epochs; None if all are the highest.
        objectives: all objectives, shape (runs, k, objectives), higher is better; None if there is only the value.
    """

    architecture: IntArray
    value: FloatArray
    number: IntArray
    fidelity: IntArray | None = None
    objectives: FloatArray | None = None
