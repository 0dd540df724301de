"""The supernet that one would write: all operations of every edge, each multiplied by its weight, which is 0 or 1."""

from __future__ import annotations

import torch
from torch import nn

from nasbench_lab.spaces.topology import EDGES


def _norm(channels):
    return nn.BatchNorm2d(channels, affine=False)


def _layer(inputs, outputs, kernel, stride=1):
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(nn.ReLU(), convolution, _norm(outputs))


class Zero(nn.Module):
    def forward(self, x):
        return x * 0.0


class Cell(nn.Module):
    """A cell with the operations of the topology space: none, skip, 1x1, 3x3, pool."""

    def __init__(self, channels):
        super().__init__()
        self.edges = nn.ModuleList(
            nn.ModuleList(
                [
                    Zero(),
                    nn.Identity(),
                    _layer(channels, channels, 1),
                    _layer(channels, channels, 3),
                    nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False),
                ]
            )
            for _ in EDGES
        )

    def forward(self, x, weights):
        nodes = [x]
        for target in (1, 2, 3):
            nodes.append(
                sum(
                    sum(weight * operation(nodes[source]) for weight, operation in zip(row, edge, strict=True))
                    for (source, end), row, edge in zip(EDGES, weights, self.edges, strict=True)
                    if end == target
                )
            )
        return nodes[3]


class Reduction(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.convolutions = nn.Sequential(_layer(inputs, outputs, 3, 2), _layer(outputs, outputs, 3))
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(inputs, outputs, 1, bias=False))

    def forward(self, x, weights):
        return self.shortcut(x) + self.convolutions(x)


class PlainSupernet(nn.Module):
    """The network of the topology space with all cells in one."""

    def __init__(self, channels, cells, classes=10):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, channels, 3, padding=1, bias=False), _norm(channels))
        layers = []
        for stage in range(3):
            width = channels * 2**stage
            if stage:
                layers.append(Reduction(width // 2, width))
            layers += [Cell(width) for _ in range(cells)]
        self.layers = nn.ModuleList(layers)
        self.head = nn.Sequential(_norm(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Linear(width, classes)

    def forward(self, images, codes):
        weights = torch.zeros(len(EDGES), 5)
        weights[range(len(EDGES)), codes] = 1.0
        x = self.stem(images)
        for layer in self.layers:
            x = layer(x, weights)
        return self.classifier(self.head(x))
