"""Names of networks that are equal for architectures that are the same network, in every process."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from nasbench_lab.spaces import Space
from nasbench_lab.train.equivalent_networks import representative_of
from nasbench_lab.train.networks import networks_of


class NamedNetwork(NamedTuple):
    """The network of an architecture.

    Attributes:
        key: text that is the same for every architecture with this network, and for no other.
        architecture: the architecture to train for it. In a small space it is the first one with this network, as in a
            table that `nasbench_lab.train.build` makes; in a larger space, the given one.
    """

    key: str
    architecture: int


class NetworkNames:
    """Names the networks of a space.

    Args:
        space: whose architectures become networks.

    Raises:
        ParameterError: the space has no networks.

    >>> from nasbench_lab.spaces import TopologySpace
    >>> names = NetworkNames(TopologySpace())
    >>> names.of(0) == names.of(1), names.of(3).key == names.of(25).key
    (False, True)
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._family = networks_of(space)
        self._known: dict[int, NamedNetwork] = {}

    def of(self, architecture: int) -> NamedNetwork:
        """Return the name of the network of an architecture."""
        if architecture not in self._known:
            form = self._family.form(self._space.codes(architecture).tolist())
            key = hashlib.sha256(stable_text(form).encode()).hexdigest()[:32]
            self._known[architecture] = NamedNetwork(key, representative_of(self._space, architecture))
        return self._known[architecture]


def stable_text(value: Any) -> str:
    """Return a text of plain values that is the same in every process. Sets are sorted.

    >>> stable_text((1, frozenset({"b", "a"}), ("c", None)))
    "(1,{'a','b'},('c',None))"
    """
    if isinstance(value, tuple | list):
        return f"({','.join(map(stable_text, value))})"
    if isinstance(value, frozenset | set):
        return f"{{{','.join(sorted(map(stable_text, value)))}}}"
    if isinstance(value, Mapping):
        return stable_text(frozenset(value.items()))
    return repr(value.item() if hasattr(value, "item") else value)
