"""Plain: the sum of gradient times weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from nasbench_lab.train.proxies.base import Proxy
from nasbench_lab.train.proxies.passes import layer_weights, loss_gradients, total
from nasbench_lab.train.proxies.subject import ProxySubject


@final
@dataclass(frozen=True)
class Plain(Proxy):
    """The sum of w * dL / dw over the weights of convolutions and linear layers (Mozer and Smolensky, NeurIPS 1989).

    L is the mean cross-entropy of a batch. To first order, the sum is how much the loss falls if all weights are scaled
    down. As a proxy, it is the variant of `snip` without absolute values, by Abdelfattah et al. (ICLR 2021).

    The weights of a layer before a batch normalisation add nearly nothing: the loss does not depend on their scale, so
    that their sum is zero up to the small constant in the normalisation. What remains is mainly the classifier.
    On NAS-Bench-201, the published scores fall with the accuracy. The sign is not changed here.
    """

    name: ClassVar[str] = "plain"
    reference: ClassVar[str] = "Abdelfattah et al., Zero-Cost Proxies for Lightweight NAS, ICLR 2021"

    def measure(self, subject: ProxySubject) -> float:
        """Return the sum."""
        slopes, weights = subject.shared(loss_gradients), layer_weights(subject.network)
        return total(weights[name] * slopes[name] for name in weights)
