"""Which architectures are truly the same network, so that one training does for all of them."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.spaces import LayerChainSpace, Space, TopologySpace
from nasbench_lab.spaces.topology import EDGES, OPERATIONS

_INPUT = -1
_CONSTANT = "constant"

Value = Counter[tuple[int, int]]
"""A node of a cell as a sum: how often (pooled p times, output of convolution c) occurs in it."""


@functools.cache
def representatives(space: Space) -> NDArray[np.int64]:
    """Return for every architecture the first one that is the same network, shape (size,).

    Two architectures are the same network if one computes what the other computes for every choice of weights, up to
    naming the weights; both are then trained from the same distribution of initial weights to the same distribution of
    results. That is less than NAS-Bench-201's rule for its 6,466 unique topologies, which also takes a cell that uses
    one convolution's output twice for one that has two convolutions; and more, as it sees that pooling a sum is summing
    the pooled (docs/design/sharing.md).

    >>> shared = representatives(TopologySpace())
    >>> len(np.unique(shared))
    5234
    """
    first: dict[Hashable, int] = {}
    forms = (_form(space, codes) for codes in space.codes(np.arange(space.size)).tolist())
    return np.array([first.setdefault(form, index) for index, form in enumerate(forms)])


def _form(space: Space, codes: Sequence[int]) -> Hashable:
    """Return what is equal for the same networks, and different for others."""
    if isinstance(space, TopologySpace):
        return topology_form(codes)
    if isinstance(space, LayerChainSpace):
        return layer_chain_form(space.names(codes))
    return tuple(codes)


def layer_chain_form(layers: Sequence[str]) -> tuple[str, ...]:
    """Return the layers without those that do nothing: identities, and a ReLU right after a ReLU.

    >>> layer_chain_form(["conv3x3-4", "relu", "identity", "relu", "tanh", "tanh"])
    ('conv3x3-4', 'relu', 'tanh', 'tanh')
    """
    form: list[str] = []
    for layer in layers:
        if layer != "identity" and not (layer == "relu" and form[-1:] == ["relu"]):
            form.append(layer)
    return tuple(form)


def topology_form(codes: Sequence[int]) -> Hashable:
    """Return a form of a cell that is the same for the same networks.

    Every node is written as a sum of the input and the outputs of convolutions, each pooled so many times: skip
    connections copy such a sum, pooling is linear, and ``none`` adds nothing. A convolution of nothing is a constant,
    whatever its kernel and however often it is pooled. What remains are the convolutions that lead to the output, with
    the sum that each takes; the form is the least among all ways to number them.
    """
    convolutions, output = _sums(codes)
    live = _live(convolutions, output)
    return min(_numbered(convolutions, output, order) for order in itertools.permutations(live))


def _sums(codes: Sequence[int]) -> tuple[list[tuple[str, Value]], Value]:
    """Return the cell's convolutions, each with the sum that it takes, and the sum that is the output."""
    convolutions: list[tuple[str, Value]] = []
    nodes: list[Value] = [Counter({(0, _INPUT): 1}), Counter(), Counter(), Counter()]
    for (source, target), code in sorted(zip(EDGES, codes, strict=True), key=lambda edge: edge[0][1]):
        operation, value = OPERATIONS[code], nodes[source]
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
