"""Parzen estimators of categorical choices: frequencies of the values of codes among good and bad architectures."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.models.exact_products import rounded
from nasbench_lab.strategies.parts import elementary


def good_ones(value: FloatArray, known: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
    """Mark the largest known values of every run, shape (runs, n); ties: the first seen. NaN is the worst."""
    order = np.argsort(np.where(known, -np.fmax(value, -np.inf), np.nan), axis=1, kind="stable")  # unknown ones last
    good = np.zeros(value.shape, dtype=bool)
    np.put_along_axis(good, order[:, :count], True, axis=1)
    return good


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


def log_probabilities(
    codes: NDArray[np.integer[Any]],
    groups: Sequence[FloatArray],
    cardinalities: tuple[int, ...],
    prior_weight: float,
) -> FloatArray:
    """Return estimated log-probabilities of every value of every code, shape (runs, groups, sum of cardinalities).

    With C_i the weight of the observations of a group that have value i of a code of N values, the probability is
    proportional to prior_weight * N * p_i + C_i, where the prior p_i is 1 / N (Bergstra et al., NeurIPS 2011, section
    4.2).

    Args:
        codes: of the observations, shape (runs, n, codes).
        groups: weights of the observations in every group, shape (runs, n) each; an observation is in one group at
            most, and its weight in the others is 0.
        cardinalities: numbers of values.
        prior_weight: weight of the prior for each value, in observations.
    """
    runs, known = groups[0].shape
    each = [rounded(weights[:, None], 53 - known.bit_length())[:, 0] for weights in groups]  # so that sums are exact
    number = np.arange(runs)[:, None] * len(groups) + sum(place * (one != 0) for place, one in enumerate(each))
    flat = sum(each[1:], each[0]).reshape(-1)
    first = {values: number * values for values in dict.fromkeys(cardinalities)}
    counts = np.empty((runs * len(groups), sum(cardinalities)))
    totals = np.empty((runs * len(groups), len(cardinalities)))
    # One code after the other: its sums stay in the cache, while observations are added to them in any order.
    for code, (values, start) in enumerate(zip(cardinalities, _starts(cardinalities), strict=True)):
        place = first[values] + codes[:, :, code]
        sums = np.bincount(place.reshape(-1), flat, len(counts) * values).reshape(-1, values)
        counts[:, start : start + values] = prior_weight + sums
    for places, of_places in _by_cardinality(cardinalities):
        totals[:, places] = counts[:, of_places].sum(axis=2)
    result = elementary.log(counts) - np.repeat(elementary.log(totals), cardinalities, axis=1)
    return result.reshape(runs, len(groups), -1)


def draw(space: Space, log_probability: FloatArray, uniform: FloatArray) -> tuple[IntArray, IntArray]:
    """Draw architectures whose codes are independent, by inversion.

    Args:
        space: the space.
        log_probability: of every value of every code, shape (runs, sum of cardinalities).
        uniform: in [0, 1), shape (runs, draws, codes).

    Returns:
        The architectures, -1 where the codes describe none, shape (runs, draws); and the positions of their values
        among all values of all codes, shape (runs, codes, draws).
    """
    probability = elementary.exp(log_probability)
    uniform = uniform.swapaxes(1, 2)
    codes = np.zeros(uniform.shape, dtype=np.int64)  # (runs, codes, draws): whole rows are compared with one number
    for places, columns in _by_cardinality(space.cardinalities):
        below = probability[:, columns].cumsum(axis=2)
        drawn, passed = (
            uniform[:, places].copy(),
            np.zeros((len(uniform), len(places), uniform.shape[2]), dtype=np.int8),
        )
        for value in range(columns.shape[1] - 1):
            passed += drawn >= below[:, :, value, None]
        codes[:, places] = passed
    return space.find(codes.swapaxes(1, 2)), codes + _starts(space.cardinalities)[:, None]


def _starts(cardinalities: tuple[int, ...]) -> IntArray:
    """Return the position of the first value of every code among all values of all codes."""
    return np.cumsum((0, *cardinalities[:-1]))


@functools.cache
def _by_cardinality(cardinalities: tuple[int, ...]) -> list[tuple[IntArray, IntArray]]:
    """Return, for every cardinality n, the places of the codes that have it, (m,), and their columns, (m, n)."""
    starts, every = _starts(cardinalities), np.array(cardinalities)
    groups = [(np.flatnonzero(every == n), n) for n in dict.fromkeys(cardinalities)]
    return [(places, starts[places][:, None] + np.arange(n)) for places, n in groups]
