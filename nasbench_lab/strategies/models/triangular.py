"""The product with a triangular matrix, in half the time of a product with any other."""

from __future__ import annotations

from scipy.linalg.blas import dtrmm

from nasbench_lab.arrays import FloatArray


def lower_times(lower: FloatArray, matrix: FloatArray, *, overwrite: bool = False) -> FloatArray:
    """Return L R for a lower triangular L, shape (n, n), and R, shape (n, m).

    Args:
        lower: L; what is above the diagonal is not looked at.
        matrix: R.
        overwrite: whether the product may take the place of R.

    >>> import numpy as np
    >>> lower_times(np.array([[1.0, 9.0], [2.0, 3.0]]), np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]])).tolist()
    [[1.0, 0.0, 2.0], [2.0, 3.0, 7.0]]
    """
    # BLAS has matrices by columns: transposed, nothing needs to be copied.
    return dtrmm(1.0, lower.T, matrix.T, side=1, overwrite_b=overwrite).T
