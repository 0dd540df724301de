"""Quantiles over runs, some of which may have no value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import ParameterError

QUARTILES = (0.25, 0.5, 0.75)


def run_quantiles(values: FloatArray, levels: Sequence[float] = QUARTILES) -> FloatArray:
    """Return quantiles of losses over the first axis, shape (levels, ...).

    A run without a value (NaN) counts as infinitely bad, so a quantile is inf where too many runs have none.
    Quantiles are order statistics, values of actual runs: the smallest value with at least the given share of runs at
    or below it.

    Raises:
        ParameterError: there are no runs, or a level is not between 0 and 1.

    >>> run_quantiles(np.array([4.0, np.nan, 1.0, 2.0])).tolist()
    [1.0, 2.0, 4.0]
    """
    if not len(values) or not all(0 <= level <= 1 for level in levels):
        raise ParameterError("quantiles need at least one run, and levels between 0 and 1")
    places = [position(level, len(values)) for level in levels]
    return np.partition(np.where(np.isnan(values), np.inf, values), sorted(set(places)), axis=0)[places]


def position(level: float, runs: int) -> int:
    """Return the position, from 0, of the quantile of a level among ordered runs.

    >>> position(0.5, 4), position(0.07, 100)
    (1, 6)
    """
    # The small number corrects rounding: in floating point 0.07 * 100 is more than 7.
    return max(int(np.ceil(level * runs - 1e-9)) - 1, 0)
