"""Gradient search over a relaxed distribution of architectures, from evaluations alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Positive
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.parts import categorical, elementary
from nasbench_lab.strategies.parts.learned_distributions import Policy
from nasbench_lab.strategies.parts.rewards import Momentum, RewardBaseline, RewardKind
from nasbench_lab.strategies.problem import Evaluations, Problem

_SMALLEST = 1e-300  # lower bound of exponential variables, as their logarithms are used


@dataclass
class _State:
    policy: Policy
    baseline: RewardBaseline
    cardinalities: IntArray  # (choices, 1)
    directions: FloatArray  # (proposals, values, choices, runs): in which a reward above the baseline moves the logits


@final
@dataclass(frozen=True)
class GumbelSoftmax(Strategy[_State]):
    """The relaxed architecture distribution of SNAS and GDAS, learned from evaluations alone.

    Every choice i has logits theta_i, which start at 0, and p_i = softmax(theta_i). Gumbel noise G gives an
    architecture a and its relaxation z (Jang, Gu and Poole, ICLR 2017; Maddison, Mnih and Teh, ICLR 2017)::

        a_i = argmax over j of theta_i[j] + G_i[j],        z_i = softmax((theta_i + G_i) / temperature)

    SNAS (Xie et al., ICLR 2019) and GDAS (Dong and Yang, CVPR 2019) differentiate the loss of a network with shared
    weights through z. Here there is no network: only the reward r of the architecture a is observed. With b the moving
    average of the rewards, the logits move by Adam along (r - b) g, where g is one of two estimators:

    ``"score"``: the score of the relaxed sample, g = d log q(z) / d theta, where q is the density of z (Maddison et
    al., equation 10). For a choice of K values it is ``g[j] = 1 - K E[j] / sum_l E[l]`` with E = exp(-G): it does not
    depend on the temperature. The mean of (r - b) g is the gradient of the expected reward of a. Given a, the mean of g
    is [a = j] - p[j], which is what REINFORCE uses. So this is REINFORCE with more noise: the cost of relaxation when
    gradients of the reward are not available.

    ``"straight-through"``: as in GDAS. The reward is used as the derivative of the objective with respect to the value
    that was drawn, and the other values get none: ``g = d z[a] / d theta``, that is ``g[j] = z[a] ([a = j] - z[j]) /
    temperature``. This is biased but has less noise; the lower the temperature, the rarer and larger its steps.

    Args:
        learning_rate: learning rate of Adam.
        estimator: ``"score"`` or ``"straight-through"``.
        temperature: of the relaxation; used by ``"straight-through"`` only. (Published schedules decrease it until the
            end of a search of known length: from 1 in SNAS, from 10 to 0.1 in GDAS.)
        momentum: of the baseline.
        reward: ``"raw"``, the value, or ``"sigmoid"``, the fitness 1 / (1 + exp(-beta value)).
        beta: slope of the sigmoid, per unit of the metric.
    """

    name: ClassVar[str] = "gumbel-softmax"
    aliases: ClassVar[tuple[str, ...]] = ("gdas", "snas")
    family: ClassVar[str] = "distribution"
    reference: ClassVar[str] = "Xie et al., SNAS: Stochastic Neural Architecture Search, ICLR 2019"

    learning_rate: Positive = 0.1
    estimator: Literal["score", "straight-through"] = "score"
    temperature: Positive = 1.0
    momentum: Momentum = 0.9
    reward: RewardKind = "raw"
    beta: Positive = 1.0

    def start(self, problem: Problem) -> _State:
        """Return the state before the first evaluation: uniform distributions."""
        policy = Policy.of(problem, problem.workers, self.learning_rate, self.reward, self.beta)
        return _State(
            policy,
            RewardBaseline.of(self.momentum, problem.runs),
            cardinalities=np.array(problem.space.cardinalities)[:, None],
            directions=np.empty((0, *policy.logits.shape)),
        )

    def ask(self, state: _State) -> IntArray:
        """Draw an architecture for every worker, shape (runs, workers), and the directions of its relaxation."""
        architecture = state.policy.draw()
        state.directions = np.stack([self._direction(state, drawn) for drawn in state.policy.codes])
        return architecture

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Take a step along the estimated gradient."""
        rewards = state.policy.rewards.of(evaluations.value)
        told = zip(state.directions, rewards, strict=False)
        terms = [state.baseline.advantage(reward) / len(rewards) * direction for direction, reward in told]
        state.policy.climb(categorical.total(terms))

    def _direction(self, state: _State, codes: IntArray) -> FloatArray:
        """Return g for architectures, shape (values, choices, runs)."""
        probabilities = state.policy.probabilities
        values, choices, _runs = probabilities.shape
        uniform = state.policy.streams.uniform(values * choices).T.reshape(probabilities.shape)
        arrival = arrivals(codes, probabilities, uniform)
        if self.estimator == "score":
            return relaxed_score(arrival, probabilities, state.cardinalities)
        return straight_through(arrival, codes, probabilities, self.temperature)


def arrivals(codes: IntArray, probabilities: FloatArray, uniform: FloatArray) -> FloatArray:
    """Draw the noise that belongs to given architectures, as T = exp(-(log p + G)), shape (values, choices, runs).

    The largest log p[j] + G[j] is the smallest T[j], and T[j] is exponential with the rate p[j]: a race that value a
    has won. Given that, T[a] is exponential with the rate 1, and the others follow it by exponentials with their own
    rates (which have no memory). For values with the probability 0, T is large and has no meaning.
    """
    exponential = np.maximum(-elementary.log(1.0 - uniform), _SMALLEST)
    first = categorical.at(exponential, codes)
    arrival = exponential / np.maximum(probabilities, _SMALLEST)
    arrival += first
    categorical.put_at(arrival, codes, first)
    return arrival


def relaxed_score(arrival: FloatArray, probabilities: FloatArray, cardinalities: IntArray) -> FloatArray:
    """Return the gradient of log q(z) with respect to the logits, 0 for values that a choice does not have.

    ``cardinalities`` has the shape (choices, 1).
    """
    exponential = arrival * probabilities  # E = exp(-G)
    gradient = exponential * (-cardinalities / categorical.total(exponential))
    gradient += np.arange(len(gradient))[:, None, None] < cardinalities
    return gradient


def straight_through(arrival: FloatArray, codes: IntArray, probabilities: FloatArray, temperature: float) -> FloatArray:
    """Return the gradient of z[a] with respect to the logits."""
    relaxed = categorical.softmax(np.where(probabilities > 0, elementary.log(arrival) / -temperature, -np.inf))
    drawn = categorical.at(relaxed, codes)
    return categorical.score(codes, relaxed) * (drawn / temperature)
