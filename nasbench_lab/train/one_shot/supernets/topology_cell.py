"""A cell of the topology space with all operations on every edge."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from torch import Tensor, nn

from nasbench_lab.spaces.topology import EDGES, OPERATIONS
from nasbench_lab.train.networks.blocks import AveragePool3x3
from nasbench_lab.train.networks.nats import edge_layer
from nasbench_lab.train.one_shot.supernets.mixed_layer import MixedLayer, zeros
from nasbench_lab.train.one_shot.supernets.partial_channels import PartialLayer
from nasbench_lab.train.one_shot.supernets.selection import CurrentSelection, Path
from nasbench_lab.train.one_shot.supernets.summed_pool import SummedPool
from nasbench_lab.train.one_shot.supernets.widths import GivenWidth

_NODES = 4
_ALL = frozenset(range(_NODES))


class MixedTopologyCell(nn.Module):
    """A cell with all operations on every edge.

    Args:
        channels: channels of all nodes.
        current: tells what the forward pass uses.
        part: how many channels the operations compute; None for all, without a bypass.
    """

    def __init__(self, channels: int, current: CurrentSelection, part: GivenWidth | None = None) -> None:
        super().__init__()
        self.edges, self._current, self._part = nn.ModuleDict(), current, part
        computed = channels if part is None else part.most
        for decision, (source, target) in enumerate(EDGES):
            options = [_option(name, computed) for name in OPERATIONS]
            self.edges[f"{source}->{target}"] = (
                MixedLayer(options, decision, current)
                if part is None
                else PartialLayer(options, decision, current, part)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Compute the last node, with as many images, channels and pixels as the first.

        In a path, nodes that do not lead to the last one are not computed.
        """
        selection = self._current.selection
        # Past the operations, a part of the channels reaches the next node whatever they are, also with `none`.
        used = used_nodes(selection.codes) if isinstance(selection, Path) and self._part is None else _ALL
        nodes: list[Tensor] = [x]
        common: list[dict[str, Tensor]] = [{}, {}, {}]  # a node is pooled once, for all edges out of it
        for target in range(1, _NODES):
            outputs = [
                self.edges[f"{source}->{target}"](nodes[source], common[source])
                for source in range(target)
                if target in used
            ]
            nodes.append(sum_of([output for output in outputs if output is not None], x))
        return nodes[-1]


def _option(operation: str, channels: int) -> nn.Module | None:
    layer = edge_layer(operation, channels, channels)
    return SummedPool() if isinstance(layer, AveragePool3x3) else layer


def sum_of(terms: Sequence[Tensor], like: Tensor) -> Tensor:
    """Return the sum of the inputs of a node; without any, zeros like another node."""
    return sum(terms[1:], terms[0]) if terms else zeros(like, like.shape[1])


@functools.lru_cache(maxsize=2**14)
def _used_nodes(codes: tuple[int, ...]) -> frozenset[int]:
    used = {_NODES - 1}
    for (source, target), code in sorted(zip(EDGES, codes, strict=True), key=lambda edge: -edge[0][1]):
        if target in used and OPERATIONS[code] != "none":
            used.add(source)
    return frozenset(used)


def used_nodes(codes: Sequence[int]) -> frozenset[int]:
    """Return the nodes of a cell that lead to the last one.

    >>> from nasbench_lab.spaces import TopologySpace
    >>> cell = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
    >>> sorted(used_nodes(TopologySpace().parse_one(cell)))  # node 1 leads nowhere
    [0, 2, 3]
    """
    return _used_nodes(tuple(codes))
