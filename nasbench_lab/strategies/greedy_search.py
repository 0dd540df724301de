"""Greedy search: evaluate the neighbours of the best architecture, then those of the next best, and so on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Count
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.parts.neighborhood import Neighborhood
from nasbench_lab.strategies.parts.visited import Visited
from nasbench_lab.strategies.problem import Evaluations, Problem
from nasbench_lab.streams import Streams

_CLOSED = -np.inf  # value of an architecture whose neighbours were listed
_FAILED = np.finfo(np.float64).min  # value of a failed training: expanded after everything else


@dataclass
class _State:
    streams: Streams
    visited: Visited
    neighborhood: Neighborhood  # unvisited neighbours of the last expanded architecture
    architecture: IntArray  # (runs, capacity): all evaluated architectures, in order
    value: FloatArray  # (runs, capacity): their values, _CLOSED once their neighbours are listed
    run: IntArray  # (runs,): 0, 1, 2, ...
    told: int = 0  # evaluations so far, the same for every run
    founded: bool = False  # whether the first random architectures were proposed


@final
@dataclass(frozen=True)
class GreedySearch(Strategy[_State]):
    """Greedy best-first search over neighbours.

    Evaluate ``initial`` random architectures. Then repeat: take the best architecture whose neighbours were not
    evaluated yet (ties: the first), and evaluate its neighbours in random order, except those that this run has
    evaluated before. While the search improves, it moves from the best architecture to its best neighbour. At a local
    optimum it continues with the next best architecture, where local search would restart somewhere else. If no
    architecture has neighbours left, it continues at a random new one. No architecture is evaluated twice, and a run
    ends when the whole space was evaluated.

    This is the variant of local search of White et al. (UAI 2021) that continues at a minimum, with whole
    neighbourhoods: ``stop_at_minimum=False, query_full_nbhd=True`` in their software (github.com/naszilla/naszilla),
    where the default is ``num_init=10``. With several workers, the next architecture is expanded as soon as a worker is
    free, based on the evaluations that have ended by then.

    Args:
        initial: number of random architectures at the beginning.
    """

    name: ClassVar[str] = "greedy-search"
    family: ClassVar[str] = "model-free"
    reference: ClassVar[str] = "White et al., Exploring the Loss Landscape in Neural Architecture Search, UAI 2021"
    version: ClassVar[int] = 2
    needs: ClassVar[tuple[str, ...]] = ("neighbours",)
    asynchronous: ClassVar[bool] = True

    initial: Count = 10

    def start(self, problem: Problem) -> _State:
        """Return the state before the first evaluation."""
        runs = problem.runs
        return _State(
            streams=problem.streams,
            visited=Visited(problem.space, runs),
            neighborhood=Neighborhood(problem.space, runs),
            architecture=np.zeros((runs, 16), dtype=np.int64),
            value=np.full((runs, 16), _CLOSED),
            run=np.arange(runs),
        )

    def ask(self, state: _State) -> IntArray:
        """Propose all of the first architectures at once, then one at a time, shape (runs, 1)."""
        if not state.founded:
            state.founded = True
            return state.visited.begin(state.streams, self.initial)
        return _propose(state, state.streams.uniform(state.visited.draws + 1))[:, None]

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Store the evaluated architectures, to expand them later."""
        architecture, value = evaluations.architecture, evaluations.value
        end = state.told + architecture.shape[1]
        while end > state.value.shape[1]:
            state.architecture = np.concatenate([state.architecture, np.zeros_like(state.architecture)], axis=1)
            state.value = np.concatenate([state.value, np.full_like(state.value, _CLOSED)], axis=1)
        state.architecture[:, state.told : end] = architecture
        state.value[:, state.told : end] = np.where(architecture < 0, _CLOSED, np.fmax(value, _FAILED))
        state.told = end


def _propose(state: _State, uniform: FloatArray) -> IntArray:
    """Return the next neighbour or, if there is none, a random new architecture; shape (runs,)."""
    _expand(state, np.flatnonzero(state.neighborhood.left == 0))
    architecture = state.neighborhood.take(uniform[:, -1])
    lost = np.flatnonzero(architecture < 0)
    if len(lost):
        architecture[lost] = state.visited.draw(lost, uniform[lost, :-1])
    state.visited.add(state.run, architecture)
    return architecture


def _expand(state: _State, runs: IntArray) -> None:
    """List the neighbours of the best architecture that is not closed, until one of them is new."""
    while state.told and len(runs):
        best = state.value[runs, : state.told].argmax(axis=1)
        found = state.value[runs, best] > _CLOSED
        runs, best = runs[found], best[found]
        state.value[runs, best] = _CLOSED
        state.neighborhood.enter(runs, state.architecture[runs, best], state.visited)
        runs = runs[state.neighborhood.left[runs] == 0]
