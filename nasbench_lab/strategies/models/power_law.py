"""Power laws fitted to learning curves, for many curves at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.strategies.parts import elementary

EXPONENTS: FloatArray = elementary.exp(np.linspace(elementary.log(0.05), elementary.log(5.0), 40))
"""The grid of values of alpha."""


class PowerLaw:
    """Least-squares fits of ``y = a - b e^-alpha`` with b >= 0 to curves that grow point by point.

    For every alpha of a grid, a and b have a closed form; the alpha with the smallest sum of squares is chosen (ties:
    the smallest). The class stores sums over the points of a curve, so that a new point costs a few operations per
    exponent.

    Args:
        epochs: e at the points of a curve, ascending; curves are extrapolated to the last.
        shape: of the curves, e.g. (runs, workers).

    >>> law = PowerLaw([1, 2, 4, 8, 16], (1,))
    >>> for point, epochs in enumerate([1, 2, 4, 8]):
    ...     law.add(np.array([point]), np.array([0.9 - 0.5 * epochs ** -EXPONENTS[20]]))
    >>> bool(np.isclose(law.at_end(np.array([3])), 0.9 - 0.5 * 16 ** -EXPONENTS[20])[0])
    True
    """

    def __init__(self, epochs: Sequence[int], shape: tuple[int, ...]) -> None:
        relative = np.array(epochs) / epochs[0]
        self._x: FloatArray = elementary.power(relative[:, None], -EXPONENTS)  # (points, exponents)
        self._sum_x, self._sum_xx = self._x.cumsum(axis=0), (self._x**2).cumsum(axis=0)
        n = np.arange(1, len(relative) + 1)[:, None]
        self._spread: FloatArray = np.maximum(n * self._sum_xx - self._sum_x**2, np.finfo(float).tiny)
        self._first: FloatArray = np.zeros(shape)
        self._sum_y: FloatArray = np.zeros(shape)
        self._sum_yy: FloatArray = np.zeros(shape)
        self._sum_xy: FloatArray = np.zeros((*shape, len(EXPONENTS)))

    def add(self, point: IntArray, value: FloatArray) -> None:
        """Add a point to every curve; a point 0 begins a new curve.

        Args:
            point: number of the point, of the shape of the curves.
            value: y there.
        """
        begins = point == 0
        self._first = np.where(begins, value, self._first)
        y = value - self._first  # so that sums of squares lose no digits
        self._sum_y = np.where(begins, 0.0, self._sum_y) + y
        self._sum_yy = np.where(begins, 0.0, self._sum_yy) + y * y
        self._sum_xy = np.where(begins[..., None], 0.0, self._sum_xy) + y[..., None] * self._x[point]

    def at_end(self, point: IntArray) -> FloatArray:
        """Return the predicted values at the last of the epochs, of the shape of the curves.

        Args:
            point: number of the last point of each curve; fits of curves with fewer than three points have no meaning.
        """
        n, y, yy = (point + 1.0)[..., None], self._sum_y[..., None], self._sum_yy[..., None]
        x, xx, xy = self._sum_x[point], self._sum_xx[point], self._sum_xy
        slope = np.minimum((n * xy - x * y) / self._spread[point], 0.0)
        level = (y - slope * x) / n
        squares = yy - 2 * level * y - 2 * slope * xy + n * level**2 + 2 * level * slope * x + slope**2 * xx
        best = np.where(np.isnan(squares), np.inf, squares).argmin(axis=-1)[..., None]
        level, slope = (np.take_along_axis(array, best, axis=-1)[..., 0] for array in (level, slope))
        return self._first + level + slope * self._x[-1][best[..., 0]]
