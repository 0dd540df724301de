"""Correlations of architectures, and sums of them over a whole space, computed with small matrix products."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Literal, TypeVar, final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dtrmm, strmm

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.models.code_spectrum import CodeSpectrum
from nasbench_lab.strategies.parts import elementary

Kind = Literal["hamming", "matern", "path"]
_Number = TypeVar("_Number", np.float32, np.float64)

_FIRST_CAPACITY = 32
_NEGLIGIBLE = 1e-14  # singular values below this fraction of the largest are rounding errors


def correlation(kind: Kind, distance: FloatArray, lengthscale: FloatArray | float) -> FloatArray:
    """Return the correlation of architectures at a distance; both arguments broadcast.

    - ``"hamming"`` and ``"path"``: exp(-d / l), for a distance that counts differences;
    - ``"matern"``: (1 + a + a**2 / 3) exp(-a) with a = sqrt(5 d) / l: Matern's kernel with smoothness 5/2 (Rasmussen
      and Williams, Gaussian Processes for Machine Learning, 2006, equation 4.17), where d is a squared Euclidean
      distance.

    Args:
        kind: name of the kernel.
        distance: d, scaled so that the largest is about 1.
        lengthscale: l, positive.

    >>> correlation("hamming", np.array([0.0, 0.5, 1.0]), 0.5).round(3).tolist()
    [1.0, 0.368, 0.135]
    """
    if kind == "matern":
        a = np.sqrt(5.0 * distance) / lengthscale
        return (1.0 + a + a * a / 3.0) * elementary.exp(-a)
    return elementary.exp(-distance / lengthscale)


@final
class CodeGrid:
    """All combinations of the codes of a space, and a correlation that depends on the number of codes that differ.

    Places are numbered like an odometer. Combinations that describe no architecture are included; their architecture is
    -1. A place is a pair (head, tail): the first codes and the last ones. As the number of codes that differ is that of
    the heads plus that of the tails, a correlation is a short sum of products,

        rho(d_head + d_tail) = sum_r  a_r(d_head) b_r(d_tail),

    by a singular value decomposition of the small matrix rho(i + j). An exponential has one term; any other correlation
    has at most as many terms as one of the halves has codes, plus one. So the sum over observations s that a posterior
    needs at every place, sum_s w_s rho(x_s, .), is one matrix product (heads x observations) (observations x tails),
    instead of one entry per observation and place.

    Args:
        space: the space; the product of its cardinalities should be small.
        correlations: rho of 0, 1, ..., all codes differing, one row per lengthscale, shape (lengthscales, codes + 1).
    """

    def __init__(self, space: Space, correlations: FloatArray) -> None:
        cardinalities = space.cardinalities
        self.cardinalities = cardinalities
        self.size = math.prod(cardinalities)
        strides = np.array([math.prod(cardinalities[i + 1 :]) for i in range(len(cardinalities))], dtype=np.int64)
        self.place: IntArray = space.codes(np.arange(space.size)).astype(np.int64) @ strides
        """Place of every architecture, shape (space.size,)."""
        self.architecture: IntArray = np.full(self.size, -1)
        """Architecture at every place, -1 for none, shape (size,)."""
        self.architecture[self.place] = np.arange(space.size)
        split = min(range(len(cardinalities) + 1), key=lambda i: _halves_cost(cardinalities, i))
        self._head_distance = numbers_of_differing(cardinalities[:split])
        self._tail_distance = numbers_of_differing(cardinalities[split:])
        self._tails = len(self._tail_distance)
        self.correlations = correlations
        heads, tails = factors(correlations, split + 1, len(cardinalities) - split + 1)
        # Shape (lengthscales, heads, terms, heads): row h of a table is a_r(d(h, .)).
        self._head_table = np.moveaxis(heads[:, :, self._head_distance], 1, 2).copy()
        self._tail_table = np.moveaxis(tails[:, :, self._tail_distance], 1, 2).copy()

    def correlate(self, lengthscale: IntArray, one: IntArray, other: IntArray) -> FloatArray:
        """Return the correlations of places that broadcast to (runs, ...), with the lengthscale of every run."""
        row = (one // self._tails) * len(self._head_distance) + other // self._tails
        differing = self._head_distance.reshape(-1).take(row)
        differing += self._tail_distance.reshape(-1).take((one % self._tails) * self._tails + other % self._tails)
        differing += (lengthscale * self.correlations.shape[1]).reshape(-1, *(1,) * (differing.ndim - 1))
        return self.correlations.reshape(-1).take(differing)

    def factors(self, lengthscale: IntArray, place: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return a_r(d_head(x, .)) and b_r(d_tail(x, .)) of places.

        Args:
            lengthscale: position of every run's lengthscale, shape (runs,).
            place: x, shape (runs, n).

        Returns:
            Shapes (runs, n, terms, heads) and (runs, n, terms, tails).
        """
        of_run = lengthscale[:, None]
        return self._head_table[of_run, place // self._tails], self._tail_table[of_run, place % self._tails]

    def differing(self, runs: int) -> Differing:
        """Return no places of a number of runs, to which the distances of others are counted."""
        return Differing(self.correlations, self._head_distance, self._tail_distance, runs)

    @cached_property
    def spectrum(self) -> CodeSpectrum:
        """The eigenvectors of the correlations."""
        return CodeSpectrum(self.cardinalities, self.correlations)


@final
class Differing:
    """Observed places of every run, the same number in each, and their correlations with other places of a grid.

    The class keeps the numbers of codes that differ from all heads and from all tails, one byte each. A lookup copies
    one short row for the head of a place and one for its tail, and adds them.

    Args:
        correlations: rho, as for `CodeGrid`.
        heads: number of codes that differ between heads, shape (heads, heads).
        tails: the same for tails.
        runs: number of runs.
    """

    def __init__(self, correlations: FloatArray, heads: IntArray, tails: IntArray, runs: int) -> None:
        self._correlations, self._count = correlations, 0
        self._tables = [table.astype(np.uint8) for table in (heads, tails)]
        self._differing = [np.zeros((runs, len(table), _FIRST_CAPACITY), dtype=np.uint8) for table in self._tables]

    def add(self, place: IntArray) -> None:
        """Add a place of every run, shape (runs,)."""
        if self._count == self._differing[0].shape[2]:
            self._differing = [np.concatenate([each, np.zeros_like(each)], axis=2) for each in self._differing]
        for table, differing, half in zip(self._tables, self._differing, self._halves(place), strict=True):
            differing[:, :, self._count] = table[half]
        self._count += 1

    def correlate(self, lengthscale: IntArray, run: IntArray, place: IntArray) -> FloatArray:
        """Return correlations with all places of a run.

        Args:
            lengthscale: position of every run's lengthscale, shape (runs,).
            run: some runs, shape (n,).
            place: places, shape (n, k).

        Returns:
            Shape (n, k, places of the run).
        """
        head, tail = self._halves(place)
        of_run = run[:, None]
        index = self._differing[0][of_run, head, : self._count] + self._differing[1][of_run, tail, : self._count]
        found = np.empty(index.shape)
        for row, each in enumerate(lengthscale[run]):
            self._correlations[each].take(index[row], out=found[row], mode="clip")
        return found

    def _halves(self, place: IntArray) -> tuple[IntArray, IntArray]:
        return np.divmod(place, len(self._tables[1]))


@final
class Sums:
    """Sums, over the observed places of every run, of their correlations with all places of a grid.

    A sum of n places takes n * terms multiplications per place of the grid by the factors of the correlations, and a
    fixed number by their eigenvectors; the cheaper way is used.

    Args:
        grid: the grid.
        lengthscale: position of every run's lengthscale, shape (runs,).
        place: x, the first places, shape (runs, count).
    """

    def __init__(self, grid: CodeGrid, lengthscale: IntArray, place: IntArray) -> None:
        self._grid, self._lengthscale = grid, lengthscale
        self.place = place
        """x, all places, shape (runs, count)."""
        self._heads, self._tails = grid.factors(lengthscale, place)

    def add(self, place: IntArray) -> None:
        """Add a place of every run, shape (runs, 1)."""
        count = self.place.shape[1]
        if count == self._heads.shape[1]:
            more = ((0, 0), (0, max(count, 1)), (0, 0), (0, 0))
            self._heads, self._tails = np.pad(self._heads, more), np.pad(self._tails, more)
        heads, tails = self._grid.factors(self._lengthscale, place)
        self._heads[:, count], self._tails[:, count] = heads[:, 0], tails[:, 0]
        self.place = np.concatenate([self.place, place], axis=1)

    def replace(self, run: IntArray, sums: Sums) -> None:
        """Copy the lengthscales of some runs, and so their correlations, from other sums over the same places."""
        count = self.place.shape[1]
        self._lengthscale = self._lengthscale.copy()
        self._lengthscale[run] = sums._lengthscale
        self._heads[run, :count], self._tails[run, :count] = sums._heads, sums._tails

    def sum(self, weights: FloatArray) -> FloatArray:
        """Return sum_s w_s rho(x_s, .), for weights of the first places, shape (runs, n) to (runs, grid.size)."""
        runs, n = weights.shape
        if n * self._heads.shape[2] > self._grid.spectrum.price:
            places = np.zeros((runs, self._grid.size))
            np.add.at(places, (np.arange(runs)[:, None], self.place[:, :n]), weights)
            return self._grid.spectrum.multiply(self._lengthscale, places)
        heads = (self._heads[:, :n] * weights[:, :, None, None]).reshape(runs, -1, self._heads.shape[3])
        tails = self._tails[:, :n].reshape(runs, -1, self._tails.shape[3])
        return np.matmul(heads.transpose(0, 2, 1), tails).reshape(runs, self._grid.size)


def _halves_cost(cardinalities: tuple[int, ...], split: int) -> int:
    return max(math.prod(cardinalities[:split]), math.prod(cardinalities[split:]))


def numbers_of_differing(cardinalities: tuple[int, ...]) -> NDArray[np.int64]:
    """Return the number of codes that differ between all combinations of some codes, shape (n, n)."""
    codes = np.indices(cardinalities).reshape(len(cardinalities), math.prod(cardinalities))
    return (codes[:, :, None] != codes[:, None, :]).sum(axis=0)


def factors(correlations: FloatArray, heads: int, tails: int) -> tuple[FloatArray, FloatArray]:
    """Return a and b, shapes (lengthscales, terms, heads) and (lengthscales, terms, tails)."""
    matrix = correlations[:, np.arange(heads)[:, None] + np.arange(tails)]
    u, s, vt = np.linalg.svd(matrix, full_matrices=False)
    terms = int((s > _NEGLIGIBLE * s[:, :1]).sum(axis=1).max())
    root = np.sqrt(s[:, :terms, None])
    return u[:, :, :terms].swapaxes(1, 2) * root, vt[:, :terms] * root


def triangular_product(
    lower: NDArray[_Number], matrix: NDArray[_Number], *, overwrite: bool = False
) -> NDArray[_Number]:
    """Return L R for a lower triangular L, shape (n, n), and R, shape (n, m); takes half the time of ``L @ R``.

    Args:
        lower: L; entries above the diagonal are ignored.
        matrix: R, of the same precision.
        overwrite: whether R may be overwritten with the product.

    >>> import numpy as np
    >>> triangular_product(np.array([[1.0, 9.0], [2.0, 3.0]]), np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]])).tolist()
    [[1.0, 0.0, 2.0], [2.0, 3.0, 7.0]]
    """
    # BLAS stores matrices by columns: transposed, nothing needs to be copied.
    product = strmm if lower.dtype == np.float32 else dtrmm
    return product(1.0, lower.T, matrix.T, side=1, overwrite_b=overwrite).T
