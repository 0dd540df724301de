"""The exact result of random search: the distribution of the best of n draws, from the sorted table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import MissingDataError, ParameterError
from nasbench_lab.simulation.measurements import Measurements, RepeatPolicy
from nasbench_lab.tables.table import Table


@dataclass(frozen=True, eq=False)
class ExactRandomSearch:
    """The best of n independent draws from a finite distribution, for several n; each of shape (checkpoints,).

    Attributes:
        draws: n.
        mean: expected value of the best.
        variance: its variance.
    """

    draws: NDArray[np.int64]
    mean: FloatArray
    variance: FloatArray


def exact_random_search(
    values: ArrayLike, draws: ArrayLike, *, weights: ArrayLike | None = None, report: ArrayLike | None = None
) -> ExactRandomSearch:
    """Return mean and variance of the best value that random search with replacement finds in n evaluations.

    With the distinct values v_1 < ... < v_K, p_k the probability of v_k and F_k = p_1 + ... + p_k, the best of n
    independent draws is v_k with probability F_k**n - F_{k-1}**n (the distribution of a maximum, see David and
    Nagaraja, Order Statistics, 3rd edition 2003, section 2.1).

    Args:
        values: the possible outcomes of a draw (higher is better), any shape.
        draws: numbers of evaluations n >= 1.
        weights: probability of each outcome up to a factor, of the shape of ``values``; by default all equal.
        report: report this quantity of the best outcome instead of its value, of the shape of ``values``. Outcomes with
            equal values win in proportion to their weights.

    Raises:
        ParameterError: a value is NaN, shapes differ, or a number of draws is below 1.

    >>> exact = exact_random_search([1.0, 2.0, 3.0], draws=[1, 2])
    >>> [round(float(m), 4) for m in exact.mean]  # (1*1 + 2*3 + 3*5) / 9 for two draws
    [2.0, 2.4444]
    """
    outcome = np.asarray(values, dtype=np.float64).reshape(-1)
    weight = np.ones(outcome.shape) if weights is None else np.asarray(weights, dtype=np.float64).reshape(-1)
    quantity = outcome if report is None else np.asarray(report, dtype=np.float64).reshape(-1)
    count = np.atleast_1d(np.asarray(draws))
    if not outcome.shape == weight.shape == quantity.shape or not len(outcome):
        raise ParameterError("values, weights and report must have the same shape and at least one entry")
    if np.isnan(outcome).any() or np.isnan(quantity).any() or (weight < 0).any() or not weight.sum() > 0:
        raise ParameterError("values must not be NaN, and weights must be non-negative and not all zero")
    if count.dtype.kind not in "iu" or (count < 1).any():
        raise ParameterError("numbers of draws must be whole and at least 1")
    possible = weight > 0
    outcome, weight, quantity = outcome[possible], weight[possible], quantity[possible]
    _, group = np.unique(outcome, return_inverse=True)
    probability = np.bincount(group, weight) / weight.sum()
    first = np.bincount(group, weight * quantity) / np.bincount(group, weight)
    second = np.bincount(group, weight * quantity**2) / np.bincount(group, weight)
    below = np.concatenate([[0.0], np.cumsum(probability)])
    below[-1] = 1.0
    best = np.diff(below ** count[:, None], axis=1)
    mean = best @ first
    return ExactRandomSearch(count, mean, np.maximum(best @ second - mean**2, 0.0))


def exact_random_search_on(
    table: Table,
    draws: ArrayLike,
    *,
    fidelity: int | None = None,
    repeat: RepeatPolicy = "sample",
    split: str | None = None,
) -> ExactRandomSearch:
    """Return the exact result of random search on a table.

    Args:
        table: the table; at the given fidelity no training may have failed.
        draws: numbers of evaluations n >= 1.
        fidelity: training epochs of an evaluation; by default the highest.
        repeat: which repeat an evaluation observes, see `simulate`.
        split: ``"valid"`` or ``"test"``: report the incumbent's mean at the highest fidelity; by default the best
            observed value.

    Raises:
        MissingDataError: some training failed, so that an evaluation may observe no value, or a mean to report is
            missing.

    >>> from nasbench_lab.testing import synthetic_table
    >>> bool(exact_random_search_on(synthetic_table("tiny", noise=0.0), [1, 100], split="test").variance[1] < 1e-9)
    True
    """
    values, weights, architecture = Measurements(table, fidelity, repeat).outcomes()
    if not np.isclose(weights.sum(), 1.0):
        raise MissingDataError(f"table {table.name!r} has failed trainings; the closed form needs all values")
    sign = -1.0 if table.objective.direction == "minimize" else 1.0
    report = values if split is None else table.mean_values(table.description.split_metric(split).name)[architecture]
    if np.isnan(report).any():
        raise MissingDataError(f"table {table.name!r} lacks {split} means of some architectures")
    return exact_random_search(sign * values, draws, weights=weights, report=report)
