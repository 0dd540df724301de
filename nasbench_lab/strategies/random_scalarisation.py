"""Random scalarisation: evolution for several objectives, with other random weights for every child."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Count, NonNegative
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.parts.dominance import comparable
from nasbench_lab.strategies.problem import Evaluations, Problem
from nasbench_lab.streams import Streams, scale


@dataclass
class _State:
    space: Space
    streams: Streams
    members: IntArray  # (population_size, runs): architectures, in a ring
    objectives: FloatArray  # (objectives, population_size, runs): -inf for a failed training
    better: NDArray[np.int32]  # (objectives, population_size, runs): number of members that are better in the objective
    lowest: FloatArray  # (objectives, runs): smallest value that the run has observed, inf before
    highest: FloatArray  # (objectives, runs): largest value, -inf before
    born: int = 0  # evaluations so far, the same for every run
    founded: bool = False  # whether the first population was proposed


@final
@dataclass(frozen=True)
class RandomScalarisation(Strategy[_State]):
    """Aging evolution (Real et al. 2019) by augmented Tchebycheff costs with random weights (Knowles 2006).

    As in regularized evolution, each child is a mutant of the winner of a tournament, and replaces the oldest member.
    For every child, weights w are drawn uniformly from those that are at least 0 and sum to 1. The winner is the member
    with the smallest

        g(x) = max_j w_j c_j(x) + rho sum_j w_j c_j(x)

    (ParEGO, IEEE Transactions on Evolutionary Computation 2006, equation 2); ties: the one drawn first. Over time,
    children are bred for all parts of the Pareto front, even where it is not convex. The cost c_j of objective f_j is

    - with ``scaling="rank"``, the fraction of the population that is better in f_j;
    - with ``scaling="range"``, as in ParEGO, (max f_j - f_j(x)) / (max f_j - min f_j) over all values that the run has
      observed. A single network that did not learn makes all differences between good ones small, and the search then
      breeds for the other objectives. On tables of trained networks this is worse, so it is not the default.

    ParEGO draws from evenly spaced weights and proposes with a model; here evolution takes the place of the model. With
    one objective this is regularized evolution. The defaults are our own, for a few hundred evaluations.

    Args:
        population_size: number of members.
        sample_size: number of members of a tournament.
        scaling: ``"rank"`` or ``"range"``.
        rho: weight of the sum, which makes weakly dominated architectures lose; 0.05 in ParEGO.
    """

    name: ClassVar[str] = "random-scalarisation"
    family: ClassVar[str] = "multi-objective"
    reference: ClassVar[str] = "Knowles, ParEGO, IEEE Trans. Evol. Comput. 2006 (scalarisation); Real et al., AAAI 2019"
    needs: ClassVar[tuple[str, ...]] = ("neighbours",)
    asynchronous: ClassVar[bool] = True

    population_size: Count = 30
    sample_size: Count = 8
    scaling: Literal["rank", "range"] = "rank"
    rho: NonNegative = 0.05

    def start(self, problem: Problem) -> _State:
        """Return the state before the first evaluation: an empty population."""
        # The runs are the last axis, so that operations on all runs use contiguous memory.
        shape = (self.population_size, problem.runs)
        members, objectives = np.zeros(shape, dtype=np.int64), np.full((len(problem.objectives), *shape), -np.inf)
        lowest = np.full((len(problem.objectives), problem.runs), np.inf)
        better = np.zeros(objectives.shape, dtype=np.int32)
        return _State(problem.space, problem.streams, members, objectives, better, lowest, -lowest)

    def ask(self, state: _State) -> IntArray:
        """Propose the whole first population at once, then one child at a time, shape (runs, 1)."""
        if not state.founded:
            state.founded = True
            return state.space.draw(state.streams, self.population_size)
        cuts = len(state.objectives) - 1
        if state.born == 0:  # with as many workers as members, no evaluation has ended yet
            uniform = state.streams.uniform(self.sample_size + cuts + state.space.draws)
            return state.space.sample_columns(uniform[:, self.sample_size + cuts :])
        uniform = state.streams.uniform(self.sample_size + cuts + 1)
        drawn = scale(uniform[:, : self.sample_size], min(state.born, self.population_size)).T
        costs = [self._cost(state, objective, drawn) for objective in range(cuts + 1)]
        cost = tchebycheff(costs, simplex(uniform[:, self.sample_size : self.sample_size + cuts]).T, self.rho)
        winner = np.take_along_axis(drawn, cost.argmin(axis=0)[None], axis=0)
        parent = np.take_along_axis(state.members, winner, axis=0)
        return state.space.mutate(parent.T, uniform[:, -1:])

    def _cost(self, state: _State, objective: int, drawn: IntArray) -> FloatArray:
        """Return the costs of members in one objective, shape (sample_size, runs); highest for failed trainings."""
        if self.scaling == "rank":
            return np.take_along_axis(state.better[objective], drawn, axis=0) / self.population_size
        value = np.take_along_axis(state.objectives[objective], drawn, axis=0)
        lowest, highest = state.lowest[objective], state.highest[objective]
        known = highest > lowest
        below = np.where(known, highest, 0.0) - np.where(np.isinf(value) | ~known, 0.0, value)
        return np.where(np.isinf(value), 2.0, below / np.where(known, highest - lowest, 1.0))

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Replace the oldest members by the new architectures."""
        objectives = np.moveaxis(comparable(evaluations), 0, -1)  # (k, objectives, runs)
        for architecture, told in zip(evaluations.architecture.T, objectives, strict=True):
            oldest = state.born % self.population_size
            state.members[oldest] = architecture
            state.better += told[:, None] > state.objectives
            state.better -= state.objectives[:, oldest, None] > state.objectives
            state.objectives[:, oldest] = told
            state.better[:, oldest] = (state.objectives > told[:, None]).sum(axis=1)
            state.lowest = np.minimum(state.lowest, np.where(np.isinf(told), np.inf, told))
            state.highest = np.maximum(state.highest, told)
            state.born += 1


def simplex(uniform: FloatArray) -> FloatArray:
    """Return weights of at least 0 that sum to 1, uniformly distributed: the gaps between sorted uniforms.

    Args:
        uniform: in [0, 1), shape (runs, objectives - 1).

    Returns:
        Shape (runs, objectives).

    >>> simplex(np.array([[0.75, 0.5]])).tolist()
    [[0.5, 0.25, 0.25]]
    """
    return np.diff(np.sort(uniform, axis=1), axis=1, prepend=0.0, append=1.0)


def tchebycheff(costs: Iterable[FloatArray], weights: FloatArray, rho: float) -> FloatArray:
    """Return augmented Tchebycheff costs; lower is better.

    Args:
        costs: one array per objective, all of the same shape.
        weights: for every objective, a weight or an array that broadcasts to the shape of its costs.
        rho: weight of the sum.

    >>> tchebycheff(np.array([[0.0, 0.5], [1.0, 0.5]]), np.array([0.5, 0.5]), rho=0.5).tolist()
    [0.75, 0.5]
    """
    weighted = [weight * cost for weight, cost in zip(weights, costs, strict=True)]
    # In a fixed order, so that the sum is the same for any number of runs.
    return functools.reduce(np.maximum, weighted) + rho * functools.reduce(np.add, weighted)
