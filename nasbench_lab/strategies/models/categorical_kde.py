"""Kernel density estimates over categorical codes, for many runs at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray
from nasbench_lab.strategies.parts import elementary
from nasbench_lab.streams import scale

Codes = NDArray[np.int8]

_CHUNK = 8  # codes whose agreement is packed into a byte


@dataclass(frozen=True, eq=False)
class CategoricalKde:
    """A product-kernel density estimate for every run (Aitchison and Aitken, Biometrika 1976).

    With n observations X of d codes, code j having c_j values, and bandwidths h_j::

        p(x) = 1/n sum_i prod_j k_j(x_j, X_ij)      k_j(a, b) = 1 - h_j where a = b, else h_j / (c_j - 1)

    The bandwidths are those of the normal reference rule on the codes as numbers, as in BOHB's implementation (which
    uses statsmodels): ``h_j = 1.06 s_j n^(-1 / (4 + d))``, where s_j is the standard deviation. They are at least a
    given bandwidth, and at most (c_j - 1) / c_j, where the kernel is uniform; a larger one would favour values that
    differ.

    Attributes:
        data: the observations, (runs, n, d).
        bandwidth: h_j, (runs, d); 0 for codes of one value.
        cardinalities: c_j.
    """

    data: Codes
    bandwidth: FloatArray
    cardinalities: tuple[int, ...]

    def density(self, codes: Codes) -> FloatArray:
        """Return the density at codes, shape (runs, m, d) to (runs, m)."""
        total: FloatArray | None = None
        for first in range(0, self.data.shape[2], _CHUNK):
            part = slice(first, first + _CHUNK)
            agree = np.zeros((len(codes), codes.shape[1], self.data.shape[1]), dtype=np.uint8)
            for bit, code in enumerate(range(self.data.shape[2])[part]):
                agree |= (codes[:, :, None, code] == self.data[:, None, :, code]).view(np.uint8) << np.uint8(bit)
            weight = self._weights(part)
            place = agree + (np.arange(len(codes)) * weight.shape[1])[:, None, None]
            kernel = weight.reshape(-1).take(place)
            total = kernel if total is None else total * kernel
        assert total is not None  # noqa: S101 - there is at least one code
        return total.mean(axis=2)

    def _weights(self, part: slice) -> FloatArray:
        """Return the product of the kernels of some codes for every set of agreeing codes, shape (runs, sets)."""
        bandwidth, others = self.bandwidth[:, part], np.maximum(np.array(self.cardinalities[part]) - 1, 1)
        weight = np.ones((len(bandwidth), 1))
        for code in range(bandwidth.shape[1]):
            same, other = 1 - bandwidth[:, code, None], bandwidth[:, code, None] / others[code]
            weight = np.concatenate([weight * other, weight * same], axis=1)
        return weight

    def sample(self, uniform: FloatArray) -> Codes:
        """Draw codes from the density.

        Args:
            uniform: in [0, 1), shape (runs, m, 1 + 2 d): one for the observation, d for which codes change, d for their
                new values.

        Returns:
            Codes, shape (runs, m, d).
        """
        d, n = self.data.shape[2], self.data.shape[1]
        which = scale(uniform[:, :, 0], n)
        centre = np.take_along_axis(self.data, which[:, :, None], axis=1)
        changes = uniform[:, :, 1 : 1 + d] < self.bandwidth[:, None]
        others = np.maximum(np.array(self.cardinalities) - 1, 1)
        step = 1 + scale(uniform[:, :, 1 + d :], others)
        return np.where(changes, (centre + step) % np.array(self.cardinalities), centre).astype(np.int8)


def fit(data: Codes, cardinalities: Sequence[int], least: float) -> CategoricalKde:
    """Return the density estimate of observations, shape (runs, n, d), with bandwidths of at least ``least``."""
    n, d = data.shape[1:]
    whole = data.astype(np.int64)
    # Sums of integers are exact, in any order and for any number of runs.
    deviation = np.sqrt(n * (whole * whole).sum(axis=1) - whole.sum(axis=1) ** 2) / n
    counts = np.array(cardinalities)
    bandwidth = np.minimum(
        np.maximum(1.06 * deviation * elementary.power(n, -1 / (4 + d)), least), (counts - 1) / counts
    )
    return CategoricalKde(data, bandwidth, tuple(cardinalities))
