"""The training that one would write: ordinary layers, one network, one loop."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from nasbench_lab.spaces.topology import EDGES


class Layer(nn.Sequential):
    def __init__(self, inputs, outputs, kernel, stride=1):
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
        )


class Cell(nn.Module):
    """Codes as in the topology space: none, skip, 1x1, 3x3, pool."""

    def __init__(self, codes, channels):
        super().__init__()
        make = {1: nn.Identity, 2: lambda: Layer(channels, channels, 1), 3: lambda: Layer(channels, channels, 3)}
        make[4] = lambda: nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
        self.layers = nn.ModuleDict({str(edge): make[code]() for edge, code in enumerate(codes) if code})

    def forward(self, x):
        nodes = [x, 0, 0, 0]
        for edge, (source, target) in enumerate(EDGES):
            if str(edge) in self.layers:
                nodes[target] = nodes[target] + self.layers[str(edge)](nodes[source])
        return nodes[3]


class Reduction(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.long = nn.Sequential(Layer(inputs, outputs, 3, 2), Layer(outputs, outputs, 3))
        self.short = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(inputs, outputs, 1, bias=False))

    def forward(self, x):
        return self.long(x) + self.short(x)


def network(codes, channels, cells):
    layers = [nn.Conv2d(1, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)]
    for width in (channels, 2 * channels, 4 * channels):
        if width > channels:
            layers.append(Reduction(width // 2, width))
        layers += [Cell(codes, width) for _ in range(cells)]
    head = [nn.BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10)]
    return nn.Sequential(*layers, *head)


def train(net, dataset, recipe):
    """Train and evaluate every epoch, and return the test accuracies in percent."""
    mean, deviation = (float(each[0]) for each in dataset.statistics())
    splits = {
        name: ((torch.from_numpy(part.images) - mean) / deviation, torch.from_numpy(part.labels))
        for name, part in (("train", dataset.train), ("valid", dataset.valid), ("test", dataset.test))
    }
    optimizer = torch.optim.SGD(
        net.parameters(), recipe.learning_rate, recipe.momentum, weight_decay=recipe.weight_decay, nesterov=True
    )
    images, labels = splits["train"]
    part, curve = dataset.epoch_images, []
    for epoch in range(recipe.epochs):
        net.train()
        order = torch.randperm(part) + part * (epoch % dataset.parts)
        for batch in order.split(recipe.batch):
            loss = functional.cross_entropy(net(images[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        net.eval()
        with torch.no_grad():
            scores = {name: net(splits[name][0]) for name in ("valid", "test")}
        curve.append(100 * float((scores["test"].argmax(1) == splits["test"][1]).float().mean()))
    return curve
