"""One strategy, refactored without a change, rewritten to draw in another order, and broken in every way we know of."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from nasbench_lab.strategies.regularized_evolution import RegularizedEvolution
from nasbench_lab.streams import scale


@dataclass(frozen=True)
class Evolution(RegularizedEvolution):
    """What the author committed a baseline of."""

    name: ClassVar[str] = "my-evolution"
    takes_warm_start: ClassVar[bool] = False


@dataclass(frozen=True)
class Refactored(Evolution):
    """The winner of a tournament is found by argmax: other code, the same search."""

    def _winner(self, state, drawn):
        rows = np.arange(len(drawn))
        best = state.fitness[rows[:, None], drawn].argmax(axis=1)
        return drawn[rows, best] * len(rows) + rows  # its place in memory


@dataclass(frozen=True)
class DrawsInAnotherOrder(Evolution):
    """The same search, but what mutates is drawn before the tournament."""

    def ask(self, state):
        if not state.founded:
            return super().ask(state)
        mutation = state.streams.uniform(1)[:, 0].copy()
        drawn = scale(state.streams.uniform(self.sample_size), min(state.born, self.population_size))
        winner = self._winner(state, drawn)
        return state.space.mutate(state.members.T.reshape(-1).take(winner), mutation)[:, None]


@dataclass(frozen=True)
class WorseMutation(Evolution):
    """Children are random architectures instead of mutations."""

    def ask(self, state):
        child = super().ask(state)
        return state.space.sample(state.streams.uniform(child.shape[1])) if child.shape[1] == 1 else child


@dataclass(frozen=True)
class ReadsTheTable(Evolution):
    """What it keeps of an architecture is the test accuracy that the table has for it."""

    table: Any = field(default=None, repr=False)

    def tell(self, state, evaluations):
        peeked = self.table.lookup(evaluations.architecture, metric="test_accuracy")
        super().tell(state, evaluations._replace(value=peeked))


@dataclass(frozen=True)
class SharesOneStream(Evolution):
    """All runs draw the numbers of the first."""

    def start(self, task):
        return super().start(dataclasses.replace(task, streams=_First(task.streams)))


@dataclass(frozen=True)
class UsesItsPlace(Evolution):
    """What a run draws depends on its place among the runs that are simulated together."""

    def start(self, task):
        return super().start(dataclasses.replace(task, streams=_ByPlace(task.streams.runs)))


@dataclass(frozen=True)
class DrawsUnderACondition(Evolution):
    """It draws once more whenever some run found a good architecture."""

    def tell(self, state, evaluations):
        super().tell(state, evaluations)
        if (evaluations.value > 0.6).any():
            state.streams.uniform(1)


@dataclass(frozen=True)
class StopsOneEarly(Evolution):
    """It counts from one, and ends every run an evaluation before the last."""

    last: int = 63

    def ask(self, state):
        child = super().ask(state)
        return np.full_like(child, -1) if state.born >= self.last else child


@dataclass(frozen=True)
class AsksForScores(Evolution):
    """It pays for scores that it has no use for."""

    def start(self, task):
        state = super().start(task)
        state.scores = task.scores
        return state

    def ask(self, state):
        child = super().ask(state)
        state.scores.score("synflow", child)
        return child


@dataclass(frozen=True)
class WaitsForAll(Evolution):
    """It forgot to say that it need not wait for all workers."""

    asynchronous: ClassVar[bool] = False

    def ask(self, state):
        return np.repeat(super().ask(state), 1, axis=1)


class _First:
    """Streams that give the numbers of the first run to all."""

    def __init__(self, streams):
        self.runs, self._streams = streams.runs, streams

    def uniform(self, n):
        return np.repeat(self._streams.uniform(n)[:1], self.runs, axis=0)


class _ByPlace:
    """Streams that know nothing of seeds and numbers of runs."""

    def __init__(self, runs):
        self.runs, self._random = runs, np.random.default_rng(0)

    def uniform(self, n):
        return self._random.random((self.runs, n))
