"""What a Gaussian process says of candidates: of all architectures of a space, or of a pool drawn anew every time."""

from __future__ import annotations

import abc
from typing import NamedTuple, final

import numpy as np
from scipy.special import ndtri

from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.models.candidates import pool
from nasbench_lab.strategies.models.encodings import PackedEncoding
from nasbench_lab.strategies.models.gaussian_process import Estimate, Regression, most_likely
from nasbench_lab.strategies.models.kernels import CodeGrid, Kind, Sums, correlation
from nasbench_lab.strategies.parts.visited import Visited
from nasbench_lab.streams import FloatArray, IntArray, Streams, WordArray

_PARENTS = 10
_JITTER = 1e-8  # added to a covariance that is factorised
_TYPICAL = 1_000  # architectures that tell how many paths there are


class Prediction(NamedTuple):
    """The posterior of every run at its candidates; those that it has proposed before have a mean of -inf.

    Attributes:
        mean: shape (runs, candidates).
        deviation: of the same shape.
        best: largest posterior mean among the proposals, shape (runs,).
        architecture: the candidates, shape (runs, candidates).
        estimate: of the regression.
    """

    mean: FloatArray
    deviation: FloatArray
    best: FloatArray
    architecture: IntArray
    estimate: Estimate


class Candidates(abc.ABC):
    """A Gaussian process per run, and its candidates.

    Args:
        lengthscales: those that a run's process can have.
        runs: number of runs.
    """

    def __init__(self, lengthscales: tuple[float, ...], runs: int) -> None:
        self.lengthscales = lengthscales
        self.lengthscale: IntArray = np.zeros(runs, dtype=np.int64)
        """Position of the lengthscale of every run."""
        self.regression = Regression(np.ones(runs))
        self.fitted = False

    def fit(self, noises: tuple[float, ...], value: FloatArray) -> None:
        """Choose lengthscale and noise by the marginal likelihood of all proposals, shape (runs, count)."""
        self.lengthscale, noise = most_likely(
            lambda lengthscale: self._between(np.full_like(self.lengthscale, lengthscale)),
            len(self.lengthscales),
            noises,
            value,
        )
        self.regression.refit(self._between(self.lengthscale), np.array(noises)[noise])
        self.fitted = True
        self._refitted()

    @abc.abstractmethod
    def add(self, architecture: IntArray) -> None:
        """Add a proposal of every run, shape (runs,)."""

    @abc.abstractmethod
    def predict(self, value: FloatArray, architecture: IntArray, visited: Visited, streams: Streams) -> Prediction:
        """Return the posterior, given the values of all proposals, shape (runs, count)."""

    @abc.abstractmethod
    def draw(self, value: FloatArray, prediction: Prediction, streams: Streams) -> FloatArray:
        """Return a draw from the posterior that was predicted last, jointly at all candidates."""

    @abc.abstractmethod
    def _between(self, lengthscale: IntArray) -> FloatArray:
        """Return the correlations of all proposals, shape (runs, count, count)."""

    @abc.abstractmethod
    def _refitted(self) -> None:
        """Make again what depends on lengthscale and noise."""

    def _best(self, estimate: Estimate, value: FloatArray) -> FloatArray:
        """Return the largest posterior mean among proposals: y - s**2 nu w, as C w = y - mu."""
        return (value - self.regression.noise[:, None] * estimate.weights).max(axis=1)


@final
class WholeSpace(Candidates):
    """All architectures of a space, for a kernel that depends on the number of codes that differ.

    What is kept is the part of the variance that is left at every place. A proposal takes some of it away, whatever its
    value. The mean is a sum over proposals, made when it is needed (see `Sums`).

    Args:
        space: the space.
        kind: of the kernel.
        lengthscales: those that a run's process can have.
        runs: number of runs.
        deviations: whether a prediction has deviations; without, they have the shape (runs, 0).
    """

    def __init__(
        self, space: Space, kind: Kind, lengthscales: tuple[float, ...], runs: int, deviations: bool = True
    ) -> None:
        super().__init__(lengthscales, runs)
        codes = len(space.cardinalities)
        fraction = np.arange(codes + 1) / codes
        self._grid = CodeGrid(space, correlation(kind, fraction, np.array(lengthscales)[:, None]))
        self._place: IntArray = np.zeros((runs, 0), dtype=np.int64)
        self._left: FloatArray | None = np.ones((runs, self._grid.size)) if deviations else None
        self._sums = Sums(self._grid, self.lengthscale, self._place)
        self._nowhere = np.flatnonzero(self._grid.architecture < 0)
        self._run = np.arange(runs)[:, None]

    def add(self, architecture: IntArray) -> None:
        """Add a proposal of every run, and take what it explains from the variance that is left."""
        place = self._grid.place[architecture][:, None]
        before, self._place = self._place, np.concatenate([self._place, place], axis=1)
        if self.fitted:
            row = self.regression.append(self._grid.correlate(self.lengthscale, place, before))
            self._sums.add(place)
            if self._left is not None:
                explained = self._sums.sum(row)
                explained *= explained
                self._left -= explained

    def predict(self, value: FloatArray, architecture: IntArray, visited: Visited, streams: Streams) -> Prediction:
        """Return the posterior at all places of the grid."""
        estimate = self.regression.estimate(value)
        mean = self._sums.sum(estimate.weights)
        mean += estimate.mean[:, None]
        mean[self._run, self._place] = -np.inf
        mean[:, self._nowhere] = -np.inf
        deviation = np.zeros((len(mean), 0))
        if self._left is not None:
            deviation = np.maximum(self._left, 0.0)
            np.sqrt(deviation, out=deviation)
            deviation *= estimate.scale[:, None]
        architectures = np.broadcast_to(self._grid.architecture, mean.shape)
        return Prediction(mean, deviation, self._best(estimate, value), architectures, estimate)

    def draw(self, value: FloatArray, prediction: Prediction, streams: Streams) -> FloatArray:
        """Draw from the prior and correct it at the proposals (Wilson et al., ICML 2020, equation 9)."""
        estimate, count = prediction.estimate, value.shape[1]
        normal = _normal(streams.uniform(self._grid.size + count))
        prior = self._grid.prior_sample(self.lengthscale, normal[:, count:])
        noise = np.sqrt(self.regression.noise)[:, None] * normal[:, :count]
        rest = (value - estimate.mean[:, None]) / estimate.scale[:, None] - prior[self._run, self._place] - noise
        weights = self.regression.solve(rest)
        prior += self._sums.sum(weights)
        prior *= estimate.scale[:, None]
        prior += estimate.mean[:, None]
        prior[np.isneginf(prediction.mean)] = -np.inf
        return prior

    def _between(self, lengthscale: IntArray) -> FloatArray:
        return self._grid.correlate(lengthscale, self._place[:, :, None], self._place[:, None, :])

    def _refitted(self) -> None:
        self._sums = Sums(self._grid, self.lengthscale, self._place)
        if self._left is not None:
            self._left = 1.0 - self._sums.explained(self.regression.inverse)


