"""The base of strategies with synchronous brackets: successive halving, Hyperband and BOHB."""

from __future__ import annotations

import abc
from dataclasses import dataclass, field
from typing import ClassVar, Generic, TypeVar

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.parts.rungs import Bracket
from nasbench_lab.strategies.problem import Evaluations, Problem, Proposals
from nasbench_lab.streams import Streams


@dataclass
class BracketState:
    """The position of all runs in the brackets, which is the same for all.

    The number of evaluations of a rung is fixed, so all runs reach its end together.

    Attributes:
        space: the search space.
        streams: the random numbers of all runs.
        workers: number of evaluations of a run that can happen at the same time.
        brackets: the brackets, which repeat in this order.
        which: number of the current bracket.
        rung: number of its current rung.
        architecture: the architectures of this rung, (runs, size), as far as they are known.
        resume: the number of the evaluation at the rung before, for each architecture; -1 at the first rung.
        number: the number of the evaluation at this rung, for each evaluated architecture.
        value: its value, -inf for a failed training.
    """

    space: Space
    streams: Streams
    workers: int
    brackets: tuple[Bracket, ...]
    architecture: IntArray = field(init=False)
    resume: IntArray = field(init=False)
    number: IntArray = field(init=False)
    value: FloatArray = field(init=False)
    which: int = 0
    rung: int = 0

    def __post_init__(self) -> None:
        self.begin_rung(np.empty((self.streams.runs, 0), dtype=np.int64), np.empty((self.streams.runs, 0), np.int64))

    @property
    def bracket(self) -> Bracket:
        """The current bracket."""
        return self.brackets[self.which % len(self.brackets)]

    def begin_rung(self, architecture: IntArray, resume: IntArray) -> None:
        """Begin a rung with the promoted architectures."""
        self.architecture, self.resume = architecture, resume
        self.number, self.value = np.empty_like(resume[:, :0]), np.empty((len(resume), 0))


S = TypeVar("S", bound=BracketState)


class BracketStrategy(Strategy[S], Generic[S]):
    """Goes through brackets: trains some architectures for a few epochs, the best of them for longer, and so on.

    At the end of a rung, the best architectures by value advance to the next; ties: the one proposed first. Failed
    trainings rank last. If the table's trainings can be resumed, the trainings continue where they stopped.
    """

    family: ClassVar[str] = "multi-fidelity"
    multi_fidelity: ClassVar[bool] = True

    @abc.abstractmethod
    def start(self, problem: Problem) -> S:
        """Return the state before the first bracket."""

    @abc.abstractmethod
    def sample(self, state: S, wanted: int) -> IntArray:
        """Return new architectures for the first rung of a bracket, shape (runs, k) with 1 <= k <= ``wanted``."""

    def ask(self, state: S) -> Proposals:
        """Propose the rest of the rung; at the first rung, the new architectures of `sample`; shape (runs, k)."""
        bracket, done = state.bracket, state.number.shape[1]
        if state.rung == 0:
            new = self.sample(state, bracket.sizes[0] - done)
            state.architecture = np.concatenate([state.architecture, new], axis=1)
            state.resume = np.full(state.architecture.shape, -1)
        fidelity = np.full(state.architecture.shape, bracket.fidelities[state.rung])
        return Proposals(state.architecture[:, done:], fidelity[:, done:], state.resume[:, done:])

    def tell(self, state: S, evaluations: Evaluations) -> None:
        """Record the values, and promote the best when the rung is complete."""
        state.value = np.concatenate([state.value, np.fmax(evaluations.value, -np.inf)], axis=1)
        state.number = np.concatenate([state.number, evaluations.number], axis=1)
        bracket = state.bracket
        if state.value.shape[1] < bracket.sizes[state.rung]:
            return
        state.rung += 1
        kept = 0 if state.rung == len(bracket.sizes) else bracket.sizes[state.rung]
        if not kept:
            state.which, state.rung = state.which + 1, 0
        best = np.argsort(-state.value, axis=1, kind="stable")[:, :kept]
        architecture = np.take_along_axis(state.architecture, best, axis=1)
        resume = self._resume(state, np.take_along_axis(state.number, best, axis=1))
        state.begin_rung(architecture, resume)

    @staticmethod
    def _resume(state: S, number: IntArray) -> IntArray:
        """Return the evaluations that promoted architectures resume; -1 if the next rung has no more epochs."""
        fidelities = state.bracket.fidelities
        longer = state.rung > 0 and fidelities[state.rung] > fidelities[state.rung - 1]
        return number if longer else np.full(number.shape, -1)
