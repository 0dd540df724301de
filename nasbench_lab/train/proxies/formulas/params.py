"""The number of trainable parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from nasbench_lab.train.complexity import parameters
from nasbench_lab.train.proxies.base import Proxy
from nasbench_lab.train.proxies.subject import ProxySubject


@final
@dataclass(frozen=True)
class Params(Proxy):
    """The number of trainable parameters, as a baseline that every proxy must beat.

    Layers whose output is not used count, as in the published numbers of benchmarks. So networks that compute the same
    can have different numbers.
    """

    name: ClassVar[str] = "params"
    aliases: ClassVar[tuple[str, ...]] = ("parameters", "size", "#params")
    reference: ClassVar[str] = "Ning et al., Evaluating Efficient Performance Estimators of Neural Architectures, 2021"
    needs: ClassVar[tuple[str, ...]] = ()
    depends_on_seed: ClassVar[bool] = False
    counts_unused_layers: ClassVar[bool] = True

    def measure(self, subject: ProxySubject) -> float:
        """Return the number."""
        return parameters(subject.original)
