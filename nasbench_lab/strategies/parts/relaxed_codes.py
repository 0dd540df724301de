"""Relaxed codes: architectures as points of the unit cube, and the operators of differential evolution on them.

A vector x in [0, 1]^D has one number for each of the D codes. The interval of code j is divided into n_j bins of equal
width, one for each value of the code; x stands for the architecture with the codes

    c_j = min(floor(n_j x_j), n_j - 1)

(Awad, Mallik and Hutter, "Differential Evolution for Neural Architecture Search", ICLR NAS workshop 2020; the same in
"DEHB", IJCAI 2021). Vectors have the shape (runs, n, D). All operators are elementwise, so that a run does not depend
on the others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.streams import scale


def to_codes(vectors: FloatArray, cardinalities: Sequence[int]) -> IntArray:
    """Return the codes of vectors, shape (..., D) to (..., D).

    >>> to_codes(np.array([[0.0, 0.5], [0.34, 1.0]]), (3, 2)).tolist()
    [[0, 1], [1, 1]]
    """
    number = np.array(cardinalities)
    return np.minimum(scale(vectors, number), number - 1)


def to_vectors(
    codes: NDArray[np.integer], cardinalities: Sequence[int], within: FloatArray | float = 0.5
) -> FloatArray:
    """Return vectors in the bins of codes, shape (..., D) to (..., D); by default the centres of the bins.

    Args:
        codes: of architectures.
        cardinalities: number of values of each code.
        within: relative positions in the bins, from 0 to 1; uniforms give points that are uniform in the bins.

    >>> to_vectors(np.array([0, 1]), (2, 2)).tolist()
    [0.25, 0.75]
    """
    return (codes + within) / np.array(cardinalities)


def find(space: Space, vectors: FloatArray) -> IntArray:
    """Return the architectures of vectors, shape (..., D) to (...); -1 where the codes describe none."""
    return space.find(to_codes(vectors, space.cardinalities))


def draw_distinct(uniform: FloatArray, population: int, apart_from: IntArray | None = None) -> IntArray:
    """Draw different members of a population, uniformly.

    Args:
        uniform: in [0, 1), shape (..., k).
        population: number of members, at least k, or k + 1 if a member is left out.
        apart_from: a member that is left out, shape (...).

    Returns:
        Positions of k members, shape (..., k), in the order drawn.

    >>> draw_distinct(np.array([[0.0, 0.0, 0.9]]), population=4, apart_from=np.array([1])).tolist()
    [[0, 2, 3]]
    """
    drawn: list[IntArray] = []
    taken: list[IntArray] = [] if apart_from is None else [apart_from]  # ascending, place by place
    for draw in np.moveaxis(uniform, -1, 0):
        position = scale(draw, population - len(taken))
        for member in taken:
            position += position >= member
        drawn.append(position)
        highest = position
        for place, member in enumerate(taken):
            taken[place], highest = np.minimum(member, highest), np.maximum(member, highest)
        taken.append(highest)
    return np.stack(drawn, axis=-1)


def rand_1(vectors: FloatArray, donors: IntArray, factor: float) -> FloatArray:
    """Return mutants v = x_r1 + F (x_r2 - x_r3) (Storn and Price, Journal of Global Optimization 1997, equation 2).

    Args:
        vectors: the population, shape (runs, members, D).
        donors: positions r1, r2 and r3 of each mutant's donors, shape (runs, n, 3).
        factor: F.

    Returns:
        Shape (runs, n, D); some outside of [0, 1], see `back_inside`.

    >>> rand_1(np.array([[[0.5], [0.75], [0.25]]]), np.array([[[0, 1, 2]]]), 0.5).tolist()
    [[[0.75]]]
    """
    runs, members, dimensions = vectors.shape
    rows = vectors.reshape(runs * members, dimensions)
    place = donors + (np.arange(runs) * members)[:, None, None]
    base, one, other = (rows.take(place[..., donor], axis=0) for donor in range(3))
    return base + factor * (one - other)


def back_inside(vectors: FloatArray, uniform: FloatArray) -> FloatArray:
    """Replace coordinates outside of [0, 1] by uniforms (Awad et al. 2020); both of shape (..., D).

    >>> back_inside(np.array([0.5, -0.1, 1.2]), np.array([0.7, 0.8, 0.9])).tolist()
    [0.5, 0.8, 0.9]
    """
    return np.where((vectors < 0) | (vectors > 1), uniform, vectors)


def binomial(
    target: FloatArray, mutant: FloatArray, uniform: FloatArray, always: FloatArray, rate: float
) -> FloatArray:
    """Cross targets with mutants (Storn and Price 1997, equation 4).

    A coordinate comes from the mutant with probability ``rate``; one coordinate, drawn uniformly, always does.

    Args:
        target: shape (..., D).
        mutant: shape (..., D).
        uniform: shape (..., D).
        always: uniforms that choose the coordinate that always comes from the mutant, shape (...).
        rate: CR.

    >>> zeros, ones = np.zeros(3), np.ones(3)
    >>> binomial(zeros, ones, np.array([0.9, 0.1, 0.9]), np.array(0.8), rate=0.5).tolist()
    [0.0, 1.0, 1.0]
    """
    dimensions = target.shape[-1]
    chosen = scale(always, dimensions)[..., None] == np.arange(dimensions)
    return np.where((uniform < rate) | chosen, mutant, target)
