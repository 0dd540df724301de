"""Functions that put others together: an operation on every edge of a small graph, and sums where edges meet.

Names, graphs and the order of arguments are those of Schrodi et al., "Construction of hierarchical neural architecture
search spaces based on context-free grammars" (NeurIPS 2023) and of its published code.
"""

from __future__ import annotations

import functools
import re

from nasbench_lab.errors import ParameterError

Edges = tuple[tuple[int, int], ...]
"""Edges (from, to) of a graph, one per argument; node 0 is the input, the last node the output."""

_LINEAR = re.compile(r"Linear([1-9][0-9]?)")
_FIXED: dict[str, Edges] = {
    "Residual2": ((0, 1), (0, 2), (1, 2)),
    "Residual3": ((0, 1), (1, 2), (0, 3), (2, 3)),
    "Diamond2": ((0, 1), (0, 2), (1, 3), (2, 3)),
    "Diamond3": ((0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 5)),
}
_CELL_NODES = range(2, 7)


@functools.lru_cache(maxsize=2**10)
def edges_of(name: str, arguments: int) -> Edges:
    """Return the edges of a function, one per argument.

    - ``LinearN``: one argument after the other.
    - ``Residual2(a, b, c)``: ``a`` and then ``c``, beside ``b``; ``Residual3(a, b, c, d)``: ``a``, ``b`` and then
      ``d``, beside ``c``.
    - ``Diamond2(a, b, c, d)``: ``a`` and then ``c``, beside ``b`` and then ``d``; ``Diamond3`` with three each.
    - ``Cell``: every node takes all earlier ones. The arguments are those into node 1, then into node 2, and so on: 3
      for three nodes, 6 for the four nodes of NAS-Bench-201.

    Raises:
        ParameterError: there is no such function, or not with so many arguments.

    >>> edges_of("Linear3", 3), edges_of("Cell", 3)
    (((0, 1), (1, 2), (2, 3)), ((0, 1), (0, 2), (1, 2)))
    """
    linear = _LINEAR.fullmatch(name)
    if linear is not None:
        edges: Edges = tuple((place, place + 1) for place in range(int(linear[1])))
    elif name == "Cell":
        return _cell_edges(arguments)
    elif name in _FIXED:
        edges = _FIXED[name]
    else:
        known = ", ".join(["LinearN", *_FIXED, "Cell"])
        raise ParameterError(f"there is no function {name!r} with arguments; there are {known}")
    if len(edges) != arguments:
        raise ParameterError(f"{name} takes {len(edges)} arguments, got {arguments}")
    return edges


def _cell_edges(arguments: int) -> Edges:
    for nodes in _CELL_NODES:
        edges = tuple((source, target) for target in range(1, nodes) for source in range(target))
        if len(edges) == arguments:
            return edges
    counts = [nodes * (nodes - 1) // 2 for nodes in _CELL_NODES]
    raise ParameterError(f"Cell takes {', '.join(map(str, counts[:-1]))} or {counts[-1]} arguments, got {arguments}")
