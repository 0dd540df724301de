"""Comparison of all pairs of strategies on each task."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.analysis.effect_sizes import count_pairs
from nasbench_lab.analysis.equivalence import compare_samples, intervals_of, verdicts, welch
from nasbench_lab.analysis.intervals import LEVEL, Intervals
from nasbench_lab.analysis.significance import holm_of_pairs, least_p, median_test, rank_sum_p, sign_flip
from nasbench_lab.arrays import FloatArray
from nasbench_lab.simulation.trace import RegretKind

_LONGEST = "<U12"  # the longest verdict


@dataclasses.dataclass(frozen=True, eq=False)
class Pairwise:
    """Comparison of all pairs of strategies by the regret at the end; entry [i, j, t] compares i with j on task t.

    Attributes:
        kind: which regret.
        a12: probability that a run of i ends better than one of j, ties half (Vargha and Delaney), shape (S, S, T).
        p: two-sided p-values of the Mann-Whitney test, shape (S, S, T).
        adjusted: the p-values, Holm-adjusted over all pairs of a task, shape (S, S, T).
        mean_adjusted: two-sided p-values of Welch's test of mean regrets, Holm-adjusted likewise, shape (S, S, T); NaN
            where a run has no value, as the mean is infinite.
        median_adjusted: two-sided p-values of Mood's median test, Holm-adjusted likewise, shape (S, S, T).
        mean_a12: mean of `a12` over the tasks on which all strategies ran, shape (S, S); NaN without such tasks.
        mean_a12_adjusted: two-sided p-values of the sign-flip test of `mean_a12` over these tasks (see `sign_flip`),
            Holm-adjusted over all pairs, shape (S, S); NaN with fewer than two such tasks.
        difference: mean regret of i minus that of j, in the metric's unit (negative: i is better), with Welch's
            interval of confidence 2 * level - 1, shape (S, S, T). Infinite without an interval where a run of one
            strategy has no value, NaN where runs of both have none.
        verdict: on i, given `margin`: "equivalent", "better", "worse" or "inconclusive", shape (S, S, T); empty on the
            diagonal and where one of the two did not run.
        margin: largest difference of mean regrets that does not matter in practice, in the metric's unit, shape (T,).
            NaN where it is not known, and then there are no verdicts.
        level: confidence of each verdict; verdicts are not corrected for multiple comparisons.
    """

    kind: RegretKind
    a12: FloatArray
    p: FloatArray
    adjusted: FloatArray
    mean_adjusted: FloatArray
    median_adjusted: FloatArray
    mean_a12: FloatArray
    mean_a12_adjusted: FloatArray
    difference: Intervals
    verdict: NDArray[np.str_]
    margin: FloatArray
    level: float


def compare_pairs(
    kind: RegretKind, losses: Sequence[Sequence[FloatArray | None]], margin: FloatArray, level: float = LEVEL
) -> Pairwise:
    """Return effect sizes, tests and verdicts for all pairs of strategies on all tasks.

    Args:
        kind: which regret.
        losses: per task and strategy, regrets at the end, inf without a value, shape (runs,); None for a strategy that
            did not run.
        margin: per task, largest difference of mean regrets that does not matter; NaN where it is not known.
        level: confidence of the verdicts, above 0.5.
    """
    shape = (len(losses[0]), len(losses[0]), len(losses))
    effect, p, adjusted, by_mean, by_median = (np.full(shape, np.nan) for _ in range(5))
    difference, verdict = Intervals.empty(shape), np.zeros(shape, dtype=_LONGEST)
    for task, row in enumerate(losses):
        ran = [strategy for strategy, each in enumerate(row) if each is not None]
        samples = [each for each in row if each is not None]
        if not ran:
            continue
        one, other = np.array(ran)[:, None], np.array(ran)[None, :]
        pairs = count_pairs(samples)
        found, (gaps, p_of_means) = rank_sum_p(pairs, samples), _differences(samples, level)
        effect[one, other, task] = pairs.a12
        p[one, other, task] = found
        adjusted[one, other, task] = holm_of_pairs(found)
        by_mean[one, other, task] = holm_of_pairs(p_of_means)
        by_median[one, other, task] = holm_of_pairs(median_test(samples))
        difference.estimate[one, other, task] = gaps.estimate
        difference.low[one, other, task] = gaps.low
        difference.high[one, other, task] = gaps.high
        verdict[one, other, task] = _verdicts(samples, gaps, float(margin[task]), level)
    complete = [task for task, row in enumerate(losses) if all(each is not None for each in row)]
    return Pairwise(
        kind=kind,
        a12=effect,
        p=p,
        adjusted=adjusted,
        mean_adjusted=by_mean,
        median_adjusted=by_median,
        mean_a12=effect[..., complete].mean(axis=2) if complete else np.full(shape[:2], np.nan),
        mean_a12_adjusted=_test_over_tasks(effect[..., complete]),
        difference=difference,
        verdict=verdict,
        margin=np.asarray(margin),
        level=level,
    )


def can_differ(runs: Sequence[int], level: float = LEVEL) -> bool:
    """Return whether each two strategies of a task can differ significantly, after Holm's correction over all pairs.

    Args:
        runs: number of runs of each strategy.
        level: 1 minus the level of significance.

    >>> can_differ([4, 4]), can_differ([3, 3]), can_differ([4, 4, 4])
    (True, False, False)
    """
    pairs = len(runs) * (len(runs) - 1) / 2
    return len(runs) > 1 and pairs * 2 * least_p(*sorted(runs)[:2]) < 1 - level


def _test_over_tasks(effect: FloatArray) -> FloatArray:
    """Return Holm-adjusted p-values of the mean of A12 over tasks, shape (S, S), of effects (S, S, tasks)."""
    strategies, _, tasks = effect.shape
    p = np.where(np.eye(strategies, dtype=bool), 1.0, np.nan)
    if tasks > 1 and strategies > 1:
        above = np.triu_indices(strategies, k=1)
        p[above] = sign_flip(effect[above] - 0.5)
        p.T[above] = p[above]
    return holm_of_pairs(p)


def _differences(samples: Sequence[FloatArray], level: float) -> tuple[Intervals, FloatArray]:
    """Return differences of means with Welch's intervals, and two-sided p-values, shape (S, S)."""
    from scipy.special import stdtr

    counts = np.array([float(len(each)) for each in samples])
    complete = [bool(np.isfinite(each).all()) for each in samples]
    means = np.array([each.mean() if known else np.inf for each, known in zip(samples, complete, strict=True)])
    variances = np.array(
        [each.var(ddof=1) if known and len(each) > 1 else np.nan for each, known in zip(samples, complete, strict=True)]
    )
    pairs = [(array[:, None], array[None, :]) for array in (means, variances, counts)]
    with np.errstate(invalid="ignore"):
        difference, error, degrees = welch(pairs[0], pairs[1], pairs[2])
        found = intervals_of(difference, error, degrees, confidence=2 * level - 1)
        t = np.where(difference == 0, 0.0, np.abs(difference) / np.where(error == 0, np.nan, error))
        p = np.where((error == 0) & (difference != 0), 0.0, 2 * stdtr(degrees, -t))
    least = _least_p(samples)
    p = np.where(np.isfinite(found.low), np.maximum(p, np.minimum(1.0, 2 * least)), np.nan)
    without = (least > 1 - level) & (error == 0)
    for end in (found.low, found.high):
        end[without] = np.nan
    for array in (found.estimate, found.low, found.high):
        np.fill_diagonal(array, 0.0)
    return found, p


def _least_p(samples: Sequence[FloatArray]) -> FloatArray:
    """Return the smallest one-sided p-value that the order of the runs can prove, for all pairs, shape (S, S)."""
    runs = [len(each) for each in samples]
    known = {pair: least_p(*pair) for pair in itertools.product(set(runs), repeat=2)}
    return np.array([[known[one, other] for other in runs] for one in runs])


def _verdicts(samples: Sequence[FloatArray], found: Intervals, margin: float, level: float) -> NDArray[np.str_]:
    """Return the verdicts of all pairs; empty on the diagonal, and everywhere without a margin."""
    if np.isnan(margin):
        return np.zeros(found.low.shape, dtype=_LONGEST)
    verdict = verdicts(found.low, found.high, np.array(margin)).astype(_LONGEST)
    verdict[_least_p(samples) > 1 - level] = "inconclusive"
    np.fill_diagonal(verdict, "")
    # Where runs have no value, their number is compared as well.
    failing = [bool(np.isinf(sample).any()) for sample in samples]
    for one, other in np.argwhere(np.logical_or.outer(failing, failing) & ~np.eye(len(samples), dtype=bool)):
        verdict[one, other] = compare_samples(samples[one], samples[other], margin, level).verdict
    return verdict
