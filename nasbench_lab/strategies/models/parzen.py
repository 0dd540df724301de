"""Parzen estimators of categorical choices: frequencies of the values of codes among good and bad architectures."""

from __future__ import annotations

import functools
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.models.exact_products import rounded
from nasbench_lab.strategies.parts import elementary

_FIRST_CAPACITY = 32


def good_ones(value: FloatArray, known: NDArray[np.bool_], count: int) -> IntArray:
    """Return the positions of the largest known values of every run, (runs, count); ties: the first seen.

    NaN is the worst.
    """
    order = np.argsort(np.where(known, -np.fmax(value, -np.inf), np.nan), axis=1, kind="stable")  # unknown ones last
    return order[:, :count]


def ages(members: NDArray[np.bool_], count: int, remembered: int) -> FloatArray:
    """Return the weights of the members of a group, 0 for others, shape (runs, n).

    The last ``remembered`` members weigh 1. The weights of earlier ones rise in equal steps from 1 / count for the
    oldest to 1 (the "linear forgetting" of hyperopt).

    Args:
        members: which observations belong to the group, in the order in which they were seen.
        count: number of members, the same in every run.
        remembered: number of members that weigh 1.
    """
    old = max(count - remembered, 0)
    weights = np.concatenate([np.linspace(1.0 / max(count, 1), 1.0, old), np.ones(count - old), np.zeros(1)])
    return np.where(members, weights.take(np.where(members, members.cumsum(axis=1) - 1, -1)), 0.0)


@final
class CodePlaces:
    """The codes of all proposals, as places where they are counted, and their counts.

    The places of a code are those of its values, and within a value those of the runs: so runs are contiguous.

    Args:
        cardinalities: numbers of values of the codes.
        runs: number of runs.
    """

    def __init__(self, cardinalities: tuple[int, ...], runs: int) -> None:
        self._cardinalities, self._runs, self._count = cardinalities, runs, 0
        self._place: IntArray = np.empty((len(cardinalities), _FIRST_CAPACITY, runs), dtype=np.int64)

    def add(self, codes: NDArray[np.integer[Any]]) -> None:
        """Add one proposal of every run, shape (runs, codes)."""
        if self._count == self._place.shape[1]:
            self._place = np.concatenate([self._place, np.empty_like(self._place)], axis=1)
        place = np.multiply(codes.T, self._runs, dtype=np.int64)
        self._place[:, self._count] = place + np.arange(self._runs)
        self._count += 1

    def weigh(self, weights: FloatArray) -> FloatArray:
        """Return the sum of the weights, shape (runs, n), of every value of every code, (sum of cardinalities, runs).

        The weights are rounded so that sums are exact.
        """
        weights = rounded(weights[:, None], 53 - weights.shape[1].bit_length())[:, 0]
        flat = np.ascontiguousarray(weights.T).reshape(-1)
        sums = np.empty((sum(self._cardinalities), self._runs))
        for place, first, values in zip(self._place, _starts(self._cardinalities), self._cardinalities, strict=True):
            of_code = np.bincount(place[: self._count].reshape(-1), flat, values * self._runs)
            sums[first : first + values] = of_code.reshape(values, self._runs)
        return sums

    def count(self, members: IntArray) -> IntArray:
        """Return how many members, positions of shape (runs, m), have every value, (sum of cardinalities, runs)."""
        flat = (members.T * self._runs + np.arange(self._runs)).reshape(-1)
        of_codes = [
            np.bincount(place.reshape(-1).take(flat), minlength=values * self._runs)
            for place, values in zip(self._place, self._cardinalities, strict=True)
        ]
        return np.concatenate(of_codes).reshape(-1, self._runs)


def log_probabilities(sums: IntArray | FloatArray, cardinalities: tuple[int, ...], prior_weight: float) -> FloatArray:
    """Return estimated log-probabilities of every value of every code, shape (sum of cardinalities, runs).

    With C_i the weight of the observations that have value i of a code of N values, the probability is proportional to
    prior_weight * N * p_i + C_i, where the prior p_i is 1 / N (Bergstra et al., NeurIPS 2011, section 4.2).

    Args:
        sums: of the weights of the observations, of the same shape.
        cardinalities: numbers of values.
        prior_weight: weight of the prior for each value, in observations.
    """
    counts: FloatArray = prior_weight + sums.astype(np.float64, copy=False)
    if sums.dtype.kind == "i":  # there are few different ones
        few = elementary.log(prior_weight + np.arange(sums.max() + 1))
        logs = few.take(sums.astype(np.int64, copy=False))
    else:
        logs = elementary.log(counts)
    totals = np.empty((len(cardinalities), counts.shape[1]))
    for places, columns in _by_cardinality(cardinalities):
        # Values last, so that they are added in the same order for any number of runs.
        totals[places] = np.ascontiguousarray(counts[columns].transpose(2, 0, 1)).sum(axis=2).T
    logs -= np.repeat(elementary.log(totals), cardinalities, axis=0)
    return logs


def draw(space: Space, l: FloatArray, g: FloatArray, uniform: FloatArray) -> tuple[IntArray, FloatArray]:  # noqa: E741 - the name in the paper
    """Draw architectures from l, whose codes are independent, by inversion; one code at a time, so arrays stay small.

    Args:
        space: the space.
        l: log-probabilities of every value of every code among the good ones, shape (sum of cardinalities, runs).
        g: the same among the bad ones.
        uniform: in [0, 1), shape (draws, codes, runs).

    Returns:
        The architectures, -1 where the codes describe none, and log(l / g), both of shape (runs, draws).
    """
    draws, _, runs = uniform.shape
    probability, ratio, run = elementary.exp(l), l - g, np.arange(runs)
    score, above = np.zeros((draws, runs)), np.empty((draws, runs), dtype=np.bool_)
    codes = np.zeros((len(space.cardinalities), draws, runs), dtype=np.int8)
    for place, (code, first, values) in enumerate(
        zip(codes, _starts(space.cardinalities), space.cardinalities, strict=True)
    ):
        below = probability[first : first + values - 1].cumsum(axis=0)
        drawn = uniform[:, place]
        for limit in below:
            np.add(code, np.greater_equal(drawn, limit, out=above).view(np.int8), out=code)
        score += ratio[first : first + values].reshape(-1).take(np.multiply(code, runs, dtype=np.int64) + run)
    return space.find(np.ascontiguousarray(codes.transpose(2, 1, 0))), score.T


def _starts(cardinalities: tuple[int, ...]) -> IntArray:
    """Return the position of the first value of every code among all values of all codes."""
    return np.cumsum((0, *cardinalities[:-1]))


@functools.cache
def _by_cardinality(cardinalities: tuple[int, ...]) -> list[tuple[IntArray, IntArray]]:
    """Return, for every cardinality n, the places of the codes that have it, (m,), and their columns, (m, n)."""
    starts, every = _starts(cardinalities), np.array(cardinalities)
    groups = [(np.flatnonzero(every == n), n) for n in dict.fromkeys(cardinalities)]
    return [(places, starts[places][:, None] + np.arange(n)) for places, n in groups]
