"""Landscapes by brute force: plain loops and exact fractions over small graphs, written from the definitions.

A graph is a dictionary from an architecture to the list of its neighbours; values are a dictionary, the higher the
better; architectures without a value are in neither.
"""

import itertools
import math
from fractions import Fraction
from functools import cache


def graph_of(space, known):
    """The neighbours of measured architectures, one call of the space for each."""
    return {i: [int(n) for n in space.neighbors(i) if known[n]] for i in range(space.size) if known[i]}


def strict_optima(graph, values):
    return [i for i, near in graph.items() if near and all(values[i] > values[n] for n in near)]


def weak_optima(graph, values):
    return [i for i, near in graph.items() if near and all(values[i] >= values[n] for n in near)]


def components(nodes, joined):
    """Groups of nodes that are connected by pairs for which ``joined`` holds."""
    left, groups = set(nodes), []
    while left:
        group, todo = set(), [left.pop()]
        while todo:
            here = todo.pop()
            group.add(here)
            more = {n for n in joined(here) if n in left}
            left -= more
            todo += more
        groups.append(group)
    return groups


def neutral_networks(graph, values):
    groups = components(graph, lambda i: [n for n in graph[i] if values[n] == values[i]])
    return sorted((len(group) for group in groups if len(group) > 1), reverse=True)


def optimum_plateaus(graph, values):
    groups = components(graph, lambda i: [n for n in graph[i] if values[n] == values[i]])
    has = [group for group in groups if any(graph[i] for i in group)]
    return sum(all(values[n] <= values[i] for i in group for n in graph[i]) for group in has)


def climbs(graph, values, rule):
    """Expected end, moves and evaluations of climbs from all architectures, as exact fractions."""

    def next_ones(i):
        better = [n for n in graph[i] if values[n] > values[i]]
        if rule == "best" and better:
            top = max(values[n] for n in better)
            better = [n for n in better if values[n] == top]
        return better

    def looked_at(i):
        d, b = len(graph[i]), sum(values[n] > values[i] for n in graph[i])
        if rule == "best" or not b:
            return Fraction(d)
        # the first of b better ones is at place k of d with probability C(d - k, b - 1) / C(d, b)
        return sum(Fraction(k * math.comb(d - k, b - 1), math.comb(d, b)) for k in range(1, d - b + 2))

    @cache
    def follow(i):
        ways = next_ones(i)
        if not ways:
            return {i: Fraction(1)}, Fraction(0), looked_at(i)
        ends, moves, evaluations = {}, Fraction(1), looked_at(i)
        for n in ways:
            reached, further, more = follow(n)
            for end, share in reached.items():
                ends[end] = ends.get(end, Fraction(0)) + share / len(ways)
            moves += further / len(ways)
            evaluations += more / len(ways)
        return ends, moves, evaluations

    basins, moves, evaluations = {}, Fraction(0), Fraction(1)
    for i in graph:
        ends, length, looks = follow(i)
        for end, share in ends.items():
            basins[end] = basins.get(end, Fraction(0)) + share / len(graph)
        moves += length / len(graph)
        evaluations += looks / len(graph)
    return basins, moves, evaluations


def distances(graph, origins):
    found, level = dict.fromkeys(origins, 0), 0
    frontier = list(origins)
    while frontier:
        level += 1
        frontier = {n for i in frontier for n in graph[i] if n not in found}
        found |= dict.fromkeys(frontier, level)
    return found


def autocorrelation(graph, values, lag):
    """Correlation of the ends of a walk of ``lag`` moves from a start drawn in proportion to its degree."""
    total = sum(map(len, graph.values()))
    start = {i: Fraction(len(near), total) for i, near in graph.items() if near}
    mean = sum(weight * values[i] for i, weight in start.items())
    variance = sum(weight * (values[i] - mean) ** 2 for i, weight in start.items())
    covariance = Fraction(0)
    for i, weight in start.items():
        at = {i: Fraction(1)}
        for _ in range(lag):
            after = {}
            for here, share in at.items():
                for n in graph[here]:
                    after[n] = after.get(n, Fraction(0)) + share / len(graph[here])
            at = after
        covariance += weight * (values[i] - mean) * sum(share * (values[j] - mean) for j, share in at.items())
    return covariance / variance if variance else None


def climb_end(graph, values, i):
    """Where best improvement ends that takes the smallest of equally good neighbours."""
    while True:
        better = [n for n in graph[i] if values[n] > values[i]]
        if not better:
            return i
        i = min(better, key=lambda n: (-values[n], n))


def optima_network(graph, values, perturbation):
    """Probability of getting from one local optimum to another by random moves and a climb."""
    optima = {climb_end(graph, values, i) for i in graph}
    edges = {}
    for one in optima:
        at = {one: Fraction(1)}
        for _ in range(perturbation):
            after = {}
            for here, share in at.items():
                for n in graph[here] or [here]:
                    after[n] = after.get(n, Fraction(0)) + share / (len(graph[here]) or 1)
            at = after
        for here, share in at.items():
            pair = one, climb_end(graph, values, here)
            edges[pair] = edges.get(pair, Fraction(0)) + share
    return edges


def swapped_pairs(one, other):
    """Share of pairs in opposite order."""
    pairs = list(itertools.combinations(range(len(one)), 2))
    return sum((one[a] - one[b]) * (other[a] - other[b]) < 0 for a, b in pairs) / len(pairs)
