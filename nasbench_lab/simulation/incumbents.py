"""Incumbents: which evaluation of a run has the best observed value so far."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray


def best_observed(score: FloatArray, fidelity: NDArray[np.int32], mask: NDArray[np.bool_]) -> IntArray:
    """Return the step with the best score so far, -1 before the first score, shape (runs, steps).

    Ties: the first. If evaluations differ in fidelity, the best one at the highest fidelity so far.

    Args:
        score: higher is better; NaN for evaluations that cannot be incumbents, shape (runs, steps).
        fidelity: training epochs, shape (runs, steps).
        mask: whether the evaluation happened, shape (runs, steps).

    >>> score, fidelity = np.array([[np.nan, 3.0, 5.0, 5.0]]), np.full((1, 4), 12, np.int32)
    >>> best_observed(score, fidelity, fidelity > 0).tolist()
    [[-1, 1, 2, 2]]
    """
    if fidelity.size and fidelity.max() != fidelity.min(where=mask, initial=fidelity.max()):
        score = _by_fidelity(score, fidelity)
    best = np.fmax.accumulate(score, axis=1)
    improved = np.empty(score.shape, dtype=bool)
    improved[:, :1] = ~np.isnan(score[:, :1])
    # A first value after failures improves on NaN, against which every comparison is False.
    improved[:, 1:] = (score[:, 1:] > best[:, :-1]) | (np.isnan(best[:, :-1]) & ~np.isnan(score[:, 1:]))
    return np.maximum.accumulate(np.where(improved, np.arange(score.shape[1]), -1), axis=1)


def at_steps(array: NDArray[Any], step: IntArray, missing: float) -> NDArray[Any]:
    """Return the entries of an array at steps, both of shape (runs, steps); ``missing`` for step -1."""
    if not array.shape[1]:
        return array.copy()
    return np.where(step >= 0, np.take_along_axis(array, np.maximum(step, 0), axis=1), missing)


def _by_fidelity(score: FloatArray, fidelity: NDArray[np.int32]) -> FloatArray:
    """Return numbers that order by fidelity first and by score second; NaN stays NaN."""
    # Ranks instead of a weighted sum keep equal scores equal and different scores different, regardless of their size.
    values, rank = np.unique(score, return_inverse=True)
    return np.where(np.isnan(score), np.nan, fidelity * float(len(values)) + rank.reshape(score.shape))
