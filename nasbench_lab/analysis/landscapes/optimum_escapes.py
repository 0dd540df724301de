"""Escapes from local optima: some random moves and another climb, for all ways or for iterated local searches."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.analysis.landscapes.fitness_levels import Fitness
from nasbench_lab.analysis.landscapes.landscape_graph import LandscapeGraph
from nasbench_lab.analysis.landscapes.optima import relations
from nasbench_lab.arrays import FloatArray, IntArray

_MOST_PAIRS = 10**8
"""By default, a network is complete if it has to look at no more ways to leave its optima than this."""
_MOST_OPTIMA = 1000
"""By default, a network is complete if it has at most so many optima: files of larger ones take 100 megabytes."""


def positions(optima: IntArray, index: IntArray) -> IntArray:
    """Return the place of each architecture among the optima."""
    order = np.argsort(optima)
    return np.asarray(order[np.searchsorted(optima, index, sorter=order)])


def climb_ends(fitness: Fitness, graph: LandscapeGraph) -> IntArray:
    """Return where best-improvement climbing from every architecture ends, shape (size,)."""
    above, _ = relations(fitness, graph)
    row, near = graph.sources[above], graph.targets[above]
    after = _best_neighbors(fitness, row, near, np.arange(graph.size))
    while True:
        further = after[after]
        if (further == after).all():
            return after
        after = further


def _best_neighbors(
    fitness: Fitness, row: NDArray[np.integer[Any]], near: NDArray[np.integer[Any]], otherwise: IntArray
) -> IntArray:
    """Return the best entry of every row, the smallest of equally good ones; ``otherwise`` for rows without entries."""
    top = np.full(len(otherwise), -1, dtype=np.int32)
    np.maximum.at(top, row, fitness.levels[near])
    tops = fitness.levels[near] == top[row]
    found = np.full(len(otherwise), np.iinfo(np.int64).max)
    np.minimum.at(found, row[tops], near[tops].astype(np.int64))
    return np.where(top >= 0, found, otherwise)


def is_small(graph: LandscapeGraph, ends: IntArray, perturbation: int) -> bool:
    """Return whether all ways to leave all optima can be looked at."""
    optima = np.unique(ends[graph.members])
    if len(optima) > _MOST_OPTIMA:
        return False
    ways = np.ones(graph.size)
    matrix = graph.matrix(np.ones(len(graph.targets)))
    for _ in range(perturbation):
        ways = np.minimum(matrix @ ways, graph.size)  # what is reached over several ways is one architecture
    return float(ways[optima].sum()) <= _MOST_PAIRS


def escapes(
    graph: LandscapeGraph, ends: IntArray, optima: IntArray, perturbation: int
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return the edges of the complete network: sources, targets and probabilities."""
    from scipy.sparse import csr_array

    moves = graph.matrix(1.0 / np.maximum(graph.degrees, 1)[graph.sources])
    stuck = np.flatnonzero(graph.known & (graph.degrees == 0))
    moves = moves + csr_array((np.ones(len(stuck)), (stuck, stuck)), shape=moves.shape)
    at = csr_array((np.ones(len(optima)), (np.arange(len(optima)), optima)), shape=(len(optima), graph.size))
    for _ in range(perturbation):
        at = at @ moves
    members = graph.members
    climb = csr_array(
        (np.ones(len(members)), (members, positions(optima, ends[members]))), shape=(graph.size, len(optima))
    )
    found = (at @ climb).tocoo()
    order = np.lexsort((found.col, found.row))
    return found.row[order].astype(np.int64), found.col[order].astype(np.int64), found.data[order]


class IteratedSearches:
    """Iterated local searches, all at once."""

    def __init__(
        self, fitness: Fitness, graph: LandscapeGraph, ends: IntArray | None, random: np.random.Generator
    ) -> None:
        self._fitness, self._graph, self._ends, self._random = fitness, graph, ends, random

    def run(self, runs: int, iterations: int, perturbation: int) -> tuple[IntArray, IntArray, IntArray, float]:
        """Return the optima of the first climbs, sources and targets of escapes, and the share at the best."""
        levels, members = self._fitness.levels, self._graph.members
        at = self._climb(members[(self._random.random(runs) * len(members)).astype(np.int64)])
        first, sources, targets = at, [], []
        for _ in range(iterations):
            moved = at
            for _ in range(perturbation):
                moved = self._graph.step(moved, self._random.random(runs))
            after = self._climb(moved)
            sources.append(at)
            targets.append(after)
            at = np.where(levels[after] >= levels[at], after, at)
        reached = np.isin(at, self._fitness.best).mean()
        return first, np.concatenate(sources), np.concatenate(targets), float(reached)

    def _climb(self, index: IntArray) -> IntArray:
        if self._ends is not None:
            return self._ends[index]
        at = index.copy()
        active = np.arange(len(at))
        while len(active):
            here = at[active]
            after = here.copy()
            for part in self._graph.in_pieces(here):
                row, near = self._graph.pairs(here[part])
                better = self._fitness.levels[near] > self._fitness.levels[here[part][row]]
                after[part] = _best_neighbors(self._fitness, row[better], near[better], here[part])
            at[active] = after
            active = active[after != here]
        return at
