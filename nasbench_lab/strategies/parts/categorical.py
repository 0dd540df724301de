"""Categorical distributions over the codes of architectures: one distribution per choice and run.

A factorised distribution draws every code independently. With logits ``theta``, choice i has the value j with
probability ``p[j, i] = exp(theta[j, i]) / sum_l exp(theta[l, i])``.

Arrays have the shape (values, choices, runs), with as many values as the largest cardinality. The runs are the last
axis, so that the numbers of one value in all runs are contiguous in memory. A value that a choice does not have has the
logit -inf and the probability 0. Sums over values, choices and proposals add in a fixed order; a NumPy reduction could
change the order with the number of runs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.strategies.parts import elementary


def total(parts: FloatArray | Sequence[FloatArray]) -> FloatArray:
    """Return the sum over the first axis, added from first to last.

    >>> total(np.array([[0.1, 1.0], [0.2, 2.0], [0.3, 3.0]])).tolist()
    [0.6000000000000001, 6.0]
    """
    result = np.array(parts[0])
    for part in parts[1:]:
        result += part
    return result


def allowed(cardinalities: Sequence[int]) -> NDArray[np.bool_]:
    """Return which values every choice has, shape (values, choices).

    >>> allowed((3, 2)).astype(int).tolist()
    [[1, 1], [1, 1], [1, 0]]
    """
    return np.arange(max(cardinalities))[:, None] < np.array(cardinalities)


def uniform_probabilities(cardinalities: Sequence[int], runs: int) -> FloatArray:
    """Return distributions in which all values of a choice are equally likely, shape (values, choices, runs)."""
    some = allowed(cardinalities) / np.array(cardinalities)
    return np.repeat(some[:, :, None], runs, axis=2)


def uniform_logits(cardinalities: Sequence[int], runs: int) -> FloatArray:
    """Return the logits of uniform distributions: 0, and -inf for values that a choice does not have."""
    return np.repeat(np.where(allowed(cardinalities), 0.0, -np.inf)[:, :, None], runs, axis=2)


def softmax(logits: FloatArray) -> FloatArray:
    """Return the probabilities of logits, both of shape (values, ...).

    >>> softmax(np.log([[1.0], [3.0]])).tolist()
    [[0.25], [0.75]]
    """
    highest = logits[0]
    for row in logits[1:]:
        highest = np.maximum(highest, row)
    shares = elementary.exp(logits - highest)
    shares /= total(shares)
    return shares


def pick(probabilities: FloatArray, uniform: FloatArray) -> IntArray:
    """Draw one value per distribution: probabilities (values, ...) and uniforms (...) to codes (...).

    Value j is drawn where p[0] + ... + p[j-1] <= uniform < p[0] + ... + p[j]. Where the sum of all probabilities is
    rounded to less than the uniform, the last value with a positive probability is drawn.

    >>> pick(np.array([[0.25], [0.75], [0.0]]), np.array([0.25])).tolist()
    [1]
    """
    code = np.zeros(uniform.shape, dtype=np.int64)
    last = np.zeros(uniform.shape, dtype=np.int64)
    below = np.zeros(uniform.shape)
    for value, share in enumerate(probabilities):
        last[share > 0] = value
        below += share
        code += uniform >= below
    return np.minimum(code, last)


def margins(cardinalities: Sequence[int]) -> FloatArray:
    """Return the lower bound of the probability of every value, 1 / (D (K - 1)), shape (values, choices, 1).

    D is the number of choices with several values (2 if there is only one such choice, where the rule would leave
    nothing to learn), and K the number of values of the choice. In a converged distribution over D choices, one of them
    is then expected to differ from the mode. This is the bound of Akimoto et al. (ICML 2019), and of Ben Jedidia, Doerr
    and Krejca (2022) for estimation of distribution over several values.

    >>> margins((3, 2, 1))[:, :, 0].tolist()
    [[0.25, 0.5, 0.0], [0.25, 0.5, 0.0], [0.25, 0.0, 0.0]]
    """
    values = np.array(cardinalities)
    several = max(int((values > 1).sum()), 2)
    least = np.where(values > 1, 1 / (several * np.maximum(values - 1, 1)), 0.0)
    return np.where(allowed(cardinalities), least, 0.0)[:, :, None]


def keep_margins(probabilities: FloatArray, least: FloatArray) -> FloatArray:
    """Return probabilities (values, choices, runs) that are at least their margins.

    Smaller ones are raised to their margins, and the others lowered in proportion to their excess over their margins.

    >>> least = np.array([[[0.25]], [[0.25]], [[0.25]]])
    >>> keep_margins(np.array([[[0.0]], [[0.4]], [[0.6]]]), least)[:, 0, 0].tolist()
    [0.25, 0.325, 0.425]
    """
    raised = np.maximum(probabilities, least)
    above = raised - least
    room, free = total(above), 1.0 - total(least)
    share = np.divide(free, room, out=np.zeros_like(room), where=room > 0)
    return np.where(room > 0, least + above * share, raised)


def score(codes: IntArray, probabilities: FloatArray) -> FloatArray:
    """Return the gradient of the log-probability of codes (choices, runs) with respect to the logits.

    It is [codes = j] - p[j], of shape (values, choices, runs).
    """
    gradient = -probabilities
    add_at(gradient, codes, 1.0)
    return gradient


def add_at(array: FloatArray, codes: IntArray, amount: float | FloatArray) -> None:
    """Add amounts, which broadcast to the codes (choices, runs), to the entries of an array (values, choices, runs)."""
    array.reshape(-1)[_places(codes)] += amount


def put_at(array: FloatArray, codes: IntArray, amount: FloatArray) -> None:
    """Set the entries at codes (choices, runs) to amounts of the same shape."""
    array.reshape(-1)[_places(codes)] = amount


def at(array: FloatArray, codes: IntArray) -> FloatArray:
    """Return the entries at codes: (values, choices, runs) and (choices, runs) to (choices, runs)."""
    return array.reshape(-1).take(_places(codes))


def _places(codes: IntArray) -> IntArray:
    return codes * codes.size + np.arange(codes.size).reshape(codes.shape)
