"""Evaluating many paths of the topology supernet on the same images: what they share is computed once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence

from torch import Tensor, nn

from nasbench_lab.spaces.topology import EDGES
from nasbench_lab.train.one_shot.supernets.selection import CurrentSelection, Path
from nasbench_lab.train.one_shot.supernets.topology_cell import MixedTopologyCell, sum_of, used_nodes

_KEPT = 48  # values; paths in lexicographic order reuse about thirty
_MOST_BYTES = 2**28
_PREFIX = [sum(end <= node for _, end in EDGES) for node in range(4)]
"""The number of leading codes that determine a node."""


class SharedStart:
    """Evaluates paths, and keeps the output of the stem and the latest values within the first cell.

    The values are those of a plain forward pass, bit by bit. Paths in lexicographic order share most: over all distinct
    networks, the first cell takes almost no time.

    Args:
        network: stem, cells and the rest.
        current: selection that the cells read.
        images: shape (batch, channels, height, width).
    """

    def __init__(self, network: nn.Sequential, current: CurrentSelection, images: Tensor) -> None:
        stem, first, *rest = network
        assert isinstance(first, MixedTopologyCell)  # noqa: S101 - for mypy
        self._first, self._rest, self._current = first, rest, current
        self._input = stem(images)
        self._kept: OrderedDict[Hashable, Tensor | None] = OrderedDict()

    @property
    def fits(self) -> bool:
        """Whether the kept values take little memory."""
        return _KEPT * self._input.nbytes <= _MOST_BYTES

    def __call__(self, codes: Sequence[int]) -> Tensor:
        """Return the scores of the images, shape (batch, classes)."""
        self._current.selection = Path(codes)
        try:
            x = self._node(3, tuple(codes), used_nodes(codes))
            for layer in self._rest:
                x = layer(x)
            return x
        finally:
            self._current.selection = None

    def _node(self, node: int, codes: tuple[int, ...], used: frozenset[int]) -> Tensor:
        if node == 0:
            return self._input

        def compute() -> Tensor:
            terms = [self._term(source, node, codes, used) for source in range(node) if source in used]
            return sum_of([term for term in terms if term is not None], self._input)

        # The last node differs from path to path.
        return compute() if node == 3 else self._remembered((node, codes[: _PREFIX[node]]), compute)

    def _term(self, source: int, target: int, codes: tuple[int, ...], used: frozenset[int]) -> Tensor | None:
        layer = self._first.edges[f"{source}->{target}"]
        key = (source, target, codes[layer.decision], codes[: _PREFIX[source]])
        return self._remembered(key, lambda: layer(self._node(source, codes, used)))

    def _remembered(self, key: Hashable, compute: Callable[[], Tensor | None]) -> Tensor | None:
        if key not in self._kept:
            self._kept[key] = compute()
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]
