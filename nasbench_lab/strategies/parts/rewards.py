"""Rewards: the values of evaluations as reinforcement learners use them, and their moving average."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import Above, Below
from nasbench_lab.strategies.parts import elementary

RewardKind = Literal["raw", "sigmoid"]

Momentum = Annotated[float, Above(0), Below(1)]
"""The weight of the past in a moving average."""


@dataclass
class Rewards:
    """The rewards of some runs.

    The reward of a value v is v (``"raw"``) or the sigmoid fitness ``1 / (1 + exp(-beta v))`` (``"sigmoid"``). A failed
    training has the lowest reward that the run has seen, NaN before the first successful training.

    Attributes:
        kind: ``"raw"`` or ``"sigmoid"``.
        beta: slope of the sigmoid, per unit of the value.
        lowest: the lowest reward so far, shape (runs,).
    """

    kind: RewardKind
    beta: float
    lowest: FloatArray

    def of(self, value: FloatArray) -> FloatArray:
        """Return the rewards of values, shape (runs, k) to (k, runs); earlier columns count as seen first."""
        reward = fitness(np.array(value.T, order="C"), self.kind, self.beta)
        for row in reward:
            np.fmin(self.lowest, row, out=self.lowest)
            np.copyto(row, self.lowest, where=np.isnan(row))
        return reward


def fitness(value: FloatArray, kind: RewardKind, beta: float) -> FloatArray:
    """Return values unchanged, or their sigmoid fitness.

    >>> fitness(np.array([0.0, np.log(3)]), "sigmoid", 1.0).round(12).tolist()
    [0.5, 0.75]
    """
    return value if kind == "raw" else 0.5 + 0.5 * elementary.tanh(0.5 * beta * value)


def gain(reward: FloatArray, origin: FloatArray) -> FloatArray:
    """Return rewards minus an origin, and 0 where one of them is unknown (NaN).

    >>> gain(np.array([3.0, np.nan]), np.array([1.0, 1.0])).tolist()
    [2.0, 0.0]
    """
    above = reward - origin
    return np.where(np.isnan(above), 0.0, above)


@dataclass
class RewardBaseline:
    """Exponential moving average of the rewards of every run, without the bias of its start.

    After the rewards r_1 .. r_n it is ``sum_i m**(n - i) r_i / sum_i m**(n - i)`` with the momentum m. Shapes (runs,).
    """

    momentum: float
    weighted: FloatArray
    weight: FloatArray

    @classmethod
    def of(cls, momentum: float, runs: int) -> RewardBaseline:
        """Return the average of no rewards."""
        return cls(momentum, np.zeros(runs), np.zeros(runs))

    def advantage(self, reward: FloatArray) -> FloatArray:
        """Add one reward per run, and return by how much it exceeds the new average; 0 for a NaN.

        >>> baseline = RewardBaseline.of(0.5, 1)
        >>> [baseline.advantage(np.array([r])).round(9).tolist() for r in (3.0, 6.0)]
        [[0.0], [1.0]]
        """
        known = ~np.isnan(reward)
        reward = np.where(known, reward, 0.0)
        self.weighted = np.where(known, self.momentum * self.weighted + (1 - self.momentum) * reward, self.weighted)
        self.weight = np.where(known, self.momentum * self.weight + (1 - self.momentum), self.weight)
        return np.where(known, reward - self.weighted / np.where(known, self.weight, 1.0), 0.0)
