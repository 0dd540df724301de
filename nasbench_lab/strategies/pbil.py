"""Population-based incremental learning: move a factorised distribution towards the best of what it draws."""

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

    Draw ``population_size`` architectures from the distribution p, at first uniform; move p towards the best of them
    (of equals, the first drawn); then mutate it. For every choice i::

        p_i = (1 - learning_rate) p_i + learning_rate [best_i]
        with probability mutation_probability:  p_i = (1 - mutation_shift) p_i + mutation_shift [a random value]

    where [x] is the distribution that always gives x. With two values that is the rule of the report, except that there
    the mutation moves towards a random bit and here towards a random value. A failed training is worse than all others;
    where all failed, p does not move.

    The rates are those of the report. Its population of 100, for 200,000 evaluations, would make a single step in the
    usual hundred or few hundred evaluations of an architecture search; the default is 10.

    Args:
        population_size: how many architectures are drawn before every step (with more workers, as many as they are).
        learning_rate: how far p moves.
        mutation_probability: how often a choice mutates, at every step.
        mutation_shift: how far.
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
    """Move distributions towards the codes, in place; codes and rates (choices, runs)."""
    probabilities *= 1 - rate
    categorical.add_at(probabilities, codes, rate)
