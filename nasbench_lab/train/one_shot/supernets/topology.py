"""The supernet of the topology space (NAS-Bench-201)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import ClassVar

from torch import Tensor, nn

from nasbench_lab.spaces.topology import EDGES, OPERATIONS
from nasbench_lab.train.networks.nats import stages_of_cells
from nasbench_lab.train.one_shot.supernets.partial_channels import PartialLayer
from nasbench_lab.train.one_shot.supernets.shared_start import SharedStart
from nasbench_lab.train.one_shot.supernets.supernet import Supernet
from nasbench_lab.train.one_shot.supernets.topology_cell import MixedTopologyCell
from nasbench_lab.train.one_shot.supernets.widths import WidthNorm, follow

_DECISIONS = {f"{source}->{target}": decision for decision, (source, target) in enumerate(EDGES)}
_EDGE = re.compile(r"(\d+\.edges\.(\d->\d))\.(.*)")

_NONE = OPERATIONS.index("none")


class TopologySupernet(Supernet):
    """All 15,625 networks of the topology space, with one set of weights per edge and operation of every cell.

    With partial channels, the networks at the corners of a mixture are not those of the space: part of the channels
    bypasses every operation.
    """

    features: ClassVar[frozenset[str]] = frozenset({"partial channels"})

    def assemble(self, **options: int) -> nn.Module:
        """Build `stages_of_cells` with mixed cells."""

        def cell(width: int) -> nn.Module:
            return MixedTopologyCell(width, self.current, self.partial.width(width) if self.partial else None)

        network = stages_of_cells(
            cell, image_channels=self.image[0], classes=self.classes, **{"channels": 16, "cells": 5, **options}
        )
        if self.partial is None:
            self.share(network)
            return network
        self.share(network, WidthNorm)
        for layer in network.modules():
            if isinstance(layer, PartialLayer):
                follow(layer, layer.part)
        return network

    def options_without_output(self) -> list[frozenset[int]]:
        """Return ``none`` on every edge."""
        return [frozenset({_NONE}) for _ in EDGES]

    def joined_decisions(self) -> list[tuple[int, ...]]:
        """Return the edges into every node."""
        targets = sorted({target for _, target in EDGES})
        return [tuple(place for place, edge in enumerate(EDGES) if edge[1] == target) for target in targets]

    def source(self, name: str, codes: Sequence[int]) -> str:
        """Return the name with the operation of its edge."""
        match = _EDGE.fullmatch(name)
        if match is None:
            return name
        edge, nodes, rest = match.groups()
        return f"{edge}.options.{codes[_DECISIONS[nodes]]}.{rest}"

    def evaluator(self, images: Tensor) -> Callable[[Sequence[int]], Tensor]:
        """Return a function that computes the stem once, and the first cell once per different part of it."""
        if self.partial is not None:
            return super().evaluator(images)
        shared = SharedStart(self.network, self.current, images)
        return shared if shared.fits else super().evaluator(images)
