"""Layers that several published networks share."""

from __future__ import annotations

from torch import Tensor, nn


class ReluConvBn(nn.Sequential):
    """ReLU, convolution without bias, batch normalisation; keeps the image size at stride 1."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
        )


class ConvBn(nn.Sequential):
    """Convolution without bias, batch normalisation; keeps the image size at stride 1."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs),
        )


class ConvBnRelu(nn.Sequential):
    """Convolution without bias, batch normalisation, ReLU; keeps the image size at stride 1."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(*ConvBn(inputs, outputs, kernel, stride, groups), nn.ReLU())


class ResidualReduction(nn.Module):
    """The residual block that halves the image between the stages of NAS-Bench-201 (Dong and Yang 2020, figure 1)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(ReluConvBn(inputs, outputs, 3, stride=2), ReluConvBn(outputs, outputs, 3))
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(inputs, outputs, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        """Halve the image: (batch, inputs, h, w) to (batch, outputs, h / 2, w / 2)."""
        return self.shortcut(x) + self.convolutions(x)


class Classifier(nn.Sequential):
    """Global average pooling and a linear layer: (batch, inputs, h, w) to (batch, classes)."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))
