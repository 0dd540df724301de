"""Monte-Carlo tree search over the codes of an architecture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import NonNegative
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.parts.prefix_tree import Tree, prefix_tree
from nasbench_lab.strategies.parts.rewards import Rewards, gain
from nasbench_lab.strategies.parts.tree_statistics import TreeStatistics
from nasbench_lab.strategies.problem import Evaluations, Problem
from nasbench_lab.streams import Streams


@dataclass
class _State:
    streams: Streams
    choices: int
    tree: Tree
    draws: int  # uniforms per random architecture
    statistics: TreeStatistics
    rewards: Rewards
    origin: FloatArray  # (runs,): the run's first reward, NaN before
    highest: FloatArray  # (runs,): its highest reward, NaN before
    proposed: int = 0


@final
@dataclass(frozen=True)
class MonteCarloTreeSearch(Strategy[_State]):
    """Monte-Carlo tree search over the codes of an architecture (AlphaX: Wang et al., AAAI 2020), without its network.

    An architecture is a sequence of choices, and every prefix of one is a node of a tree (`PrefixTree`). An iteration
    starts at the root and descends to the first node that the run has not visited yet::

        the next value j = argmax of  X_j + 2 c (highest - lowest) sqrt(2 ln N / N_j)

    N_j and N are the run's numbers of visits to the child and to the node, and X_j is the mean reward of the
    evaluations below the child. The bound is infinite where N_j = 0. Ties are broken at random, so unvisited children
    come first, in random order. From the new node, a random architecture with its prefix is evaluated (the rollout),
    and the reward counts for all nodes on the path. This is UCT (Kocsis and Szepesvari, ECML 2006) in the form of
    AlphaX, with c = ``exploration``. UCT assumes rewards in [0, 1]; the factor (highest - lowest), over all rewards
    that the run has seen, adapts it to any metric.

    Differences from AlphaX:

    - There is no Meta-DNN. In AlphaX, the first value of a node averages the accuracy of the rollout and the accuracies
      that a network predicts for more rollouts. (Strategies with predictors are `Bananas`, `RankingPredictor` and
      `Npenas`.)
    - A node is skipped when everything below it was evaluated, so no architecture is evaluated twice. AlphaX looks a
      known network up for free and counts it again; here evaluations are the cost.
    - An evaluation counts for all nodes that it belongs to, as in the original UCT, not only for those in the tree at
      that time.
    - Moves are codes in the order of the space, and their number is fixed. In AlphaX, moves edit a graph.

    A failed training has the lowest reward that the run has seen. Evaluations that have not ended on other workers
    count as visits without a reward (as in WU-UCT: Liu et al., ICLR 2020); a child without any reward has the lowest
    reward.

    The paper uses c = 0.5, its code 2. With a few hundred evaluations both explore too much: 0.05 finds better
    architectures (the measurements are in ``docs/design/strategy-defaults.md``).

    Args:
        exploration: the constant c, as a fraction of the range of the rewards.
    """

    name: ClassVar[str] = "mcts"
    aliases: ClassVar[tuple[str, ...]] = ("monte-carlo-tree-search", "alphax", "uct")
    family: ClassVar[str] = "tree search"
    reference: ClassVar[str] = (
        "Wang et al., Neural Architecture Search using Deep Neural Networks and Monte Carlo Tree Search, AAAI 2020"
    )
    asynchronous: ClassVar[bool] = True
    runs_at_a_time: ClassVar[int] = 1024

    exploration: NonNegative = 0.05

    def start(self, problem: Problem) -> _State:
        """Return the state before the first evaluation: a tree with a root."""
        tree = prefix_tree(problem.space)
        return _State(
            streams=problem.streams,
            choices=len(problem.space.cardinalities),
            tree=tree,
            draws=problem.space.draws,
            statistics=TreeStatistics(tree, problem.runs),
            rewards=Rewards("raw", 1.0, np.full(problem.runs, np.nan)),
            origin=np.full(problem.runs, np.nan),
            highest=np.full(problem.runs, np.nan),
        )

    def ask(self, state: _State) -> IntArray:
        """Descend the tree once, shape (runs, 1); -1 when everything was evaluated."""
        runs = len(state.origin)
        if state.proposed == state.tree.size:
            return np.full((runs, 1), -1)
        state.proposed += 1
        uniform = state.streams.uniform(state.draws + state.choices)
        rollout, ties = uniform[:, : state.draws], uniform[:, state.draws :].T
        lowest = gain(state.rewards.lowest, state.origin)
        spread = gain(state.highest, state.origin) - lowest
        position = state.statistics.visit(rollout, ties, 2 * self.exploration * spread, lowest)
        return state.tree.architecture(position)[:, None]

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Count the rewards for all nodes on the paths to the architectures."""
        rewards = state.rewards.of(evaluations.value)
        for architecture, reward in zip(evaluations.architecture.T, rewards, strict=True):
            state.origin = np.where(np.isnan(state.origin), reward, state.origin)
            state.highest = np.fmax(state.highest, reward)
            run = np.flatnonzero(architecture >= 0)
            position = state.tree.position(architecture[run])
            state.statistics.learn(run, position, gain(reward, state.origin)[run])
