"""Drawing architectures from distributions that are learned, and moving these along a gradient."""

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
    """A factorised distribution over codes for every run, and what was drawn from it last.

    Attributes:
        space: what can be proposed.
        streams: the random numbers of all runs.
        proposals: how many architectures are drawn at a time.
        probabilities: of every value of every choice, shape (values, choices, runs).
        codes: of what was drawn last, shape (proposals, choices, runs).
    """

    space: Space
    streams: Streams
    proposals: int
    probabilities: FloatArray
    codes: IntArray

    @classmethod
    def uniform(cls, problem: Problem, proposals: int) -> Distribution:
        """Return the distributions in which all values of a choice are equally likely."""
        probabilities = categorical.uniform_probabilities(problem.space.cardinalities, problem.runs)
        return Distribution(problem.space, problem.streams, proposals, probabilities, _nothing(probabilities))

    def draw(self) -> IntArray:
        """Draw architectures, shape (runs, proposals)."""
        pick = code_draws.picking(self.probabilities)
        self.codes, architecture = code_draws.draw(self.space, self.streams, self.proposals, pick)
        return architecture


@dataclass
class Policy(Distribution):
    """A distribution that is the softmax of logits, which climb by Adam; at first all are 0.

    Attributes:
        logits: of every value of every choice, shape (values, choices, runs).
        adam: makes the steps.
        rewards: what values count as.
    """

    logits: FloatArray
    adam: Adam
    rewards: Rewards

    @classmethod
    def of(cls, problem: Problem, proposals: int, learning_rate: float, reward: RewardKind, beta: float) -> Policy:
        """Return the uniform policies."""
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
        """Draw architectures from the policy as it is now, shape (runs, proposals)."""
        self.probabilities = categorical.softmax(self.logits)
        return super().draw()

    def climb(self, gradient: FloatArray) -> None:
        """Move the logits along a gradient of their shape."""
        self.adam.ascend(self.logits, gradient)


def _nothing(probabilities: FloatArray) -> IntArray:
    return np.empty((0, *probabilities.shape[1:]), dtype=np.int64)
