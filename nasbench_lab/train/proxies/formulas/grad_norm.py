"""The norms of the gradients of all layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from nasbench_lab.train.proxies.base import Proxy
from nasbench_lab.train.proxies.passes import loss_gradients, total
from nasbench_lab.train.proxies.subject import ProxySubject


@final
@dataclass(frozen=True)
class GradNorm(Proxy):
    """The sum over convolutions and linear layers of the Euclidean norm of dL / dw (Abdelfattah et al., ICLR 2021).

    L is the mean cross-entropy of a batch, w are all weights of the layer. It is a sum of norms, not the norm of all
    gradients together, so it grows with the number of layers.
    """

    name: ClassVar[str] = "grad_norm"
    aliases: ClassVar[tuple[str, ...]] = ("gradient-norm",)
    reference: ClassVar[str] = "Abdelfattah et al., Zero-Cost Proxies for Lightweight NAS, ICLR 2021"

    def measure(self, subject: ProxySubject) -> float:
        """Return the sum."""
        return total(slope.norm() for slope in subject.shared(loss_gradients).values())
