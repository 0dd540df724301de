"""The norms of the weights of all layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from nasbench_lab.train.proxies.base import Proxy
from nasbench_lab.train.proxies.passes import layer_weights, total
from nasbench_lab.train.proxies.subject import ProxySubject


@final
@dataclass(frozen=True)
class L2Norm(Proxy):
    """The sum over convolutions and linear layers of the Euclidean norm of the weights (Abdelfattah et al., ICLR 2021).

    The weights are random, so this is nearly a function of the sizes of the layers: with PyTorch's initialisation, a
    layer adds about the square root of a third of its number of outputs. Layers whose output is not used count.
    """

    name: ClassVar[str] = "l2_norm"
    aliases: ClassVar[tuple[str, ...]] = ("weight-norm",)
    reference: ClassVar[str] = "Abdelfattah et al., Zero-Cost Proxies for Lightweight NAS, ICLR 2021"
    needs: ClassVar[tuple[str, ...]] = ()
    counts_unused_layers: ClassVar[bool] = True

    def measure(self, subject: ProxySubject) -> float:
        """Return the sum."""
        return total(weight.norm() for weight in layer_weights(subject.original).values())
