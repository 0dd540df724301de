"""SMAC: sequential model-based optimisation with a random forest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Above, AtLeast, AtMost, Count, Probability
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.models.acquisition import (
    expected_improvement,
    expected_improvement_of_logs,
    first_best,
)
from nasbench_lab.strategies.models.candidates import distinct_new, pool
from nasbench_lab.strategies.models.log_costs import LogCosts
from nasbench_lab.strategies.models.random_forest import Forest
from nasbench_lab.strategies.parts.proposal_history import ProposalHistory
from nasbench_lab.strategies.problem import Evaluations, Problem

_PARENTS = 10


@final
@dataclass(frozen=True)
class RandomForestSearch(Strategy[ProposalHistory]):
    """SMAC (Hutter, Hoos and Leyton-Brown, LION 2011) on a single instance: a random forest and expected improvement.

    The first ``initial`` architectures are random. Then repeat: fit a random forest to all observed values, and
    evaluate the candidate with the largest expected improvement over the best value that the forest predicts for an
    evaluated architecture, as SMAC3 does; or, with probability ``random``, a random new architecture. The candidates
    are ``pool_size`` architectures drawn again at every step: half of them random, half neighbours of the ten best,
    which stand for the local searches of SMAC. No architecture is evaluated twice, so there is nothing to intensify.

    With ``scaling="log"``, the forest learns logarithms of scaled costs (see `LogCosts`), and the improvement is that
    of the costs. These are SMAC3's scale and acquisition function for hyper-parameters. They matter where most
    architectures are far worse than the best, and the best differ little. With ``scaling="linear"``, as in SMAC3 for
    algorithm configuration, the forest learns values that are scaled to mean 0 and variance 1.

    The forest is that of the paper, section 4.1: 10 trees over bootstrap samples; nodes are split by the best value of
    a random 5/6 of the codes. A split separates one value of a code from the others, and a path from the root has at
    most ``depth`` splits. The paper splits nodes of at least 10 examples; 3, as in SMAC3 for algorithm configuration,
    suits runs of a hundred evaluations better. A failed training counts as the worst value that the run has seen. With
    several workers, an evaluation that has not ended counts as if it had the predicted value.

    ``docs/design/originals.md`` compares this strategy with SMAC3.

    Args:
        initial: number of random architectures at the beginning. SMAC3 draws a quarter of the budget, at most ten per
            code, from a Sobol sequence.
        scaling: what the forest learns: ``"log"``, logarithms of scaled costs, or ``"linear"``, scaled values.
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
    version: ClassVar[int] = 2
    needs: ClassVar[tuple[str, ...]] = ("neighbours",)
    asynchronous: ClassVar[bool] = True
    runs_at_a_time: ClassVar[int] = 48

    initial: Count = 10
    scaling: Literal["log", "linear"] = "log"
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
        if not state.founded:
            return state.begin(self.initial)
        if state.observations.told == 0 or state.observations.count == state.space.size:
            nothing = np.zeros((state.streams.runs, 0), dtype=np.int64)
            return _propose(state, nothing)  # no evaluation has ended yet (many workers), or nothing is left
        chosen, believed = self._promising(state)
        # A visited architecture, such as the first, makes `distinct_new` draw a random one.
        randomly = state.streams.uniform(1)[:, 0] < self.random
        chosen = np.where(randomly, state.observations.architecture[:, 0], chosen)
        return _propose(state, chosen[:, None], believed)

    def _promising(self, state: ProposalHistory) -> tuple[IntArray, FloatArray]:
        """Return the most promising candidates and the values that the forest predicts for them, each (runs,)."""
        proposed, scaled = state.observations.architecture, state.observations.values()
        logs = LogCosts.of(scaled.value) if self.scaling == "log" else None
        value = scaled.value if logs is None else logs.value
        forest = Forest(state.space.cardinalities, self.trees, self.depth, self.least, self.share)
        columns = forest.columns(state.codes)
        trees = forest.grow(columns, value, state.streams.uniform(forest.uniforms(value.shape[1])))
        candidates = pool(state.space, state.streams, proposed, value, _PARENTS, self.pool_size)
        mean, deviation = trees.predict(forest.columns(state.space.codes(candidates)))
        best = trees.predict(columns)[0].max(axis=1)[:, None]
        improvement = expected_improvement if logs is None else expected_improvement_of_logs
        run = np.arange(len(value))
        new = ~state.visited.has(run[:, None], candidates)
        position = first_best(np.where(new, improvement(mean, deviation, best), -np.inf))
        predicted = mean[run, position]
        believed = scaled.centre + scaled.scale * (predicted if logs is None else logs.values(predicted))
        return candidates[run, position], believed

    def tell(self, state: ProposalHistory, evaluations: Evaluations) -> None:
        """Record the values."""
        state.observations.tell(evaluations)


def _propose(state: ProposalHistory, ranked: IntArray, believed: FloatArray | None = None) -> IntArray:
    """Propose the first new candidate, or else a random new architecture; -1 if none is left."""
    uniform = state.streams.uniform(state.visited.draws)[:, None].copy()
    return state.propose(distinct_new(state.visited, ranked, 1, uniform)[:, 0], believed)
