"""Batch normalisation of shared weights, and the statistics that an evaluation uses."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

Statistics = Literal["batch", "recalibrated", "running"]
"""Statistics that evaluations of a path normalise with.

``"batch"``: those of the batch that is evaluated. ``"recalibrated"``: means over training batches that are passed
through the same path before (Yu et al., slimmable networks, ICLR 2019, section 3.3, and most one-shot methods since).
``"running"``: moving averages over the training of the supernet. They are averages over many paths, which are those of
none, so rankings by running statistics are poor: a common mistake.
"""


class SharedNorm(nn.BatchNorm2d):
    """Batch normalisation of a layer that many paths use.

    In training it normalises with the statistics of the batch, and updates the running statistics. In evaluation it
    uses the statistics that `statistics` says.
    """

    statistics: Statistics = "batch"

    def forward(self, x: Tensor) -> Tensor:
        """Normalise every channel, shape (batch, channels, h, w)."""
        if self.training or self.statistics != "batch":
            return super().forward(x)
        return functional.batch_norm(x, None, None, self.weight, self.bias, training=True, eps=self.eps)


def share_norms(network: nn.Module, *, affine: bool, statistics: Statistics) -> None:
    """Replace all batch normalisations of a network by `SharedNorm`, in place.

    Args:
        network: any module.
        affine: whether channels are scaled and shifted by trained parameters.
        statistics: statistics of evaluations.
    """
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if type(child) is nn.BatchNorm2d:
                norm = SharedNorm(child.num_features, eps=child.eps, momentum=child.momentum, affine=affine)
                norm.statistics = statistics
                setattr(module, name, norm)
