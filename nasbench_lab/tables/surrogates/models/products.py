"""Sums and matrix products that do not depend on the other rows of a batch, nor on the processor.

A BLAS library adds terms in an order that depends on the shape of the batch. A surrogate would then answer differently
for an architecture alone and among others, in the last bits, and two runs that should be equal would part.
"""

from __future__ import annotations

import numpy as np

from nasbench_lab.arrays import FloatArray

_BITS = 53  # of a float64
_LEAST_EXPONENT = -400  # so that products of two parts are no subnormal numbers


def dot(rows: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the products of rows with one vector, shapes (n, length) and (length,) to (n,).

    >>> dot(np.array([[1.0, 2.0, 3.0]]), np.array([1.0, 10.0, 100.0])).tolist()
    [321.0]
    """
    return ordered_sum(rows * weights)


def ordered_sum(terms: FloatArray) -> FloatArray:
    """Return the sums of rows, shape (n, length) to (n,), always added in the same order: halves onto each other."""
    while terms.shape[1] > 1:
        half = terms.shape[1] // 2
        folded = terms[:, :half] + terms[:, half : 2 * half]
        if terms.shape[1] % 2:
            folded[:, 0] += terms[:, -1]
        terms = folded
    return terms[:, 0] if terms.shape[1] else np.zeros(len(terms))


def product(rows: FloatArray, matrix: FloatArray) -> FloatArray:
    """Return the product of rows and a matrix, shapes (n, k) and (k, m) to (n, m).

    Both are split into parts with so few bits that no step of their products rounds (Ozaki, Ogita, Oishi and Rump,
    Numerical Algorithms 2012). The result is within about 2**-40 of the largest terms of each sum.

    >>> product(np.array([[1.0, 0.5]]), np.array([[2.0, 1.0], [4.0, 1e-3]])).tolist()
    [[4.0, 1.0005]]
    """
    bits = (_BITS - max(matrix.shape[0] - 1, 0).bit_length()) // 2
    high, low = _split(rows, bits, axis=1)
    matrix_high, matrix_low = _split(matrix, bits, axis=0)
    total = _multiplied(high, matrix_low)
    if low.any():  # rows of zeros and ones have no second part
        total += _multiplied(low, matrix_high)
    return total + _multiplied(high, matrix_high)


def _split(values: FloatArray, bits: int, axis: int) -> tuple[FloatArray, FloatArray]:
    """Return two parts of the numbers of every row (axis 1) or column (axis 0), each with few bits."""
    high = _rounded(values, bits, axis)
    return high, _rounded(values - high, bits, axis)


def _rounded(values: FloatArray, bits: int, axis: int) -> FloatArray:
    """Round numbers to whole multiples of 2**(e - bits), where 2**e is above the largest of their row or column."""
    most = np.abs(values).max(axis=axis, keepdims=True, initial=0.0)
    exponent = np.maximum(np.frexp(most)[1], _LEAST_EXPONENT)
    large = np.ldexp(1.5, exponent + (_BITS - 1 - bits))  # adding it rounds to a multiple of its last bit
    result: FloatArray = (values + large) - large
    return result


def _multiplied(one: FloatArray, other: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore"):  # OpenBLAS sometimes reports an invalid operation on finite numbers
        result: FloatArray = np.matmul(one, other)
    return result
