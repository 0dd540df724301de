"""Hill climbing under noise: random steps, accepted if the mean of several evaluations is no worse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import AtLeast, Count
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.problem import Evaluations, Problem
from nasbench_lab.streams import Streams


@dataclass
class _State:
    space: Space
    streams: Streams
    incumbent: IntArray  # (runs,)
    total: FloatArray  # (runs,): sum of the incumbent's values, without failed trainings
    count: FloatArray  # (runs,): number of these values; 0 before the first
    challenger: IntArray  # (runs, challengers): the last proposals
    run: IntArray  # (runs,): 0, 1, 2, ...
    founded: bool = False  # whether there are incumbents


@final
@dataclass(frozen=True)
class HillClimbing(Strategy[_State]):
    """Random-mutation hill climbing with resampling.

    Random-mutation hill climbing (Mitchell, Holland and Forrest, NIPS 1993) starts at a random architecture, the
    incumbent. It repeatedly draws a random neighbour, and moves there if that is no worse. Where observed accuracies
    are noisy, lucky trainings mislead it. Here every challenger is trained ``samples`` times, and its mean is compared
    with that of the incumbent. This is explicit averaging (Fitzpatrick and Grefenstette, Machine Learning 1988; Jin and
    Branke, IEEE Transactions on Evolutionary Computation 2005), which divides the variance of the noise by ``samples``.

    With ``again`` > 0, the incumbent is trained that number of further times with every comparison, and its mean is
    over all of its values, so that a lucky incumbent does not stay. The default is 0, because these trainings cost as
    much as others, and because a lucky incumbent also keeps out lucky challengers.

    Failed trainings are left out of a mean; an architecture without any value is worse than all others. With several
    workers, as many challengers are compared at a time as keep the workers busy (workers / samples, at least one), and
    the best of them may replace the incumbent (ties: the first).

    Args:
        samples: number of trainings of a challenger; 1 is random-mutation hill climbing as published.
        again: number of further trainings of the incumbent with every comparison.
    """

    name: ClassVar[str] = "hill-climbing"
    family: ClassVar[str] = "model-free"
    reference: ClassVar[str] = "Mitchell et al., When Will a Genetic Algorithm Outperform Hill Climbing?, NIPS 1993"
    needs: ClassVar[tuple[str, ...]] = ("neighbours",)

    samples: Count = 3
    again: Annotated[int, AtLeast(0)] = 0

    def start(self, problem: Problem) -> _State:
        """Return the state before the first evaluation: no run has an incumbent."""
        runs, challengers = problem.runs, max(1, problem.workers // self.samples)
        return _State(
            space=problem.space,
            streams=problem.streams,
            incumbent=np.full(runs, -1),
            total=np.zeros(runs),
            count=np.zeros(runs),
            challenger=np.full((runs, challengers), -1),
            run=np.arange(runs),
        )

    def ask(self, state: _State) -> IntArray:
        """Propose every challenger ``samples`` times, then the incumbent ``again`` times, shape (runs, k)."""
        if not state.founded:
            state.challenger = state.space.draw(state.streams, state.challenger.shape[1])
            return np.repeat(state.challenger, self.samples, axis=1)
        uniform = state.streams.uniform(state.challenger.shape[1])
        parent = np.repeat(state.incumbent[:, None], uniform.shape[1], axis=1)
        state.challenger = state.space.mutate(parent, uniform)
        challengers = np.repeat(state.challenger, self.samples, axis=1)
        return np.concatenate([challengers, np.repeat(parent[:, :1], self.again, axis=1)], axis=1)

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Compare the means, and replace the incumbent if the best challenger is no worse."""
        runs, challengers = state.challenger.shape
        shown = challengers * self.samples
        total, count = _sums(evaluations.value[:, :shown].reshape(runs, challengers, self.samples))
        more, times = _sums(evaluations.value[:, shown:])
        state.total, state.count = state.total + more, state.count + times
        mean = _mean(total, count)
        best = state.run, mean.argmax(axis=1)
        winning = mean[best] >= _mean(state.total, state.count)
        state.incumbent = np.where(winning, state.challenger[best], state.incumbent)
        state.total = np.where(winning, total[best], state.total)
        state.count = np.where(winning, count[best], state.count)
        state.founded = True


def _sums(value: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the sums over the last axis of the values that are not NaN, and the numbers of these values."""
    total = count = np.zeros(value.shape[:-1])
    for sample in range(value.shape[-1]):  # in a fixed order: NumPy's sums depend on the memory layout
        known = ~np.isnan(value[..., sample])
        total = total + np.where(known, value[..., sample], 0.0)
        count = count + known
    return total, count


def _mean(total: FloatArray, count: FloatArray) -> FloatArray:
    return np.where(count > 0, total / np.maximum(count, 1.0), -np.inf)
