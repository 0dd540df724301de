"""Quantiles over runs, some of which may have no value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nasbench_lab.streams import FloatArray

QUARTILES = (0.25, 0.5, 0.75)


def quantiles(values: FloatArray, levels: Sequence[float] = QUARTILES) -> FloatArray:
    """Return quantiles of losses over the first axis, shape (levels, ...).

    A run without a value (NaN) counts as infinitely bad, so a quantile is inf where too many have none. Quantiles are
    order statistics, the value of an actual run: the smallest value with at least the given share of runs at or below.

    >>> quantiles(np.array([4.0, np.nan, 1.0, 2.0])).tolist()
    [1.0, 2.0, 4.0]
    """
    worst_last = np.sort(np.where(np.isnan(values), np.inf, values), axis=0)
    rank = [max(int(np.ceil(level * len(values))) - 1, 0) for level in levels]
    return worst_last[rank]
