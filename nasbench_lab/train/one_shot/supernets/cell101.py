"""The supernet of the cells of NAS-Bench-101 with few vertices."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from nasbench_lab.checks import require
from nasbench_lab.spaces.cell101_enumeration import OPERATIONS
from nasbench_lab.train.networks.blocks import ConvBnRelu
from nasbench_lab.train.networks.cell101 import stacks_of_cells, vertex_layer
from nasbench_lab.train.one_shot.supernets.cell101_drawing import Drawing, decisions_in_full, wirings
from nasbench_lab.train.one_shot.supernets.selection import CurrentSelection, Mixture, Path, Sample
from nasbench_lab.train.one_shot.supernets.supernet import Supernet
from nasbench_lab.train.one_shot.supernets.widths import GivenWidth, WidthNorm, follow

_MOST_VERTICES = 5  # a mixture weighs all wirings: 1,024 for 5 vertices, two million for 7
_LAYER = re.compile(r"(\d+)\.(projections|operations)\.(\d+)\.(.*)")


class SharedCell101(nn.Module):
    """A cell with all operations at every inner vertex and all edges, with weights for as many channels as the output.

    A path computes the vertices that it uses, with as many channels as they have there: the first ones of the shared
    weights. A mixture multiplies the terms of a sum with the weights of their edges; the channels of a vertex, and
    where they go in the output, are averages over all wirings.
    """

    def __init__(self, vertices: int, inputs: int, outputs: int, current: CurrentSelection) -> None:
        super().__init__()
        self.vertices, self.outputs, self._current = vertices, outputs, current
        self.width = GivenWidth(outputs)
        inner = range(1, vertices - 1)
        self.projections = nn.ModuleDict({str(v): ConvBnRelu(inputs, outputs, 1) for v in range(1, vertices)})
        self.operations = nn.ModuleDict(
            {str(v): nn.ModuleDict({str(code): vertex_layer(name, outputs) for code, name in _CODES}) for v in inner}
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, h, w) to (batch, outputs, h, w)."""
        selection = self._current.selection
        if isinstance(selection, Path):
            return self._path(x, Drawing.of(selection.codes, self.vertices))
        assert selection is not None  # noqa: S101 - `Supernet.forward` sets it
        return self._mixed(x, selection)

    def _path(self, x: Tensor, drawing: Drawing) -> Tensor:
        widths = drawing.channels(x.shape[1], self.outputs)
        values: dict[int, Tensor] = {}
        last = self.vertices - 1
        for vertex in drawing.used[1:-1]:
            self.width.channels = widths[vertex]
            sources = [source for source in drawing.used[1:-1] if drawing.adjacency[source, vertex]]
            terms = [values[source][:, : widths[vertex]] for source in sources]
            if drawing.adjacency[0, vertex]:
                terms.append(self.projections[str(vertex)](x))
            layer = self.operations[str(vertex)][str(drawing.operations[vertex - 1])]
            values[vertex] = layer(sum(terms[1:], terms[0]))
        parts = [torch.cat([values[vertex] for vertex in drawing.final], dim=1)] if drawing.final else []
        if drawing.adjacency[0, last]:
            self.width.channels = self.outputs
            parts.append(self.projections[str(last)](x))
        return sum(parts[1:], parts[0])

    def _mixed(self, x: Tensor, selection: Mixture | Sample) -> Tensor:
        if isinstance(selection, Sample):
            selection = _in_full(selection, self.vertices)
        self.width.channels = self.outputs
        pairs = list(itertools.combinations(range(self.vertices), 2))
        edge = {pair: selection.weights[place][1] for place, pair in enumerate(pairs)}
        limited = isinstance(selection, Mixture) and selection.used is not None
        masks, places = self._widths([edge[pair] for pair in pairs], unlikely=limited)
        last = self.vertices - 1
        drawing = Drawing.of(selection.codes, self.vertices) if isinstance(selection, Sample) else None
        used = range(1, last) if drawing is None else drawing.used[1:-1]
        values: dict[int, Tensor] = {}
        for vertex in used:
            terms = [edge[source, vertex] * value for source, value in values.items()]
            if drawing is None or drawing.adjacency[0, vertex]:
                terms.append(edge[0, vertex] * self.projections[str(vertex)](x))
            mask = masks[vertex - 1][:, None, None]
            weights = selection.weights[self._decision(vertex)]
            values[vertex] = mask * self._operation(vertex, mask * sum(terms[1:], terms[0]), weights, selection)
        output = sum((self._placed(value, places[vertex - 1]) for vertex, value in values.items()), torch.zeros(()))
        if drawing is None or drawing.adjacency[0, last]:
            output = output + edge[0, last] * self.projections[str(last)](x)
        return output

    def _operation(self, vertex: int, x: Tensor, weights: Tensor, selection: Mixture | Sample) -> Tensor:
        layers = self.operations[str(vertex)]
        if isinstance(selection, Mixture):
            used = None if selection.used is None else selection.used[self._decision(vertex)]
            terms = [weights[int(c)] * layer(x) for c, layer in layers.items() if used is None or int(c) in used]
            return sum(terms[1:], terms[0]) if terms else torch.zeros_like(x)
        code = int(selection.codes[self._decision(vertex)])
        output = weights[code] * layers[str(code)](x)
        return output + (weights.sum() - weights[code]) if selection.bare else output

    def _decision(self, vertex: int) -> int:
        """Return the position of a vertex's operation among the codes: after all edges."""
        return self.vertices * (self.vertices - 1) // 2 + vertex - 1

    def _widths(
        self, edges: Sequence[Tensor], *, unlikely: bool
    ) -> tuple[list[Tensor], list[list[tuple[int, int, Tensor]]]]:
        """Return the mean mask of every inner vertex, and where its channels go in the output with which probability.

        Args:
            edges: weights of all edges.
            unlikely: whether places with probability 0 are returned too. They change no values, but gradients.

        Returns:
            Masks, each of shape (outputs,); and for every vertex (first channel, number of channels, probability).
        """
        table = wirings(self.vertices, self.outputs)
        present = torch.stack(list(edges))
        chosen = torch.from_numpy(table.edges).to(present.device)
        probability = torch.where(chosen, present, 1 - present).prod(dim=1)
        likely = np.full(len(table.edges), True) if unlikely else probability.detach().cpu().numpy() != 0
        channels = torch.from_numpy(table.channels).to(present.device)
        masks, places = [], []
        for vertex in range(self.vertices - 2):
            before = torch.arange(self.outputs, device=present.device) < channels[:, vertex, None]
            masks.append(probability @ before.to(probability))
            found = []
            both = np.stack([table.offset[:, vertex], table.channels[:, vertex]], axis=1)
            for first, width in sorted({(int(a), int(b)) for a, b in both[likely] if a >= 0}):
                same = torch.from_numpy((both == (first, width)).all(axis=1)).to(present.device)
                found.append((first, width, probability[same].sum()))
            places.append(found)
        return masks, places

    def _placed(self, value: Tensor, places: list[tuple[int, int, Tensor]]) -> Tensor:
        """Return the channels of a vertex at their places in the output."""
        placed = torch.zeros_like(value)
        for first, width, probability in places:
            padding = (0, 0, 0, 0, first, self.outputs - first - width)
            placed = placed + probability * functional.pad(value[:, :width], padding)
        return placed


