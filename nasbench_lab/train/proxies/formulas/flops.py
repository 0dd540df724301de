"""The number of multiply-additions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from nasbench_lab.train.complexity import multiply_additions
from nasbench_lab.train.proxies.base import Proxy
from nasbench_lab.train.proxies.subject import ProxySubject


@final
@dataclass(frozen=True)
class Flops(Proxy):
    """The number of multiply-additions of convolutions and linear layers for one image, as a baseline.

    This is what NATS-Bench and NAS-Bench-Suite-Zero publish, in millions: one multiplication with its addition counts
    as one operation; normalisation, pooling and activations do not count. Layers whose output is not used count.
    """

    name: ClassVar[str] = "flops"
    aliases: ClassVar[tuple[str, ...]] = ("macs", "multiply-additions")
    reference: ClassVar[str] = "Ning et al., Evaluating Efficient Performance Estimators of Neural Architectures, 2021"
    needs: ClassVar[tuple[str, ...]] = ()
    depends_on_seed: ClassVar[bool] = False
    counts_unused_layers: ClassVar[bool] = True

    def measure(self, subject: ProxySubject) -> float:
        """Return the number."""
        channels, height, width = subject.images.shape[1:]
        return multiply_additions(subject.network, (channels, height, width))
