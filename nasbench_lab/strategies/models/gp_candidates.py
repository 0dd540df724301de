"""The posterior of a Gaussian process at candidates: all architectures of a space, or a new pool at every step."""

from __future__ import annotations

import abc
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.models.candidates import pool
from nasbench_lab.strategies.models.distances import Distances
from nasbench_lab.strategies.models.encodings import PackedEncoding
from nasbench_lab.strategies.models.gaussian_process import Estimate, Regression, most_likely
from nasbench_lab.strategies.models.kernels import CodeGrid, Kind, Sums, correlation, lower_times
from nasbench_lab.strategies.models.normal_draws import normal_numbers
from nasbench_lab.strategies.models.whole_space import evenly_spaced
from nasbench_lab.strategies.parts.visited import Visited
from nasbench_lab.streams import Streams

_PARENTS = 10
_JITTER = 1e-8  # added to the diagonal of a covariance before it is factorised
_TYPICAL = 1_000  # architectures from which the mean number of paths is estimated


class Prediction(NamedTuple):
    """The posterior of every run at its candidates; earlier proposals of the run have a mean of -inf.

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

    def _proposal_means(self, estimate: Estimate, value: FloatArray) -> FloatArray:
        """Return the posterior means of the proposals: y - nu w, as C w = y - mu."""
        return value - self.regression.noise[:, None] * estimate.weights

    def _best(self, estimate: Estimate, value: FloatArray) -> FloatArray:
        """Return the largest posterior mean among proposals, shape (runs,)."""
        return self._proposal_means(estimate, value).max(axis=1)


@final
class WholeSpace(Candidates):
    """All architectures of a space, for a kernel that depends on the number of codes that differ.

    The class stores the remaining variance at every place. A proposal reduces it, whatever its value. The mean is a sum
    over proposals, computed when it is needed (see `Sums`).

    Args:
        space: the space.
        kind: of the kernel.
        lengthscales: the possible lengthscales of a process.
        runs: number of runs.
        deviations: whether predictions have deviations; if not, these have the shape (runs, 0).
    """

    def __init__(
        self, space: Space, kind: Kind, lengthscales: tuple[float, ...], runs: int, deviations: bool = True
    ) -> None:
        super().__init__(lengthscales, runs)
        codes = len(space.cardinalities)
        fraction = np.arange(codes + 1) / codes
        self._grid = CodeGrid(space, correlation(kind, fraction, np.array(lengthscales)[:, None]))
        self._left: FloatArray | None = np.ones((runs, self._grid.size)) if deviations else None
        self._sums = Sums(self._grid, self.lengthscale, np.zeros((runs, 0), dtype=np.int64))
        self._nowhere = np.flatnonzero(self._grid.architecture < 0)
        self._run = np.arange(runs)[:, None]

    def add(self, architecture: IntArray) -> None:
        """Add a proposal of every run, and subtract the variance that it explains."""
        place = self._grid.place[architecture][:, None]
        before = self._sums.place
        self._sums.add(place)
        if self.fitted:
            row = self.regression.append(self._grid.correlate(self.lengthscale, place, before))
            if self._left is not None:
                explained = self._sums.sum(row)
                explained *= explained
                self._left -= explained

    def predict(self, value: FloatArray, architecture: IntArray, visited: Visited, streams: Streams) -> Prediction:
        """Return the posterior at all places of the grid."""
        estimate = self.regression.estimate(value)
        mean = self._sums.sum(estimate.weights)
        mean += estimate.mean[:, None]
        mean[self._run, self._sums.place] = -np.inf
        mean[:, self._nowhere] = -np.inf
        deviation = np.zeros((len(mean), 0))
        if self._left is not None:
            deviation = np.maximum(self._left, 0.0)
            np.sqrt(deviation, out=deviation)
            deviation *= estimate.scale[:, None]
        architectures = np.broadcast_to(self._grid.architecture, mean.shape)
        return Prediction(mean, deviation, self._best(estimate, value), architectures, estimate)

    def best_of_space(self, value: FloatArray, excluded: NDArray[np.bool_]) -> IntArray:
        """Return the place of the grid with the largest mean as an architecture; ties: the first place."""
        mean = self._sums.sum(self.regression.estimate(value).weights)
        run, column = np.nonzero(excluded)
        mean[run, self._sums.place[run, column]] = -np.inf
        mean[:, self._nowhere] = -np.inf
        return self._grid.architecture[mean.argmax(axis=1)]

    def draw(self, value: FloatArray, prediction: Prediction, streams: Streams) -> FloatArray:
        """Draw from the prior and correct it at the proposals (Wilson et al., ICML 2020, equation 9)."""
        estimate, count = prediction.estimate, value.shape[1]
        normal = normal_numbers(streams, self._grid.size + count)
        prior = self._grid.spectrum.sample(self.lengthscale, normal[:, count:])
        noise = np.sqrt(self.regression.noise)[:, None] * normal[:, :count]
        rest = (value - estimate.mean[:, None]) / estimate.scale[:, None] - prior[self._run, self._sums.place] - noise
        weights = self.regression.solve(rest)
        prior += self._sums.sum(weights)
        prior *= estimate.scale[:, None]
        prior += estimate.mean[:, None]
        prior[np.isneginf(prediction.mean)] = -np.inf
        return prior

    def _between(self, lengthscale: IntArray) -> FloatArray:
        return self._grid.correlate(lengthscale, self._sums.place[:, :, None], self._sums.place[:, None, :])

    def _refitted(self, run: IntArray) -> None:
        sums = Sums(self._grid, self.lengthscale[run], self._sums.place[run])
        self._sums.replace(run, sums)
        if self._left is not None:
            self._left[run] = 1.0 - sums.explained(self.regression.inverse[run])


@final
class Pool(Candidates):
    """Random architectures and neighbours of the best, drawn again at every step: for any kernel and any space."""

    def __init__(self, space: Space, kind: Kind, lengthscales: tuple[float, ...], runs: int, size: int) -> None:
        super().__init__(lengthscales, runs)
        self._space, self._size, self._runs = space, size, range(runs)
        self._encoding = PackedEncoding(space, "path" if kind == "path" else "one-hot")
        typical = self._encoding.ones(evenly_spaced(space, _TYPICAL)).mean()
        # Distances are whole numbers up to the length of a vector: a table of correlations, by lengthscale.
        distance = np.arange(self._encoding.length + 1) / (2.0 * typical)
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
        mean, left = np.empty(candidates.shape), np.empty(candidates.shape)
        for run in self._runs:  # one run at a time, so that its correlations stay in the cache
            correlations, solved = self._solve(run, candidates[run])
            mean[run] = estimate.weights[run] @ correlations
            left[run] = 1.0 - np.einsum("ij,ij->j", solved, solved)
        mean += estimate.mean[:, None]
        mean[visited.has(np.arange(len(mean))[:, None], candidates)] = -np.inf
        deviation = np.sqrt(np.maximum(left, 0.0)) * estimate.scale[:, None]
        return Prediction(mean, deviation, self._best(estimate, value), candidates, estimate)

    def draw(self, value: FloatArray, prediction: Prediction, streams: Streams) -> FloatArray:
        """Draw with the Cholesky factor of the covariance of the pool, in time (pool size)**3."""
        normal = normal_numbers(streams, self._size)
        drawn = np.empty(normal.shape)
        diagonal = np.arange(self._size)
        for run in self._runs:
            vectors = self._encoding.words(prediction.architecture[run])[None]
            _, solved = self._solve(run, prediction.architecture[run])
            covariance = self._correlations[self.lengthscale[run]].take(self._encoding.differing(vectors, vectors)[0])
            covariance -= solved.T @ solved
            covariance[diagonal, diagonal] += _JITTER
            drawn[run] = np.linalg.cholesky(covariance) @ normal[run]
        return prediction.mean + prediction.estimate.scale[:, None] * drawn

    def _solve(self, run: int, candidates: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return the correlations R of a run's proposals and candidates, and L**-1 R, both (count, candidates)."""
        correlations = self._correlations[self.lengthscale[run]].take(
            self._distances.of(run, candidates).T, mode="clip"
        )
        return correlations, lower_times(self.regression.inverse[run], correlations)

    def _between(self, lengthscale: IntArray) -> FloatArray:
        return self._correlations[lengthscale[:, None, None], self._distances.between()]

    def _refitted(self, run: IntArray) -> None:
        """Do nothing: a pool is new at every step."""
