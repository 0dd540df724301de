"""The candidate with the best score, without computing most scores: bounds first, and numbers for those that remain."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray

_SUPPORT = 6.0  # largest deviations of a normal variable that are considered
_HALVINGS = 7
_LEVELS = 8
_TINY = 1e-37
_SLACK = 1e-6  # of rounding in bounds, relative
_GUESSES = (0.5, 2.0)  # deviations above the mean: the score is high where the sum is largest
_MORE = 32  # candidates beyond the wanted number


class Score(Protocol):
    """A function that does not decrease in the mean or in the deviation."""

    def __call__(self, mean: FloatArray, deviation: FloatArray, run: IntArray, /) -> FloatArray:
        """Score predictions of the runs with these positions; all arrays have the same shape."""


class Exactly(Protocol):
    """Means and deviations of some candidates."""

    def __call__(self, run: IntArray, position: IntArray, /) -> tuple[FloatArray, FloatArray]:
        """Return means and deviations of candidates, for ascending runs and positions, all of shape (n,)."""


class Bounds(NamedTuple):
    """What is known about all candidates.

    Attributes:
        mean: within ``error`` of the mean; -inf for those that are not chosen, shape (runs, candidates).
        error: shape (runs,).
        left: at least the square of deviation / scale, shape (runs, candidates).
        scale: shape (runs,).
        exactly: the numbers themselves.
    """

    mean: NDArray[np.floating]
    error: FloatArray
    left: NDArray[np.floating]
    scale: FloatArray
    exactly: Exactly


class Chosen(NamedTuple):
    """The best candidate of every run.

    Attributes:
        position: shape (runs,).
        mean: shape (runs,).
    """

    position: IntArray
    mean: FloatArray


def best_candidate(score: Score, rough: Score, bounds: Bounds) -> Chosen:
    """Return the candidate with the largest score in single precision; ties: the first.

    A score is at most what it would be with a larger mean and deviation. So a candidate is skipped if, even with the
    largest deviation of its run, its score would be below one that was already reached. Of the rest, one is skipped if
    its score would be too low with the next larger of a few deviations. Only the scores of the others are computed.
    With equal scores of 0 for all, those within reach of the largest deviation are tied.

    Args:
        score: the function, never negative.
        rough: the same function up to a relative error of 1e-6. It decides only which candidates are skipped.
        bounds: of the candidates; each run has one with a mean above -inf.
    """
    mean, error, left, scale, exactly = bounds
    run = np.arange(len(mean))
    scores = [score(*exactly(run, guess), run) for guess in _guesses(bounds)]
    reached = np.max(scores, axis=0) * (1.0 - _SLACK)
    most = left.max(axis=1).astype(np.float64)
    deviations = scale[:, None] * np.sqrt(most[:, None] * (np.arange(1, _LEVELS + 1) / _LEVELS))
    high = mean.max(axis=1) + error
    low = _least_means(rough, reached * (1.0 - _SLACK), deviations, high) - error[:, None]
    low = np.where(reached[:, None] > _TINY, low, low[:, -1:])
    place = np.flatnonzero(mean >= low[:, -1:].astype(mean.dtype))
    of_run = place // mean.shape[1]
    means, lefts = mean.reshape(-1)[place], left.reshape(-1)[place]
    # The next higher level; the small addition keeps rounding from giving a level below the deviation.
    level = (lefts / most[of_run] * (_LEVELS + 1e-6)).astype(np.int64)
    np.clip(level, 0, _LEVELS - 1, out=level)
    hopeful = place[means >= low[of_run, level]]
    of_run, position = np.divmod(hopeful, mean.shape[1])
    means, deviation = exactly(of_run, position)
    return _first_best(score(means, deviation, of_run), of_run, position, means)


def best_sum(weight: float, bounds: Bounds) -> Chosen:
    """Return the candidate with the largest mean + weight * deviation in single precision; ties: the first.

    Args:
        weight: of the deviation, not negative.
        bounds: of the candidates; each run has one with a mean above -inf.
    """
    key = _sums(bounds, weight)
    run = np.arange(len(key))
    mean, deviation = bounds.exactly(run, key.argmax(axis=1))
    reached = mean + weight * deviation
    of_run, position = np.nonzero(key >= (reached - _slack(bounds, reached))[:, None].astype(np.float32))
    mean, deviation = bounds.exactly(of_run, position)
    return _first_best(mean + weight * deviation, of_run, position, mean)


def largest(bounds: Bounds, weight: float, count: int) -> tuple[FloatArray, FloatArray]:
    """Return mean and deviation of the candidates with the largest mean + weight * deviation; ties: the first.

    Args:
        bounds: of the candidates.
        weight: of the deviation, not negative.
        count: of candidates that are returned, at most all.

    Returns:
        Both of shape (runs, count). The mean is -inf where there are too few that may be chosen.
    """
    key = _sums(bounds, weight)
    runs, n = key.shape
    first = max(n - count - _MORE, 0)
    least = np.partition(key, first, axis=1)[:, first]
    where, place = np.nonzero(key >= least[:, None])
    mean, deviation = bounds.exactly(where, place)
    # The last that is wanted of those that were computed: a candidate with a lower bound is not wanted.
    last = _by_run(where, mean + weight * deviation, runs, count)
    lower = (last - _slack(bounds, last)).astype(np.float32)
    more, other = np.nonzero((key >= lower[:, None]) & (key < least[:, None]))
    if len(more):
        means, deviations = bounds.exactly(more, other)
        where, place = np.concatenate([where, more]), np.concatenate([place, other])
        mean, deviation = np.concatenate([mean, means]), np.concatenate([deviation, deviations])
    mean = np.where(np.isneginf(bounds.mean[where, place]), -np.inf, mean)
    order = np.lexsort((place, -(mean + weight * deviation), where))
    start = np.searchsorted(where[order], np.arange(runs))
    chosen = order[start[:, None] + np.arange(count)]
    chosen = np.take_along_axis(chosen, place[chosen].argsort(axis=1), axis=1)
    return mean[chosen], deviation[chosen]


def _by_run(run: IntArray, value: FloatArray, runs: int, count: int) -> FloatArray:
    """Return the ``count``-th largest value of every run, for ascending runs with at least so many; shape (runs,)."""
    start = np.searchsorted(run, np.arange(runs))
    position = np.arange(len(run)) - start[run]
    table = np.full((runs, int(position.max()) + 1), -np.inf)
    table[run, position] = value
    return np.partition(table, -count, axis=1)[:, -count]


def _sums(bounds: Bounds, weight: float) -> NDArray[np.float32]:
    """Return bounds of mean + weight * deviation from above, up to the error of the mean."""
    deviation = np.maximum(bounds.left, np.float32(0.0))
    np.sqrt(deviation, out=deviation)
    deviation *= (weight * bounds.scale)[:, None].astype(np.float32)
    deviation += bounds.mean
    return deviation


def _slack(bounds: Bounds, value: FloatArray) -> FloatArray:
    return bounds.error + _SLACK * (bounds.scale + np.abs(np.where(np.isneginf(value), 0.0, value)))


def _guesses(bounds: Bounds) -> list[IntArray]:
    """Return candidates that may have a high score: where the mean plus some deviations is largest."""
    mean, left, scale = bounds.mean, bounds.left, bounds.scale
    # A straight line in the variance replaces the deviation.
    slope = scale / np.sqrt(np.maximum(left.max(axis=1), 1e-12))
    return [(mean + (weight * slope)[:, None].astype(mean.dtype) * left).argmax(axis=1) for weight in _GUESSES]


def _first_best(score: FloatArray, run: IntArray, position: IntArray, mean: FloatArray) -> Chosen:
    """Return the first candidate with the largest score of every run, for ascending runs and positions."""
    single = score.astype(np.float32)
    start = np.flatnonzero(np.diff(run, prepend=-1))
    best = np.maximum.reduceat(single, start)
    equal = np.flatnonzero(single == best[run])
    first = equal[np.diff(run[equal], prepend=-1) > 0]
    return Chosen(position[first], mean[first])


def _least_means(score: Score, reached: FloatArray, deviation: FloatArray, high: FloatArray) -> FloatArray:
    """Return means below which no score is as high as one that was already reached, by bisection.

    Args:
        score: the function.
        reached: shape (runs,).
        deviation: shape (runs, levels).
        high: the largest mean of every run.

    Returns:
        One mean for every deviation, shape (runs, levels).
    """
    shape = deviation.shape
    run = np.repeat(np.arange(len(high)), shape[1])
    low = (high - _SUPPORT * deviation.max(axis=1) - 1e-9)[run]
    high, reached, deviation = high[run], reached[run], deviation.reshape(-1)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        below = score(middle, deviation, run) < reached
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return low.reshape(shape)
