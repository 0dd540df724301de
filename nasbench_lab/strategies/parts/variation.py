"""Variation: crossover and mutation of architectures. Arrays of architectures have the shape (runs, n)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.streams import Streams, scale

Crossover = Literal["one-point", "two-point", "uniform"]
Mutation = Literal["replace", "neighbor"]

_CUTS: dict[Crossover, int] = {"one-point": 1, "two-point": 2}


def cross(space: Space, streams: Streams, one: IntArray, other: IntArray, kind: Crossover, rate: float) -> IntArray:
    """Return one child of every pair of parents, shape (runs, n).

    With probability ``rate`` a child has some codes from ``other``; otherwise, and if the codes together describe no
    architecture, it is a copy of ``one``. One-point: the codes after a cut between two codes come from ``other``
    (Holland 1975). Two-point: the codes between two different cuts of the ring of codes (De Jong 1975). Uniform: every
    code with probability 1/2 (Syswerda, ICGA 1989).

    Draws one uniform per child for whether it is crossed; then, for all children, the cuts or one uniform per code.
    """
    runs, n = one.shape
    crossed = streams.uniform(n) < rate
    codes = len(space.cardinalities)
    draws = _CUTS.get(kind, codes)
    from_other = _crossed_codes(streams.uniform(n * draws).reshape(runs, n, draws), codes, kind)
    return space.crossover(one, other, from_other & crossed[..., None])


def _crossed_codes(uniform: FloatArray, codes: int, kind: Crossover) -> NDArray[np.bool_]:
    """Return which codes come from the other parent, shape (runs, n, codes)."""
    place = np.arange(codes)
    if kind == "uniform":
        return uniform < 0.5
    if kind == "one-point":
        return place >= 1 + scale(uniform, codes - 1)
    first = scale(uniform[..., :1], codes)
    second = scale(uniform[..., 1:], codes - 1)
    second += second >= first
    return (place >= np.minimum(first, second)) & (place < np.maximum(first, second))


def mutate(space: Space, streams: Streams, index: IntArray, kind: Mutation, rate: float | None) -> IntArray:
    """Return mutated architectures, shape (runs, n).

    Replace: every code becomes another value, drawn uniformly, with probability ``rate``, by default 1 / number of
    codes (Muehlenbein, PPSN 1992). If the new codes describe no architecture, the old architecture takes a step to a
    neighbour instead. Neighbor: with probability ``rate``, by default 1, a step to a neighbour: another operation or,
    where the space allows it, an inserted or deleted edge or operation.

    Draws, for all children: replace, one uniform per code for whether it changes, one per code for the value, and one
    per child for the neighbour; neighbor, one for whether it moves and one for the neighbour.
    """
    runs, n = index.shape
    if kind == "neighbor":
        moved = streams.uniform(n) < (1.0 if rate is None else rate)
        return np.where(moved, space.mutate(index, streams.uniform(n)), index)
    codes = len(space.cardinalities)
    cardinalities = np.array(space.cardinalities)
    replaced = streams.uniform(n * codes).reshape(runs, n, codes) < (1 / codes if rate is None else rate)
    step = 1 + scale(streams.uniform(n * codes).reshape(runs, n, codes), cardinalities - 1)
    mutated = space.find((space.codes(index) + replaced * step) % cardinalities)
    return or_neighbor(space, mutated, index, streams.uniform(n))


def or_neighbor(space: Space, found: IntArray, index: IntArray, uniform: FloatArray) -> IntArray:
    """Return found architectures, and where none was found (-1), a random neighbour of the one in the same place."""
    if found.min() >= 0:
        return found
    missing = found < 0
    replaced = found.copy()
    replaced[missing] = space.mutate(index[missing], uniform[missing])
    return replaced
