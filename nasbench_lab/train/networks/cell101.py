"""Networks of NAS-Bench-101: three stacks of three identical cells (Ying et al., ICML 2019)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from nasbench_lab.errors import OutOfSpaceError
from nasbench_lab.spaces import Cell101Space
from nasbench_lab.spaces.cell101_enumeration import OPERATIONS
from nasbench_lab.train.networks.blocks import Classifier, ConvBnRelu
from nasbench_lab.train.networks.family import NetworkFamily

_MAX_VERTICES, _MAX_EDGES = 7, 9

Adjacency = NDArray[np.bool_]


def vertex_channels(inputs: int, outputs: int, adjacency: Adjacency) -> list[int]:
    """Return the channels of every vertex of a cell.

    The output's channels are divided among the vertices that lead to it, the first of them getting one more where the
    division leaves a remainder; any other vertex has as many channels as the widest of those it leads to.

    Args:
        inputs: channels of the input vertex.
        outputs: channels of the output vertex.
        adjacency: which vertex (row) leads to which (column), upper triangular, shape (vertices, vertices).

    >>> vertex_channels(128, 128, np.array([[0, 1, 1, 1, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1],
    ...                                     [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]], dtype=bool))
    [128, 43, 43, 42, 128]
    """
    last = len(adjacency) - 1
    channels = [inputs, *[0] * (last - 1), outputs]
    final = [vertex for vertex in range(1, last) if adjacency[vertex, last]]
    for position, vertex in enumerate(final):
        channels[vertex] = outputs // len(final) + (position < outputs % len(final))
    for vertex in range(last - 1, 0, -1):
        if not adjacency[vertex, last]:
            channels[vertex] = max(channels[later] for later in range(vertex + 1, last) if adjacency[vertex, later])
    return channels


class Cell101Module(nn.Module):
    """A cell: a directed acyclic graph from the input vertex to the output vertex.

    What comes from the input vertex is projected by a 1x1 convolution; other inputs of a vertex are cut to its channels
    and added. The output concatenates its inputs, and adds the projected cell input if that leads to it.
    """

    def __init__(
        self, adjacency: Adjacency, operations: Sequence[str], inputs: int, outputs: int, *, copies: int = 1
    ) -> None:
        super().__init__()
        self.copies = copies
        self.adjacency = adjacency.tolist()
        self.last = len(adjacency) - 1
        self.channels = vertex_channels(inputs, outputs, adjacency)
        self.projections, self.operations = nn.ModuleDict(), nn.ModuleDict()
        for vertex in range(1, self.last + 1):
            if adjacency[0, vertex]:
                self.projections[str(vertex)] = ConvBnRelu(inputs, self.channels[vertex], 1, copies=copies)
        for vertex, operation in enumerate(operations, start=1):
            self.operations[str(vertex)] = vertex_layer(operation, self.channels[vertex], copies)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, copies * inputs, h, w) to (batch, copies * outputs, h, w)."""
        values: dict[int, Tensor] = {}
        for vertex in range(1, self.last):
            terms = [self._cut(values[v], self.channels[vertex]) for v in range(1, vertex) if self.adjacency[v][vertex]]
            if self.adjacency[0][vertex]:
                terms.append(self.projections[str(vertex)](x))
            values[vertex] = self.operations[str(vertex)](sum(terms[1:], terms[0]))
        final = [values[vertex] for vertex in range(1, self.last) if self.adjacency[vertex][self.last]]
        parts = [self._concatenate(final)] if final else []
        if self.adjacency[0][self.last]:
            parts.append(self.projections[str(self.last)](x))
        return sum(parts[1:], parts[0])

    def _cut(self, x: Tensor, channels: int) -> Tensor:
        """Keep the first channels of every copy."""
        if x.shape[1] == self.copies * channels:
            return x
        return x.unflatten(1, (self.copies, -1))[:, :, :channels].flatten(1, 2)

    def _concatenate(self, tensors: list[Tensor]) -> Tensor:
        """Put the channels of several tensors one after the other, for every copy."""
        return torch.cat([x.unflatten(1, (self.copies, -1)) for x in tensors], dim=2).flatten(1, 2)


def vertex_layer(operation: str, channels: int, copies: int = 1) -> nn.Module:
    """Return the layer of an inner vertex."""
    if operation == "maxpool3x3":
        return nn.MaxPool2d(3, stride=1, padding=1)
    return ConvBnRelu(channels, channels, {"conv3x3-bn-relu": 3, "conv1x1-bn-relu": 1}[operation], copies=copies)


