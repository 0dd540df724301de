"""DARTS architectures as configurations of NAS-Bench-301: one entry per edge, and one per choice of inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nasbench_lab.errors import OutOfSpaceError
from nasbench_lab.messages import shortened
from nasbench_lab.spaces.darts_cells import CELLS, INPUTS, Cell, Edge

_PREFIX = "NetworkSelectorDatasetInfo:darts:"


def configuration_of(cells: Sequence[Cell], operations: Sequence[str]) -> dict[str, str]:
    """Return the configuration of cells.

    Edges are numbered by the node that they enter, then by the node that they leave.
    """
    configuration: dict[str, str] = {}
    for name, cell in zip(CELLS, cells, strict=True):
        for number, node in enumerate(cell, start=INPUTS):
            for code, source in node:
                configuration[f"{_PREFIX}edge_{name}_{_first_edge(number) + source}"] = operations[code]
            if number > INPUTS:
                configuration[f"{_PREFIX}inputs_node_{name}_{number}"] = "_".join(str(source) for _, source in node)
    return configuration


def codes_of_configuration(configuration: Mapping[str, str], nodes: int, operations: Sequence[str]) -> tuple[Cell, ...]:
    """Return the cells of a configuration.

    Raises:
        OutOfSpaceError: an entry is missing or wrong, or there are others.
    """
    cells = tuple(
        tuple(_node(configuration, name, number, operations) for number in range(INPUTS, INPUTS + nodes))
        for name in CELLS
    )
    known = configuration_of(cells, operations)
    for key in configuration:
        if key not in known:
            raise OutOfSpaceError(f"the configuration has {shortened(key)}, but its nodes do not take this edge")
    return cells


def _node(configuration: Mapping[str, str], name: str, number: int, operations: Sequence[str]) -> tuple[Edge, Edge]:
    key = f"{_PREFIX}inputs_node_{name}_{number}"
    inputs = "0_1" if number == INPUTS else configuration.get(key)
    sources = [source for source in range(number) if str(source) in str(inputs).split("_")]
    if len(sources) != 2 or inputs != "_".join(map(str, sources)):
        raise OutOfSpaceError(f"{key} must be two of 0 to {number - 1}, such as '0_1', got {shortened(inputs)}")
    first, second = (
        (_operation(configuration, f"{_PREFIX}edge_{name}_{_first_edge(number) + source}", operations), source)
        for source in sources
    )
    return first, second


def _operation(configuration: Mapping[str, str], key: str, operations: Sequence[str]) -> int:
    found = configuration.get(key)
    if found not in operations:
        raise OutOfSpaceError(f"{key} must be one of {', '.join(operations)}, got {shortened(found)}")
    return list(operations).index(found)


def _first_edge(number: int) -> int:
    """Return the number of the edge from node 0 into a node.

    >>> [_first_edge(number) for number in (2, 3, 4, 5)]
    [0, 2, 5, 9]
    """
    return sum(range(INPUTS, number))
