"""Drawing an acyclic graph in layers from top to bottom (Sugiyama, Tagawa and Toda, IEEE Transactions SMC 1981).

A vertex lies below all its predecessors. An edge that crosses layers has its own place in each of them, so it never
runs through a box. The order inside layers is found by sweeps of barycentres, keeping the order with the fewest
crossings. Then each layer is moved as close to its neighbours as the boxes allow, by least squares.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nasbench_lab.report.layout.graph import ArchitectureGraph, Edge, Node, NodeKind, Point, box_size, fit, straight

_GAP_X, _GAP_Y = 1.6, 1.7  # between boxes, em
_PASSAGE = 0.6  # width of the place through which an edge passes a layer, em
_ROW = 1.95  # height of a layer, em: one line of text in a box
_SWEEPS = 12

Link = tuple[int, int]


def layered_graph(
    name: str, labels: Sequence[str], kinds: Sequence[NodeKind], links: Sequence[Link]
) -> ArchitectureGraph:
    """Lay out an acyclic graph whose vertices are listed in topological order.

    Args:
        name: of the graph.
        labels: of the vertices, each of one line.
        kinds: of the vertices.
        links: pairs of vertices, from and to.
    """
    layers = _layers_of(len(labels), links)
    items = [_Item(layer, box_size(label)[0]) for layer, label in zip(layers, labels, strict=True)]
    routes: list[list[int]] = []
    for source, target in links:
        passages = range(len(items), len(items) + layers[target] - layers[source] - 1)
        items += [_Item(layer, _PASSAGE) for layer in range(layers[source] + 1, layers[target])]
        routes.append([source, *passages, target])
    steps = [step for route in routes for step in itertools.pairwise(route)]
    x = _places(items, _ordered(items, steps), steps)
    y = [item.layer * (_ROW + _GAP_Y) for item in items]
    nodes = [
        Node(label, kind, x[place], y[place], *box_size(label))
        for place, (label, kind) in enumerate(zip(labels, kinds, strict=True))
    ]
    edges = []
    for (source, target), route in zip(links, routes, strict=True):
        curve = _curve([(x[place], y[place]) for place in route])
        edges.append(Edge(source, target, "", "flow", curve, curve[len(curve) // 2]))
    return fit(name, nodes, edges)


@dataclass(frozen=True)
class _Item:
    """A vertex, or the place through which an edge passes a layer."""

    layer: int
    width: float


def _layers_of(vertices: int, links: Sequence[Link]) -> list[int]:
    """Return the length of the longest path to each vertex."""
    layers = [0] * vertices
    for source, target in sorted(links):
        layers[target] = max(layers[target], layers[source] + 1)
    return layers


def _ordered(items: Sequence[_Item], steps: Sequence[Link]) -> list[list[int]]:
    """Return the items of every layer from left to right, with few crossings."""
    order: list[list[int]] = [[] for _ in range(max(item.layer for item in items) + 1)]
    for place, item in enumerate(items):
        order[item.layer].append(place)
    best, fewest = [list(layer) for layer in order], _crossings(order, steps)
    for sweep in range(_SWEEPS):
        downwards = sweep % 2 == 0
        for layer in order if downwards else reversed(order):
            rank = {place: number for row in order for number, place in enumerate(row)}
            beside = {p: [rank[s] for s in _neighbors(p, steps, above=downwards)] for p in layer}
            center = {p: sum(ranks) / len(ranks) if ranks else rank[p] for p, ranks in beside.items()}
            layer.sort(key=center.__getitem__)
        crossings = _crossings(order, steps)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in order], crossings
    return best


def _neighbors(place: int, steps: Sequence[Link], *, above: bool) -> list[int]:
    return [s for s, t in steps if t == place] if above else [t for s, t in steps if s == place]


def _crossings(order: Sequence[Sequence[int]], steps: Sequence[Link]) -> int:
    rank = {place: (layer, number) for layer, row in enumerate(order) for number, place in enumerate(row)}
    return sum(
        rank[a][0] == rank[c][0] and (rank[a][1] - rank[c][1]) * (rank[b][1] - rank[d][1]) < 0
        for (a, b), (c, d) in itertools.combinations(steps, 2)
    )


def _places(items: Sequence[_Item], order: Sequence[Sequence[int]], steps: Sequence[Link]) -> list[float]:
    """Return the x of each item: layers in order, without overlaps, and near to connected items."""
    x: dict[int, float] = {}
    for layer in order:
        offsets = _offsets(items, layer)
        x |= {place: offset - offsets[-1] / 2 for place, offset in zip(layer, offsets, strict=True)}
    beside = {p: [*_neighbors(p, steps, above=True), *_neighbors(p, steps, above=False)] for p in range(len(items))}
    for _ in range(_SWEEPS):
        for layer in (*order, *reversed(order)):
            wanted = [_mean(x, beside[place], x[place]) for place in layer]
            x |= dict(zip(layer, _apart(wanted, _offsets(items, layer)), strict=True))
    return [x[place] for place in range(len(items))]


def _mean(x: Mapping[int, float], places: Sequence[int], default: float) -> float:
    return sum(x[place] for place in places) / len(places) if places else default


def _offsets(items: Sequence[_Item], layer: Sequence[int]) -> list[float]:
    """Return the least distance of each item of a layer from the first item."""
    offsets = [0.0]
    for left, right in itertools.pairwise(layer):
        offsets.append(offsets[-1] + (items[left].width + items[right].width) / 2 + _GAP_X)
    return offsets


def _apart(wanted: Sequence[float], offsets: Sequence[float]) -> list[float]:
    """Return the places closest to the wanted ones, by least squares, with at least the offsets between them.

    The places minus their offsets must not descend: isotonic regression, by pooling adjacent violators.
    """
    pools: list[tuple[float, int]] = []
    for value, offset in zip(wanted, offsets, strict=True):
        mean, count = value - offset, 1
        while pools and pools[-1][0] > mean:
            other, others = pools.pop()
            mean, count = (mean * count + other * others) / (count + others), count + others
        pools.append((mean, count))
    level = np.repeat([mean for mean, _ in pools], [count for _, count in pools])
    return [float(one + offset) for one, offset in zip(level, offsets, strict=True)]


def _curve(centers: Sequence[Point]) -> tuple[Point, ...]:
    """Return the curve through the centres of items: bent between layers, straight down through them."""
    half = _ROW / 2
    curve: list[Point] = [(centers[0][0], centers[0][1] + half)]
    for (x, y), (end_x, end_y) in itertools.pairwise(centers):
        start, end = y + half, end_y - half
        if curve[-1] != (x, start):
            curve += straight(curve[-1], (x, start))[1:]
        middle = (start + end) / 2
        curve += [(x, middle), (end_x, middle), (end_x, end)]
    return tuple(curve)
