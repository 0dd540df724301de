"""Local search: evaluate the neighbours of an architecture, move to a better one, restart at a local optimum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.base import Strategy, require
from nasbench_lab.streams import FloatArray, IntArray, Streams, scale


@dataclass
class _State:
    space: Space
    streams: Streams
    visited: NDArray[np.bool_]  # (runs, space.size): evaluated before, in this run
    centre_value: FloatArray  # (runs,): value of the architecture whose neighbours are evaluated
    best: IntArray  # (runs,): best new neighbour so far, -1 before the first
    best_value: FloatArray  # (runs,)
    pending: IntArray  # (runs, max degree): unvisited neighbours; those before `cursor` are done
    count: IntArray  # (runs,): how many neighbours are in `pending`
    cursor: IntArray  # (runs,)
    starting: NDArray[np.bool_]  # (runs,): the architecture last asked for is a new start
    run: IntArray  # (runs,): 0, 1, 2, ...


@final
@dataclass(frozen=True)
class LocalSearch(Strategy[_State]):
    """Hill climbing with restarts (White, Nolen and Savani, UAI 2021).

    Start at a random architecture. Evaluate its neighbours in random order, those that this run has evaluated before
    left out. With ``improvement="best"``, evaluate all of them and move to the best if it is better than the centre;
    with ``"first"``, move as soon as one is better. Where none is, the centre is a local optimum: start again at a
    random architecture that was not evaluated before. So no architecture is paid for twice, and a run ends when the
    whole space was evaluated.

    Args:
        improvement: when to move, ``"best"`` or ``"first"``.
    """

    name: ClassVar[str] = "local-search"
    reference: ClassVar[str] = "White et al., Exploring the Loss Landscape in Neural Architecture Search, UAI 2021"

    improvement: Literal["best", "first"] = "best"

    def __post_init__(self) -> None:
        require(
            self.improvement in ("best", "first"),
            f"improvement must be 'best' or 'first', got {self.improvement!r}",
        )

    def start(self, space: Space, streams: Streams) -> _State:
        """Return the state before the first evaluation: every run needs a start."""
        runs, degree = streams.runs, space.neighbor_table.shape[1]
        zeros, lowest = np.zeros(runs, dtype=np.int64), np.full(runs, -np.inf)
        return _State(
            space=space,
            streams=streams,
            visited=np.zeros((runs, space.size), dtype=bool),
            centre_value=lowest,
            best=np.full(runs, -1),
            best_value=lowest.copy(),
            pending=np.full((runs, degree), -1),
            count=zeros,
            cursor=zeros.copy(),
            starting=np.zeros(runs, dtype=bool),
            run=np.arange(runs),
        )

    def ask(self, state: _State) -> IntArray:
        """Propose the next neighbour, or a new start, shape (runs, 1)."""
        uniform = state.streams.uniform(3)
        self._move(state)
        state.starting = state.cursor == state.count
        architecture = self._next_neighbor(state, uniform[:, 0])
        restarts = np.flatnonzero(state.starting)
        architecture[restarts] = _fresh_starts(state, restarts, uniform[restarts, 1], uniform[restarts, 2])
        return architecture[:, None]

    def tell(self, state: _State, architecture: IntArray, value: FloatArray) -> None:
        """Mark what was evaluated and keep the best neighbour."""
        index, fitness = architecture[:, 0], np.fmax(value[:, 0], -np.inf)
        going = index >= 0
        place = state.run * state.space.size + index
        state.visited.reshape(-1)[place if going.all() else place[going]] = True
        better = ~state.starting & (fitness > state.best_value)
        state.best = np.where(better, index, state.best)
        state.best_value = np.where(better, fitness, state.best_value)
        started = np.flatnonzero(state.starting & going)
        self._settle(state, started, index[started], fitness[started])

    def _move(self, state: _State) -> None:
        """Move to the best neighbour where it is better than the centre and the time to move has come."""
        improved = state.best_value > state.centre_value
        if self.improvement == "best":
            improved &= state.cursor == state.count
        moving = np.flatnonzero(improved)
        self._settle(state, moving, state.best[moving], state.best_value[moving])

    @staticmethod
    def _settle(state: _State, runs: IntArray, centre: IntArray, value: FloatArray) -> None:
        """Make ``centre`` the centre of the given runs, and list its unvisited neighbours first."""
        if not len(runs):
            return
        neighbors = state.space.neighbors(centre)
        visited = state.visited.reshape(-1).take(runs[:, None] * state.space.size + neighbors)
        new = (neighbors >= 0) & ~visited
        order = np.argsort(~new, axis=1, kind="stable")
        state.pending[runs] = np.take_along_axis(neighbors, order, axis=1)
        state.count[runs] = new.sum(axis=1)
        state.cursor[runs] = 0
        state.centre_value[runs] = value
        state.best[runs] = -1
        state.best_value[runs] = -np.inf

    @staticmethod
    def _next_neighbor(state: _State, uniform: FloatArray) -> IntArray:
        """Take a random one of the neighbours left (a step of Fisher and Yates' shuffle); shape (runs,)."""
        degree = state.pending.shape[1]
        pending = state.pending.reshape(-1)
        next_place = state.run * degree + np.minimum(state.cursor, degree - 1)
        chosen_place = next_place + scale(uniform, np.maximum(state.count - state.cursor, 1))
        architecture = pending.take(chosen_place)
        pending[chosen_place] = pending.take(next_place)
        state.cursor = np.minimum(state.cursor + 1, state.count)
        return architecture


def _fresh_starts(state: _State, runs: IntArray, first: FloatArray, second: FloatArray) -> IntArray:
    """Draw architectures uniformly from those that each of the given runs has not visited; -1 where none is left.

    Draw from the whole space; where that was visited, draw again by rank among the unvisited. With A architectures, V
    of them visited, an unvisited one comes with probability 1/A + V/A * 1/(A - V) = 1/(A - V).
    """
    drawn = state.space.sample(first)
    again = np.flatnonzero(state.visited[runs, drawn])
    for position in again:  # rare, and each costs a pass over the space
        unvisited = np.flatnonzero(~state.visited[runs[position]])
        rank = int(second[position] * len(unvisited))
        drawn[position] = unvisited[rank] if len(unvisited) else -1
    return drawn
