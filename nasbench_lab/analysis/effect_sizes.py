"""Effect sizes that depend on the order of values only: the probability that one run is better than another.

``A12`` of Vargha and Delaney (2000) for losses: P(X < Y) + P(X = Y) / 2, with X of the first and Y of the second. 1 is
"always better", 0.5 "no difference". It is the statistic of Mann and Whitney over the number of pairs, and the
"probability of improvement" of Agarwal et al. (2021), who average it over tasks.

A run without a value (NaN) is worse than any other; two of them tie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nasbench_lab.analysis.bootstrap import RESAMPLES, resampler
from nasbench_lab.analysis.intervals import LEVEL, Interval
from nasbench_lab.analysis.quantiles import run_quantiles
from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import ParameterError

_MOST_GROUPS = 96  # of neighbouring runs, resampled together, see `bootstrap`


@dataclass(frozen=True, eq=False)
class PairCounts:
    """Counts over all pairs of runs, for all pairs of S samples; by sorting, in O(n log n) for n runs.

    Attributes:
        runs: number of runs of each sample, shape (S,).
        better: entry [i, j] counts the pairs in which the run of i is better than that of j, ties half, shape (S, S).
        ties: for samples i and j together, the sum of t**3 - t over groups of t equal values, shape (S, S).
    """

    runs: IntArray
    better: FloatArray
    ties: FloatArray

    @property
    def a12(self) -> FloatArray:
        """Probabilities that a run of i is better than one of j, shape (S, S); 0.5 on the diagonal."""
        return self.better / np.multiply.outer(self.runs, self.runs)


def count_pairs(samples: Sequence[ArrayLike]) -> PairCounts:
    """Compare all runs of all samples with one another.

    Args:
        samples: losses, shape (runs,) each; the numbers of runs may differ.

    Raises:
        ParameterError: there are no samples, or one is empty.

    >>> count_pairs([[1.0, 2.0], [2.0, 3.0, float("nan")]]).better.tolist()
    [[2.0, 5.5], [0.5, 4.5]]
    """
    losses = [np.asarray(sample, dtype=np.float64) for sample in samples]
    if not losses or any(each.ndim != 1 or not len(each) for each in losses):
        raise ParameterError("samples must be one-dimensional and not empty")
    runs = np.array([len(each) for each in losses])
    _, value = np.unique(np.concatenate(losses), return_inverse=True)  # NaN counts as one value, the largest
    owner = np.repeat(np.arange(len(losses)), runs)
    kinds = int(value.max()) + 1
    often = np.bincount(owner * kinds + value, minlength=len(losses) * kinds).reshape(-1, kinds).astype(np.float64)
    above = runs[:, None] - np.cumsum(often, axis=1)
    better = often @ (above + often / 2).T
    squares = often**2 @ often.T
    cubes = (often**3).sum(axis=1)
    ties = np.add.outer(cubes - runs, cubes - runs) + 3 * (squares + squares.T)
    return PairCounts(runs, better, ties)


def a12(first: ArrayLike, second: ArrayLike) -> float:
    """Return the probability that a run of the first sample is better (has the smaller loss), ties counting half.

    >>> a12([1.0, 2.0], [2.0, 3.0])
    0.875
    """
    return float(count_pairs([first, second]).a12[0, 1])


def probability_of_improvement(
    first: Sequence[ArrayLike],
    second: Sequence[ArrayLike],
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Return the probability that a run of the first strategy is better than one of the second, averaged over tasks.

    With a stratified bootstrap interval: the runs of both are resampled independently (see `bootstrap`). There is none
    (NaN) where a strategy has a single run on a task.

    Args:
        first: per task, losses of the first strategy, shape (runs,).
        second: per task, losses of the second strategy.
        level: confidence of the interval.
        resamples: number of resamples; with 0 there is no interval (NaN).
        seed: of the resamples.

    Raises:
        ParameterError: there are no tasks, or the numbers of tasks differ.

    >>> found = probability_of_improvement([[1.0, 2.0, 3.0]], [[4.0, 5.0]])
    >>> (found.estimate, found.low, found.high)
    (1.0, 1.0, 1.0)
    """
    if len(first) != len(second):
        raise ParameterError(f"both strategies need the same tasks, got {len(first)} and {len(second)}")
    tasks = [[np.sort(np.asarray(each, dtype=np.float64)) for each in both] for both in (first, second)]
    draws = [
        resampler(tuple(len(each) for each in side), resamples=resamples, seed=seed, stream=stream, groups=_MOST_GROUPS)
        for stream, side in enumerate(tasks)
    ]
    drawn = np.zeros(resamples)
    estimate = 0.0
    for task, (one, other) in enumerate(zip(*tasks, strict=True)):
        better = _pairs_of_groups(one, other, draws[0].sizes(len(one)), draws[1].sizes(len(other)))
        shares = [draw.task_shares(task) for draw in draws]
        drawn += ((shares[0] @ better) * shares[1]).sum(axis=1) / len(tasks[0])
        estimate += a12(one, other) / len(tasks[0])
    if not resamples or min(len(each) for side in tasks for each in side) < 2:
        return Interval(estimate, float("nan"), float("nan"))
    # Rounding: shares may add up to slightly less or more than one.
    low, high = np.clip(run_quantiles(drawn.round(12), ((1 - level) / 2, (1 + level) / 2)), 0.0, 1.0)
    return Interval(estimate, float(low), float(high))


def _pairs_of_groups(one: FloatArray, other: FloatArray, sizes: IntArray, other_sizes: IntArray) -> FloatArray:
    """Return the share of pairs in which the first is better, for all pairs of groups, shape (groups, groups).

    Args:
        one: sorted losses.
        other: sorted losses.
        sizes: of the groups of the first.
        other_sizes: of the groups of the second.
    """
    ends = np.cumsum(other_sizes)
    above = [np.clip(ends - np.searchsorted(other, one, side)[:, None], 0, other_sizes) for side in ("left", "right")]
    pairs = np.add.reduceat(above[0] + above[1], np.cumsum(sizes) - sizes, axis=0) / 2
    return pairs / np.multiply.outer(sizes, other_sizes)
