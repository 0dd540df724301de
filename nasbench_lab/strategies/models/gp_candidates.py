"""A Gaussian process per run, and its posterior at candidates."""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.strategies.models.gaussian_process import Estimate, Regression, most_likely
from nasbench_lab.strategies.models.screen import Bounds, Exactly
from nasbench_lab.strategies.parts.visited import Visited
from nasbench_lab.streams import Streams

SINGLE = 2.0**-22  # more than the relative error of a few operations in single precision
_MOST_AT_ONCE = 2**19  # correlations


@dataclass(frozen=True)
class Prediction:
    """The posterior of every run at its candidates.

    Attributes:
        bounds: of means and deviations; earlier proposals of the run have a mean of -inf.
        best: largest posterior mean among the proposals, shape (runs,).
        architecture: the candidates, shape (runs, candidates).
        estimate: of the regression.
    """

    bounds: Bounds
    best: FloatArray
    architecture: IntArray
    estimate: Estimate


class Candidates(abc.ABC):
    """A Gaussian process per run, and its candidates.

    Args:
        lengthscales: the possible lengthscales of a process.
        runs: number of runs.
    """

    def __init__(self, lengthscales: tuple[float, ...], runs: int) -> None:
        self.lengthscales = lengthscales
        self.lengthscale: IntArray = np.zeros(runs, dtype=np.int64)
        """Position of every run's lengthscale, shape (runs,)."""
        self.regression = Regression(np.ones(runs))
        self.fitted = False

    def fit(self, noises: tuple[float, ...], value: FloatArray) -> None:
        """Choose lengthscale and noise by the marginal likelihood of all proposals, shape (runs, count).

        Everything that depends on them is recomputed in the runs where they have changed.
        """
        lengthscale, position = most_likely(
            lambda lengthscale: self._between(np.full_like(self.lengthscale, lengthscale)),
            len(self.lengthscales),
            noises,
            value,
        )
        noise = np.array(noises)[position]
        same = self.fitted & (lengthscale == self.lengthscale) & (noise == self.regression.noise)
        changed = np.flatnonzero(~same)
        self.lengthscale, self.fitted = lengthscale, True
        if len(changed):
            self.regression.refit(changed, self._between(lengthscale)[changed], noise[changed])
            self._refitted(changed)

    @abc.abstractmethod
    def add(self, architecture: IntArray) -> None:
        """Add a proposal of every run, shape (runs,)."""

    @abc.abstractmethod
    def predict(self, value: FloatArray, architecture: IntArray, visited: Visited, streams: Streams) -> Prediction:
        """Return the posterior, given the values of all proposals, shape (runs, count)."""

    def means_of_proposals(self, value: FloatArray) -> FloatArray:
        """Return the posterior means of all proposals, given their values, both of shape (runs, count)."""
        return self._proposal_means(self.regression.estimate(value), value)

    def best_of_space(self, value: FloatArray, excluded: NDArray[np.bool_]) -> IntArray:
        """Return the architecture with the largest posterior mean, shape (runs,); only for all architectures.

        Args:
            value: of all proposals, shape (runs, count).
            excluded: proposals that are not returned, of the same shape.
        """
        raise NotImplementedError

    @abc.abstractmethod
    def draw(self, value: FloatArray, prediction: Prediction, streams: Streams) -> FloatArray:
        """Return a draw from the last predicted posterior, jointly at all candidates."""

    @abc.abstractmethod
    def _between(self, lengthscale: IntArray) -> FloatArray:
        """Return the correlations of all proposals, shape (runs, count, count)."""

    @abc.abstractmethod
    def _refitted(self, run: IntArray) -> None:
        """Recompute what depends on lengthscale and noise, in the runs with these positions."""

    def _posterior(self, correlations: Callable[[IntArray, IntArray], FloatArray], estimate: Estimate) -> Exactly:
        """Return a function that computes means and deviations, from the correlations with all proposals.

        The products of a run have sizes that do not depend on other runs, so neither do their last bits.
        """

        def exactly(run: IntArray, position: IntArray) -> tuple[FloatArray, FloatArray]:
            one = max(_MOST_AT_ONCE // (position.shape[1] * estimate.weights.shape[1]), 1)
            if len(run) > one:
                parts = [exactly(run[i : i + one], position[i : i + one]) for i in range(0, len(run), one)]
                return np.concatenate([mean for mean, _ in parts]), np.concatenate(
                    [deviation for _, deviation in parts]
                )
            some = correlations(run, position)
            everyone = len(run) == len(estimate.weights)  # in order: then nothing is copied
            weights, inverse = estimate.weights, self.regression.inverse
            if not everyone:
                weights, inverse = weights[run], inverse[run]
            mean = np.matmul(some, weights[:, :, None])[:, :, 0] + estimate.mean[run, None]
            solved = np.matmul(some, inverse.swapaxes(1, 2))
            left = 1.0 - np.einsum("rij,rij->ri", solved, solved)
            return mean, np.sqrt(np.maximum(left, 0.0)) * estimate.scale[run, None]

        return exactly

    def _proposal_means(self, estimate: Estimate, value: FloatArray) -> FloatArray:
        """Return the posterior means of the proposals: y - nu w, as C w = y - mu."""
        return value - self.regression.noise[:, None] * estimate.weights

    def _best(self, estimate: Estimate, value: FloatArray) -> FloatArray:
        """Return the largest posterior mean among proposals, shape (runs,)."""
        return self._proposal_means(estimate, value).max(axis=1)
