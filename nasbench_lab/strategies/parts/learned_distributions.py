"""Factorised distributions that a strategy draws architectures from and learns, as parts of its state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.parts import categorical, code_draws
from nasbench_lab.strategies.parts.adam import Adam
from nasbench_lab.strategies.parts.rewards import RewardKind, Rewards
from nasbench_lab.strategies.problem import Problem
from nasbench_lab.streams import Streams


@dataclass
class Distribution:
    """A factorised distribution over codes for every run, and the last draws from it.

    Attributes:
        space: the search space.
        streams: the random numbers of all runs.
        proposals: number of architectures drawn at a time.
        probabilities: of every value of every choice, shape (values, choices, runs).
        codes: of the last draws, shape (proposals, choices, runs).
    """

    space: Space
    streams: Streams
    proposals: int
    probabilities: FloatArray
    codes: IntArray

    @classmethod
    def uniform(cls, problem: Problem, proposals: int) -> Distribution:
        """Return distributions in which all values of a choice are equally likely."""
        probabilities = categorical.uniform_probabilities(problem.space.cardinalities, problem.runs)
        return Distribution(problem.space, problem.streams, proposals, probabilities, _nothing(probabilities))

    def draw(self) -> IntArray:
        """Draw architectures, shape (runs, proposals)."""
        pick = code_draws.picking(self.probabilities)
        self.codes, architecture = code_draws.draw(self.space, self.streams, self.proposals, pick)
        return architecture


@dataclass
class Policy(Distribution):
    """A distribution that is the softmax of logits, which start at 0 and climb by Adam.

    Attributes:
        logits: of every value of every choice, shape (values, choices, runs).
        adam: the optimiser.
        rewards: turns values into rewards.
    """

    logits: FloatArray
    adam: Adam
    rewards: Rewards

    @classmethod
    def of(cls, problem: Problem, proposals: int, learning_rate: float, reward: RewardKind, beta: float) -> Policy:
        """Return uniform policies."""
        logits = categorical.uniform_logits(problem.space.cardinalities, problem.runs)
        return Policy(
            space=problem.space,
            streams=problem.streams,
            proposals=proposals,
            probabilities=categorical.softmax(logits),
            codes=_nothing(logits),
            logits=logits,
            adam=Adam.of(logits, learning_rate),
            rewards=Rewards(reward, beta, np.full(problem.runs, np.nan)),
        )

    def draw(self) -> IntArray:
        """Draw architectures from the current policy, shape (runs, proposals)."""
        self.probabilities = categorical.softmax(self.logits)
        return super().draw()

    def climb(self, gradient: FloatArray) -> None:
        """Move the logits along a gradient of the same shape."""
        self.adam.ascend(self.logits, gradient)


def _nothing(probabilities: FloatArray) -> IntArray:
    return np.empty((0, *probabilities.shape[1:]), dtype=np.int64)
