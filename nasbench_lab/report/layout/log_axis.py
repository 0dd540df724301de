"""Where a logarithmic axis shows zero, which has no logarithm."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

_SHARE = 3
_WITHOUT_POSITIVE = 1e-12


def place_of_zero(drawn: ArrayLike) -> float:
    """Return the number at which a logarithmic axis shows zero: a third of the smallest positive number drawn.

    The axis starts there, and the place is marked (``optimum`` for a regret). Figures and the page share this rule.

    Args:
        drawn: all numbers along the axis, of lines and bands, any shape; what is not finite does not count.

    Returns:
        A positive number, 1e-12 where no positive number is drawn.

    >>> place_of_zero([0.0, 0.75, np.inf]), place_of_zero([0.0])
    (0.25, 1e-12)
    """
    values = np.asarray(drawn, dtype=np.float64)
    positive = values[np.isfinite(values) & (values > 0)]
    return float(positive.min()) / _SHARE if len(positive) else _WITHOUT_POSITIVE
