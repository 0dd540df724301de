"""Which layers of a child's sequence are those of its parent, and which pass their input on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from nasbench_lab.train.inheritance.channel_flow import CannotKeep, Flow, Replication
from nasbench_lab.train.inheritance.identity_layers import Inserted, inserted
from nasbench_lab.train.networks.layer_chain import SkipConnection

Keep = Callable[[Any, Any, Flow, str, str], Inserted]
"""Returns what flows out of a layer of the child that is one of the parent, and its weights, see `KeptLayers.kept`."""

Passed = tuple[tuple[int, Flow], ...]
"""For every layer of the child so far, the place of the parent's layer whose output it repeats, and that output."""


class PairedSequences:
    """Pairs the layers of two sequences in order, such that those that only the child has change nothing.

    Args:
        keep: finds the weights of a layer that both have.
        random: chooses which channels are repeated.
        child: sequence of the child.
        parent: that of the parent.
        ours: name of the child's sequence, with a dot at its end unless it is empty.
        theirs: name of the parent's, likewise.

    Raises:
        CannotKeep: the child has fewer layers.
    """

    def __init__(self, keep: Keep, random: Replication, child: Any, parent: Any, ours: str, theirs: str) -> None:
        self._keep, self._random = keep, random
        self._mine = [(f"{ours}{name}.", layer) for name, layer in child.named_children()]
        self._others = [(f"{theirs}{name}.", layer) for name, layer in parent.named_children()]
        self._skips = getattr(child, "sources", {}), getattr(parent, "sources", {})
        self._further = len(self._mine) - len(self._others)
        if self._further < 0:
            raise CannotKeep(f"the child has {len(self._mine)} layers, and the parent {len(self._others)}")
        self._hopeless: set[tuple[int, int, Flow, Passed]] = set()
        self._furthest = (-1, "")  # how far a pairing got, and what stopped it there

    def kept(self, flow: Flow) -> Inserted:
        """Return what flows out of the child's sequence, and its weights.

        Args:
            flow: what flows into both.

        Raises:
            CannotKeep: there is no such pairing.
        """
        found = self._find(0, flow, ((-1, flow),))
        if found is None:
            raise CannotKeep(self._furthest[1])
        return found

    def _find(self, j: int, flow: Flow, passed: Passed) -> Inserted | None:
        """Pair what follows; the child's layers before were paired with the first j of the parent."""
        i = len(passed) - 1
        if i == len(self._mine):
            return flow, {}
        known = (i, j, flow, passed if any(self._skips) else ())
        if known in self._hopeless:
            return None
        for following in [j + 1] * (j < len(self._others)) + [j] * (i - j < self._further):
            try:
                after, state = self._layer(i, j, flow, passed, further=following == j)
            except CannotKeep as error:
                if i + j >= self._furthest[0]:
                    self._furthest = i + j, str(error)
                continue
            rest = self._find(following, after, (*passed, (following - 1, after)))
            if rest is not None:
                return rest[0], state | rest[1]
        self._hopeless.add(known)
        return None

    def _layer(self, i: int, j: int, flow: Flow, passed: Passed, *, further: bool) -> Inserted:
        """Keep a layer of the child as that of the parent, or as a further one."""
        name, layer = self._mine[i]
        if further:
            return inserted(layer, flow, name, self._random)
        other, match = self._others[j]
        if isinstance(layer, SkipConnection) and isinstance(match, SkipConnection):
            return self._skip(i, j, flow, passed)
        return self._keep(layer, match, flow, name, other)

    def _skip(self, i: int, j: int, flow: Flow, passed: Passed) -> Inserted:
        """Keep a skip connection, which adds the output of an earlier layer."""
        (name, layer), (other, match) = self._mine[i], self._others[j]
        place, earlier = passed[self._skips[0][i] + 1]
        if place != self._skips[1][j]:
            raise CannotKeep(f"layer {name.rstrip('.')} of the child adds the output of another layer than the parent")
        end, state = self._keep(layer.shortcut, match.shortcut, earlier, f"{name}shortcut.", f"{other}shortcut.")
        if end.source != flow.source:
            raise CannotKeep(f"layer {name.rstrip('.')} of the child adds channels that are not the same")
        return dataclasses.replace(flow, nonnegative=flow.nonnegative and end.nonnegative), state
