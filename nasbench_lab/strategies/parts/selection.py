"""Selection: which members of a population become parents.

Populations are sorted, the best member first, so that the position of a member is its rank. All functions turn uniforms
in [0, 1) into positions; arrays have the shape (runs, ...).
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.streams import scale

Selection = Literal["tournament", "roulette", "rank", "truncation"]


def by_tournament(uniform: FloatArray, population: int) -> IntArray:
    """Return the best of a few members drawn uniformly with replacement (Brindle 1981; Goldberg and Deb, FOGA 1991).

    Args:
        uniform: one per drawn member, shape (..., size of the tournament).
        population: number of members.

    Returns:
        Positions of the winners, shape (...).

    >>> by_tournament(np.array([[0.9, 0.3], [0.5, 0.6]]), population=10).tolist()
    [3, 5]
    """
    return scale(uniform, population).min(axis=-1)


def by_roulette(uniform: FloatArray, fitness: FloatArray) -> IntArray:
    """Return members in proportion to how much better they are than the worst (Xie and Yuille, ICCV 2017).

    Values can have any scale and sign, so member i has the share ``f_i - min f`` of the wheel: the worst is never
    drawn. Where all are equal, all have the same share. Failed members are not drawn, unless all failed, and do not set
    the minimum.

    Args:
        uniform: shape (runs, n).
        fitness: of the members, descending, -inf for failed ones, shape (runs, population).

    Returns:
        Positions, shape (runs, n).

    >>> by_roulette(np.array([[0.0, 0.74, 0.76]]), np.array([[4.0, 2.0, 1.0, -np.inf]])).tolist()
    [[0, 0, 1]]
    """
    finite = np.isfinite(fitness)
    worst = np.where(finite, fitness, np.inf).min(axis=1, keepdims=True)
    share = np.where(finite, fitness - np.where(np.isfinite(worst), worst, 0.0), 0.0)
    equal_best = fitness == fitness[:, :1]  # used where the best is no better than the worst
    share = np.where(share[:, :1] > 0, share, equal_best)
    end = np.cumsum(share, axis=1)  # unlike np.sum, it adds in the same order for any number of runs
    point = uniform * end[:, -1:]
    position = np.zeros(uniform.shape, dtype=np.int64)
    for member in range(fitness.shape[1] - 1):
        position += point >= end[:, member, None]
    return position


def by_rank(uniform: FloatArray, population: int, pressure: float) -> IntArray:
    """Return members by linear ranking (Baker, ICGA 1985).

    The member at position i of n is drawn with probability (s - (2 s - 2) i / (n - 1)) / n. The pressure s is the
    expected number of copies of the best member in n draws.

    Args:
        uniform: any shape.
        population: number of members.
        pressure: s, from 1 (all are equal) to 2 (the last is never drawn).

    Returns:
        Positions, of the shape of ``uniform``.

    >>> by_rank(np.array([0.0, 0.49, 0.51, 0.84]), population=3, pressure=1.5).tolist()
    [0, 0, 1, 2]
    """
    position = np.arange(population)
    share = (pressure - (2 * pressure - 2) * position / max(population - 1, 1)) / population
    return np.searchsorted(np.cumsum(share)[:-1], uniform, side="right").astype(np.int64)


def by_truncation(uniform: FloatArray, population: int, share: float) -> IntArray:
    """Return members uniformly from the best share (Muehlenbein and Schlierkamp-Voosen, Evolutionary Computation 1993).

    >>> by_truncation(np.array([0.0, 0.99]), population=10, share=0.3).tolist()
    [0, 2]
    """
    return scale(uniform, max(1, round(share * population)))
