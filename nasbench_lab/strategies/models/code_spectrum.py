"""The eigenvectors of correlations that depend on the number of codes that differ, and cheap products with them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray

_PARTS = 3
"""Number of groups of codes: a product with the eigenvectors is one small matrix product per group."""


@final
class CodeSpectrum:
    """Eigenvectors and eigenvalues of a correlation rho(number of codes that differ), at all combinations of codes.

    Such a matrix R commutes with every permutation of a code's values, so its eigenvectors are products with one factor
    per code: the constant vector, or a vector orthogonal to it. R = Q diag(eigenvalues) Q', where Q is the Kronecker
    product of one small orthonormal matrix per code. So R times a vector takes two products with Q, each of which is
    one matrix product per group of codes.

    Args:
        cardinalities: number of values of every code; places are numbered like an odometer.
        correlations: rho of 0, 1, ..., all codes differing, one row per lengthscale, shape (lengthscales, codes + 1).

    >>> spectrum = CodeSpectrum((2, 2), np.array([[1.0, 0.5, 0.25]]))
    >>> spectrum.multiply(np.array([0]), np.array([[1.0, 0.0, 0.0, 0.0]])).round(12).tolist()
    [[1.0, 0.5, 0.5, 0.25]]
    """

    def __init__(self, cardinalities: Sequence[int], correlations: FloatArray) -> None:
        self._bases = [_basis(group) for group in _groups(cardinalities)]
        self._values = _eigenvalues(cardinalities, correlations)
        self._deviations = np.sqrt(np.maximum(self._values, 0.0))
        self.price: int = 2 * sum(len(basis) for basis in self._bases)
        """Number of multiplications of `multiply` per place."""

    def multiply(self, lengthscale: IntArray, grid: FloatArray) -> FloatArray:
        """Return R times a vector of every run.

        Args:
            lengthscale: position of every run's lengthscale, shape (runs,).
            grid: the vectors, shape (runs, places).
        """
        coefficients = _product([basis.T for basis in self._bases], grid)
        coefficients *= self._values[lengthscale]
        return _product(self._bases, coefficients)

    def sample(self, lengthscale: IntArray, normal: FloatArray | NDArray[np.float32]) -> FloatArray:
        """Return draws of the Gaussian process with this correlation, Q sqrt(eigenvalue) z, for standard normal z.

        Args:
            lengthscale: position of every run's lengthscale, shape (runs,).
            normal: z, shape (runs, places).
        """
        return _product(self._bases, np.multiply(normal, self._deviations[lengthscale], dtype=np.float64))


def _groups(cardinalities: Sequence[int]) -> list[Sequence[int]]:
    """Divide the codes into three groups of consecutive codes that have few combinations in total.

    >>> _groups((5, 5, 5, 5, 5, 5))
    [(5, 5), (5, 5), (5, 5)]
    """
    n = len(cardinalities)
    splits = [(first, second) for first in range(n + 1) for second in range(first, n + 1)]

    def parts(split: tuple[int, int]) -> list[Sequence[int]]:
        return [cardinalities[: split[0]], cardinalities[split[0] : split[1]], cardinalities[split[1] :]]

    return min((parts(split) for split in splits), key=lambda groups: sum(math.prod(group) for group in groups))


def _product(matrices: Sequence[FloatArray], grid: FloatArray) -> FloatArray:
    """Multiply the Kronecker product of three matrices by a vector of every run, shape (runs, places)."""
    first, second, third = matrices
    runs, places = grid.shape
    grid = np.matmul(first, grid.reshape(runs, len(first), -1))
    grid = np.matmul(second, grid.reshape(runs, len(first), len(second), len(third)))
    grid = np.matmul(grid.reshape(runs, -1, len(third)), third.T)
    return grid.reshape(runs, places)


def _eigenvalues(cardinalities: Sequence[int], correlations: FloatArray) -> FloatArray:
    """Return the eigenvalues, in the order of the products of `_basis`, shape (lengthscales, places)."""
    differing = (np.indices(cardinalities) > 0).sum(axis=0)  # from the first place
    values = correlations[:, differing]
    for axis, n in enumerate(cardinalities, start=1):
        # The eigenvalue is the sum of the row times the zonal function: 1 for the constant vector of a code, and
        # 1 at the same value, -1 / (n - 1) at others, for the vectors orthogonal to it.
        zonal = np.full((n, n), -1.0 / max(n - 1, 1))
        zonal[:, 0] = 1.0
        zonal[0] = 1.0
        values = np.moveaxis(np.moveaxis(values, axis, -1) @ zonal.T, -1, axis)
    return values.reshape(len(correlations), math.prod(cardinalities))


def _basis(cardinalities: Sequence[int]) -> FloatArray:
    """Return the Kronecker product of an orthonormal basis per code, in columns; constant vectors first (Helmert)."""
    product: FloatArray = np.ones((1, 1))
    for n in cardinalities:
        helmert = np.zeros((n, n))
        helmert[:, 0] = 1.0 / math.sqrt(n)
        for j in range(1, n):
            helmert[:j, j] = 1.0 / math.sqrt(j * (j + 1))
            helmert[j, j] = -j / math.sqrt(j * (j + 1))
        product = np.asarray(np.kron(product, helmert), dtype=np.float64)
    return product
