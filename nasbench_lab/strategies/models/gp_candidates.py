"""The posterior of a Gaussian process at candidates: all architectures of a space, or a new pool at every step."""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass
from typing import final
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.models.candidates import pool
from nasbench_lab.strategies.models.distances import Distances
from nasbench_lab.strategies.models.encodings import Counts, PackedEncoding
from nasbench_lab.strategies.models.gaussian_process import Estimate, Regression, most_likely
from nasbench_lab.strategies.models.kernels import CodeGrid, Kind, Sums, correlation, triangular_product
from nasbench_lab.strategies.models.normal_draws import normal_numbers
from nasbench_lab.strategies.models.rough_sums import Rough, RoughSums, norm_error, sum_error
from nasbench_lab.strategies.models.screen import Bounds, Exactly
from nasbench_lab.strategies.models.whole_space import evenly_spaced
from nasbench_lab.strategies.parts.visited import Visited
from nasbench_lab.streams import Streams

_PARENTS = 10
_JITTER = 1e-8  # added to the diagonal of a covariance before it is factorised
_SINGLE = 2.0**-22  # more than the relative error of a few operations in single precision
_MOST_AT_ONCE = 2**19  # correlations
_TYPICAL = 1_000  # architectures from which the mean number of paths is estimated


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


@final
class WholeSpace(Candidates):
    """All architectures of a space, for a kernel that depends on the number of codes that differ.

    All places of a grid have a mean and a variance in single precision, with bounds of their errors. They show which
    candidates cannot win; of the few others, mean and variance are computed in double precision. The class stores the
    remaining variance at every place. A proposal reduces it, whatever its value.

    Args:
        space: the space.
        kind: of the kernel.
        lengthscales: the possible lengthscales of a process.
        runs: number of runs.
    """

    def __init__(self, space: Space, kind: Kind, lengthscales: tuple[float, ...], runs: int) -> None:
        super().__init__(lengthscales, runs)
        self._grid, self._rough = _grid_of(space, kind, lengthscales)
        self._place: IntArray = np.zeros((runs, 0), dtype=np.int64)
        self._differing = self._grid.differing(runs)
        self._left: Rough = np.ones((runs, self._grid.size), dtype=np.float32)
        self._left_error: FloatArray = np.zeros(runs)
        self._rows: list[FloatArray] = []  # rows of L**-1 whose variance was not yet subtracted
        self._nowhere = np.flatnonzero(self._grid.architecture < 0)
        self._run = np.arange(runs)[:, None]

    def add(self, architecture: IntArray) -> None:
        """Add a proposal of every run. The variance that it explains is subtracted with the next prediction."""
        place = self._grid.place[architecture][:, None]
        before, self._place = self._place, np.concatenate([self._place, place], axis=1)
        self._differing.add(place[:, 0])
        if self.fitted:
            self._rows.append(self.regression.append(self._grid.correlate(self.lengthscale, place, before)))

    def predict(self, value: FloatArray, architecture: IntArray, visited: Visited, streams: Streams) -> Prediction:
        """Return the posterior at all places of the grid."""
        estimate, count = self.regression.estimate(value), value.shape[1]
        vectors = np.zeros((len(value), 1 + len(self._rows), count))
        vectors[:, 0] = estimate.weights
        for number, row in enumerate(self._rows, start=1):
            vectors[:, number, : row.shape[1]] = row
        sums, errors = self._rough.sum(self.lengthscale, self._place, vectors)
        for number in range(1, vectors.shape[1]):
            self._subtract(sums[:, number], errors[:, number])
        self._rows = []
        mean = sums[:, 0]
        mean += estimate.mean[:, None].astype(np.float32)
        error = errors[:, 0] + _SINGLE * (np.abs(estimate.mean) + 1.0)
        mean[self._run, self._place] = -np.inf
        mean[:, self._nowhere] = -np.inf
        left = self._left + self._left_error[:, None].astype(np.float32)
        architectures = np.broadcast_to(self._grid.architecture, mean.shape)
        bounds = Bounds(mean, error, left, estimate.scale, self._exactly(estimate))
        return Prediction(bounds, self._best(estimate, value), architectures, estimate)

    def best_of_space(self, value: FloatArray, excluded: NDArray[np.bool_]) -> IntArray:
        """Return the place of the grid with the largest mean as an architecture; ties: the first place."""
        mean = self._sums().sum(self.regression.estimate(value).weights)
        run, column = np.nonzero(excluded)
        mean[run, self._place[run, column]] = -np.inf
        mean[:, self._nowhere] = -np.inf
        return self._grid.architecture[mean.argmax(axis=1)]

    def draw(self, value: FloatArray, prediction: Prediction, streams: Streams) -> FloatArray:
        """Draw from the prior and correct it at the proposals (Wilson et al., ICML 2020, equation 9)."""
        estimate, count = prediction.estimate, value.shape[1]
        normal = normal_numbers(streams, self._grid.size + count)
        drawn = self._grid.spectrum.sample(self.lengthscale, normal[:, count:])
        noise = np.sqrt(self.regression.noise)[:, None] * normal[:, :count]
        rest = (value - estimate.mean[:, None]) / estimate.scale[:, None] - drawn[self._run, self._place] - noise
        drawn += self._sums().sum(self.regression.solve(rest))
        drawn *= estimate.scale[:, None]
        drawn += estimate.mean[:, None]
        drawn[self._run, self._place] = -np.inf
        drawn[:, self._nowhere] = -np.inf
        return drawn

    def _sums(self) -> Sums:
        return Sums(self._grid, self.lengthscale, self._place)

    def _between(self, lengthscale: IntArray) -> FloatArray:
        return self._grid.correlate(lengthscale, self._place[:, :, None], self._place[:, None, :])

    def _refitted(self, run: IntArray) -> None:
        for row in self._rows:
            row[run] = 0.0
        for each in run:
            explained, error = self._rough.explained(
                int(self.lengthscale[each]), self._place[each], self.regression.inverse[each]
            )
            np.subtract(1.0, explained, out=self._left[each])
            self._left_error[each] = error

    def _subtract(self, explained: Rough, error: FloatArray) -> None:
        """Subtract the squares of sums from the variances. As these are the rest of 1, no sum is above 1."""
        np.multiply(explained, explained, out=explained)
        np.subtract(self._left, explained, out=self._left)
        self._left_error = np.sqrt(self._left_error**2 + 4.0 * error**2 + _SINGLE**2)

    def _exactly(self, estimate: Estimate) -> Exactly:
        def correlations(run: IntArray, place: IntArray) -> FloatArray:
            return self._differing.correlate(self.lengthscale, run, place)

        return self._posterior(correlations, estimate)


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
        error = sum_error(estimate.weights) + _SINGLE * np.abs(estimate.mean)
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


_Tables = dict[tuple[Kind, tuple[float, ...]], tuple[CodeGrid, RoughSums]]
_GRIDS: WeakKeyDictionary[Space, _Tables] = WeakKeyDictionary()


def _grid_of(space: Space, kind: Kind, lengthscales: tuple[float, ...]) -> tuple[CodeGrid, RoughSums]:
    """Return the tables of a space. All runs share the last ones, which take up to 25 MB."""
    known = _GRIDS.setdefault(space, {})
    if (kind, lengthscales) not in known:
        known.clear()
        codes = len(space.cardinalities)
        fraction = np.arange(codes + 1) / codes
        grid = CodeGrid(space, correlation(kind, fraction, np.array(lengthscales)[:, None]))
        known[kind, lengthscales] = grid, RoughSums(grid)
    return known[kind, lengthscales]
