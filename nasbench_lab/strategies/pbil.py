"""Population-based incremental learning: a factorised distribution moves towards the best of its draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Above, AtMost, Count, Probability
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.parts import categorical
from nasbench_lab.strategies.parts.learned_distributions import Distribution
from nasbench_lab.strategies.problem import Evaluations, Problem
from nasbench_lab.streams import scale


@dataclass
class _State:
    distribution: Distribution
    cardinalities: IntArray  # (choices, 1)


@final
@dataclass(frozen=True)
class PBIL(Strategy[_State]):
    """Population-based incremental learning (Baluja, CMU-CS-94-163, 1994), for choices of any number of values.

    Draw ``population_size`` architectures from the distribution p, which starts uniform. Move p towards the best of
    them (ties: the first drawn), then mutate it. For every choice i::

        p_i = (1 - learning_rate) p_i + learning_rate [best_i]
        with probability mutation_probability:  p_i = (1 - mutation_shift) p_i + mutation_shift [a random value]

    Here [x] is the distribution that always gives x. With two values this is the rule of the report, except that the
    report mutates towards a random bit and this towards a random value. A failed training is worse than all others; if
    all fail, p does not move towards the best.

    The rates are those of the report. Its population of 100, for 200,000 evaluations, would take a single step in the
    usual hundred or few hundred evaluations of an architecture search; the default is 10.

    Args:
        population_size: number of architectures drawn before every step; at least the number of workers is used.
        learning_rate: fraction by which p moves towards the best.
        mutation_probability: probability that a choice mutates, at every step.
        mutation_shift: fraction by which a mutation moves p.
    """

    name: ClassVar[str] = "pbil"
    family: ClassVar[str] = "distribution"
    reference: ClassVar[str] = "Baluja, Population-Based Incremental Learning, CMU-CS-94-163, 1994"

    population_size: Count = 10
    learning_rate: Annotated[float, Above(0), AtMost(1)] = 0.1
    mutation_probability: Probability = 0.02
    mutation_shift: Probability = 0.05

    def start(self, problem: Problem) -> _State:
        """Return the state before the first evaluation: uniform distributions."""
        population = max(self.population_size, problem.workers)
        return _State(Distribution.uniform(problem, population), np.array(problem.space.cardinalities)[:, None])

    def ask(self, state: _State) -> IntArray:
        """Draw a population, shape (runs, population)."""
        return state.distribution.draw()

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Move towards the best of the population, and mutate."""
        fitness = np.fmax(evaluations.value, -np.inf)  # NaN becomes -inf
        best = fitness.argmax(axis=1)
        succeeded = fitness.max(axis=1) > -np.inf
        distribution = state.distribution
        codes = np.take_along_axis(distribution.codes, best[None, None, :], axis=0)[0]
        _move(distribution.probabilities, codes, np.where(succeeded, self.learning_rate, np.zeros(codes.shape)))

        choices = len(state.cardinalities)
        uniform = distribution.streams.uniform(2 * choices).T
        mutates = uniform[:choices] < self.mutation_probability
        _move(
            distribution.probabilities,
            scale(uniform[choices:], state.cardinalities),
            np.where(mutates, self.mutation_shift, 0.0),
        )


def _move(probabilities: FloatArray, codes: IntArray, rate: FloatArray) -> None:
    """Move distributions towards codes, in place; codes and rates have the shape (choices, runs)."""
    probabilities *= 1 - rate
    categorical.add_at(probabilities, codes, rate)
