"""Which cells of NAS-Bench-201 are the same network (docs/design/sharing.md)."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Hashable, Sequence

_INPUT = -1
_CONSTANT = "constant"

Value = Counter[tuple[int, int]]
"""A node of a cell as a sum: how often the term (pooled p times, output of convolution c) occurs in it."""


Edges = Sequence[tuple[int, int]]


def canonical_form(operations: Sequence[str], edges: Edges) -> Hashable:
    """Return a form of a cell that is the same for the same networks.

    Every node is written as a sum of the input and the outputs of convolutions, each pooled some number of times: skip
    connections copy such a sum, pooling is linear, and ``none`` adds nothing. A convolution of nothing is a constant,
    whatever its kernel and however often it is pooled. What remains are the convolutions that lead to the output, with
    the sum that each takes; the form is the least among all ways to number them.

    Args:
        operations: of the edges, as NAS-Bench-201 names them.
        edges: (from, to), in the same order.
    """
    convolutions, output = _sums(operations, edges)
    live = _live(convolutions, output)
    return min(_numbered(convolutions, output, order) for order in itertools.permutations(live))


def _sums(operations: Sequence[str], edges: Edges) -> tuple[list[tuple[str, Value]], Value]:
    """Return the cell's convolutions, each with the sum that it takes, and the sum that is the output."""
    convolutions: list[tuple[str, Value]] = []
    nodes: list[Value] = [Counter({(0, _INPUT): 1}), Counter(), Counter(), Counter()]
    for (source, target), operation in sorted(zip(edges, operations, strict=True), key=lambda edge: edge[0][1]):
        value = nodes[source]
        if operation == "skip_connect":
            nodes[target].update(value)
        elif operation == "avg_pool_3x3":
            nodes[target].update(_pooled(value, convolutions))
        elif operation != "none":
            nodes[target][(0, len(convolutions))] += 1
            # Of nothing, any convolution makes zeros, to which its normalisation adds a constant per channel.
            convolutions.append((operation if value else _CONSTANT, value))
    return convolutions, nodes[3]


def _pooled(value: Value, convolutions: list[tuple[str, Value]]) -> Value:
    """Pool every term of a sum once more, but for constants, which pooling leaves as they are."""
    pooled: Value = Counter()
    for (times_pooled, which), times in value.items():
        constant = which != _INPUT and convolutions[which][0] == _CONSTANT
        pooled[times_pooled + (not constant), which] += times
    return pooled


def _live(convolutions: list[tuple[str, Value]], output: Value) -> list[int]:
    """Return the convolutions that lead to the output."""
    live: set[int] = set()
    waiting = [which for _, which in output]
    while waiting:
        which = waiting.pop()
        if which != _INPUT and which not in live:
            live.add(which)
            waiting += [earlier for _, earlier in convolutions[which][1]]
    return sorted(live)


def _numbered(
    convolutions: list[tuple[str, Value]], output: Value, order: Sequence[int]
) -> tuple[tuple[tuple[str, tuple[tuple[int, int, int], ...]], ...], tuple[tuple[int, int, int], ...]]:
    """Write convolutions and output with the convolutions numbered in this order."""
    number = {_INPUT: _INPUT, **{which: position for position, which in enumerate(order)}}

    def written(value: Value) -> tuple[tuple[int, int, int], ...]:
        return tuple(sorted((pooled, number[which], times) for (pooled, which), times in value.items()))

    return tuple((convolutions[which][0], written(convolutions[which][1])) for which in order), written(output)
