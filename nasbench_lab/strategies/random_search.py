"""Random search: evaluate architectures drawn uniformly, and keep the best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from nasbench_lab.arrays import IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.parts.visited import Visited
from nasbench_lab.strategies.problem import Evaluations, Problem
from nasbench_lab.streams import Streams

_BATCH = 64  # proposals at a time; it does not change the draws


@dataclass
class _State:
    space: Space
    streams: Streams
    visited: Visited | None  # None with replacement
    run: IntArray  # (runs,): 0, 1, 2, ...


@final
@dataclass(frozen=True)
class RandomSearch(Strategy[_State]):
    """Uniform random search (Bergstra and Bengio, JMLR 2012; Li and Talwalkar, UAI 2019).

    With replacement, all draws are independent: an architecture can be drawn, and paid for, more than once. The
    distribution of the result is known exactly: see `nasbench_lab.analysis.exact_random_search_on`.

    Without replacement, every run goes through the space in its own random order, all orders equally likely, and then
    ends. If every architecture has one value, the best of n draws is one of the k worst of all A architectures with
    probability C(k, n) / C(A, n).

    Args:
        replacement: whether an architecture can be drawn again, as usual in the literature.
    """

    name: ClassVar[str] = "random-search"
    aliases: ClassVar[tuple[str, ...]] = ("rs",)
    family: ClassVar[str] = "model-free"
    reference: ClassVar[str] = "Bergstra and Bengio, Random Search for Hyper-Parameter Optimization, JMLR 2012"
    asynchronous: ClassVar[bool] = True
    takes_warm_start: ClassVar[bool] = True

    replacement: bool = True

    def start(self, problem: Problem) -> _State:
        """Return the state before the first evaluation."""
        visited = None if self.replacement else Visited(problem.space, problem.runs)
        return _State(problem.space, problem.streams, visited, np.arange(problem.runs))

    def ask(self, state: _State) -> IntArray:
        """Draw the next architectures, shape (runs, 64)."""
        if state.visited is None:
            return state.space.draw(state.streams, _BATCH)
        proposed = []
        for uniform in np.split(state.streams.uniform(state.visited.draws * _BATCH), _BATCH, axis=1):
            proposed.append(state.visited.draw(state.run, uniform))
            state.visited.add(state.run, proposed[-1])
        return np.stack(proposed, axis=1)

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Learn nothing."""
