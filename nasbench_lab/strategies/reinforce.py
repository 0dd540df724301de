"""REINFORCE: follow the gradient of the expected reward of a factorised policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Positive
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.parts import categorical
from nasbench_lab.strategies.parts.learned_distributions import Policy
from nasbench_lab.strategies.parts.rewards import Momentum, RewardBaseline, RewardKind
from nasbench_lab.strategies.problem import Evaluations, Problem


@dataclass
class _State:
    policy: Policy
    baseline: RewardBaseline


@final
@dataclass(frozen=True)
class Reinforce(Strategy[_State]):
    """REINFORCE with a moving-average baseline over a factorised policy (Dong and Yang, ICLR 2020; Williams 1992).

    Every choice has its own logits ``theta``, which start at 0 (the published code starts at 0.001 times a standard
    normal number, which makes no difference). Draw an architecture a from the policy, observe its reward r, and move::

        b     = average of the rewards so far, r included, weighted towards the newest (momentum m)
        theta = theta + Adam((r - b) d log p(a) / d theta),    d log p(a) / d theta[j, i] = [a_i = j] - p[j, i]

    With several workers, each one draws from the same policy, and the gradient is the mean of theirs.

    The policy is that of the codes as they are drawn. In a space where several codes describe the same architecture, or
    some describe none, the gradient is that of the drawn codes (`parts.code_draws.draw` replaces codes that describe no
    architecture).

    Publications differ in the learning rate: the commands of NAS-Bench-201 use 0.5, its grid is 0.01, 0.02, 0.1, 0.2
    and 0.5, an earlier version had 0.001, and NATS-Bench uses 0.01. In the protocol of NAS-Bench-201 (12,000 seconds;
    91.09 validation and 93.85 test accuracy are reported), the default of 0.1, the best of that grid, gives 91.15 and
    93.92; 0.01 gives 90.98 and 93.76; 0.5 settles too early and gives 90.28 and 93.17.

    Args:
        learning_rate: of Adam; about the largest change of a logit per evaluation.
        momentum: of the baseline.
        reward: ``"raw"``, the value, or ``"sigmoid"``, the fitness 1 / (1 + exp(-beta value)).
        beta: slope of the sigmoid, per unit of the metric.
    """

    name: ClassVar[str] = "reinforce"
    aliases: ClassVar[tuple[str, ...]] = ("reinforcement-learning", "rl")
    family: ClassVar[str] = "reinforcement learning"
    reference: ClassVar[str] = (
        "Dong and Yang, NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search, ICLR 2020"
    )

    learning_rate: Positive = 0.1
    momentum: Momentum = 0.9
    reward: RewardKind = "raw"
    beta: Positive = 1.0

    def start(self, problem: Problem) -> _State:
        """Return the state before the first evaluation: uniform policies."""
        policy = Policy.of(problem, problem.workers, self.learning_rate, self.reward, self.beta)
        return _State(policy, RewardBaseline.of(self.momentum, problem.runs))

    def ask(self, state: _State) -> IntArray:
        """Draw an architecture for every worker, shape (runs, workers)."""
        return state.policy.draw()

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Take a step along the gradient."""
        policy = state.policy
        rewards = policy.rewards.of(evaluations.value)
        advantages = np.stack([state.baseline.advantage(reward) for reward in rewards]) / len(rewards)
        policy.climb(_gradient(policy.codes, policy.probabilities, advantages))


def _gradient(codes: IntArray, probabilities: FloatArray, advantages: FloatArray) -> FloatArray:
    """Sum over proposals of the advantage times the gradient of the log-probability, shape (values, choices, runs)."""
    gradient = probabilities * -categorical.total(advantages)
    for drawn, advantage in zip(codes, advantages, strict=False):  # proposals that the budget cut off are not told
        categorical.add_at(gradient, drawn, advantage)
    return gradient
