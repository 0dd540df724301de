"""Local search: evaluate the neighbours of an architecture, move to a better one, restart at a local optimum."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

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
    visited: Visited
    neighborhood: Neighborhood  # unvisited neighbours of the centre
    centre_value: FloatArray  # (runs,): -inf before the first start, and where its training failed
    started: NDArray[np.bool_]  # (runs,): whether there is a centre
    best: IntArray  # (runs,): best new neighbour so far, -1 before the first
    best_value: FloatArray  # (runs,)
    start: IntArray  # (runs,): best random architecture since the last start, -1 before the first
    start_value: FloatArray  # (runs,)
    starts: IntArray  # (runs,): number of random architectures since the last start
    random: NDArray[np.bool_]  # (runs, k): which of the last k proposals are random
    run: IntArray  # (runs,): 0, 1, 2, ...


@final
@dataclass(frozen=True)
class LocalSearch(Strategy[_State]):
    """Hill climbing with restarts (White, Nolen and Savani, UAI 2021).

    Evaluate ``initial`` random architectures, and start at the best of them, the centre. Evaluate its neighbours in
    random order, except those that this run has evaluated before. With ``improvement="first"``, move as soon as one is
    better than the centre; with ``"best"``, evaluate all of them, and move to the best if it is better than the centre.
    If none is better, the centre is a local optimum: restart at the best of ``initial`` random new architectures. No
    architecture is evaluated twice, and a run ends when the whole space was evaluated.

    With several workers, one neighbour per worker is evaluated at a time. Workers without a neighbour evaluate random
    architectures, from which the next start is chosen, too.

    The defaults are those of the publication's software (github.com/naszilla/naszilla). The publication describes
    ``initial=1, improvement="best"``.

    Args:
        improvement: when to move: ``"first"``, as soon as a neighbour is better, or ``"best"``, after all neighbours.
        initial: number of random architectures of which the best is a start.
        restarts: whether to restart; if not, a run ends at its first local optimum.
    """

    name: ClassVar[str] = "local-search"
    aliases: ClassVar[tuple[str, ...]] = ("ls",)
    family: ClassVar[str] = "model-free"
    reference: ClassVar[str] = "White et al., Exploring the Loss Landscape in Neural Architecture Search, UAI 2021"
    version: ClassVar[int] = 2
    needs: ClassVar[tuple[str, ...]] = ("neighbours",)

    improvement: Literal["best", "first"] = "first"
    initial: Count = 10
    restarts: bool = True

    def start(self, problem: Problem) -> _State:
        """Return the state before the first evaluation: no run has a centre."""
        runs = problem.runs
        nothing, lowest = np.full(runs, -1), np.full(runs, -np.inf)
        return _State(
            streams=problem.streams,
            workers=problem.workers,
            visited=Visited(problem.space, runs),
            neighborhood=Neighborhood(problem.space, runs),
            centre_value=lowest,
            started=np.zeros(runs, dtype=bool),
            best=nothing,
            best_value=lowest.copy(),
            start=nothing.copy(),
            start_value=lowest.copy(),
            starts=np.zeros(runs, dtype=np.int64),
            random=np.zeros((runs, 0), dtype=bool),
            run=np.arange(runs),
        )

    def ask(self, state: _State) -> IntArray:
        """Propose the next neighbours, and random architectures where none are left, shape (runs, workers).

        At first, propose as many random architectures as a start is chosen from, at least; the same for every run.
        """
        count = state.workers
        if not state.random.size:
            count *= math.ceil(self.initial / count)
        # First the random architectures of all proposals: a run begins like random search.
        parts = state.visited.in_turn(state.streams, count)
        self._move(state)
        self._begin(state)
        over = np.zeros(len(state.run), dtype=bool)
        if not self.restarts:
            over = state.started & (state.neighborhood.left == 0)
        state.random = np.zeros((len(state.run), count), dtype=bool)
        return np.stack([self._propose(state, *part, over, i) for i, part in enumerate(parts)], axis=1)

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Update the best neighbour and the best random architecture."""
        fitness = np.fmax(evaluations.value, -np.inf)  # NaN becomes -inf
        columns = zip(evaluations.architecture.T, fitness.T, state.random.T, strict=False)
        for architecture, value, random in columns:
            better = ~random & (value > state.best_value)
            state.best = np.where(better, architecture, state.best)
            state.best_value = np.where(better, value, state.best_value)
            if random.any():
                drawn = random & (architecture >= 0)
                better = drawn & ((state.start < 0) | (value > state.start_value))
                state.start = np.where(better, architecture, state.start)
                state.start_value = np.where(better, value, state.start_value)
                state.starts += drawn

    def _move(self, state: _State) -> None:
        """Move to the best neighbour if it is better than the centre, and it is time to move."""
        improved = state.best_value > state.centre_value
        if self.improvement == "best":
            improved &= state.neighborhood.left == 0
        moving = np.flatnonzero(improved)
        _settle(state, moving, state.best[moving], state.best_value[moving])

    def _begin(self, state: _State) -> None:
        """Start where no neighbour is left and there are enough random architectures to choose from."""
        ready = (state.neighborhood.left == 0) & (state.starts >= self.initial)
        if not self.restarts:
            ready &= ~state.started
        beginning = np.flatnonzero(ready)
        _settle(state, beginning, state.start[beginning], state.start_value[beginning])
        state.started[beginning] = True
        state.start[beginning] = -1
        state.starts[beginning] = 0

    @staticmethod
    def _propose(state: _State, draw: FloatArray, which: FloatArray, over: NDArray[np.bool_], place: int) -> IntArray:
        """Return a neighbour or, if none is left, a random new architecture, shape (runs,); -1 for runs that ended."""
        architecture = state.neighborhood.take(which)
        state.random[:, place] = architecture < 0
        lost = np.flatnonzero((architecture < 0) & ~over)
        if len(lost):
            architecture[lost] = state.visited.draw(lost, draw[lost])
        state.visited.add(state.run, architecture)
        return architecture


def _settle(state: _State, runs: IntArray, centre: IntArray, value: FloatArray) -> None:
    """Make architectures the centres of the given runs."""
    state.neighborhood.enter(runs, centre, state.visited)
    state.centre_value[runs] = value
    state.best[runs] = -1
    state.best_value[runs] = -np.inf
