"""LogSynflow: synaptic flow with logarithms of the gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from nasbench_lab.train.proxies.base import Proxy
from nasbench_lab.train.proxies.formulas.synflow import absolute_flow
from nasbench_lab.train.proxies.passes import total
from nasbench_lab.train.proxies.subject import ProxySubject


@final
@dataclass(frozen=True)
class LogSynflow(Proxy):
    """The sum of w * log(1 + dR / dw) over the weights of convolutions and linear layers (Cavagnero et al., WACV 2023).

    R is that of `synflow`. This is another ranking than that of `synflow`, whose logarithm is taken after the sum: here
    large gradients do not outweigh all others, and the score grows with the number of weights.
    """

    name: ClassVar[str] = "logsynflow"
    aliases: ClassVar[tuple[str, ...]] = ("log-synflow",)
    reference: ClassVar[str] = "Cavagnero et al., FreeREA: Training-Free Evolution-Based Architecture Search, WACV 2023"
    needs: ClassVar[tuple[str, ...]] = ("gradients",)

    def measure(self, subject: ProxySubject) -> float:
        """Return the sum."""
        return total(weight * gradient.log1p() for weight, gradient in subject.shared(absolute_flow))
