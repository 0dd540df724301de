"""Representations of architectures in the official APIs: configurations of networks, lists and matrices of cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.compat.nats.errors import ArgumentError, shown
from nasbench_lab.spaces import Space
from nasbench_lab.spaces.topology import OPERATIONS

_CLASSES = {"cifar10-valid": 10, "cifar10": 10, "cifar100": 100, "ImageNet16-120": 120}
_TOPOLOGY_CHANNELS = 16
_TOPOLOGY_CELLS = 5
_SIZE_CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
"""The cell of all networks in the size space."""


def architecture_config(space: Space, index: int, dataset: str) -> dict[str, Any]:
    """Return the configuration of a network as stored in the archives.

    >>> from nasbench_lab.spaces import TopologySpace
    >>> architecture_config(TopologySpace(), 284, "cifar100")["class_num"]
    100
    """
    text, classes = space.format(index), {"class_num": _CLASSES.get(dataset)}
    if space.name == "topology":
        return {"channel": _TOPOLOGY_CHANNELS, "num_cells": _TOPOLOGY_CELLS, "arch_str": text} | classes
    return {"name": "infer.shape.tiny", "channels": text, "arch_str": text, "genotype": _SIZE_CELL} | classes


def str2lists(arch_str: str) -> list[tuple[tuple[str, int], ...]]:
    """Return the inputs (operation, source) of every node of a cell except the first.

    >>> str2lists("|nor_conv_1x1~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|")
    [(('nor_conv_1x1', 0),), (('none', 0), ('none', 1)), (('none', 0), ('none', 1), ('skip_connect', 2))]
    """
    return [
        tuple((operation, int(source)) for operation, source in inputs) for inputs in map(_inputs, arch_str.split("+"))
    ]


def str2matrix(arch_str: str, search_space: Sequence[str] = OPERATIONS) -> FloatArray:
    """Return the matrix of a cell, shape (nodes, nodes): entry [i, j] is the number of the operation from node j to i.

    Args:
        arch_str: notation of the cell.
        search_space: the operations, in the order of their numbers.

    >>> str2matrix("|nor_conv_1x1~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|")[1].tolist()
    [2.0, 0.0, 0.0, 0.0]
    """
    nodes = arch_str.split("+")
    matrix = np.zeros((len(nodes) + 1, len(nodes) + 1))
    for target, node in enumerate(nodes, start=1):
        for operation, source in _inputs(node):
            if operation not in search_space:
                raise ArgumentError(f"unknown operation {operation!r}; allowed: {shown(search_space)}")
            number = search_space.index(operation)
            matrix[target, int(source)] = number
    return matrix


def _inputs(node: str) -> list[list[str]]:
    """Return operation and source of every input of a node."""
    inputs = [text.split("~") for text in node.split("|") if text]
    for parts in inputs:
        if len(parts) != 2:
            raise ArgumentError(f"malformed input {'~'.join(parts)!r} of a cell; write operation~source")
    return inputs
