"""SMAC: sequential model-based optimisation with a random forest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Above, AtLeast, AtMost, Count, Probability
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.models.acquisition import expected_improvement, first_best
from nasbench_lab.strategies.models.candidates import distinct_new, pool
from nasbench_lab.strategies.models.random_forest import Forest
from nasbench_lab.strategies.parts.proposal_history import ProposalHistory
from nasbench_lab.strategies.problem import Evaluations, Problem

_PARENTS = 10


@final
@dataclass(frozen=True)
class RandomForestSearch(Strategy[ProposalHistory]):
    """SMAC (Hutter, Hoos and Leyton-Brown, LION 2011) on a single instance: a random forest and expected improvement.

    The first ``initial`` architectures are random. Then repeat: fit a random forest to all observed values, and
    evaluate the candidate with the largest expected improvement over the best observed value; or, with probability
    ``random``, a random new architecture. The candidates are ``pool_size`` architectures drawn again at every step:
    half of them random, half neighbours of the ten best, which stand for the local searches of SMAC. No architecture is
    evaluated twice, so there is nothing to intensify.

    The forest is that of the paper, section 4.1: 10 trees over bootstrap samples; nodes are split by the best value of
    a random 5/6 of the codes. A split separates one value of a code from the others, and a path from the root has at
    most ``depth`` splits. The paper splits nodes of at least 10 examples; 3, as in SMAC3 for algorithm configuration,
    suits runs of a hundred evaluations better. (SMAC3 for hyper-parameters considers all codes, splits nodes of 2, and
    proposes every fifth architecture at random.) Values are scaled to mean 0 and variance 1. A failed training counts
    as the worst value that the run has seen. With several workers, an evaluation that has not ended counts as if it had
    the predicted value.

    Args:
        initial: number of random architectures at the beginning.
        trees: number of trees.
        depth: largest number of splits between the root and a leaf.
        least: smallest number of examples of a node that is split.
        share: fraction of the codes that are considered at a node.
        random: probability of a random architecture. The paper proposes every second one at random; SMAC3 has 0.5, 0.2
            or, with a Gaussian process in place of the forest, 0.084, depending on its use.
        pool_size: number of candidates.
    """

    name: ClassVar[str] = "smac"
    aliases: ClassVar[tuple[str, ...]] = ("random-forest", "bo", "bayesian-optimization", "bayesian-optimisation")
    family: ClassVar[str] = "model-based"
    reference: ClassVar[str] = (
        "Hutter et al., Sequential Model-Based Optimization for General Algorithm Configuration, LION 2011"
    )
    needs: ClassVar[tuple[str, ...]] = ("neighbours",)
    asynchronous: ClassVar[bool] = True
    runs_at_a_time: ClassVar[int] = 48

    initial: Count = 10
    trees: Count = 10
    depth: Annotated[int, AtLeast(1), AtMost(10)] = 5
    least: Count = 3
    share: Annotated[float, Above(0), AtMost(1)] = 5 / 6
    random: Probability = 0.08
    pool_size: Count = 300

    def start(self, problem: Problem) -> ProposalHistory:
        """Return the state before the first evaluation."""
        return ProposalHistory.of(problem)

    def ask(self, state: ProposalHistory) -> IntArray:
        """Propose the first architectures at once, then one at a time, shape (runs, 1)."""
        runs = len(state.hot)
        nothing = np.zeros((runs, 0), dtype=np.int64)
        if not state.founded:
            state.founded = True
            return np.concatenate([_propose(state, nothing) for _ in range(self.initial)], axis=1)
        if state.observations.told == 0 or state.observations.count == state.space.size:
            return _propose(state, nothing)  # no evaluation has ended yet (many workers), or nothing is left
        value, centre, spread = state.observations.values()
        forest = Forest(state.space.cardinalities, self.trees, self.depth, self.least, self.share)
        columns = forest.columns(state.space.codes(state.observations.architecture))
        trees = forest.grow(columns, value, state.streams.uniform(forest.uniforms(value.shape[1])))
        uniform = state.streams.uniform(self.pool_size)
        candidates = pool(state.space, state.observations.architecture, value, _PARENTS, uniform)
        mean, deviation = trees.predict(forest.columns(state.space.codes(candidates)))
        gain = expected_improvement(mean, deviation, value.max(axis=1)[:, None])
        run = np.arange(runs)
        new = ~state.visited.has(run[:, None], candidates)
        position = first_best(np.where(new, gain, -np.inf))
        believed = centre + spread * mean[run, position]
        chosen = candidates[run, position]
        # A visited architecture, such as the first, makes `distinct_new` draw a random one.
        randomly = state.streams.uniform(1)[:, 0] < self.random
        chosen = np.where(randomly, state.observations.architecture[:, 0], chosen)
        return _propose(state, chosen[:, None], believed)

    def tell(self, state: ProposalHistory, evaluations: Evaluations) -> None:
        """Record the values."""
        state.observations.tell(evaluations)


def _propose(state: ProposalHistory, ranked: IntArray, believed: FloatArray | None = None) -> IntArray:
    """Propose the first new candidate, or else a random new architecture; -1 if none is left."""
    uniform = state.streams.uniform(2)[:, None].copy()
    return state.propose(distinct_new(state.visited, ranked, 1, uniform)[:, 0], believed)
