"""NASWOT: how differently a network's ReLUs react to the images of a batch (Mellor et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.train.proxies.activation_patterns import agreements, relu_patterns
from nasbench_lab.train.proxies.base import Proxy
from nasbench_lab.train.proxies.subject import NoScoreError, ProxySubject


@final
@dataclass(frozen=True)
class Naswot(Proxy):
    """NASWOT: the logarithm of the determinant of the kernel of ReLU patterns.

    The pattern of an image says which units of all ReLUs are active. The kernel ``K`` counts for every two images the
    units on which their patterns agree; the score is ``log det K`` (Mellor et al. 2021).

    Traps: the score grows with the number of images and of units, so compare scores of the same batch size only. The
    determinant is zero if two images have the same pattern, or the network has fewer units than images: no score.
    ReLUs that are not layers but function calls are not seen.
    """

    name: ClassVar[str] = "naswot"
    aliases: ClassVar[tuple[str, ...]] = ("nwot", "relu_logdet", "hook_logdet")
    reference: ClassVar[str] = "Mellor et al., Neural architecture search without training, ICML 2021"
    needs: ClassVar[tuple[str, ...]] = ("images",)
    counts_unused_layers: ClassVar[bool] = True

    def measure(self, subject: ProxySubject) -> float:
        """Return the logarithm of the determinant."""
        patterns = subject.shared(relu_patterns)
        return log_determinant(agreements(patterns, len(subject.images)))


def log_determinant(kernel: FloatArray) -> float:
    """Return the logarithm of the determinant of a symmetric matrix without negative eigenvalues.

    Raises:
        NoScoreError: the determinant is zero, up to rounding: it is the product of rounding errors then.

    >>> round(log_determinant(np.diag([2.0, 3.0])), 4)  # log 6
    1.7918
    """
    eigenvalues = np.linalg.eigvalsh(kernel)
    if eigenvalues[0] <= eigenvalues[-1] * len(kernel) * np.finfo(np.float64).eps:
        raise NoScoreError("the kernel is singular: images share a pattern, or there are more images than units")
    return float(np.log(eigenvalues).sum())
