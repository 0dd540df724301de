"""ZiCo: how large and how steady the gradients of the weights are from batch to batch (Li et al. 2023)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
import torch

from nasbench_lab.arrays import FloatArray
from nasbench_lab.train.proxies.base import Proxy
from nasbench_lab.train.proxies.passes import loss_gradients
from nasbench_lab.train.proxies.subject import NoScoreError, ProxySubject


@final
@dataclass(frozen=True)
class Zico(Proxy):
    """ZiCo: the inverse coefficient of variation of the gradients over batches (Li et al. 2023).

    Every weight has the mean of the absolute values of its gradients over batches, and their standard deviation. The
    score is the sum over convolutions and linear layers of the logarithm of the sum over weights of their ratio.

    Traps: with two batches, as published, the deviation is half the distance between two gradients, so the few weights
    where these are almost equal decide the sum of a layer. Weights without any deviation, such as those that do not
    reach the output, are left out, and so are layers of such weights. One batch has no deviation. The sum over layers
    grows with depth. The deviation is that of the gradients with their sign, as in the authors' code; the paper writes
    that of their absolute values.
    """

    name: ClassVar[str] = "zico"
    reference: ClassVar[str] = (
        "Li et al., ZiCo: zero-shot NAS via inverse coefficient of variation on gradients, ICLR 2023"
    )
    batches: ClassVar[int] = 2

    def measure(self, subject: ProxySubject) -> float:
        """Return the sum of the logarithms of all layers."""
        of_batches = [loss_gradients(subject.network, [batch]) for batch in subject.batches]
        return of_layers(
            torch.stack([gradients[layer].flatten() for gradients in of_batches]).double().cpu().numpy()
            for layer in of_batches[0]
        )


def of_layers(gradients: Iterable[FloatArray]) -> float:
    """Return the score from the gradients of every layer, each of shape (batches, weights).

    Raises:
        NoScoreError: no gradient varies from batch to batch.

    >>> round(of_layers([np.array([[1.0, 2.0], [3.0, 2.0]])]), 4)  # only the first weight varies: log(2 / 1)
    0.6931
    """
    logarithms = []
    for layer in gradients:
        mean, deviation = np.abs(layer).mean(axis=0), layer.std(axis=0)
        varies = deviation > 0
        if varies.any():
            logarithms.append(np.log((mean[varies] / deviation[varies]).sum()))
    if not logarithms:
        raise NoScoreError("no gradient varies from batch to batch")
    return float(sum(logarithms))
