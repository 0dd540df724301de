"""The posterior of a Gaussian process at a pool of architectures, which is new at every step."""

from __future__ import annotations

from typing import final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.models.candidates import pool
from nasbench_lab.strategies.models.distances import Distances
from nasbench_lab.strategies.models.encodings import Counts, PackedEncoding
from nasbench_lab.strategies.models.gp_candidates import SINGLE, Candidates, Prediction
from nasbench_lab.strategies.models.kernels import Kind, correlation, triangular_product
from nasbench_lab.strategies.models.normal_draws import normal_numbers
from nasbench_lab.strategies.models.rough_sums import Rough, norm_error, sum_error
from nasbench_lab.strategies.models.screen import Bounds
from nasbench_lab.strategies.models.whole_space import evenly_spaced
from nasbench_lab.strategies.parts.visited import Visited
from nasbench_lab.streams import Streams

_PARENTS = 10
_JITTER = 1e-8  # added to the diagonal of a covariance before it is factorised
_TYPICAL = 1_000  # architectures from which the mean number of paths is estimated


@final
class Pool(Candidates):
    """Random architectures and neighbours of the best, drawn again at every step: for any kernel and any space."""

    def __init__(self, space: Space, kind: Kind, lengthscales: tuple[float, ...], runs: int, size: int) -> None:
        super().__init__(lengthscales, runs)
        self._space, self._size, self._runs, self._kind = space, size, range(runs), kind
        self._encoding = PackedEncoding(space, "path" if kind == "path" else "one-hot")
        typical = self._encoding.ones(evenly_spaced(space, _TYPICAL)).mean()
        self._unit = float(2.0 * typical)
        # Distances are whole numbers up to the length of a vector: a table of correlations, by lengthscale.
        distance = np.arange(self._encoding.length + 1) / self._unit
        self._correlations = correlation(kind, distance, np.array(lengthscales)[:, None])
        self._distances = Distances(self._encoding, runs)

    def add(self, architecture: IntArray) -> None:
        """Add a proposal of every run."""
        to_others = self._distances.add(architecture)
        if self.fitted:
            self.regression.append(self._correlations[self.lengthscale[:, None], to_others])

    def predict(self, value: FloatArray, architecture: IntArray, visited: Visited, streams: Streams) -> Prediction:
        """Return the posterior at a new pool."""
        estimate = self.regression.estimate(value)
        candidates = pool(self._space, streams, architecture, value, _PARENTS, self._size)
        self._encoding.remember(candidates)
        mean, left = np.empty(candidates.shape, dtype=np.float32), np.empty(candidates.shape, dtype=np.float32)
        weights, inverse = estimate.weights.astype(np.float32), self.regression.inverse.astype(np.float32)
        for run in self._runs:  # one run at a time, so that its correlations stay in the cache
            correlations = self._rough(int(self.lengthscale[run]), self._distances.of(run, candidates[run]).T)
            np.matmul(weights[run], correlations, out=mean[run])
            solved = triangular_product(inverse[run], correlations, overwrite=True)
            np.einsum("ij,ij->j", solved, solved, out=left[run])
        np.subtract(1.0, left, out=left)
        left += norm_error(self.regression.inverse)[:, None].astype(np.float32)
        mean += estimate.mean[:, None].astype(np.float32)
        error = sum_error(estimate.weights) + SINGLE * np.abs(estimate.mean)
        mean[visited.has(np.arange(len(mean))[:, None], candidates)] = -np.inf

        def correlations_of(run: IntArray, position: IntArray) -> FloatArray:
            found = np.empty((*position.shape, value.shape[1]))
            for row, each in enumerate(run):
                table = self._correlations[self.lengthscale[each]]
                table.take(self._distances.of(each, candidates[each, position[row]]), out=found[row], mode="clip")
            return found

        bounds = Bounds(mean, error, left, estimate.scale, self._posterior(correlations_of, estimate))
        return Prediction(bounds, self._best(estimate, value), candidates, estimate)

    def draw(self, value: FloatArray, prediction: Prediction, streams: Streams) -> FloatArray:
        """Draw with the Cholesky factor of the covariance of the pool, in time (pool size)**3."""
        normal = normal_numbers(streams, self._size)
        drawn, mean = np.empty(normal.shape), np.empty(normal.shape)
        diagonal = np.arange(self._size)
        for run in self._runs:
            vectors = self._encoding.words(prediction.architecture[run])[None]
            correlations, solved = self._solve(run, prediction.architecture[run])
            covariance = self._correlations[self.lengthscale[run]].take(self._encoding.differing(vectors, vectors)[0])
            covariance -= solved.T @ solved
            covariance[diagonal, diagonal] += _JITTER
            drawn[run] = np.linalg.cholesky(covariance) @ normal[run]
            mean[run] = prediction.estimate.weights[run] @ correlations
        drawn *= prediction.estimate.scale[:, None]
        drawn += mean + prediction.estimate.mean[:, None]
        drawn[np.isneginf(prediction.bounds.mean)] = -np.inf
        return drawn

    def _rough(self, lengthscale: int, differing: Counts) -> Rough:
        """Return correlations in single precision. Exponentials are computed faster than looked up."""
        if self._kind == "matern":
            return self._correlations[lengthscale].astype(np.float32).take(differing, mode="clip")
        rough = differing.astype(np.float32, order="C")
        rough *= np.float32(-1.0 / (self.lengthscales[lengthscale] * self._unit))
        return np.exp(rough, out=rough)

    def _solve(self, run: int, candidates: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return the correlations R of a run's proposals and candidates, and L**-1 R, both (count, candidates)."""
        correlations = self._correlations[self.lengthscale[run]].take(
            self._distances.of(run, candidates).T, mode="clip"
        )
        return correlations, triangular_product(self.regression.inverse[run], correlations)

    def _between(self, lengthscale: IntArray) -> FloatArray:
        return self._correlations[lengthscale[:, None, None], self._distances.between()]

    def _refitted(self, run: IntArray) -> None:
        """Do nothing: a pool is new at every step."""
