"""Which architectures are truly the same network, so that one training does for all of them."""

from __future__ import annotations

import functools
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.spaces import Space
from nasbench_lab.train.networks import networks_of


def stand_ins(space: Space, architectures: Sequence[int]) -> dict[int, int]:
    """Return for each of some architectures the one whose training does for it.

    In a listed space, that is the first of the space with the same network; in one that is too large to list, the first
    among the given ones.

    Raises:
        ParameterError: the space has no networks.

    >>> from nasbench_lab.spaces import DartsSpace
    >>> one, other = "skip~0,skip~1+sep3~0,sep3~1", "sep3~0,sep3~1+skip~0,skip~1"  # the nodes exchanged
    >>> space = DartsSpace(nodes=2)
    >>> first, second = space.parse([f"{one}/{one}", f"{other}/{one}"]).tolist()
    >>> stand_ins(space, [first, second, 7]) == {first: first, second: first, 7: 7}
    True
    """
    if space.is_listed:
        shared = representatives(space)
        return {architecture: int(shared[architecture]) for architecture in architectures}
    form = networks_of(space).form
    first: dict[Hashable, int] = {}
    rows = space.codes(np.array(architectures, dtype=np.int64)).tolist()
    return {
        architecture: first.setdefault(form(row), architecture)
        for architecture, row in zip(architectures, rows, strict=True)
    }


@functools.cache
def representatives(space: Space) -> NDArray[np.int64]:
    """Return for every architecture the first one that is the same network, shape (size,).

    Two architectures are the same network if one computes what the other computes for every choice of weights, up to
    naming the weights; both are then trained from the same distribution of initial weights to the same distribution of
    results (see `nasbench_lab.train.networks.NetworkFamily.form`). In the topology space that is less than
    NAS-Bench-201's rule for its 6,466 unique topologies, which also takes a cell that uses one convolution's output
    twice for one that has two convolutions; and more, as it sees that pooling a sum is summing the pooled
    (docs/design/sharing.md).

    Raises:
        ParameterError: the space has no networks.

    >>> from nasbench_lab.spaces import TopologySpace
    >>> shared = representatives(TopologySpace())
    >>> len(np.unique(shared))
    5234
    """
    networks = networks_of(space)
    first: dict[Hashable, int] = {}
    forms = map(networks.form, space.codes(np.arange(space.size)).tolist())
    return np.array([first.setdefault(form, index) for index, form in enumerate(forms)])


_COMPARED = 2**16
"""Largest space whose networks are all compared."""


def representative_of(space: Space, architecture: int) -> int:
    """Return the architecture that stands for one: the first with the same network, or itself in a large space.

    Raises:
        ParameterError: the space has no networks.

    >>> from nasbench_lab.spaces import ChainSpace, TopologySpace
    >>> representative_of(TopologySpace(), 25), representative_of(ChainSpace("012", 12), 5)
    (3, 5)
    """
    return int(representatives(space)[architecture]) if space.size <= _COMPARED else architecture
