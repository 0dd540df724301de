"""The module ``nasbench.lib.model_spec``."""

from __future__ import annotations

from typing import Any

import numpy as np

from nasbench_lab.compat.nasbench101_spec import ModelSpec

__all__ = ["ModelSpec", "is_upper_triangular"]


def is_upper_triangular(matrix: Any) -> bool:
    """Return whether a square matrix is 0 on and below the diagonal.

    >>> is_upper_triangular(np.array([[0, 1], [0, 0]])), is_upper_triangular(np.eye(2))
    (True, False)
    """
    return not np.tril(matrix).any()
