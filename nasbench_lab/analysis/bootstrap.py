"""Mean, interquartile mean and median over runs and tasks, with stratified bootstrap intervals.

The stratified bootstrap (Agarwal et al. 2021, "Deep reinforcement learning at the edge of the statistical precipice",
NeurIPS) resamples the runs of each task with replacement and keeps the tasks: intervals are about other seeds on the
same tasks, not about other tasks. The ends of an interval are percentiles of the resampled statistic.

Two things make it fast. Resamples are drawn as counts (how often each order statistic was drawn), which are the same
for all quantities with the same number of runs, so a resampled mean or trimmed mean is a matrix product. And where a
task has more than 512 runs (fewer with more than 16 tasks), neighbouring order statistics are replaced by their
mean and drawn together. Their groups become smaller towards both ends, where few runs may decide, and the runs at the
very ends stay single. For the mean this bounds what grouping can hide, whatever the values are: see `hidden_share`.

Percentile intervals have their own limits, which `docs/design/statistics.md` states with measured coverages: they are
too narrow for fewer than about 20 runs, and where fewer than about ten runs of a task decide. A task with a single run
shows no spread at all, so there is no interval (NaN).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from nasbench_lab.analysis.intervals import LEVEL, Intervals
from nasbench_lab.analysis.quantiles import run_quantiles
from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Above, AtLeast, Below, number, whole
from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import unknown

Statistic = Literal["mean", "iqm", "median"]
STATISTICS: tuple[Statistic, ...] = ("mean", "iqm", "median")

RESAMPLES = 1000
"""Default number of bootstrap resamples."""

MOST_GROUPS = 512
"""Largest number of groups of neighbouring runs per task. With no more runs, every run is drawn alone."""

_LEAST_GROUPS = 32
_MOST_COUNTS = 8192  # groups over all tasks, which bounds time and memory of a resample
_ZONE = 6  # standard deviations, at most
_ROUNDING = 1e-9
_SPARSE = 32  # runs per group from which drawing the counts of groups is faster than drawing runs
_RESAMPLES_AT_A_TIME = 100


def average(losses: ArrayLike, statistic: Statistic = "mean") -> FloatArray:
    """Return a statistic of losses over the last axis. NaN counts as infinitely bad.

    Args:
        losses: shape (..., runs), at least one run.
        statistic: ``"mean"``; ``"iqm"``, the mean without the ``floor(runs / 4)`` smallest and the same number of
            largest values (25 % trimmed mean), which is infinite only if more values than that are; ``"median"``, the
            lower one, which is the value of an actual run (as in `run_quantiles`).

    Raises:
        ParameterError: there are no runs.
        UnknownNameError: there is no such statistic.

    >>> [float(average([4.0, 1.0, 2.0, float("nan")], name)) for name in STATISTICS]
    [inf, 3.0, 2.0]
    """
    values = _worst(losses)
    if not values.shape[-1]:
        raise ParameterError("a statistic needs at least one run")
    return average_of_sorted(values if statistic == "mean" else np.sort(values, axis=-1), statistic)


def average_of_sorted(losses: FloatArray, statistic: Statistic) -> FloatArray:
    """Return the `average` of losses that are sorted along the last axis and have no NaN."""
    low, high = _window(losses.shape[-1], statistic)
    return losses[..., low:high].mean(axis=-1)


def bootstrap_interval(
    losses: Sequence[ArrayLike],
    statistic: Statistic = "mean",
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Intervals:
    """Return a statistic over the runs of all tasks with its stratified bootstrap interval.

    All tasks have the same weight, regardless of their numbers of runs.

    Args:
        losses: per task, shape (..., runs); the numbers of runs may differ. NaN counts as infinitely bad.
        statistic: see `average`; here of the runs of all tasks together. With few tasks, `ignored_tasks` says which of
            them the interquartile mean ignores.
        level: confidence of the interval.
        resamples: number of resamples; with 0 there is no interval (NaN).
        seed: of the resamples.

    Returns:
        Intervals of shape (...), without ends (NaN) where a task has a single run.

    Raises:
        ParameterError: there are no tasks or no runs, or a number is out of range.

    >>> tasks = [np.arange(40.0), np.arange(40.0) + 100]
    >>> found = bootstrap_interval(tasks, "mean")
    >>> float(found.estimate), bool(found.low < 69.5 < found.high)
    (69.5, True)
    """
    tasks = [_worst(task) for task in losses]
    draws = resampler(tuple(task.shape[-1] for task in tasks), resamples=resamples, seed=seed)
    low, high = draws.interval([draws.group(task) for task in tasks], statistic, level)
    return Intervals(pooled_average(tasks, statistic), low, high)


def pooled_average(tasks: Sequence[FloatArray], statistic: Statistic) -> FloatArray:
    """Return a statistic of the runs of all tasks, which have the same weight; losses per task, shape (..., runs)."""
    runs = [task.shape[-1] for task in tasks]
    if statistic == "mean":
        return np.mean([average(task) for task in tasks], axis=0)
    if len(set(runs)) == 1:
        return average(np.concatenate(tasks, axis=-1), statistic)
    weight = np.concatenate([np.full(count, max(runs) / count) for count in runs])
    return _weighted(np.concatenate(tasks, axis=-1), weight, *_window(max(runs) * len(runs), statistic))


def ignored_tasks(tasks: Sequence[FloatArray]) -> tuple[int, ...]:
    """Return the positions of the tasks that the interquartile mean over the runs of all tasks ignores entirely.

    It drops a quarter of all runs at either end. With few tasks, these can be all runs of the easiest or the hardest.

    Args:
        tasks: losses of each task, shape (runs,).

    >>> ignored_tasks([np.array([loss]) for loss in (0.01, 0.1, 0.2, 0.9)])
    (0, 3)
    """
    runs = [len(task) for task in tasks]
    values = _worst(np.concatenate(tasks))
    order = np.argsort(values, kind="stable")
    weight = np.concatenate([np.full(count, max(runs) / count) for count in runs])
    upto = np.cumsum(weight[order])
    low, high = _window(max(runs) * len(runs), "iqm")
    counted = values[order][(upto > low + _ROUNDING) & (upto - weight[order] < high - _ROUNDING)]
    return tuple(
        place for place, task in enumerate(map(_worst, tasks)) if ((task < counted[0]) | (task > counted[-1])).all()
    )


class Resampler:
    """Resamples of the runs of several tasks, for any quantity of these runs.

    Args:
        runs: number of runs of each task.
        resamples: number of resamples; with 0 all intervals are NaN.
        seed: of the resamples, which are determined by ``seed``, ``runs`` and ``stream``.
        stream: different numbers give independent resamples with the same seed.
        groups: limit for the number of groups of neighbouring runs per task.

    Raises:
        ParameterError: there are no tasks or no runs, or a number is out of range.
    """

    def __init__(
        self,
        runs: Sequence[int],
        *,
        resamples: int = RESAMPLES,
        seed: int = 0,
        stream: int = 0,
        groups: int | None = None,
    ) -> None:
        if not runs or min(runs) < 1:
            raise ParameterError(f"a bootstrap needs tasks with at least one run each, got {list(runs)} runs")
        self.runs, self.stream = tuple(runs), stream
        self.resamples, self.seed = whole("resamples", resamples, AtLeast(0)), whole("seed", seed, AtLeast(0))
        self._groups = min(groups or MOST_GROUPS, most_groups(len(runs)))

    def group(self, losses: FloatArray) -> FloatArray:
        """Return the means of neighbouring order statistics, ascending, (..., groups), of losses (..., runs).

        With few runs these are the sorted losses themselves.
        """
        return self.group_sorted(np.sort(losses, axis=-1))

    def group_sorted(self, ordered: FloatArray) -> FloatArray:
        """Return what `group` returns, for losses that are sorted along the last axis."""
        runs = ordered.shape[-1]
        if runs <= self._groups:
            return ordered
        sizes = self.sizes(runs)
        return np.add.reduceat(ordered, np.cumsum(sizes) - sizes, axis=-1) / sizes

    def estimate(self, groups: Sequence[FloatArray], statistic: Statistic) -> FloatArray:
        """Return a statistic of all tasks from their groups, shape (...); exact where each group is a single run."""
        values = np.concatenate(groups, axis=-1)
        return _weighted(values, self._expected, *_window(self._total, statistic))

    def sizes(self, runs: int) -> IntArray:
        """Return the number of runs in each group of a task."""
        return _sizes(runs, min(runs, self._groups))

    def interval(
        self, groups: Sequence[FloatArray], statistic: Statistic, level: float = LEVEL
    ) -> tuple[FloatArray, FloatArray]:
        """Return both ends of the interval of a statistic, shape (...) each.

        Args:
            groups: per task the result of `group`, shape (..., groups).
            statistic: see `average`.
            level: confidence of the interval.
        """
        number("level", level, Above(0), Below(1))
        shape = groups[0].shape[:-1]
        if not self.resamples or min(self.runs) < 2:
            return np.full(shape, np.nan), np.full(shape, np.nan)
        values = np.concatenate([task.reshape(-1, task.shape[-1]) for task in groups], axis=1)
        if statistic == "mean":
            drawn = _products(self.counts, values) / self._total
        elif len(groups) == 1:
            drawn = _products(self._window_shares(statistic), values)
        else:
            drawn = self._pooled(values, statistic)
        ends = run_quantiles(drawn, ((1 - level) / 2, (1 + level) / 2))
        return ends[0].reshape(shape), ends[1].reshape(shape)

    @cached_property
    def counts(self) -> FloatArray:
        """How often each group was drawn, times the weight of a run of its task, shape (resamples, groups of all).

        The weights give each task the weight of the task with the most runs.
        """
        random = np.random.default_rng([self.seed, self.stream, *self.runs])
        most = max(self.runs)
        drawn = [_drawn_counts(random, self.sizes(runs), self.resamples) * (most / runs) for runs in self.runs]
        return np.concatenate(drawn, axis=1)

    def task_shares(self, task: int) -> FloatArray:
        """Return the share of each group among the drawn runs of a task, shape (resamples, groups)."""
        return self.counts[:, self._ends[task] : self._ends[task + 1]] / max(self.runs)

    @cached_property
    def _ends(self) -> IntArray:
        """Where the groups of each task begin, and where those of the last task end."""
        return np.cumsum([0, *(len(self.sizes(runs)) for runs in self.runs)])

    @property
    def _total(self) -> int:
        return max(self.runs) * len(self.runs)

    def _window_shares(self, statistic: Statistic) -> FloatArray:
        """Weights of the order statistics of a single task in a trimmed mean, shape (resamples, groups)."""
        if statistic not in self._windows:
            low, high = _window(self._total, statistic)
            below = np.clip(np.cumsum(self.counts, axis=1), low, high)
            self._windows[statistic] = np.diff(below, axis=1, prepend=low) / (high - low)
        return self._windows[statistic]

    @cached_property
    def _windows(self) -> dict[Statistic, FloatArray]:
        return {}

    @cached_property
    def _expected(self) -> FloatArray:
        """The mean of `counts` over all possible resamples, shape (groups of all,)."""
        return np.concatenate([self.sizes(runs) * (max(self.runs) / runs) for runs in self.runs])

    def _pooled(self, values: FloatArray, statistic: Statistic) -> FloatArray:
        """Resampled trimmed means over all tasks, shape (resamples, rows), of values (rows, groups of all)."""
        low, high = _window(self._total, statistic)
        order = np.argsort(values, axis=1, kind="stable")
        sums = [self._least(values, order, weight) if weight else 0.0 for weight in (low, high)]
        return np.where(np.isinf(sums[1]), np.inf, (sums[1] - np.where(np.isinf(sums[0]), 0.0, sums[0])) / (high - low))

    def _least(self, values: FloatArray, order: IntArray, weight: int) -> FloatArray:
        """Sums of the smallest values up to a weight, shape (resamples, rows).

        Which values these are depends on the resample only in a zone around the expected place. Values below the zone
        are summed by one matrix product. The chance that a resample leaves the zone is below 1e-7 (Hoeffding).
        """
        spread = _ZONE * math.sqrt(sum(max(self.runs) ** 2 / runs for runs in self.runs)) / 2
        expected = np.cumsum(self._expected[order], axis=1)
        first = (expected < weight - spread).sum(axis=1)
        end = (expected < weight + spread).sum(axis=1) + 1
        surely = np.zeros(values.shape)
        np.put_along_axis(surely, order, (np.arange(values.shape[1]) < first[:, None]).astype(np.float64), axis=1)
        before = self.counts @ surely.T
        sums = _products(self.counts, np.where(surely > 0, values, 0.0))
        for row, start in enumerate(first):
            zone = order[row, start : end[row]]
            ascending = values[row, zone]
            starts = np.flatnonzero(np.append(True, ascending[1:] != ascending[:-1]))
            drawn = np.add.reduceat(self._by_group[zone], starts, axis=0)  # values of tables are often equal
            below = before[:, row] + np.cumsum(drawn, axis=0)
            sums[:, row] += _sum_up_to(ascending[starts], before[:, row], below, weight)
        return sums

    @cached_property
    def _by_group(self) -> FloatArray:
        """The counts with resamples side by side in memory, as they are read group by group."""
        return np.ascontiguousarray(self.counts.T)


@lru_cache(maxsize=4)
def resampler(
    runs: tuple[int, ...], *, resamples: int = RESAMPLES, seed: int = 0, stream: int = 0, groups: int | None = None
) -> Resampler:
    """Return a `Resampler`. The last few are cached, as drawing resamples costs more than using them."""
    return Resampler(runs, resamples=resamples, seed=seed, stream=stream, groups=groups)


@lru_cache(maxsize=64)
def _sizes(runs: int, groups: int) -> IntArray:
    """Return the sizes of at most so many groups, small towards both ends, where the first and last are single runs.

    A third of the groups is spaced evenly by rank, the others by the logarithm of the odds of the rank. So the size of
    a group at a share u of the runs is at most in proportion to 1 and to u (1 - u).
    """
    if groups >= runs:
        sizes = np.ones(runs, dtype=np.int64)
    else:
        share = (np.arange(runs + 1) + 0.5) / (runs + 1)
        odds = np.log(share / (1 - share))
        place = 2 / 3 * (odds - odds[0]) / (odds[-1] - odds[0]) + (share - share[0]) / (share[-1] - share[0]) / 3
        # At the ends several steps fall on one run, so there are fewer groups than steps.
        fewest, most = max(groups - 2, 1), 4 * groups
        while most - fewest > 1:
            steps = (fewest + most) // 2
            fewest, most = (steps, most) if len(_edges(place, steps)) <= groups + 1 else (fewest, steps)
        sizes = np.diff(_edges(place, fewest))
    sizes.flags.writeable = False
    return sizes


def _edges(place: FloatArray, steps: int) -> IntArray:
    """Return the ends of groups in equal steps of a place that ascends from 0 to 1."""
    runs = len(place) - 1
    ends = np.searchsorted(place, np.linspace(0, 1, steps + 1)[1:-1])
    return np.unique(np.concatenate([[0, 1, runs - 1, runs], ends]))


def hidden_share(runs: int, groups: int) -> float:
    """Return the largest share of the variance of a resampled mean that grouping can hide, whatever the values are.

    With the rank as a share of the runs, sorted values are an integral of steps, so the variance of a mean is the
    integral of K(s, t) = s (1 - t) for s <= t over pairs of steps. What a group from a to b hides is the integral of
    (s - a) (b - t) / (b - a). The ratio is largest for s = t where the odds of s are the geometric mean of those of a
    and b; this function returns its maximum.

    >>> [round(hidden_share(runs, MOST_GROUPS), 4) for runs in (500, 1000, 1_000_000)]
    [0.0, 0.0107, 0.0313]
    """
    sizes = _sizes(runs, min(runs, groups))
    ends = np.concatenate([[0], np.cumsum(sizes)])[:, None] / runs
    low, high = ends[:-1, 0][sizes > 1], ends[1:, 0][sizes > 1]
    odds = np.sqrt(low / (1 - low) * high / (1 - high))
    step = odds / (1 + odds)
    return float(((step - low) * (high - step) / ((high - low) * step * (1 - step))).max(initial=0.0))


def _drawn_counts(random: np.random.Generator, sizes: IntArray, resamples: int) -> FloatArray:
    """Return how often each group was drawn, shape (resamples, groups)."""
    runs, groups = int(sizes.sum()), len(sizes)
    if runs > _SPARSE * groups:
        return random.multinomial(runs, sizes / runs, size=resamples).astype(np.float64)
    group = np.repeat(np.arange(groups), sizes)
    counts = np.empty((resamples, groups))
    for start in range(0, resamples, _RESAMPLES_AT_A_TIME):
        part = counts[start : start + _RESAMPLES_AT_A_TIME]
        drawn = group[random.integers(0, runs, (len(part), runs))] + np.arange(len(part))[:, None] * groups
        part[:] = np.bincount(drawn.ravel(), minlength=part.size).reshape(part.shape)
    return counts


def most_groups(tasks: int) -> int:
    """Return the largest number of groups per task, given the number of tasks."""
    return max(_LEAST_GROUPS, min(MOST_GROUPS, _MOST_COUNTS // tasks))


def _worst(losses: ArrayLike) -> FloatArray:
    """Return losses in which a run without a value is infinitely bad."""
    array = np.asarray(losses, dtype=np.float64)
    return np.where(np.isnan(array), np.inf, array)


def _window(runs: int, statistic: Statistic) -> tuple[int, int]:
    """Return which of the ordered runs a trimmed mean averages, as the ends of a slice."""
    if statistic not in STATISTICS:
        raise unknown("statistic", statistic, STATISTICS)
    if statistic == "mean":
        return 0, runs
    if statistic == "median":
        return math.ceil(runs / 2) - 1, math.ceil(runs / 2)
    return runs // 4, runs - runs // 4


def _weighted(values: FloatArray, weight: FloatArray, low: float, high: float) -> FloatArray:
    """Return the mean of values between two cumulated weights, (...); values (..., n) in any order, weights (n,)."""
    order = np.argsort(values, axis=-1, kind="stable")
    below = np.clip(np.cumsum(weight[order], axis=-1), low, high)
    shares = np.diff(below, axis=-1, prepend=low) / (high - low)
    used = np.where(shares > _ROUNDING, np.take_along_axis(values, order, axis=-1), 0.0)
    return (used * shares).sum(axis=-1)


def _sum_up_to(values: FloatArray, before: FloatArray, below: FloatArray, weight: float) -> FloatArray:
    """Return the sum of ascending values up to a cumulated weight; infinite where too few are finite.

    Args:
        values: shape (n,).
        before: weight before the first of them, shape (resamples,).
        below: weight up to each of them, shape (n, resamples).
        weight: at which to stop.
    """
    finite = int(np.isfinite(values).sum())
    used = np.diff(np.minimum(np.vstack([before, below[:finite]]), weight), axis=0)
    reached = below[finite - 1] if finite else before
    return np.where(reached >= weight * (1 - _ROUNDING), values[:finite] @ used, np.inf)


def _products(weights: FloatArray, values: FloatArray) -> FloatArray:
    """Return weighted sums of rows of values, shape (resamples, rows); infinite where an infinite value has weight."""
    finite = np.isfinite(values)
    if finite.all():
        return weights @ values.T
    sums = weights @ np.where(finite, values, 0.0).T
    return np.where(weights @ (~finite).T.astype(np.float64) > 0, np.inf, sums)
