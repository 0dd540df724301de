"""The candidate with the best score, without computing most scores: bounds first, and numbers for those that remain."""

from __future__ import annotations

import itertools
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray

_SUPPORT = 6.0  # largest deviations of a normal variable that are considered
_HALVINGS = 7
_LEVELS = 8
_FAINT = 1e-30
_SLACK = 1e-6  # of rounding in bounds, relative
_GUESSES = (0.5, 2.0)  # deviations above the mean: the score is high where the sum is largest
_SIZES = (8, 64, 512)  # how many candidates of a run are computed at a time
_EVERY = 16
_MORE = 32  # candidates beyond the wanted number


class Score(Protocol):
    """A function that does not decrease in the mean or in the deviation."""

    def __call__(self, mean: FloatArray, deviation: FloatArray, run: IntArray, /) -> FloatArray:
        """Score predictions of the runs with these positions; all arrays have the same shape."""


class Exactly(Protocol):
    """Means and deviations of some candidates."""

    def __call__(self, run: IntArray, position: IntArray, /) -> tuple[FloatArray, FloatArray]:
        """Return means and deviations of candidates, for runs, shape (n,), and positions, both (n, k)."""


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

    Args:
        score: the function, never negative.
        rough: the same function up to a relative error of 1e-6. It decides only which candidates are skipped.
        bounds: of the candidates; each run has one with a mean above -inf.
    """
    mean, error, left, scale, exactly = bounds
    run = np.arange(len(mean))
    guesses = _guesses(bounds)
    column = np.repeat(run[:, None], guesses.shape[1], axis=1)
    reached = score(*exactly(run, guesses), column).max(axis=1) * (1.0 - _SLACK)
    most = left.max(axis=1).astype(np.float64)
    deviations = scale[:, None] * np.sqrt(most[:, None] * (np.arange(1, _LEVELS + 1) / _LEVELS))
    high = mean.max(axis=1) + error
    low = _least_means(rough, reached * (1.0 - _SLACK), deviations, high) - error[:, None]
    faint = np.flatnonzero(reached <= _FAINT)
    low[faint] = mean.max(axis=1)[faint, None]  # others are not skipped by bounds
    place = np.flatnonzero(mean >= low[:, -1:].astype(mean.dtype))
    of_run = place // mean.shape[1]
    means, lefts = mean.reshape(-1)[place], left.reshape(-1)[place]
    # The next higher level; the small addition keeps rounding from giving a level below the deviation.
    level = (lefts / most[of_run] * (_LEVELS + 1e-6)).astype(np.int64)
    np.clip(level, 0, _LEVELS - 1, out=level)
    hopeful = means >= low[of_run, level]
    of_run, position = of_run[hopeful], (place - of_run * mean.shape[1])[hopeful]
    with np.errstate(invalid="ignore"):
        highest = rough(means[hopeful] + error[of_run], scale[of_run] * np.sqrt(np.maximum(lefts[hopeful], 0)), of_run)
    highest *= 1.0 + _SLACK
    chosen = _first_best(score, exactly, _Some(of_run, position, highest), reached)
    if len(faint):
        chosen.position[faint], chosen.mean[faint] = _best_of_faint(score, bounds, faint)
    return chosen


def _best_of_faint(score: Score, bounds: Bounds, run: IntArray) -> Chosen:
    """Return the best candidates of runs whose scores are hardly above 0, where single precision ends.

    Candidates within reach of the largest deviation, with a score of 0 in single precision, are tied.
    """
    position = np.broadcast_to(np.arange(bounds.mean.shape[1]), (len(run), bounds.mean.shape[1]))
    mean, deviation = bounds.exactly(run, position)
    mean[np.isneginf(bounds.mean[run])] = -np.inf
    row = np.arange(len(run))
    guesses = [(mean + weight * deviation).argmax(axis=1) for weight in (1.0, 3.0)]
    reached = np.max([score(mean[row, guess], deviation[row, guess], run) for guess in guesses], axis=0)
    most = deviation.max(axis=1, keepdims=True)
    low = _least_means(lambda m, s, i: score(m, s, run[i]), reached * (1.0 - _SLACK), most, mean.max(axis=1))
    scores = np.full(mean.shape, -np.inf, dtype=np.float32)
    near = mean >= low
    scores[near] = score(mean[near], deviation[near], np.repeat(run, mean.shape[1]).reshape(mean.shape)[near])
    best = scores.argmax(axis=1)
    return Chosen(best, mean[row, best])


def best_sum(weight: float, bounds: Bounds) -> Chosen:
    """Return the candidate with the largest mean + weight * deviation in single precision; ties: the first.

    Args:
        weight: of the deviation, not negative.
        bounds: of the candidates; each run has one with a mean above -inf.
    """
    key = _sums(bounds, weight)
    run = np.arange(len(key))
    mean, deviation = bounds.exactly(run, key.argmax(axis=1)[:, None])
    reached = (mean + weight * deviation)[:, 0]
    reached -= _slack(bounds, reached)
    of_run, position = _where(key >= reached[:, None].astype(np.float32))
    highest = key[of_run, position] + _slack(bounds, reached)[of_run]
    return _first_best(lambda m, s, _run: m + weight * s, bounds.exactly, _Some(of_run, position, highest), reached)


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
    runs = len(key)
    wanted = min(count + _MORE, key.shape[1])
    least = _largest_but(key, wanted)
    some = _rectangle(key >= least[:, None], wanted)
    run = np.arange(runs)
    mean, deviation = bounds.exactly(run, some)
    # The last that is wanted of those that were computed: a candidate with a lower bound is not wanted.
    exact = np.where(np.isneginf(np.take_along_axis(bounds.mean, some, axis=1)), -np.inf, mean + weight * deviation)
    last = np.partition(exact, -count, axis=1)[:, -count]
    lower = (last - _slack(bounds, last)).astype(np.float32)
    # Ties, or wide bounds: others may be among them.
    enough = np.minimum(lower, least)[:, None]
    unsure = np.flatnonzero(np.count_nonzero(key >= enough, axis=1) > wanted)
    chosen = _largest_in_order(exact, count)
    mean, deviation = (np.take_along_axis(array, chosen, axis=1) for array in (mean, deviation))
    for each in unsure:
        position = np.flatnonzero(key[each] >= lower[each])[None]
        means, deviations = bounds.exactly(run[each, None], position)
        exact = np.where(np.isneginf(bounds.mean[each, position]), -np.inf, means + weight * deviations)
        chosen = _largest_in_order(exact, count)
        mean[each], deviation[each] = means[0, chosen[0]], deviations[0, chosen[0]]
    return mean, deviation


def _largest_but(key: NDArray[np.float32], wanted: int) -> NDArray[np.float32]:
    """Return the ``wanted``-th largest number of every run, shape (runs,).

    Every 16th number gives an estimate, so that few numbers need to be sorted.
    """
    runs = len(key)
    some = np.sort(key[:, ::_EVERY], axis=1)
    least = some[:, max(some.shape[1] - 2 * (wanted // _EVERY + 1), 0)]
    large = key >= least[:, None]
    large[np.count_nonzero(large, axis=1) < wanted] = True
    run, position = _where(large)
    start = np.searchsorted(run, np.arange(runs + 1))
    table = np.full((runs, int(np.diff(start).max())), -np.inf, dtype=np.float32)
    table[run, np.arange(len(run)) - start[run]] = key[run, position]
    return np.partition(table, -wanted, axis=1)[:, -wanted]


def _rectangle(chosen: NDArray[np.bool_], count: int) -> IntArray:
    """Return the positions of the first ``count`` that are chosen in every run, which has at least so many."""
    run, position = _where(chosen)
    start = np.searchsorted(run, np.arange(len(chosen)))
    return position[start[:, None] + np.arange(count)]


def _where(chosen: NDArray[np.bool_]) -> tuple[IntArray, IntArray]:
    """Return the same as ``np.nonzero`` in a third of the time."""
    place = np.flatnonzero(chosen)
    run = np.searchsorted(place, np.arange(1, len(chosen)) * chosen.shape[1])
    of_run = np.repeat(np.arange(len(chosen)), np.diff(run, prepend=0, append=len(place)))
    return of_run, place - of_run * chosen.shape[1]


def _largest_in_order(values: FloatArray, count: int) -> IntArray:
    """Return the positions of the largest values of every row, ascending; ties: the first."""
    return np.sort(np.argsort(-values, axis=1, kind="stable")[:, :count], axis=1)


def _sums(bounds: Bounds, weight: float) -> NDArray[np.float32]:
    """Return bounds of mean + weight * deviation from above, up to the error of the mean."""
    deviation = np.maximum(bounds.left, np.float32(0.0))
    np.sqrt(deviation, out=deviation)
    deviation *= (weight * bounds.scale)[:, None].astype(np.float32)
    deviation += bounds.mean
    return deviation


def _slack(bounds: Bounds, value: FloatArray) -> FloatArray:
    return bounds.error + _SLACK * (bounds.scale + np.abs(np.where(np.isneginf(value), 0.0, value)))


def _guesses(bounds: Bounds) -> IntArray:
    """Return candidates that may have a high score: where the mean plus some deviations is largest, shape (runs, 2)."""
    mean, left, scale = bounds.mean, bounds.left, bounds.scale
    # A straight line in the variance replaces the deviation.
    slope = (scale / np.sqrt(np.maximum(left.max(axis=1), 1e-12)))[:, None].astype(mean.dtype) * left
    return np.stack([(mean + mean.dtype.type(weight) * slope).argmax(axis=1) for weight in _GUESSES], axis=1)


class _Some(NamedTuple):
    """Some candidates, in ascending order of runs and positions; all arrays have the same shape.

    Attributes:
        run: of each.
        position: of each.
        highest: at least their score.
    """

    run: IntArray
    position: IntArray
    highest: FloatArray


def _first_best(score: Score, exactly: Exactly, some: _Some, reached: FloatArray) -> Chosen:
    """Return the first candidate with the largest score in single precision, of every run.

    The most promising are computed first. They leave few others, or none.

    Args:
        score: the function.
        exactly: returns means and deviations.
        some: the candidates; every run has one.
        reached: scores that the best of them have at least, shape (runs,).
    """
    run = np.arange(len(reached))
    start = np.searchsorted(some.run, run)
    reached = np.minimum(reached, np.maximum.reduceat(some.highest, start))  # so that one is left
    kept = some.highest >= reached[some.run]
    of_run, position, highest = some.run[kept], some.position[kept], some.highest[kept]
    order = np.lexsort((-highest, of_run))
    of_run, position, highest = of_run[order], position[order], np.append(highest[order], -np.inf)
    start, end = np.searchsorted(of_run, run), np.searchsorted(of_run, run, side="right")
    best = np.full(len(run), -np.inf, dtype=np.float32)
    chosen = Chosen(np.full(len(run), np.iinfo(np.int64).max), np.zeros(len(run)))
    for size in itertools.chain(_SIZES, itertools.repeat(_SIZES[-1])):
        run = run[(start[run] < end[run]) & (highest[start[run]] >= best[run])]
        if not len(run):
            break
        entry = start[run, None] + np.arange(size)
        there = position[np.where(entry < end[run, None], entry, start[run, None])]
        mean, deviation = exactly(run, there)
        single = score(mean, deviation, np.repeat(run[:, None], size, axis=1)).astype(np.float32)
        _improve(chosen, best, run, there, mean, single)
        start[run] = np.minimum(start[run] + size, end[run])
    return chosen


def _improve(
    chosen: Chosen,
    best: NDArray[np.float32],
    run: IntArray,
    position: IntArray,
    mean: FloatArray,
    score: NDArray[np.float32],
) -> None:
    """Replace what was chosen by candidates with larger scores, or with equal scores and smaller positions."""
    most = score.max(axis=1)
    first = np.where(score == most[:, None], position, np.iinfo(np.int64).max).argmin(axis=1)
    row = np.arange(len(run))
    better = (most > best[run]) | ((most == best[run]) & (position[row, first] < chosen.position[run]))
    row, changed = row[better], run[better]
    best[changed] = most[better]
    chosen.position[changed] = position[row, first[better]]
    chosen.mean[changed] = mean[row, first[better]]


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