@final
class Pool(Candidates):
    """Random architectures and neighbours of the best, drawn anew at every step: for any kernel and any space."""

    def __init__(self, space: Space, kind: Kind, lengthscales: tuple[float, ...], runs: int, size: int) -> None:
        super().__init__(lengthscales, runs)
        self._space, self._size = space, size
        self._encoding = PackedEncoding(space, "path" if kind == "path" else "one-hot")
        typical = self._encoding.ones(np.linspace(0, space.size - 1, min(space.size, _TYPICAL)).astype(np.int64)).mean()
        # Distances are whole numbers up to the length of a vector: a table of correlations, by lengthscale.
        distance = np.arange(self._encoding.length + 1) / (2.0 * typical)
        self._correlations = correlation(kind, distance, np.array(lengthscales)[:, None])
        self._points: WordArray = self._encoding.words(np.zeros((runs, 0), dtype=np.int64))
        self._solved: FloatArray | None = None
        self._vectors: WordArray | None = None

    def add(self, architecture: IntArray) -> None:
        """Add a proposal of every run."""
        vector = self._encoding.words(architecture)[:, None]
        before, self._points = self._points, np.concatenate([self._points, vector], axis=1)
        if self.fitted:
            self.regression.append(self._correlate(self.lengthscale, vector, before)[:, 0])

    def predict(self, value: FloatArray, architecture: IntArray, visited: Visited, streams: Streams) -> Prediction:
        """Return the posterior at a new pool."""
        estimate = self.regression.estimate(value)
        candidates = pool(self._space, architecture, value, _PARENTS, streams.uniform(self._size))
        self._vectors = self._encoding.words(candidates)
        correlations = self._correlate(self.lengthscale, self._points, self._vectors)
        mean = np.matmul(estimate.weights[:, None], correlations)[:, 0] + estimate.mean[:, None]
        mean[visited.has(np.arange(len(mean))[:, None], candidates)] = -np.inf
        self._solved = np.matmul(self.regression.inverse, correlations)
        left = np.maximum(1.0 - np.einsum("rij,rij->rj", self._solved, self._solved), 0.0)
        deviation = np.sqrt(left) * estimate.scale[:, None]
        return Prediction(mean, deviation, self._best(estimate, value), candidates, estimate)

    def draw(self, value: FloatArray, prediction: Prediction, streams: Streams) -> FloatArray:
        """Draw with the Cholesky factor of the covariance of the pool, in time (pool size)**3."""
        assert self._solved is not None  # noqa: S101 - there was a prediction
        assert self._vectors is not None  # noqa: S101
        covariance = self._correlate(self.lengthscale, self._vectors, self._vectors)
        covariance -= np.matmul(self._solved.transpose(0, 2, 1), self._solved)
        diagonal = np.arange(covariance.shape[1])
        covariance[:, diagonal, diagonal] += _JITTER
        normal = _normal(streams.uniform(self._size))
        drawn = np.matmul(np.linalg.cholesky(covariance), normal[:, :, None])[:, :, 0]
        return prediction.mean + prediction.estimate.scale[:, None] * drawn

    def _between(self, lengthscale: IntArray) -> FloatArray:
        return self._correlate(lengthscale, self._points, self._points)

    def _refitted(self) -> None:
        """Nothing: a pool is new at every step."""

    def _correlate(self, lengthscale: IntArray, one: WordArray, other: WordArray) -> FloatArray:
        """Return the correlations of vectors, (runs, n, words) and (runs, m, words) to (runs, n, m)."""
        places = self._encoding.differing(one, other)
        places += lengthscale[:, None, None] * self._correlations.shape[1]
        return self._correlations.reshape(-1).take(places)


def _normal(uniform: FloatArray) -> FloatArray:
    """Turn uniforms in [0, 1) into standard normal numbers."""
    return ndtri(np.ascontiguousarray(uniform) + 2.0**-54)
