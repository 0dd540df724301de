"""Kernel density estimates over categorical codes, for many runs at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray
from nasbench_lab.strategies.parts import elementary
from nasbench_lab.streams import WordArray, scale

Codes = NDArray[np.int8]

_CHUNK = 8  # codes whose agreement is packed into a byte
_SEVEN_BITS, _HIGHEST_BITS = np.uint64(0x7F7F7F7F7F7F7F7F), np.uint64(0x8080808080808080)
_GATHER, _TO_LOWEST = np.uint64(0x0002040810204081), np.uint64(56)
_TILE = 2**14  # pairs of codes and data, so that their arrays stay in the cache


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
        runs, m, d = codes.shape
        weights = [self._weights(slice(first, first + _CHUNK)) for first in range(0, d, _CHUNK)]
        data, given = _packed(self.data), _packed(codes)
        density = np.empty((runs, m))
        block = max(1, _TILE // (m * self.data.shape[1]))
        for first in range(0, runs, block):
            part = slice(first, first + block)
            density[part] = _kernels(given[:, part], data[:, part], [weight[part] for weight in weights]).mean(axis=2)
        return density

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


def _packed(codes: Codes) -> WordArray:
    """Return codes, shape (runs, n, d), as words of eight bytes, one byte per code, shape (words, runs, n)."""
    runs, n, d = codes.shape
    padded = np.zeros((runs, n, -(-d // _CHUNK) * _CHUNK), dtype=np.int8)
    padded[:, :, :d] = codes
    return np.ascontiguousarray(padded.view("<u8").astype(np.uint64, copy=False).transpose(2, 0, 1))


def _kernels(codes: WordArray, data: WordArray, weights: Sequence[FloatArray]) -> FloatArray:
    """Return the product of the kernels for every pair of codes, (words, runs, m), and data, (words, runs, n).

    Args:
        codes: packed, shape (words, runs, m).
        data: packed, shape (words, runs, n).
        weights: for every word, the products of its kernels by which codes agree, each of shape (runs, sets).

    Returns:
        Shape (runs, m, n).
    """
    shape = (codes.shape[1], codes.shape[2], data.shape[2])
    word, total = np.empty(shape, dtype=np.uint64), np.ones(0)
    run = np.arange(shape[0])[:, None, None]
    for number, weight in enumerate(weights):
        np.bitwise_xor(codes[number, :, :, None], data[number, :, None, :], out=word)
        word += _SEVEN_BITS  # now the highest bit of a byte says whether the codes differ
        word &= _HIGHEST_BITS
        word *= _GATHER  # brings the eight bits together, in the highest byte
        word >>= _TO_LOWEST
        place = word.view(np.int64)
        place += run * weight.shape[1]
        kernel = weight[:, ::-1].reshape(-1).take(place)
        total = kernel if number == 0 else np.multiply(total, kernel, out=total)
    return total


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
