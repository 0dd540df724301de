"""Probability distributions over the codes of architectures, one a run, and what is needed to learn them.

A factorised policy draws every code on its own: with ``theta`` its logits, choice i has the value j with probability
``p[j, i] = exp(theta[j, i]) / sum_l exp(theta[l, i])``.

Arrays are (values, choices, runs): values up to the largest cardinality, so that what belongs together in all runs lies
side by side in memory. A value that a choice does not have has the logit -inf and the probability 0. Sums over values,
choices and proposals are taken one after the other, never by a reduction whose order could depend on the number of
runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.streams import Streams

ATTEMPTS = 16
"""How often codes are drawn until they describe an architecture, in spaces where not all do."""

NEW_ATTEMPTS = 4
"""How often, in spaces where all do, until they describe one that was not seen before."""

CANDIDATES = 32
"""If none did: of how many random architectures the nearest to the last draw is taken."""

Pick = Callable[[FloatArray, IntArray], IntArray]
"""Turns uniforms of runs into codes: (uniforms of shape (choices, n), which the n runs are) to (choices, n).

A run can be there several times."""


def total(parts: FloatArray | Sequence[FloatArray]) -> FloatArray:
    """Sum over the first axis, from first to last.

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
    """Return the policies that draw every value of a choice equally often, shape (values, choices, runs)."""
    some = allowed(cardinalities) / np.array(cardinalities)
    return np.repeat(some[:, :, None], runs, axis=2)


def uniform_logits(cardinalities: Sequence[int], runs: int) -> FloatArray:
    """Return the logits of the same policies: 0, and -inf for what is not there."""
    return np.repeat(np.where(allowed(cardinalities), 0.0, -np.inf)[:, :, None], runs, axis=2)


def softmax(logits: FloatArray) -> FloatArray:
    """Return the probabilities for logits, both (values, ...).

    >>> softmax(np.log([[1.0], [3.0]])).tolist()
    [[0.25], [0.75]]
    """
    highest = logits[0]
    for row in logits[1:]:
        highest = np.maximum(highest, row)
    shares = np.exp(logits - highest)
    shares /= total(shares)
    return shares


def pick(probabilities: FloatArray, uniform: FloatArray) -> IntArray:
    """Draw one value each: probabilities (values, ...) and as many uniforms (...) to codes (...).

    Value j is drawn where the uniform is at least p[0] + ... + p[j-1] and below that plus p[j]; where rounding leaves
    the sum of all below the uniform, the last value that has a probability.

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
    """Return the least probability that every value shall keep, 1 / (D (K - 1)), shape (values, choices, 1).

    D is the number of choices that have several values (2 if there is only one, where the rule would leave nothing to
    learn), K how many values the choice has. So in a converged distribution over D choices, one of them is expected to
    differ from the mode. It is the bound of Akimoto et al. (ICML 2019), and of Ben Jedidia, Doerr and Krejca (2022) for
    estimation of distribution over several values.

    >>> margins((3, 2, 1))[:, :, 0].tolist()
    [[0.25, 0.5, 0.0], [0.25, 0.5, 0.0], [0.25, 0.0, 0.0]]
    """
    values = np.array(cardinalities)
    several = max(int((values > 1).sum()), 2)
    least = np.where(values > 1, 1 / (several * np.maximum(values - 1, 1)), 0.0)
    return np.where(allowed(cardinalities), least, 0.0)[:, :, None]


def keep_margins(probabilities: FloatArray, least: FloatArray) -> FloatArray:
    """Return the probabilities (values, choices, runs) moved to where none is below its margin.

    Those below are raised to it, and the others lowered in proportion to what they are above it.

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
    """Add an amount (a number, or what broadcasts to the codes) at codes (choices, runs) of (values, choices, runs)."""
    array.reshape(-1)[_places(codes)] += amount


def put_at(array: FloatArray, codes: IntArray, amount: FloatArray) -> None:
    """Put amounts of the shape of the codes there."""
    array.reshape(-1)[_places(codes)] = amount


def at(array: FloatArray, codes: IntArray) -> FloatArray:
    """Return the entries at codes: (values, choices, runs) and (choices, runs) to (choices, runs)."""
    return array.reshape(-1).take(_places(codes))


def _places(codes: IntArray) -> IntArray:
    return codes * codes.size + np.arange(codes.size).reshape(codes.shape)


@dataclass
class Adam:
    """Adam (Kingma and Ba, ICLR 2015, algorithm 1), upwards: parameters move along their gradient.

    Attributes:
        rate: learning rate, alpha in the paper.
        first: moving average of the gradient, of the parameters' shape.
        second: that of its square.
        steps: how many were made.
    """

    rate: float
    first: FloatArray
    second: FloatArray
    steps: int = 0

    _DECAY = (0.9, 0.999)  # beta_1 and beta_2 of the paper
    _SMALL = 1e-8  # epsilon

    @classmethod
    def of(cls, parameters: FloatArray, rate: float) -> Adam:
        """Return the optimiser of some parameters before its first step."""
        return cls(rate, np.zeros_like(parameters), np.zeros_like(parameters))

    def ascend(self, parameters: FloatArray, gradient: FloatArray) -> None:
        """Make a step, in place."""
        self.steps += 1
        kept, kept_square = self._DECAY
        self.first *= kept
        self.first += (1 - kept) * gradient
        self.second *= kept_square
        self.second += (1 - kept_square) * np.square(gradient)
        step = np.sqrt(self.second)
        step *= 1 / math.sqrt(1 - kept_square**self.steps)
        step += self._SMALL
        np.divide(self.first, step, out=step)
        step *= self.rate / (1 - kept**self.steps)
        parameters += step


