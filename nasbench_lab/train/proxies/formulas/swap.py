"""SWAP: in how many different ways units of a network react to the images of a batch (Peng et al. 2024)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, final

from nasbench_lab.checks import AtLeast
from nasbench_lab.errors import ParameterError
from nasbench_lab.train.complexity import parameters
from nasbench_lab.train.proxies.activation_patterns import distinct_patterns, relu_patterns
from nasbench_lab.train.proxies.base import Proxy
from nasbench_lab.train.proxies.subject import ProxySubject


@final
@dataclass(frozen=True)
class Swap(Proxy):
    """SWAP: the number of distinct sample-wise activation patterns (Peng et al. 2024).

    The pattern of a unit of a ReLU says for which images it is active. The score is the number of distinct patterns of
    all units. With regularisation it is multiplied by ``exp(-(p - mu)^2 / sigma)``, where ``p`` is the number of
    parameters in thousands: networks of about ``mu`` thousand parameters are preferred.

    Traps: there are at most ``2^images`` patterns and at most as many as units, so with few images all large networks
    are equal, and with many images the score counts units. ``sigma`` is in squared thousands, and both constants must
    fit the space: no values are good for all.

    Args:
        mu: preferred thousands of parameters.
        sigma: how slowly the score falls with the distance from it; 0 for no regularisation.
    """

    name: ClassVar[str] = "swap"
    aliases: ClassVar[tuple[str, ...]] = ("swap_score", "swap_nas")
    reference: ClassVar[str] = "Peng et al., SWAP-NAS: sample-wise activation patterns for ultra-fast NAS, ICLR 2024"
    needs: ClassVar[tuple[str, ...]] = ("images",)
    counts_unused_layers: ClassVar[bool] = True

    mu: Annotated[float, AtLeast(0)] = 0.0
    sigma: Annotated[float, AtLeast(0)] = 0.0

    def check(self) -> None:
        """Refuse a preferred size without a scale."""
        if self.mu and not self.sigma:
            raise ParameterError("mu needs sigma above 0: the score falls with (parameters / 1000 - mu)^2 / sigma")

    def measure(self, subject: ProxySubject) -> float:
        """Return the number of patterns, regularised or not."""
        count = distinct_patterns(subject.shared(relu_patterns))
        return count * (size_factor(parameters(subject.network), self.mu, self.sigma) if self.sigma else 1.0)


def size_factor(parameters: int, mu: float, sigma: float) -> float:
    """Return the factor that prefers networks of a size.

    >>> size_factor(40_000, mu=40, sigma=40), round(size_factor(30_000, mu=40, sigma=40), 4)
    (1.0, 0.0821)
    """
    return math.exp(-((parameters / 1000 - mu) ** 2) / sigma)
