"""Random search: evaluate architectures drawn uniformly and independently, keep the best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.streams import FloatArray, IntArray, Streams

_BATCH = 64  # proposals at a time; the draws are the same whatever it is


@dataclass
class _State:
    space: Space
    streams: Streams


@final
@dataclass(frozen=True)
class RandomSearch(Strategy[_State]):
    """Uniform random search with replacement (Bergstra and Bengio, JMLR 2012; Li and Talwalkar, UAI 2019).

    An architecture may be drawn, and paid for, more than once. The distribution of its result is known exactly: see
    `nasbench_lab.analysis.exact_random_search_on`.
    """

    name: ClassVar[str] = "random-search"
    reference: ClassVar[str] = "Bergstra and Bengio, Random Search for Hyper-Parameter Optimization, JMLR 2012"

    def start(self, space: Space, streams: Streams) -> _State:
        """Return the state before the first evaluation."""
        return _State(space, streams)

    def ask(self, state: _State) -> IntArray:
        """Draw the next architectures, shape (runs, 64)."""
        return state.space.sample(state.streams.uniform(_BATCH))

    def tell(self, state: _State, architecture: IntArray, value: FloatArray) -> None:
        """Learn nothing."""
