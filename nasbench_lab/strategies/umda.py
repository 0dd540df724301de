"""The univariate marginal distribution algorithm: draw, select the best, count their values, and draw again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Count, require
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.parts import categorical
from nasbench_lab.strategies.parts.learned_distributions import Distribution
from nasbench_lab.strategies.problem import Evaluations, Problem


@dataclass
class _State:
    distribution: Distribution
    least: FloatArray  # (values, choices, 1): lower bounds of the probabilities


@final
@dataclass(frozen=True)
class UMDA(Strategy[_State]):
    """Estimation of distribution with independent choices (Muehlenbein and Paass, PPSN 1996; Muehlenbein, EC 1997).

    Draw ``population_size`` architectures from the distribution p, which starts uniform. Select the best ``selected``
    of them (ties: the first drawn). The new p is the frequency of the values among the selected, with margins::

        p_i[j] = (number of selected with the value j for choice i) / selected,   but at least 1 / (D (K_i - 1))

    D is the number of choices, and K_i the number of values of choice i. Without margins, a value that no selected
    architecture has would be lost forever (see `parts.categorical.margins`). Failed trainings are never selected. If
    fewer than ``selected`` succeeded, these alone are counted; if none did, p stays.

    Truncation to the better half is the usual selection. The population is a compromise: the theory asks for more
    members than an architecture search has evaluations, so that chance does not fix values; the margins bring them
    back.

    Args:
        population_size: number of architectures drawn before every step; at least the number of workers is used.
        selected: number of architectures that are selected.
    """

    name: ClassVar[str] = "umda"
    family: ClassVar[str] = "distribution"
    reference: ClassVar[str] = (
        "Muehlenbein and Paass, From Recombination of Genes to the Estimation of Distributions, PPSN 1996"
    )

    population_size: Count = 20
    selected: Count = 10

    def check(self) -> None:
        """Require a population of at least ``selected`` architectures."""
        require(
            self.selected <= self.population_size,
            f"selected must be at most population_size, {self.population_size}, got {self.selected}",
        )

    def start(self, problem: Problem) -> _State:
        """Return the state before the first evaluation: uniform distributions."""
        population = max(self.population_size, problem.workers)
        return _State(Distribution.uniform(problem, population), categorical.margins(problem.space.cardinalities))

    def ask(self, state: _State) -> IntArray:
        """Draw a population, shape (runs, population)."""
        return state.distribution.draw()

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Update the distribution from the values of the best architectures."""
        fitness = np.fmax(evaluations.value.T, -np.inf)  # NaN becomes -inf
        order = np.argsort(-fitness, axis=0, kind="stable")[: self.selected]
        distribution = state.distribution
        counts = np.zeros_like(distribution.probabilities)
        number = np.zeros(fitness.shape[1])
        for place in order:
            succeeded = np.take_along_axis(fitness, place[None], axis=0)[0] > -np.inf
            codes = np.take_along_axis(distribution.codes, place[None, None, :], axis=0)[0]
            categorical.add_at(counts, codes, succeeded * 1.0)
            number += succeeded
        frequencies = np.where(number > 0, counts / np.maximum(number, 1), distribution.probabilities)
        distribution.probabilities = categorical.keep_margins(frequencies, state.least)
