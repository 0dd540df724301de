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
        """Normalise every channel, shape (batch, channels, h, w); with fewer channels, the first ones are used."""
        channels = x.shape[1]
        scale, shift = (None if values is None else values[:channels] for values in (self.weight, self.bias))
        mean, variance = self.running_mean[:channels], self.running_var[:channels]
        if not self.training and self.statistics == "batch":
            return functional.batch_norm(x, None, None, scale, shift, training=True, eps=self.eps)
        if self.training:
            self.num_batches_tracked += 1
        factor = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        return functional.batch_norm(x, mean, variance, scale, shift, self.training, factor, self.eps)


def share_norms(
    network: nn.Module, *, affine: bool, statistics: Statistics, kind: type[SharedNorm] = SharedNorm
) -> None:
    """Replace all batch normalisations of a network by shared ones, in place.

    Args:
        network: any module.
        affine: whether channels are scaled and shifted by trained parameters.
        statistics: statistics of evaluations.
        kind: class of the shared normalisations.
    """
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if type(child) is nn.BatchNorm2d:
                norm = kind(child.num_features, eps=child.eps, momentum=child.momentum, affine=affine)
                norm.statistics = statistics
                setattr(module, name, norm)
