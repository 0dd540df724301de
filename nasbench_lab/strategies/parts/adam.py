"""The Adam optimiser, which climbs a gradient."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nasbench_lab.arrays import FloatArray


@dataclass
class Adam:
    """Adam (Kingma and Ba, ICLR 2015, algorithm 1), upwards: parameters move along their gradient.

    Attributes:
        rate: learning rate, alpha in the paper.
        first: moving average of the gradient, of the shape of the parameters.
        second: moving average of the squared gradient.
        kept: beta_1 to the power of the number of steps. (A power function has other last bits on other systems.)
        kept_square: beta_2 to the power of the number of steps.
    """

    rate: float
    first: FloatArray
    second: FloatArray
    kept: float = 1.0
    kept_square: float = 1.0

    _DECAY = (0.9, 0.999)  # beta_1 and beta_2 of the paper
    _SMALL = 1e-8  # epsilon

    @classmethod
    def of(cls, parameters: FloatArray, rate: float) -> Adam:
        """Return the optimiser of parameters before its first step."""
        return cls(rate, np.zeros_like(parameters), np.zeros_like(parameters))

    def ascend(self, parameters: FloatArray, gradient: FloatArray) -> None:
        """Take a step, in place."""
        decay, decay_square = self._DECAY
        self.kept, self.kept_square = self.kept * decay, self.kept_square * decay_square
        self.first *= decay
        self.first += (1 - decay) * gradient
        self.second *= decay_square
        self.second += (1 - decay_square) * np.square(gradient)
        step = np.sqrt(self.second)
        step *= 1 / math.sqrt(1 - self.kept_square)
        step += self._SMALL
        np.divide(self.first, step, out=step)
        step *= self.rate / (1 - self.kept)
        parameters += step
