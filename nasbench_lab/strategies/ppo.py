"""Proximal policy optimisation of a factorised policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Above, AtLeast, Below, Count, Positive, Probability
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.parts import categorical, elementary
from nasbench_lab.strategies.parts.learned_distributions import Policy
from nasbench_lab.strategies.parts.rewards import RewardKind
from nasbench_lab.strategies.problem import Evaluations, Problem


@final
@dataclass(frozen=True)
class PPO(Strategy[Policy]):
    """Proximal policy optimisation (Schulman et al., 2017, equations 7 and 9) of a factorised policy.

    Every choice is an action with its own logits theta, which start at 0. Draw ``batch_size`` architectures a_1 .. a_N
    from the policy p_old, and give every choice of a_k the advantage of its reward, A_k = (r_k - mean r) / (standard
    deviation of r + 1e-8). Then take ``epochs`` steps of Adam up the clipped objective plus the entropy H::

        L(theta) = mean over k of sum over i of min(q A_k, clip(q, 1 - clip, 1 + clip) A_k)
                   + entropy * sum over i of H(p_i)
        q        = p_i[a_ki] / p_old,i[a_ki]

    The reward comes at the end and the actions do not depend on each other, so there is no value function: the mean of
    the batch is the baseline. A failed training has the lowest reward that the run has seen.

    ``clip`` and ``entropy`` are those of the paper (tables 3 and 5), which collects thousands of steps for one update.
    With the few hundred evaluations of an architecture search, batches are small, and the learning rate is that of
    `Reinforce`.

    Args:
        batch_size: number of architectures drawn before every update; at least the number of workers is used.
        epochs: number of steps of Adam per update.
        clip: largest change of an action's probability in an update, as a fraction.
        entropy: weight of the entropy.
        learning_rate: learning rate of Adam.
        reward: ``"raw"``, the value, or ``"sigmoid"``, the fitness 1 / (1 + exp(-beta value)).
        beta: slope of the sigmoid, per unit of the metric.
    """

    name: ClassVar[str] = "ppo"
    aliases: ClassVar[tuple[str, ...]] = ("reinforcement-learning", "rl")
    family: ClassVar[str] = "reinforcement learning"
    reference: ClassVar[str] = "Schulman et al., Proximal Policy Optimization Algorithms, arXiv:1707.06347, 2017"

    batch_size: Annotated[int, AtLeast(2)] = 10
    epochs: Count = 4
    clip: Annotated[float, Above(0), Below(1)] = 0.2
    entropy: Probability = 0.01
    learning_rate: Positive = 0.1
    reward: RewardKind = "raw"
    beta: Positive = 1.0

    def start(self, problem: Problem) -> Policy:
        """Return the state before the first evaluation: uniform policies."""
        batch = max(self.batch_size, problem.workers)
        return Policy.of(problem, batch, self.learning_rate, self.reward, self.beta)

    def ask(self, state: Policy) -> IntArray:
        """Draw a batch, shape (runs, batch)."""
        return state.draw()

    def tell(self, state: Policy, evaluations: Evaluations) -> None:
        """Take steps up the clipped objective."""
        advantages = standardised(state.rewards.of(evaluations.value))
        codes = state.codes[: len(advantages)]
        old = np.stack([categorical.at(state.probabilities, drawn) for drawn in codes])
        for _ in range(self.epochs):
            state.climb(ascent(state.logits, codes, old, advantages, self.clip, self.entropy))


def standardised(rewards: FloatArray) -> FloatArray:
    """Return rewards (batch, runs) minus their mean, divided by their standard deviation + 1e-8; 0 for a NaN."""
    known = ~np.isnan(rewards)
    number = np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, rewards, 0.0)
    centred = np.where(known, centred - categorical.total(centred) / number, 0.0)
    return centred / (np.sqrt(categorical.total(np.square(centred)) / number) + 1e-8)


def ascent(
    logits: FloatArray, codes: IntArray, old: FloatArray, advantages: FloatArray, clip: float, entropy: float
) -> FloatArray:
    """Return the gradient of L with respect to the logits, shape (values, choices, runs).

    Where the minimum is the clipped term, which is constant, the gradient is 0.

    Args:
        logits: of the policy, (values, choices, runs).
        codes: of the drawn architectures, (batch, choices, runs).
        old: their probabilities when they were drawn, of the same shape.
        advantages: (batch, runs).
        clip: largest change of a probability, as a fraction.
        entropy: weight of the entropy.
    """
    probabilities = categorical.softmax(logits)
    logarithms = elementary.log(np.where(probabilities > 0, probabilities, 1.0))
    surprise = categorical.total(probabilities * logarithms)  # the negative entropy, per choice
    gradient = -entropy * probabilities * (logarithms - surprise)
    weight = np.zeros(codes.shape[1:])
    for drawn, before, advantage in zip(codes, old, advantages, strict=True):
        ratio = categorical.at(probabilities, drawn) / before
        constant = np.where(advantage > 0, ratio > 1 + clip, ratio < 1 - clip)
        part = np.where(constant, 0.0, ratio * advantage) / len(codes)
        categorical.add_at(gradient, drawn, part)
        weight += part
    gradient -= weight * probabilities
    return gradient
