"""The module ``nats_bench.genotype_utils``: cells of the topology space as objects."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from nasbench_lab.compat.nats.errors import ArgumentError, shown
from nasbench_lab.compat.nats.structure import str2lists

_ZERO, _SKIP, _NOTHING = "none", "skip_connect", "#"


def topology_str2structure(xstr: Any) -> TopologyStructure:
    """Return the structure of a cell in official notation; a structure is returned as it is.

    >>> topology_str2structure("|nor_conv_1x1~0|+|none~0|skip_connect~1|").check_valid()
    True
    """
    return TopologyStructure.str2structure(xstr)


class TopologyStructure:
    """A cell: the inputs of every node except the first, as ``nats_bench.genotype_utils.TopologyStructure``.

    ``gen_all``, which fails in the original, is missing; see `TopologySpace.format`.

    Args:
        genotype: for every node a list of its inputs, each an operation and the number of a node before it.

    Attributes:
        nodes: the inputs of every node.
        node_num: number of nodes, including the first.
        node_N: number of inputs of every node.

    Raises:
        ArgumentError: it is not such a list.
    """

    def __init__(self, genotype: Any) -> None:
        _require_sequence("genotype", genotype)
        for number, inputs in enumerate(genotype):
            _require_sequence("node_info", inputs)
            if not inputs:
                raise ArgumentError(f"invalid length : node {number + 1} has no inputs")
            for one in inputs:
                _require_sequence("in-node", one)
                if len(one) != 2 or not one[1] <= number:
                    raise ArgumentError(f"invalid in-node : {shown(one)}; give an operation and a node before it")
        self.node_num = len(genotype) + 1
        self.nodes = [tuple(copy.deepcopy(inputs)) for inputs in genotype]
        self.node_N = [len(inputs) for inputs in genotype]

    def tolist(self, remove_str: str | None) -> tuple[list[Any] | None, bool]:
        """Return the inputs ordered by source and operation, without one operation, and whether all nodes keep any."""
        ordered = [sorted(inputs, key=lambda one: (one[1], one[0])) for inputs in self.nodes]
        kept = [tuple(one for one in inputs if one[0] != remove_str) for inputs in ordered]
        return (kept, True) if all(kept) else (None, False)

    def node(self, index: int) -> Any:
        """Return ``nodes[index]``, for an index above 0.

        Raises:
            ArgumentError: the index is 0 or less, or above the number of nodes.
        """
        if not 0 < index <= len(self):
            raise ArgumentError(f"invalid index={shown(index)} < {len(self)}")
        return self.nodes[index]

    def tostr(self) -> str:
        """Return the official notation."""
        return "+".join(f"|{'|'.join(f'{name}~{source}' for name, source in inputs)}|" for inputs in self.nodes)

    def check_valid(self) -> bool:
        """Return whether a path without the operation "none" leads from the first to the last node."""
        reached = [True]
        for inputs in self.nodes:
            reached.append(any(name != _ZERO and reached[source] for name, source in inputs))
        return reached[-1]

    def to_unique_str(self, consider_zero: bool | None = False) -> str:
        """Return a text that isomorphic cells share.

        Args:
            consider_zero: True simplifies "none" and "skip_connect", False only "skip_connect", None nothing.
        """
        texts = ["0"]
        for inputs in self.nodes:
            parts = [_unique(name, texts[source], consider_zero) for name, source in inputs]
            texts.append("+".join(sorted(parts)))
        return texts[-1]

    def check_valid_op(self, op_names: Collection[str]) -> bool:
        """Return whether all operations have one of some names."""
        return all(name in op_names for inputs in self.nodes for name, _ in inputs)

    @staticmethod
    def str2structure(xstr: Any) -> TopologyStructure:
        """Return the structure of a cell in official notation; a structure is returned as it is.

        Raises:
            ArgumentError: it is not a text, or malformed.
        """
        return xstr if isinstance(xstr, TopologyStructure) else TopologyStructure(_lists(xstr))

    @staticmethod
    def str2fullstructure(xstr: Any, default_name: str = "none") -> TopologyStructure:
        """Return the structure of a cell, where every node but the last gets an input from each node before it.

        As in the original, node ``i`` (from 1) is completed with the operation ``default_name`` from the nodes
        0 to ``i - 2``; inputs are ordered by source and operation.
        """
        complete = []
        for number, inputs in enumerate(_lists(xstr)):
            known = {source for _, source in inputs}
            every = [*inputs, *((default_name, source) for source in range(number) if source not in known)]
            complete.append(tuple(sorted(every, key=lambda one: (one[1], one[0]))))
        return TopologyStructure(complete)

    def __len__(self) -> int:
        return len(self.nodes) + 1

    def __getitem__(self, index: Any) -> Any:
        return self.nodes[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.nodes)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.node_num} nodes with {self.tostr()})"


def _lists(xstr: Any) -> Sequence[Any]:
    if not isinstance(xstr, str):
        raise ArgumentError(f"must take string (not {type(xstr)}) as input")
    return str2lists(xstr)


def _unique(name: str, source: str, consider_zero: bool | None) -> str:
    if consider_zero is None:
        return f"({source})@{name}"
    if consider_zero and (name == _ZERO or source == _NOTHING):
        return _NOTHING
    return source if name == _SKIP else f"({source})@{name}"


def _require_sequence(what: str, given: Any) -> None:
    if not isinstance(given, list | tuple):
        raise ArgumentError(f"invalid class of {what} : {type(given)}; give a list")
