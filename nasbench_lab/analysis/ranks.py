"""Ranks of strategies: 1 is the best.

The run rank of a strategy on a task is the average rank of its run when one run of each strategy is drawn at random and
these runs are ranked; ties share the mean of their ranks. Runs are not paired by number: runs of two strategies with
the same number share nothing but a seed, and the average over all pairings has less noise than one pairing. A rank is
one more than the number of better strategies, with half for each tie, so this average is exact and needs no drawing:

    rank of i = 1 + sum over j != i of P(a run of j is better than one of i), ties counting half

It takes one sort of all runs, and the numbers of runs may differ. A run without a value is worse than any other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import ParameterError


def expected_ranks(samples: Sequence[ArrayLike]) -> FloatArray:
    """Return the run rank of every strategy: its average rank over all ways to draw one run of each.

    Args:
        samples: losses per strategy, shape (..., runs); the numbers of runs may differ. NaN counts as infinitely bad.

    Returns:
        From 1 (always the best) to the number S of strategies, shape (S, ...); they add up to S (S + 1) / 2.

    Raises:
        ParameterError: there are no strategies, or one has no runs.

    >>> expected_ranks([[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]]).tolist()
    [1.0, 2.5, 2.5]
    """
    losses = [np.asarray(sample, dtype=np.float64) for sample in samples]
    if not losses or not all(each.ndim and each.shape[-1] for each in losses):
        raise ParameterError("ranks need at least one strategy, and at least one run of each")
    runs = np.array([each.shape[-1] for each in losses])
    values = np.concatenate(losses, axis=-1)
    values = np.where(np.isnan(values), np.inf, values)
    weight = np.repeat(1 / runs, runs)
    order = np.argsort(values, axis=-1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=-1)
    upto = np.cumsum(weight[order], axis=-1)
    # Better values count in full and ties half: find where the group of ties of each value begins and ends.
    starts = np.ones(values.shape, dtype=bool)
    starts[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    ends = np.ones(values.shape, dtype=bool)
    ends[..., :-1] = starts[..., 1:]
    below = np.maximum.accumulate(np.where(starts, upto - weight[order], 0.0), axis=-1)
    through = np.flip(np.minimum.accumulate(np.flip(np.where(ends, upto, np.inf), axis=-1), axis=-1), axis=-1)
    place = np.empty(values.shape)
    np.put_along_axis(place, order, (below + through) / 2, axis=-1)
    parts = np.split(place, np.cumsum(runs)[:-1], axis=-1)
    # The own strategy of a run adds one half on average; the rank is one more than what the others add.
    return np.stack([part.mean(axis=-1) + 0.5 for part in parts])


def mean_ranks(scores: ArrayLike) -> FloatArray:
    """Return ranks along the last axis, 1 for the smallest, ties sharing the mean of their ranks; NaN is the largest.

    >>> mean_ranks([[0.2, 0.1, 0.2], [3.0, float("nan"), 1.0]]).tolist()
    [[2.5, 1.0, 2.5], [2.0, 3.0, 1.0]]
    """
    from scipy.stats import rankdata

    values = np.asarray(scores, dtype=np.float64)
    return np.asarray(rankdata(np.where(np.isnan(values), np.inf, values), axis=-1), dtype=np.float64)
