"""The posterior of a Gaussian process at all architectures of a space."""

from __future__ import annotations

from typing import final
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.models.gaussian_process import Estimate
from nasbench_lab.strategies.models.gp_candidates import SINGLE, Candidates, Prediction
from nasbench_lab.strategies.models.kernels import CodeGrid, Kind, Sums, correlation
from nasbench_lab.strategies.models.normal_draws import normal_numbers
from nasbench_lab.strategies.models.rough_sums import Rough, RoughSums
from nasbench_lab.strategies.models.screen import Bounds, Exactly
from nasbench_lab.strategies.parts.visited import Visited
from nasbench_lab.streams import Streams


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
        draws: whether the posterior is only drawn from. Then the variances of a prediction are no bounds.
    """

    def __init__(
        self, space: Space, kind: Kind, lengthscales: tuple[float, ...], runs: int, draws: bool = False
    ) -> None:
        super().__init__(lengthscales, runs)
        self._grid, self._rough = _grid_of(space, kind, lengthscales)
        self._place: IntArray = np.zeros((runs, 0), dtype=np.int64)
        self._differing = self._grid.differing(runs)
        self._left: Rough = np.ones((runs, self._grid.size), dtype=np.float32)
        self._left_error: FloatArray = np.zeros(runs)
        self._sums_of_draws = self._sums() if draws else None
        self._rows: list[FloatArray] = []  # rows of L**-1 whose variance was not yet subtracted
        self._nowhere = np.flatnonzero(self._grid.architecture < 0)
        self._run = np.arange(runs)[:, None]

    def add(self, architecture: IntArray) -> None:
        """Add a proposal of every run. The variance that it explains is subtracted with the next prediction."""
        place = self._grid.place[architecture][:, None]
        before, self._place = self._place, np.concatenate([self._place, place], axis=1)
        self._differing.add(place[:, 0])
        if self._sums_of_draws is not None:
            self._sums_of_draws.add(place)
        if self.fitted:
            row = self.regression.append(self._grid.correlate(self.lengthscale, place, before))
            if self._sums_of_draws is None:
                self._rows.append(row)

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
        error = errors[:, 0] + SINGLE * (np.abs(estimate.mean) + 1.0)
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
        drawn += (self._sums_of_draws or self._sums()).sum(self.regression.solve(rest))
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
        if self._sums_of_draws is not None:
            self._sums_of_draws.replace(run, Sums(self._grid, self.lengthscale[run], self._place[run]))
            return
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
        self._left_error = np.sqrt(self._left_error**2 + 4.0 * error**2 + SINGLE**2)

    def _exactly(self, estimate: Estimate) -> Exactly:
        def correlations(run: IntArray, place: IntArray) -> FloatArray:
            return self._differing.correlate(self.lengthscale, run, place)

        return self._posterior(correlations, estimate)


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
