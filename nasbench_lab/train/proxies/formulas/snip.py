"""SNIP: how much the loss depends on the presence of each weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from nasbench_lab.train.proxies.base import Proxy
from nasbench_lab.train.proxies.passes import layer_weights, loss_gradients, total
from nasbench_lab.train.proxies.subject import ProxySubject


@final
@dataclass(frozen=True)
class Snip(Proxy):
    """The sum of abs(w * dL / dw) over the weights of convolutions and linear layers (Lee et al., ICLR 2019).

    L is the mean cross-entropy of a batch. w * dL / dw is the derivative by a mask that multiplies the weight
    (equation 4). The paper divides it by the sum over all weights, which is the score here (Abdelfattah et al. 2021).
    """

    name: ClassVar[str] = "snip"
    reference: ClassVar[str] = (
        "Lee et al., SNIP: Single-shot Network Pruning based on Connection Sensitivity, ICLR 2019"
    )

    def measure(self, subject: ProxySubject) -> float:
        """Return the sum."""
        slopes, weights = subject.shared(loss_gradients), layer_weights(subject.network)
        return total((weights[name] * slopes[name]).abs() for name in weights)
