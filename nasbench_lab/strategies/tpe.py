"""The tree-structured Parzen estimator: propose values that are frequent in good architectures and rare in bad ones."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.checks import Above, Below, Count, Positive
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.models.acquisition import first_best
from nasbench_lab.strategies.models.parzen import CodePlaces, ages, draw, good_ones, log_probabilities
from nasbench_lab.strategies.parts.proposal_history import ProposalHistory
from nasbench_lab.strategies.problem import Evaluations, Problem


@dataclass
class _State(ProposalHistory):
    """The proposals and values of all runs.

    Attributes:
        places: the codes of the proposals, to be counted.
    """

    places: CodePlaces = field(init=False)

    def __post_init__(self) -> None:
        self.places = CodePlaces(self.space.cardinalities, self.streams.runs)

    def record(self, codes: NDArray[np.integer[Any]]) -> None:
        """Record the codes of one proposal of every run."""
        self.places.add(codes)


@final
@dataclass(frozen=True)
class ParzenEstimator(Strategy[_State]):
    """TPE (Bergstra, Bardenet, Bengio and Kegl, Algorithms for Hyper-Parameter Optimization, NeurIPS 2011, section 4).

    The first ``initial`` architectures are random. Then repeat: of the n evaluated ones, call the best
    min(ceil(``gamma`` n), ``most_good``) good and the others bad. Estimate the probability of every value of every code
    among the good ones, l, and among the bad ones, g; codes are independent, and failed trainings are bad. Draw
    ``candidates`` architectures from l, and evaluate the one with the largest l / g, which maximises the expected
    improvement (equation 3). Ties: the one drawn first.

    Combinations of codes that describe no architecture are drawn but not proposed. Unlike in the publication, earlier
    proposals of the run are not proposed either: with few choices, l / g soon has its maximum at an evaluated
    architecture, of which a table has little new to say; ``revisit=True`` allows it. If no candidate is left, a random
    new architecture takes its place.

    The defaults are those of Optuna; hyperopt has 20 initial architectures and min(ceil(sqrt(n) / 4), 25) good ones. As
    in both, observations before the last ``remembered`` of a group weigh less: the oldest 1/n, rising in equal steps to
    1. Probabilities are weighted counts plus ``prior_weight`` for every value, as in hyperopt; Optuna mixes one kernel
    per observation. Both choose every code separately, from ``candidates`` values each; here, as in the paper, a
    candidate is a whole architecture. With several workers, evaluations that have not ended are neither good nor bad.

    Args:
        initial: number of random architectures at the beginning.
        gamma: fraction of the evaluated architectures that count as good.
        most_good: largest number of architectures that count as good.
        candidates: number of architectures drawn from l.
        prior_weight: weight of the uniform prior for every value, in observations.
        remembered: number of observations of a group that have their full weight.
        revisit: whether an architecture can be proposed again.
    """

    name: ClassVar[str] = "tpe"
    aliases: ClassVar[tuple[str, ...]] = ("bo", "bayesian-optimization", "bayesian-optimisation")
    family: ClassVar[str] = "model-based"
    reference: ClassVar[str] = "Bergstra et al., Algorithms for Hyper-Parameter Optimization, NeurIPS 2011"
    version: ClassVar[int] = 2
    asynchronous: ClassVar[bool] = True
    runs_at_a_time: ClassVar[int] = 256

    initial: Count = 10
    gamma: Annotated[float, Above(0), Below(1)] = 0.1
    most_good: Count = 25
    candidates: Count = 24
    prior_weight: Positive = 1.0
    remembered: Count = 25
    revisit: bool = False

    def start(self, problem: Problem) -> _State:
        """Return the state before the first evaluation."""
        return _State.of(problem)

    def ask(self, state: _State) -> IntArray:
        """Propose the first architectures at once, then one at a time, shape (runs, 1)."""
        if not state.founded:
            return self._begin(state)
        if state.observations.told == 0:  # with as many workers as first architectures, no evaluation has ended yet
            return state.propose(self._random(state))
        promising = self._promising(state)
        return state.propose(np.where(promising < 0, self._random(state), promising))

    def _begin(self, state: _State) -> IntArray:
        """Propose the first architectures, shape (runs, ``initial``)."""
        if not self.revisit:
            return state.begin(self.initial)
        state.founded = True
        first = state.space.draw(state.streams, self.initial)
        return np.concatenate([state.propose(architecture) for architecture in first.T], axis=1)

    def _promising(self, state: _State) -> IntArray:
        """Return the candidate with the largest l / g, -1 if no candidate can be proposed; shape (runs,)."""
        space, told, known = state.space, state.observations.told, state.observations.known
        members = good_ones(state.observations.value, known, (count := self._good(told)))
        good = np.zeros(known.shape, dtype=bool)
        np.put_along_axis(good, members, True, axis=1)
        places, old = state.places, count > self.remembered
        of_good = places.weigh(ages(good, count, self.remembered)) if old else places.count(members)
        of_bad = places.weigh(ages(known & ~good, told - count, self.remembered))
        l, g = (log_probabilities(sums, space.cardinalities, self.prior_weight) for sums in (of_good, of_bad))  # noqa: E741 - the name in the paper
        codes = len(space.cardinalities)
        uniform = state.streams.uniform(self.candidates * codes).T.reshape(self.candidates, codes, -1)
        architecture, score = draw(space, l, g, uniform)
        possible = architecture >= 0
        run = np.arange(len(known))
        if not self.revisit:
            possible &= ~state.visited.has(run[:, None], np.maximum(architecture, 0))
        chosen = first_best(np.where(possible, score, -np.inf))
        return np.where(possible.any(axis=1), architecture[run, chosen], -1)

    def _random(self, state: _State) -> IntArray:
        """Draw an architecture for every run, -1 if no new one is left; shape (runs,)."""
        uniform = state.streams.uniform(state.visited.draws)
        if self.revisit:
            return state.space.sample_columns(uniform[:, : state.space.draws])[:, 0]
        return state.visited.draw(np.arange(len(uniform)), uniform)

    def _good(self, told: int) -> int:
        return min(math.ceil(self.gamma * told), self.most_good)

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Record the values."""
        state.observations.tell(evaluations)
