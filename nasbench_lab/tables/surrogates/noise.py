"""How repeats of an architecture differ: random numbers that depend on the architecture and the repeat alone."""

from __future__ import annotations

import functools
from typing import final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.streams import mix64

_END, _KNOTS = 5.0, 2001
_WORDS = (0x9E3779B97F4A7C15, 0xD1342543DE82EF95, 0xBF58476D1CE4E5B9)


@functools.cache
def _normal_table() -> tuple[FloatArray, FloatArray]:
    """Return the normal distribution function and its arguments."""
    from scipy.special import ndtr

    arguments = np.linspace(-_END, _END, _KNOTS)
    return ndtr(arguments), arguments


@final
class RepeatNoise:
    """Draws standardised deviations of repeats, which are correlated between the columns of a surrogate.

    Column c of repeat r of an architecture has the deviation ``quantiles[c]`` of a normal number. The normal numbers
    of the columns are ``factor`` times independent ones, which are counter-based: a function of the seed, the
    architecture, the repeat and the place. So an answer never depends on what was asked before.

    Args:
        seed: of all random numbers.
        factor: lower triangular, with rows of length 1, shape (columns, columns).
        knots: normal numbers, ascending, shape (knots,).
        quantiles: the standardised deviations at the knots, ascending, shape (columns, knots).

    >>> knots = np.array([-5.0, 5.0])
    >>> noise = RepeatNoise(7, np.eye(2), knots, np.stack([knots, knots]))
    >>> drawn = noise.draw(np.arange(1000), np.zeros(1000, dtype=int))
    >>> drawn.shape, bool(abs(drawn.mean()) < 0.1), bool(abs(drawn.std() - 1) < 0.1)
    ((1000, 2), True, True)
    """

    def __init__(self, seed: int, factor: FloatArray, knots: FloatArray, quantiles: FloatArray) -> None:
        self.seed, self.factor, self.knots, self.quantiles = seed, factor, knots, quantiles

    def draw(self, architecture: IntArray, repeat: IntArray) -> FloatArray:
        """Return the deviations of trainings, shape (n,) twice to (n, columns)."""
        independent = self._normal(architecture, repeat)
        drawn = np.empty_like(independent)
        for place, weights in enumerate(self.factor):
            total = np.zeros(len(architecture))
            for other in range(place + 1):  # in a fixed order, so that the rows of a batch do not matter
                total += weights[other] * independent[:, other]
            drawn[:, place] = np.interp(total, self.knots, self.quantiles[place])
        return drawn

    def _normal(self, architecture: IntArray, repeat: IntArray) -> FloatArray:
        """Return independent normal numbers, shape (n, columns)."""
        word = np.asarray(architecture).astype(np.uint64) * np.uint64(_WORDS[0]) + np.uint64(self.seed)
        word = mix64(word) ^ (np.asarray(repeat).astype(np.uint64) * np.uint64(_WORDS[1]))
        word = mix64(word)[:, None] + np.arange(1, len(self.factor) + 1, dtype=np.uint64) * np.uint64(_WORDS[2])
        uniform = (mix64(word) >> np.uint64(11)) * 2.0**-53
        probability, arguments = _normal_table()
        return np.interp(uniform, probability, arguments)
