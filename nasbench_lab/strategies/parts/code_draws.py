"""Drawing architectures code by code, again if the codes describe no architecture, or one that was seen before."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.parts import categorical
from nasbench_lab.strategies.parts.visited import Visited
from nasbench_lab.streams import Streams

ATTEMPTS = 16
"""Most draws of codes until they describe an architecture, in spaces where not all combinations do."""

NEW_ATTEMPTS = 4
"""Most draws until they describe a new architecture, in spaces where all combinations describe one."""

CANDIDATES = 32
"""Number of random architectures of which the nearest to the last draw is taken, if no draw describes one."""

Pick = Callable[[FloatArray, IntArray], IntArray]
"""A function of uniforms, shape (choices, n), and the n runs that they belong to; returns codes of shape (choices, n).

A run can occur several times."""


def draw(
    space: Space,
    streams: Streams,
    proposals: int,
    pick_codes: Pick,
    seen: Visited | None = None,
) -> tuple[IntArray, IntArray]:
    """Draw architectures by their codes.

    Codes that describe no architecture are drawn again, up to 16 times in total. If no draw describes one, the nearest
    of 32 random architectures takes their place: the one that shares most codes with the last draw (ties: the first).
    (In spaces where every combination of codes is an architecture, the first draw counts.)

    Args:
        space: the space of the codes.
        streams: source of the uniforms: for every proposal, one per choice and attempt, and one per candidate.
        proposals: number of architectures that every run draws.
        pick_codes: turns uniforms into codes.
        seen: architectures that should not be drawn. They are drawn again as well, up to 4 times in total if that is
            the only reason; the last draw counts if none is new.

    Returns:
        The codes, shape (proposals, choices, runs), and the architectures, shape (runs, proposals).
    """
    choices, runs = len(space.cardinalities), np.arange(streams.runs)
    every = math.prod(space.cardinalities) == space.size
    attempts = ATTEMPTS if not every else 1 if seen is None else NEW_ATTEMPTS
    candidates = 0 if every else CANDIDATES * space.draws
    codes = np.empty((proposals, choices, streams.runs), dtype=np.int64)
    architecture = np.empty((proposals, streams.runs), dtype=np.int64)
    for proposal in range(proposals):
        codes[proposal] = pick_codes(streams.uniform(choices).T, runs)
        architecture[proposal] = space.find(codes[proposal].T)
        again = streams.set_aside((attempts - 1) * choices + candidates)
        missing = runs[~_wanted(architecture[proposal], runs, seen)]
        made = 1
        while made < attempts and len(missing):
            some = min(3 * made, attempts - made)  # 3, then up to 12 at once, as few are needed
            here = again.uniform((made - 1) * choices, some * choices, missing)
            here = here.reshape(some, choices, -1).swapaxes(0, 1).reshape(choices, -1)
            drawn = pick_codes(here, np.tile(missing, some))
            found = space.find(drawn.T).reshape(some, -1)
            wanted = _wanted(found, missing, seen)
            # Take the first wanted draw, or else the last architecture, or else the last draw.
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
            near = space.sample_columns(again.uniform((attempts - 1) * choices, candidates, missing).T)
            nearest, of_nearest = _nearest(space, near, codes[proposal][:, missing].T)
            architecture[proposal, missing] = nearest
            codes[proposal][:, missing] = of_nearest.T
    return codes, architecture.T


def _wanted(found: IntArray, runs: IntArray, seen: Visited | None) -> NDArray[np.bool_]:
    """Return which architectures (-1: none), shape (..., n), are acceptable for the n runs."""
    return found >= 0 if seen is None else (found >= 0) & ~seen.has(runs, np.maximum(found, 0))


def are_all(runs: IntArray, count: int) -> bool:
    """Return whether these are all runs, each once and in order, so that no run needs to be selected.

    >>> are_all(np.array([0, 1, 2]), 3), are_all(np.array([0, 2, 0]), 3)
    (True, False)
    """
    return len(runs) == count and bool((runs == np.arange(count)).all())


def _nearest(space: Space, candidates: IntArray, codes: IntArray) -> tuple[IntArray, IntArray]:
    """Return the candidates (n, k) that are nearest to codes (n, choices), and their codes."""
    of_candidates = space.codes(candidates).astype(np.int64)
    shared = (of_candidates == codes[:, None, :]).sum(axis=2)
    nearest = shared.argmax(axis=1)
    row = np.arange(len(nearest))
    return candidates[row, nearest], of_candidates[row, nearest]


def picking(probabilities: FloatArray) -> Pick:
    """Return a function that picks codes from factorised distributions, for `draw`."""

    def pick_codes(uniform: FloatArray, runs: IntArray) -> IntArray:
        everyone = are_all(runs, probabilities.shape[2])
        return categorical.pick(probabilities if everyone else probabilities[:, :, runs], uniform)

    return pick_codes
