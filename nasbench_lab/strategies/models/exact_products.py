"""Matrix products that are the same, bit for bit, on every processor.

A BLAS library adds the terms of a product in an order that suits the processor, with or without fused multiply-add, so
the last bits of a product depend on the processor. Here the numbers of the factors are rounded first, to whole
multiples of a power of two (Rump, Ogita and Oishi, Accurate Floating-Point Summation, SIAM Journal on Scientific
Computing 2008). They are so few bits long that every product and every partial sum fits into the 53 bits of a float64.
So no step of a product rounds, and all orders give the same result.

With up to 512 terms, numbers keep 22 bits below the largest of their matrix. Single precision keeps 24 bits of every
number.
"""

from __future__ import annotations

import numpy as np

from nasbench_lab.arrays import FloatArray

_BITS = 53  # of a float64
_LEAST_EXPONENT = -400  # so that the product of two roundings is no subnormal number


def bits_for(terms: int) -> int:
    """Return how many bits two factors may have, so that a product with this number of terms is exact.

    >>> bits_for(512), bits_for(513)
    (22, 21)
    """
    return (_BITS - (terms - 1).bit_length()) // 2


def rounded(matrix: FloatArray, bits: int, out: FloatArray | None = None) -> FloatArray:
    """Return matrices rounded to whole multiples of 2**(e - bits), where 2**e is above their largest number.

    Every matrix of a stack has its own e, so the other matrices do not matter.

    >>> rounded(np.array([[0.7, 0.26], [0.0, -0.1]]), 2).tolist()
    [[0.75, 0.25], [0.0, 0.0]]
    """
    most = np.maximum(matrix.max(axis=(-2, -1), keepdims=True), -matrix.min(axis=(-2, -1), keepdims=True))
    exponent = np.maximum(np.frexp(most)[1], _LEAST_EXPONENT)
    # The last bit of a number of this size is worth 2**(e - bits): adding it rounds.
    large = np.ldexp(1.5, exponent + (_BITS - 1 - bits))
    result = np.add(matrix, large, out=out)
    result -= large
    return result


def product(one: FloatArray, other: FloatArray) -> FloatArray:
    """Multiply stacks of matrices.

    OpenBLAS sometimes reports an invalid operation although every number is finite (numpy/numpy#24067). The warning is
    ignored here; a true invalid number would show in all later results.
    """
    with np.errstate(invalid="ignore"):
        return np.matmul(one, other)
