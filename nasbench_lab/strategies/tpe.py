"""The tree-structured Parzen estimator: propose what good architectures have and bad ones have not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, final

import numpy as np

from nasbench_lab.arrays import IntArray
from nasbench_lab.checks import Above, Below, Count, Positive
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.models.acquisition import first_best
from nasbench_lab.strategies.models.parzen import ages, draw, good_ones, log_probabilities
from nasbench_lab.strategies.parts.proposal_history import ProposalHistory
from nasbench_lab.strategies.problem import Evaluations, Problem


@final
@dataclass(frozen=True)
class ParzenEstimator(Strategy[ProposalHistory]):
    """TPE (Bergstra, Bardenet, Bengio and Kegl, Algorithms for Hyper-Parameter Optimization, NeurIPS 2011, section 4).

    The first ``initial`` architectures are random. Then, for ever: of the n evaluated ones, call the best
    min(ceil(``gamma`` n), ``most_good``) good and the others bad. Estimate with which probability the good ones, l, and
    the bad ones, g, have each value of each code; codes are independent, and a failed training is bad. Draw
    ``candidates`` architectures from l, and evaluate the one with the largest l / g, which maximises the expected
    improvement (equation 3). Of equals, the one drawn first.

    Combinations of codes that are no architecture are drawn but not proposed. Nor is, other than in the publication,
    what the run has proposed before: with few choices, l / g soon has its maximum at what was evaluated already, and a
    table would give hardly any news of it; ``revisit=True`` allows it. Where no candidate is left, a random new
    architecture takes its place.

    The defaults are those of Optuna; hyperopt has 20 initial architectures and min(ceil(sqrt(n) / 4), 25) good ones. As
    in both, observations before the last ``remembered`` of a group weigh less: at the least 1/n, rising by equal steps.
    Probabilities are weighted counts plus ``prior_weight`` for every value, as in hyperopt; Optuna mixes one kernel per
    observation. Both choose every code for itself, from ``candidates`` values each; here as in the paper a candidate is
    a whole architecture. With several workers, what has not ended is neither good nor bad.

    Args:
        initial: number of random architectures at the beginning.
        gamma: fraction of the evaluated architectures that count as good.
        most_good: most architectures that count as good.
        candidates: number of architectures drawn from l.
        prior_weight: how many observations the uniform prior of every value is worth.
        remembered: how many observations of a group have their full weight.
        revisit: whether an architecture can be proposed again.
    """

    name: ClassVar[str] = "tpe"
    aliases: ClassVar[tuple[str, ...]] = ("bo", "bayesian-optimization", "bayesian-optimisation")
    family: ClassVar[str] = "model-based"
    reference: ClassVar[str] = "Bergstra et al., Algorithms for Hyper-Parameter Optimization, NeurIPS 2011"
    asynchronous: ClassVar[bool] = True
    runs_at_a_time: ClassVar[int] = 256

    initial: Count = 10
    gamma: Annotated[float, Above(0), Below(1)] = 0.1
    most_good: Count = 25
    candidates: Count = 24
    prior_weight: Positive = 1.0
    remembered: Count = 25
    revisit: bool = False

    def start(self, problem: Problem) -> ProposalHistory:
        """Return the state before the first evaluation."""
        return ProposalHistory.of(problem)

    def ask(self, state: ProposalHistory) -> IntArray:
        """Propose the first architectures at once, then one at a time, shape (runs, 1)."""
        if not state.founded:
            state.founded = True
            return np.concatenate([state.propose(self._random(state)) for _ in range(self.initial)], axis=1)
        if state.observations.told == 0:  # as many workers as first architectures, and none is back
            return state.propose(self._random(state))
        promising = self._promising(state)
        return state.propose(np.where(promising < 0, self._random(state), promising))

    def _promising(self, state: ProposalHistory) -> IntArray:
        """Return the candidate with the largest l / g, -1 where no candidate can be proposed; shape (runs,)."""
        space, told, known = state.space, state.observations.told, state.observations.known
        good = good_ones(state.observations.value, known, (count := self._good(told)))
        groups = ((good, count), (known & ~good, told - count))
        l, g = (  # noqa: E741 - the name in the paper
            log_probabilities(state.hot, ages(group, n, self.remembered), space.cardinalities, self.prior_weight)
            for group, n in groups
        )
        codes = len(space.cardinalities)
        uniform = state.streams.uniform(self.candidates * codes).reshape(-1, self.candidates, codes)
        architecture, places = draw(space, l, uniform)
        ratio = np.take_along_axis((l - g)[:, None], places, axis=2)
        score = sum(ratio[:, :, code] for code in range(codes))
        possible = architecture >= 0
        run = np.arange(len(good))
        if not self.revisit:
            possible &= ~state.visited.has(run[:, None], np.maximum(architecture, 0))
        chosen = first_best(np.where(possible, score, -np.inf))
        return np.where(possible.any(axis=1), architecture[run, chosen], -1)

    def _random(self, state: ProposalHistory) -> IntArray:
        """Draw an architecture for every run, -1 where no new one is left; shape (runs,)."""
        uniform = state.streams.uniform(2)
        if self.revisit:
            return state.space.sample(uniform[:, 0])
        return state.visited.draw(np.arange(len(uniform)), uniform[:, 0], uniform[:, 1])

    def _good(self, told: int) -> int:
        return min(math.ceil(self.gamma * told), self.most_good)

    def tell(self, state: ProposalHistory, evaluations: Evaluations) -> None:
        """Take the values in."""
        state.observations.tell(evaluations)