def cell101_network(
    adjacency: ArrayLike,
    operations: Sequence[str],
    *,
    channels: int = 128,
    cells: int = 3,
    image_channels: int = 3,
    classes: int = 10,
    copies: int = 1,
) -> nn.Sequential:
    """Build a network of NAS-Bench-101: a stem and three stacks of cells; in between, channels double.

    Args:
        adjacency: which vertex (row) leads to which (column), upper triangular, without vertices that are not on a path
            from input to output, shape (vertices, vertices), at most seven vertices and nine edges.
        operations: of the inner vertices, each one of `OPERATIONS`.
        channels: channels of the stem and the first stack.
        cells: cells of a stack.
        image_channels: channels of the input.
        classes: outputs.
        copies: how many networks side by side (`nasbench_lab.train.networks.blocks`).

    Raises:
        OutOfSpaceError: the cell breaks one of these rules.
    """
    matrix = np.asarray(adjacency).astype(bool)
    _check(matrix, operations)

    def cell(inputs: int, outputs: int) -> nn.Module:
        return Cell101Module(matrix, operations, inputs, outputs, copies=copies)

    return stacks_of_cells(
        cell, channels=channels, cells=cells, image_channels=image_channels, classes=classes, copies=copies
    )


def stacks_of_cells(
    cell: Callable[[int, int], nn.Module],
    *,
    channels: int,
    cells: int,
    image_channels: int,
    classes: int,
    copies: int = 1,
) -> nn.Sequential:
    """Build what surrounds the cells of NAS-Bench-101: a stem, three stacks with pooling between, and a classifier.

    Args:
        cell: makes a cell with numbers of input and output channels.
        channels: see `cell101_network`, as for the other arguments.
        cells: cells of a stack.
        image_channels: channels of the input.
        classes: outputs.
        copies: how many networks side by side.

    Raises:
        OutOfSpaceError: there are too few channels.
    """
    if channels < _MAX_VERTICES - 2:
        raise OutOfSpaceError(f"cells need {_MAX_VERTICES - 2} channels, one for every inner vertex, got {channels}")
    layers: list[nn.Module] = [ConvBnRelu(image_channels, channels, 3, copies=copies)]
    width = channels
    for stack in range(3):
        if stack:
            layers.append(nn.MaxPool2d(2))
        outputs = channels * 2**stack
        layers += [cell(width if position == 0 else outputs, outputs) for position in range(cells)]
        width = outputs
    return nn.Sequential(*layers, Classifier(width, classes, copies=copies))


class Cell101Networks(NetworkFamily[Cell101Space]):
    """Networks of NAS-Bench-101. Cells are different networks by construction."""

    options = ("channels", "cells")

    def build(
        self, codes: Sequence[int], *, image: tuple[int, int, int], classes: int, copies: int, **options: int
    ) -> nn.Module:
        """Build `cell101_network`."""
        adjacency, operations = self.space.drawing(codes)
        return cell101_network(
            adjacency, operations, image_channels=image[0], classes=classes, copies=copies, **options
        )

    def default_options(self, dataset: str) -> Mapping[str, int]:
        """Return those of the embedded table for digits."""
        return {"channels": 8, "cells": 1} if dataset == "digits" else {}


def _check(matrix: Adjacency, operations: Sequence[str]) -> None:
    vertices = matrix.shape[0] if matrix.ndim else 0
    if matrix.shape != (vertices, vertices) or not 2 <= vertices <= _MAX_VERTICES:
        raise OutOfSpaceError(f"a cell has a square matrix of 2 to {_MAX_VERTICES} vertices, got shape {matrix.shape}")
    if np.tril(matrix).any():
        raise OutOfSpaceError("the matrix of a cell must be upper triangular, without loops")
    if matrix.sum() > _MAX_EDGES:
        raise OutOfSpaceError(f"a cell has at most {_MAX_EDGES} edges, got {int(matrix.sum())}")
    if not (matrix[:-1].any(axis=1).all() and matrix[:, 1:].any(axis=0).all()):
        raise OutOfSpaceError("a cell has a vertex that is not on a path from input to output; prune it first")
    unknown = [operation for operation in operations if operation not in OPERATIONS]
    if len(operations) != vertices - 2 or unknown:
        raise OutOfSpaceError(f"a cell of {vertices} vertices has {vertices - 2} operations of {', '.join(OPERATIONS)}")
