"""Sums of correlations over a whole space in single precision, with bounds of their errors: for skipping candidates."""

from __future__ import annotations

import math
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.strategies.models.kernels import CodeGrid, factors, numbers_of_differing, triangular_product

Rough = NDArray[np.float32]

_ROUNDING = 2.0**-24
_DEVIATIONS = 8.0  # of a rounding error; larger errors have a probability below 1e-13
_FIRST_COSTS = 8  # one sparse multiplication takes as long as this many dense ones
_TYPICAL = 64  # observations
_MOST_ENTRIES = 2**20  # of the correlations of the last codes
_BLOCK = 2**17  # numbers that are processed at a time: 512 KiB


@final
class RoughSums:
    """Sums over observed places of a grid, for all places at once.

    As in `CodeGrid`, a correlation is a short sum of products of a function of the first codes (the head) and one of
    the last codes (the tail). Here few codes are first. A sum takes two steps:

    1. add up the rows of the observations with the same head: one sparse product, (heads x observations)
       (observations x tails);
    2. multiply by the correlations of the heads: (heads x heads) (heads x tails).

    The second step does not depend on the number of observations. Its price per place is the number of heads: 25 for
    the 15,625 places of NAS-Bench-201, however many architectures were observed.

    Args:
        grid: the grid.
    """

    def __init__(self, grid: CodeGrid) -> None:
        self.size = grid.size
        cardinalities, correlations = grid.cardinalities, grid.correlations
        split = min(range(len(cardinalities) + 1), key=lambda i: _price(cardinalities, i))
        heads, tails = numbers_of_differing(cardinalities[:split]), numbers_of_differing(cardinalities[split:])
        self._heads, self._tails = len(heads), len(tails)
        of_heads, of_tails = factors(correlations, split + 1, len(cardinalities) - split + 1)
        self._terms = of_heads.shape[1]
        # Row x of a table of tails is b_1(d(x, .)), b_2(d(x, .)), ...; one table per lengthscale.
        tail_table = np.moveaxis(of_tails[:, :, tails], 1, 2).reshape(-1, self._terms * self._tails)
        self._tail_table: Rough = tail_table.astype(np.float32)
        head_table = np.moveaxis(of_heads[:, :, heads], 1, 3).reshape(len(correlations), self._heads, -1)
        self._head_table: Rough = head_table.astype(np.float32)
        largest = np.abs(of_heads).max(axis=2) * np.abs(of_tails).max(axis=2)
        self._largest = largest.sum(axis=1)

    def sum(self, lengthscale: IntArray, place: IntArray, weights: FloatArray) -> tuple[Rough, FloatArray]:
        """Return sum_s w_s rho(x_s, .) for several vectors of weights, and bounds of the errors.

        Args:
            lengthscale: position of every run's lengthscale, shape (runs,).
            place: x, shape (runs, n).
            weights: w, shape (runs, vectors, n).

        Returns:
            Shapes (runs, vectors, grid.size) and (runs, vectors).
        """
        runs, vectors, n = weights.shape
        head, tail = np.divmod(place, self._tails)
        row = np.arange(runs * vectors).reshape(runs, vectors, 1) * self._heads + head[:, None]
        order = np.argsort(row.reshape(runs * vectors, n), axis=1, kind="stable")
        order += np.arange(runs * vectors)[:, None] * n
        column = np.broadcast_to((lengthscale[:, None] * self._tails + tail)[:, None], weights.shape)
        rows = runs * vectors * self._heads
        start = np.zeros(rows + 1, dtype=np.int32)
        np.cumsum(np.bincount(row.reshape(-1), minlength=rows), out=start[1:])
        flat = order.reshape(-1)
        data = weights.reshape(-1)[flat].astype(np.float32)
        matrix = csr_array(
            (data, column.reshape(-1)[flat].astype(np.int32), start), shape=(rows, len(self._tail_table))
        )
        added = (matrix @ self._tail_table).reshape(runs, vectors, self._heads * self._terms, self._tails)
        sums = np.matmul(self._head_table[lengthscale, None], added)
        error = sum_error(weights, self._heads * self._terms) * self._largest[lengthscale, None]
        return sums.reshape(runs, vectors, self.size), error

    def explained(self, lengthscale: int, place: IntArray, rows: FloatArray) -> tuple[Rough, float]:
        """Return sum_t (sum_s rows_ts rho(x_s, .))**2 of one run, and a bound of the error.

        Args:
            lengthscale: position of the lengthscale.
            place: x, shape (n,).
            rows: lower triangular, shape (n, n).

        Returns:
            The sums, shape (grid.size,), and the bound, for sums of at most 1.
        """
        n = len(place)
        head, tail = np.divmod(place, self._tails)
        heads = self._head_table[lengthscale].reshape(self._heads, self._heads, self._terms)[:, head]
        tails = self._tail_table[lengthscale * self._tails + tail].reshape(n, self._terms, self._tails)
        lower = rows.astype(np.float32)
        total = np.empty((self._heads, self._tails), dtype=np.float32)
        block = max(_BLOCK // (n * self._tails), 1)
        for first in range(0, self._heads, block):  # so that a block stays in the cache
            some = heads[first : first + block].swapaxes(0, 1)
            correlations = some * tails if self._terms == 1 else np.matmul(some, tails)
            sums = triangular_product(lower, correlations.reshape(n, -1), overwrite=True)
            total[first : first + block] = np.einsum("ts,ts->s", sums, sums).reshape(-1, self._tails)
        return total.reshape(-1), float(norm_error(rows, self._largest[lengthscale]))


def sum_error(weights: FloatArray, more: int = 0) -> FloatArray:
    """Return a bound for the rounding error of a sum of n weights times correlations, shape (..., n) to (...).

    Rounding errors behave like independent random numbers (Higham and Mary, A New Approach to Probabilistic Rounding
    Error Analysis, SIAM Journal on Scientific Computing 2019), so the norm of the weights counts, not the sum of their
    absolute values. The largest error that was measured at all places of a space is an eighth of this bound.

    Args:
        weights: the weights.
        more: number of further additions.
    """
    steps = 1.0 + 0.5 * math.sqrt(weights.shape[-1] + more)
    return np.asarray(_DEVIATIONS * _ROUNDING * steps * np.sqrt((weights * weights).sum(axis=-1)))


def norm_error(rows: FloatArray, largest: float = 1.0) -> FloatArray:
    """Return a bound for the rounding error of |L r|**2, which is at most 1 without: L (..., n, n) to (...).

    Args:
        rows: L.
        largest: bound for the absolute terms of a correlation.
    """
    error = sum_error(rows) * largest
    # The errors of the squares u_t**2 are 2 u_t e_t, and no u_t is above 1.
    return np.asarray(2.0 * np.sqrt((error * error).sum(axis=-1)) + _DEVIATIONS * _ROUNDING * math.sqrt(rows.shape[-1]))


def _price(cardinalities: tuple[int, ...], split: int) -> float:
    heads, tails = math.prod(cardinalities[:split]), math.prod(cardinalities[split:])
    if tails * tails > _MOST_ENTRIES and split < len(cardinalities):
        return math.inf
    return heads * tails * heads + _FIRST_COSTS * _TYPICAL * tails
