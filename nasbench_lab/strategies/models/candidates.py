"""Candidate architectures for a model, where it cannot rank the whole space."""

from __future__ import annotations

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.parts.visited import Visited
from nasbench_lab.streams import Streams


def pool(
    space: Space, streams: Streams, architecture: IntArray, value: FloatArray, parents: int, size: int
) -> IntArray:
    """Return a pool of candidates for every run: half of them random, half neighbours of the best architectures.

    Args:
        space: the space.
        streams: the random numbers of all runs.
        architecture: evaluated so far, shape (runs, observations).
        value: their values, without NaN.
        parents: number of best architectures with neighbours in the pool, each about equally many; ties: the first
            seen.
        size: of the pool.

    Returns:
        Shape (runs, size).
    """
    random = size // 2 * space.draws
    uniform = streams.uniform(random + size - size // 2)
    mutated = pool_of_neighbors(space, architecture, value, parents, uniform[:, random:])
    return np.concatenate([space.sample_columns(uniform[:, :random]), mutated], axis=1)


def pool_of_neighbors(
    space: Space, architecture: IntArray, value: FloatArray, parents: int, uniform: FloatArray
) -> IntArray:
    """Return random neighbours of the best architectures, shape (runs, n).

    Args:
        space, architecture, value, parents: as in `pool`.
        uniform: in [0, 1), shape (runs, n).
    """
    best = np.argsort(-value, axis=1, kind="stable")[:, :parents]
    order = np.arange(uniform.shape[1]) % best.shape[1]
    return space.mutate(np.take_along_axis(architecture, best[:, order], axis=1), uniform)


def distinct_new(visited: Visited, ranked: IntArray, count: int, uniform: FloatArray) -> IntArray:
    """Choose the first ``count`` ranked candidates that their run has not visited, and mark them as visited.

    If there are too few, random new architectures follow, then -1.

    Args:
        visited: the visited architectures of every run.
        ranked: candidates, the best first, possibly several times; shape (runs, n).
        count: number of architectures to choose.
        uniform: in [0, 1), shape (runs, count, draws of ``visited``).

    Returns:
        Shape (runs, count).
    """
    run = np.arange(len(uniform))
    chosen = np.empty((len(run), count), dtype=np.int64)
    for place in range(count):
        chosen[:, place] = visited.draw(run, uniform[:, place])
        if ranked.shape[1]:
            new = ~visited.has(run[:, None], ranked)
            found = new.any(axis=1)
            chosen[found, place] = ranked[found, new[found].argmax(axis=1)]
        visited.add(run, chosen[:, place])
    return chosen
