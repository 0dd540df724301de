"""Gaussian process regression with a constant mean, one process per run, all runs at once.

The observations of a run are y = mu + f + e, where f is a Gaussian process of variance s**2 and correlation R, and e is
noise of variance s**2 nu. With C = R + nu I over the observed points and L its Cholesky factor, the maximum likelihood
estimates (Jones, Schonlau and Welch, Journal of Global Optimization 1998, equations 5 and 6) are

    mu = 1' C**-1 y / 1' C**-1 1,    s**2 = (y - mu)' C**-1 (y - mu) / n,

and the posterior at x with correlations r to the observed points (Rasmussen and Williams, Gaussian Processes for
Machine Learning, 2006, equations 2.25 and 2.26) has mean mu + r' C**-1 (y - mu) and variance s**2 (1 - |L**-1 r|**2).
The class stores L**-1: a new observation adds a row to it, in time n**2, and changes no other row.

All matrix products are stacks of one matrix per run, whose sizes do not depend on the number of runs. So the result of
a run is the same bit for bit, whatever other runs there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.strategies.parts.elementary import log

_FIRST_CAPACITY = 32
_LEAST_VARIANCE = 1e-9  # of values scaled to variance 1; smaller variances count as constant values
_LARGE = 1e9


class Estimate(NamedTuple):
    """The estimates of a regression.

    Attributes:
        mean: mu, shape (runs,).
        scale: s, shape (runs,).
        weights: C**-1 (y - mu), shape (runs, observations).
    """

    mean: FloatArray
    scale: FloatArray
    weights: FloatArray


@dataclass
class Regression:
    """The inverse Cholesky factors of all runs, which grow by one observation at a time.

    Attributes:
        noise: nu, shape (runs,).
        count: number of observations, the same for all runs.
    """

    noise: FloatArray
    count: int = 0
    _inverse: FloatArray = field(default_factory=lambda: np.zeros((0, 0, 0)))  # (runs, capacity, capacity)

    @property
    def inverse(self) -> FloatArray:
        """L**-1, shape (runs, count, count), lower triangular."""
        return self._inverse[:, : self.count, : self.count]

    def append(self, correlations: FloatArray) -> FloatArray:
        """Add an observed point.

        Args:
            correlations: with the earlier points, shape (runs, count).

        Returns:
            The new row of L**-1, shape (runs, count + 1).
        """
        self._reserve(self.count + 1)
        inverse = self.inverse
        solved = _times(inverse, correlations)
        # Rounding must not make it negative; the noise is part of it.
        left = np.maximum(1.0 + self.noise - (solved * solved).sum(axis=1), 0.5 * self.noise)
        root = np.sqrt(left)
        row = np.concatenate([-_times(inverse.transpose(0, 2, 1), solved), np.ones((len(root), 1))], axis=1)
        row /= root[:, None]
        self._inverse[:, self.count, : self.count + 1] = row
        self.count += 1
        return row

    def refit(self, run: IntArray, correlations: FloatArray, noise: FloatArray) -> None:
        """Recompute the factors of some runs from the correlations of all observed points and other noise.

        Args:
            run: positions of the runs, shape (n,); the first time, all of them.
            correlations: shape (n, count, count).
            noise: nu, shape (n,).
        """
        self.count = correlations.shape[1]
        self._reserve(self.count)
        self.noise = self.noise.copy()
        self.noise[run] = noise
        covariance = correlations + noise[:, None, None] * np.eye(self.count)
        inverse = np.linalg.inv(np.linalg.cholesky(covariance))
        self._inverse[run, : self.count, : self.count] = np.tril(inverse)

    def estimate(self, value: FloatArray) -> Estimate:
        """Return the estimates for values of the observed points, shape (runs, count)."""
        inverse = self.inverse
        solved, ones = _times(inverse, value), inverse.sum(axis=2)
        mean = (solved * ones).sum(axis=1) / (ones * ones).sum(axis=1)
        rest = solved - mean[:, None] * ones
        scale = np.sqrt(np.maximum((rest * rest).sum(axis=1) / self.count, _LEAST_VARIANCE))
        return Estimate(mean, scale, _times(inverse.transpose(0, 2, 1), rest))

    def solve(self, value: FloatArray) -> FloatArray:
        """Return C**-1 times values of the observed points, shape (runs, count)."""
        return _times(self.inverse.transpose(0, 2, 1), _times(self.inverse, value))

    def _reserve(self, count: int) -> None:
        """Make room for a number of observations. The capacity doubles, so that copying costs little."""
        runs, capacity = len(self.noise), self._inverse.shape[1]
        if count > capacity:
            larger = np.zeros(
                (runs, max(_FIRST_CAPACITY, 2 * capacity, count), max(_FIRST_CAPACITY, 2 * capacity, count))
            )
            if capacity:
                larger[:, :capacity, :capacity] = self._inverse
            self._inverse = larger


def most_likely(
    correlations: Callable[[int], FloatArray], lengthscales: int, noises: Sequence[float], value: FloatArray
) -> tuple[IntArray, IntArray]:
    """Choose the lengthscale and the noise of every run by the marginal likelihood, with the best mu and s**2.

    Up to a constant, it is -n/2 log s**2 - log |L| (Jones, Schonlau and Welch 1998, section 2). Ties: the first, with
    lengthscales in the outer loop.

    Args:
        correlations: returns the correlations of the observed points for the number of a lengthscale, shape (runs,
            count, count).
        lengthscales: number of lengthscales.
        noises: values of nu to choose from.
        value: observed values, shape (runs, count).

    Returns:
        Positions of the lengthscale and of the noise, each of shape (runs,).
    """
    runs, count = value.shape
    best = np.full(runs, -np.inf)
    chosen = np.zeros((2, runs), dtype=np.int64)
    # The last two rows of the Cholesky factor of [[C, (y 1)], [(y 1)', large]] are L**-1 y and L**-1 1.
    bordered = np.zeros((runs, count + 2, count + 2))
    bordered[:, count, :count], bordered[:, count + 1, :count] = value, 1.0
    bordered[:, count, count] = bordered[:, count + 1, count + 1] = _LARGE
    diagonal = np.arange(count)
    for lengthscale in range(lengthscales):
        bordered[:, :count, :count] = correlations(lengthscale)
        for position, noise in enumerate(noises):
            bordered[:, diagonal, diagonal] = 1.0 + noise
            factor = np.linalg.cholesky(bordered)
            solved, ones = factor[:, count, :count], factor[:, count + 1, :count]
            mean = (solved * ones).sum(axis=1) / (ones * ones).sum(axis=1)
            rest = solved - mean[:, None] * ones
            variance = np.maximum((rest * rest).sum(axis=1) / count, _LEAST_VARIANCE)
            likelihood = -0.5 * count * log(variance) - log(factor[:, diagonal, diagonal]).sum(axis=1)
            better = likelihood > best
            best[better] = likelihood[better]
            chosen[0, better], chosen[1, better] = lengthscale, position
    return chosen[0], chosen[1]


def _times(matrix: FloatArray, vector: FloatArray) -> FloatArray:
    """Multiply the matrix of every run by its vector."""
    return np.matmul(matrix, vector[:, :, None])[:, :, 0]
