"""Hill climbing from every architecture: where it ends, how often at the optimum, and what it costs.

A climb moves to a better neighbour until there is none. *Best-improvement* climbing looks at all neighbours and takes
the best; if several are equally good, each is as likely. *First-improvement* climbing looks at the neighbours in random
order and takes the first that is better, so each better neighbour is as likely. Neither moves between equal values.

Instead of simulating climbs, all of them are followed at once: the probability of being at each architecture is moved
along all better neighbours until it is at local optima. The results are expectations over all starts and all random
choices, without sampling error.
"""

from __future__ import annotations

import dataclasses
from typing import Literal, get_args

import numpy as np

from nasbench_lab.analysis.intervals import Interval
from nasbench_lab.analysis.landscapes.fitness_levels import Fitness
from nasbench_lab.analysis.landscapes.landscape_graph import LandscapeGraph, choose
from nasbench_lab.analysis.landscapes.optima import relations
from nasbench_lab.analysis.landscapes.sampling import exact, mean, share
from nasbench_lab.arrays import FloatArray, IntArray

Rule = Literal["best", "first"]
RULES: tuple[Rule, ...] = get_args(Rule)

MOST_BEST = 10
"""For at most so many architectures that share the best value, results are given one by one."""

_LEFT = 1e-13  # probability that is still climbing when the rest is not worth another step


@dataclasses.dataclass(frozen=True, eq=False)
class Climbing:
    """Hill climbs from architectures that are drawn uniformly.

    Attributes:
        rule: ``"best"`` or ``"first"`` improvement.
        reach: share of climbs that end at a global optimum: at any architecture with the best value.
        reach_each: the same for every single one of them, in the order of `Landscape.best`; for the first ten.
        ends: local optima at which climbs end, those with the largest basins first.
        values: their values, in the unit of the metric.
        basins: share of climbs that end at each, the size of its basin of attraction.
        moves: mean number of moves of a climb.
        evaluations: mean number of architectures that a climb looks at, with its start.
    """

    rule: Rule
    reach: Interval
    reach_each: tuple[Interval, ...]
    ends: IntArray
    values: FloatArray
    basins: FloatArray
    moves: Interval
    evaluations: Interval


def climb_all(fitness: Fitness, graph: LandscapeGraph, rule: Rule) -> Climbing:
    """Return what climbs from all architectures are expected to give."""
    above, _ = relations(fitness, graph)
    better = np.bincount(graph.sources[above], minlength=graph.size)
    chosen = above
    if rule == "best":
        top = np.full(graph.size, -1, dtype=np.int32)
        np.maximum.at(top, graph.sources[above], fitness.levels[graph.targets[above]])
        chosen = above & (fitness.levels[graph.targets] == top[graph.sources])
    ways = np.bincount(graph.sources[chosen], minlength=graph.size)
    back = graph.matrix(1.0 / ways[graph.sources[chosen]], chosen).T.tocsr()
    looked_at = graph.degrees.astype(np.float64)
    if rule == "first":  # expected place of the first of b better among d in random order
        looked_at = np.where(better > 0, (looked_at + 1) / (better + 1), looked_at)
    climbing = graph.known / len(graph.members)
    ended, moves, evaluations = np.zeros(graph.size), 0.0, 1.0
    stays = better == 0
    while True:
        evaluations += float(climbing @ looked_at)
        ended += np.where(stays, climbing, 0.0)
        climbing = np.where(stays, 0.0, climbing)
        left = float(climbing.sum())
        if left <= _LEFT:
            break
        moves += left
        climbing = back @ climbing
    ended /= ended.sum()
    ends = np.flatnonzero(ended)
    ends = ends[np.lexsort((ends, -ended[ends]))]
    return Climbing(
        rule=rule,
        reach=exact(min(1.0, float(ended[fitness.best].sum()))),
        reach_each=tuple(exact(float(each)) for each in ended[fitness.best[:MOST_BEST]]),
        ends=ends,
        values=fitness.values[ends],
        basins=ended[ends],
        moves=exact(moves),
        evaluations=exact(evaluations),
    )


def _better(
    fitness: Fitness, graph: LandscapeGraph, rule: Rule, index: IntArray
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return where climbs may move from architectures, by place in ``index``, and how many each looks at on average."""
    row, near = graph.pairs(index)
    degree = np.bincount(row, minlength=len(index)).astype(np.float64)
    above = fitness.levels[near] > fitness.levels[index[row]]
    row, near = row[above], near[above]
    if rule == "first":
        better = np.bincount(row, minlength=len(index))
        return row, near, np.where(better > 0, (degree + 1) / (better + 1), degree)
    top = np.full(len(index), -1, dtype=np.int32)
    np.maximum.at(top, row, fitness.levels[near])
    tops = fitness.levels[near] == top[row]
    return row[tops], near[tops], degree


def climb_from(
    fitness: Fitness, graph: LandscapeGraph, rule: Rule, starts: IntArray, random: np.random.Generator
) -> Climbing:
    """Return what climbs from a sample of architectures give, with intervals."""
    at = starts.copy()
    moves, evaluations = np.zeros(len(at)), np.ones(len(at))
    active = np.arange(len(at))
    while len(active):
        here = at[active]
        after, looked_at = here.copy(), np.zeros(len(here))
        # Climbs meet at the same architectures, whose neighbours may be thousands.
        different, which = np.unique(here, return_inverse=True)
        for part in graph.in_pieces(different):
            row, near, looks = _better(fitness, graph, rule, different[part])
            climbs = np.flatnonzero((which >= part.start) & (which < part.stop))
            place = which[climbs] - part.start
            looked_at[climbs] = looks[place]
            after[climbs] = choose(row, near, random.random(len(climbs)), here[climbs], place)
        evaluations[active] += looked_at
        moved = after != here
        at[active] = after
        active = active[moved]
        moves[active] += 1
    ends, counts = np.unique(at, return_counts=True)
    order = np.lexsort((ends, -counts))
    return Climbing(
        rule=rule,
        reach=share(int(np.isin(at, fitness.best).sum()), len(at)),
        reach_each=tuple(share(int((at == each).sum()), len(at)) for each in fitness.best[:MOST_BEST]),
        ends=ends[order],
        values=fitness.values[ends[order]],
        basins=counts[order] / len(at),
        moves=mean(moves),
        evaluations=mean(evaluations),
    )
