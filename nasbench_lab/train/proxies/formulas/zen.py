"""Zen-score: how much a network's last feature map changes with its input, for normally distributed weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, final

import numpy as np
import torch
from torch import Tensor, nn

from nasbench_lab.checks import Above, Count
from nasbench_lab.train.proxies.base import Proxy
from nasbench_lab.train.proxies.feature_maps import last_feature_map
from nasbench_lab.train.proxies.initial_weights import draw_normal
from nasbench_lab.train.proxies.subject import NoScoreError, ProxySubject


@final
@dataclass(frozen=True)
class Zen(Proxy):
    """Zen-score: how much the last feature map changes with the image (Lin et al. 2021).

    It is the mean over `repeats` of

        log( mean over images of sum |f(x) - f(x + strength * e)| ) + sum over batch normalisations of log sqrt(v),

    where ``f`` is the feature map before global pooling, ``x`` and ``e`` are normally distributed images, and ``v`` is
    the variance in a batch normalisation, averaged over channels. All weights are drawn from the standard normal
    distribution; the second term undoes the scaling of batch normalisation.

    Traps: the variance is the running one after the two passes, as in the authors' code, so in training mode; it is 1
    in a fresh network. The network's own weights and the images are not used, and neither are labels and gradients. The
    authors remove residual connections before they compute the score; here and in NAS-Bench-Suite-Zero they stay.

    Args:
        repeats: draws of weights and images.
        strength: how far an image is changed.
    """

    name: ClassVar[str] = "zen"
    aliases: ClassVar[tuple[str, ...]] = ("zen_score", "zennas")
    reference: ClassVar[str] = (
        "Lin et al., Zen-NAS: a zero-shot NAS for high-performance deep image recognition, ICCV 2021"
    )
    needs: ClassVar[tuple[str, ...]] = ()
    counts_unused_layers: ClassVar[bool] = True

    repeats: Count = 1
    strength: Annotated[float, Above(0)] = 0.01

    def measure(self, subject: ProxySubject) -> float:
        """Return the mean score over the repeats."""
        return float(np.mean([self._once(subject) for _ in range(self.repeats)]))

    def _once(self, subject: ProxySubject) -> float:
        network, generator = subject.network, subject.generator
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
        draw_normal(network, generator, kaiming=False)
        images, noise = (torch.empty_like(subject.images).normal_(generator=generator) for _ in range(2))
        with torch.no_grad():
            first = last_feature_map(network, images)
            second = last_feature_map(network, images + self.strength * noise)
        return float(log_distance(first, second)) + log_scales(network)


def log_distance(first: Tensor, second: Tensor) -> Tensor:
    """Return the logarithm of the mean over images of the summed absolute difference of two feature maps.

    Raises:
        NoScoreError: the maps are equal.

    >>> float(log_distance(torch.zeros(2, 1, 1, 1), torch.ones(2, 1, 1, 1)))
    0.0
    """
    distance = (first - second).abs().double().flatten(1).sum(dim=1).mean()
    if not distance > 0:
        raise NoScoreError("the last feature map does not depend on the image")
    return distance.log()


def log_scales(network: nn.Module) -> float:
    """Return the sum over batch normalisations of the logarithm of the root of their mean running variance."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    return sum(0.5 * float(norm.running_var.double().mean().log()) for norm in norms if norm.running_var is not None)
