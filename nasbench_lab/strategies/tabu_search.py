"""Tabu search: always move to the best neighbour, even if it is worse, but never to a recent architecture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Count
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.parts.neighborhood import Neighborhood
from nasbench_lab.strategies.parts.visited import Visited
from nasbench_lab.strategies.problem import Evaluations, Problem
from nasbench_lab.streams import Streams


@dataclass
class _State:
    streams: Streams
    workers: int
    tabu: Visited
    lately: (
        IntArray | None
    )  # (runs, tenure): tabu architectures, in a ring, -1 for none; None if they stay tabu forever
    neighborhood: Neighborhood  # neighbours of the centre that are not tabu
    centre_value: FloatArray  # (runs,): -inf where there is no centre, or its training failed
    best: IntArray  # (runs,): best architecture since the last move, -1 before the first
    best_value: FloatArray  # (runs,)
    run: IntArray  # (runs,): 0, 1, 2, ...
    asked: int = 0  # proposals so far, the same for every run


@final
@dataclass(frozen=True)
class TabuSearch(Strategy[_State]):
    """Tabu search with a memory of architectures (Glover, ORSA Journal on Computing 1989).

    Start at a random architecture. Evaluate its neighbours in random order, except those that are tabu, and move to the
    best of them, even if it is worse (ties: the first seen). Evaluated architectures are tabu: forever, which is the
    strict tabu search of Battiti and Tecchiolli (ORSA Journal on Computing 1994), or until ``tenure`` other evaluations
    have followed. If all neighbours are tabu, continue at a random architecture that is not. With strict tabu no
    architecture is evaluated twice, and a run ends when the whole space was evaluated.

    Glover forbids moves back for some iterations, and looks known values up. Here evaluations are the cost, and can
    differ from one time to the next. So the search forbids evaluating again, for a number of evaluations. An
    architecture that is no longer tabu is evaluated, and paid for, like a new one.

    With several workers, one neighbour per worker is evaluated at a time. Workers without a neighbour evaluate random
    architectures, to which the search may move like to neighbours.

    Args:
        improvement: when to move: ``"best"``, after all neighbours, or ``"first"``, as soon as one is better.
        tenure: number of evaluations for which an architecture is tabu (at most the size of the space minus one is
            used); None for ever.
    """

    name: ClassVar[str] = "tabu-search"
    aliases: ClassVar[tuple[str, ...]] = ("tabu",)
    family: ClassVar[str] = "model-free"
    reference: ClassVar[str] = "Glover, Tabu Search - Part I, ORSA Journal on Computing 1989"
    version: ClassVar[int] = 2
    needs: ClassVar[tuple[str, ...]] = ("neighbours",)

    improvement: Literal["best", "first"] = "best"
    tenure: Count | None = None

    def start(self, problem: Problem) -> _State:
        """Return the state before the first evaluation: no run has a centre."""
        runs, lately = problem.runs, None
        if self.tenure is not None and problem.space.size > 1:
            lately = np.full((runs, min(self.tenure, problem.space.size - 1)), -1)
        return _State(
            streams=problem.streams,
            workers=problem.workers,
            tabu=Visited(problem.space, runs),
            lately=lately,
            neighborhood=Neighborhood(problem.space, runs),
            centre_value=np.full(runs, -np.inf),
            best=np.full(runs, -1),
            best_value=np.full(runs, -np.inf),
            run=np.arange(runs),
        )

    def ask(self, state: _State) -> IntArray:
        """Propose the next neighbours, and random architectures where none are left, shape (runs, workers)."""
        # First the random architectures of all workers: a run begins like random search.
        parts = state.tabu.in_turn(state.streams, state.workers)
        self._move(state)
        return np.stack([_propose(state, draw, which) for draw, which in parts], axis=1)

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Update the best architecture since the last move."""
        fitness = np.fmax(evaluations.value, -np.inf)  # NaN becomes -inf
        for architecture, value in zip(evaluations.architecture.T, fitness.T, strict=True):
            better = (architecture >= 0) & ((state.best < 0) | (value > state.best_value))
            state.best = np.where(better, architecture, state.best)
            state.best_value = np.where(better, value, state.best_value)

    def _move(self, state: _State) -> None:
        """Move to the best architecture since the last move, in runs where it is time to move."""
        ready = (state.neighborhood.left == 0) & (state.best >= 0)
        if self.improvement == "first":
            ready |= state.best_value > state.centre_value
        moving = np.flatnonzero(ready)
        state.neighborhood.enter(moving, state.best[moving], state.tabu)
        state.centre_value[moving] = state.best_value[moving]
        state.best[moving] = -1
        state.best_value[moving] = -np.inf


def _propose(state: _State, draw: FloatArray, which: FloatArray) -> IntArray:
    """Return a neighbour or, if none is left, a random architecture, and make it tabu; shape (runs,)."""
    architecture = state.neighborhood.take(which)
    lost = np.flatnonzero(architecture < 0)
    if len(lost):
        architecture[lost] = state.tabu.draw(lost, draw[lost])
    state.tabu.add(state.run, architecture)
    if state.lately is not None:
        oldest = state.asked % state.lately.shape[1]
        state.tabu.remove(state.run, state.lately[:, oldest])
        state.lately[:, oldest] = architecture
    state.asked += 1
    return architecture