_CODES = tuple(enumerate(OPERATIONS, start=1))


def _in_full(sample: Sample, vertices: int) -> Sample | Mixture:
    """Return the sample of the drawing with all vertices, where missing ones have no edges."""
    places = decisions_in_full(tuple(sample.codes), vertices)
    absent = [torch.eye(len(each), dtype=each.dtype, device=each.device)[0] for each in sample.weights]
    codes = [0 if place is None else sample.codes[place] for place in places]
    weights = [none if place is None else sample.weights[place] for place, none in zip(places, absent, strict=True)]
    if sample.used is None:
        return Sample(_with_operations(codes, vertices), weights, sample.bare)
    return Mixture(weights, used=[[0] if place is None else sample.used[place] for place in places])


def _with_operations(codes: Sequence[int], vertices: int) -> list[int]:
    """Return the codes with some operation at missing vertices, so that the output is the last vertex."""
    edges = vertices * (vertices - 1) // 2
    return [*codes[:edges], *[code or 1 for code in codes[edges:]]]


class Cell101Supernet(Supernet):
    """All cells of NAS-Bench-101 with up to five vertices.

    Vertices of a drawing share weights with the same vertices of other drawings, as in NAS-Bench-1Shot1 (Zela et al.,
    ICLR 2020). There, cells have the same number of channels at all vertices. Here a vertex has as many channels as in
    the stand-alone network: the first ones of the shared weights.

    Raises:
        ParameterError: the cells have more vertices.
    """

    def assemble(self, **options: int) -> nn.Module:
        """Build `stacks_of_cells` with shared cells."""
        vertices = len(self.space.cardinalities)
        vertices = next(v for v in itertools.count(2) if v * (v - 1) // 2 + v - 2 == vertices)
        require(vertices <= _MOST_VERTICES, f"a supernet takes cells of up to 5 vertices, got {vertices}")
        self.vertices = vertices

        def cell(inputs: int, outputs: int) -> nn.Module:
            return SharedCell101(vertices, inputs, outputs, self.current)

        network = stacks_of_cells(
            cell, image_channels=self.image[0], classes=self.classes, **{"channels": 128, "cells": 3, **options}
        )
        self.share(network, WidthNorm)
        for layer in network:
            if isinstance(layer, SharedCell101):
                follow(layer, layer.width)
        return network

    def source(self, name: str, codes: Sequence[int]) -> str:
        """Return the name with the vertex of the drawing, and its operation."""
        match = _LAYER.fullmatch(name)
        if match is None:
            return name
        layer, kind, place, rest = match.groups()
        drawing = Drawing.of(codes, self.vertices)
        vertex = drawing.used[int(place)]
        option = f".{drawing.operations[vertex - 1]}" if kind == "operations" else ""
        return f"{layer}.{kind}.{vertex}{option}.{rest}"

    def pruned(self, codes: Sequence[int]) -> Sequence[int]:
        """Return the codes of the used vertices alone."""
        return Drawing.of(codes, self.vertices).codes

    def cut(self, shared: Tensor, alone: Tensor) -> Tensor:
        """Return the first channels."""
        return shared[tuple(slice(size) for size in alone.shape)]