def draw(
    space: Space,
    streams: Streams,
    proposals: int,
    pick_codes: Pick,
    seen: NDArray[np.bool_] | None = None,
) -> tuple[IntArray, IntArray]:
    """Draw architectures by their codes.

    Where codes describe no architecture they are drawn again, up to 16 times altogether; if none does, the nearest of
    32 architectures drawn uniformly takes their place: the one that shares most codes with the last draw, of equals the
    first. (In spaces of which every combination of codes is an architecture, the first draw counts and there is no
    other.)

    Args:
        space: what the codes are of.
        streams: where the uniforms come from: for every proposal, one a choice and attempt and one a candidate.
        proposals: how many architectures every run draws.
        pick_codes: turns uniforms into codes.
        seen: architectures that are not wanted again, shape (runs, space.size): they are drawn again as well, 4 times
            where that is the only reason; the last counts if there is no new one.

    Returns:
        The codes, shape (proposals, choices, runs), and the architectures, shape (runs, proposals).
    """
    choices, runs = len(space.cardinalities), np.arange(streams.runs)
    every = math.prod(space.cardinalities) == space.size
    attempts = ATTEMPTS if not every else 1 if seen is None else NEW_ATTEMPTS
    candidates = 0 if every else CANDIDATES
    codes = np.empty((proposals, choices, streams.runs), dtype=np.int64)
    architecture = np.empty((proposals, streams.runs), dtype=np.int64)
    for proposal in range(proposals):
        codes[proposal] = pick_codes(streams.uniform(choices).T, runs)
        architecture[proposal] = space.find(codes[proposal].T)
        again = streams.set_aside((attempts - 1) * choices + candidates)
        missing = runs[~_wanted(architecture[proposal], runs, seen)]
        made = 1
        while made < attempts and len(missing):
            some = min(3 * made, attempts - made)  # 3, then up to 12 at once: few are needed
            here = again.uniform((made - 1) * choices, some * choices, missing)
            here = here.reshape(some, choices, -1).swapaxes(0, 1).reshape(choices, -1)
            drawn = pick_codes(here, np.tile(missing, some))
            found = space.find(drawn.T).reshape(some, -1)
            wanted = _wanted(found, missing, seen)
            # The first that is wanted; else the last that is an architecture; else the last.
            valid = some - 1 - (found >= 0)[::-1].argmax(axis=0)
            which = np.where(wanted.any(axis=0), wanted.argmax(axis=0), valid)
            column = np.arange(len(missing))
            chosen = found[which, column]
            keep = (chosen >= 0) | (architecture[proposal, missing] < 0)
            codes[proposal][:, missing[keep]] = drawn.reshape(choices, some, -1)[:, which, column][:, keep]
            architecture[proposal, missing[keep]] = chosen[keep]
            missing = missing[~wanted.any(axis=0)]
            made += some
        missing = np.flatnonzero(architecture[proposal] < 0)
        if len(missing):
            near = space.sample(again.uniform((attempts - 1) * choices, candidates, missing).T)
            nearest, of_nearest = _nearest(space, near, codes[proposal][:, missing].T)
            architecture[proposal, missing] = nearest
            codes[proposal][:, missing] = of_nearest.T
    return codes, architecture.T


def _wanted(found: IntArray, runs: IntArray, seen: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Return which of what was found (-1: nothing), shape (..., n), the n runs want."""
    return found >= 0 if seen is None else (found >= 0) & ~seen[runs, found]


def are_all(runs: IntArray, count: int) -> bool:
    """Return whether these are all of the runs, each once and in order: then nothing needs to be picked out.

    >>> are_all(np.array([0, 1, 2]), 3), are_all(np.array([0, 2, 0]), 3)
    (True, False)
    """
    return len(runs) == count and bool((runs == np.arange(count)).all())


def _nearest(space: Space, candidates: IntArray, codes: IntArray) -> tuple[IntArray, IntArray]:
    """Return of candidates (n, some) those nearest to codes (n, choices), and the codes of these."""
    of_candidates = space.codes(candidates).astype(np.int64)
    shared = (of_candidates == codes[:, None, :]).sum(axis=2)
    nearest = shared.argmax(axis=1)
    row = np.arange(len(nearest))
    return candidates[row, nearest], of_candidates[row, nearest]


def picking(probabilities: FloatArray) -> Pick:
    """Return how `draw` picks codes from factorised policies."""

    def pick_codes(uniform: FloatArray, runs: IntArray) -> IntArray:
        everyone = are_all(runs, probabilities.shape[2])
        return pick(probabilities if everyone else probabilities[:, :, runs], uniform)

    return pick_codes
