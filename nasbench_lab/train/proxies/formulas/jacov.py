"""Jacobian covariance: how independently a network reacts to changes of each image (Mellor et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.train.proxies.base import Proxy
from nasbench_lab.train.proxies.input_jacobian import input_correlations
from nasbench_lab.train.proxies.subject import NoScoreError, ProxySubject

_SMALL = 1e-5


@final
@dataclass(frozen=True)
class Jacov(Proxy):
    """Jacobian covariance: a score of the correlations between the input gradients of the images.

    With the eigenvalues ``v`` of the correlation matrix (`input_correlations`) and ``k = 1e-5``, the score is
    ``-sum(log(v + k) + 1 / (v + k))`` (Mellor et al. 2020). It is highest, about minus the number of
    images, for uncorrelated gradients.

    Traps: an eigenvalue near zero, as of two almost equal images, changes the score by up to 1e5: compare ranks, not
    scores. The matrix has an eigenvalue of zero where an image has fewer values than the batch has images.
    """

    name: ClassVar[str] = "jacov"
    aliases: ClassVar[tuple[str, ...]] = ("jacob_cov", "jacobian_covariance")
    reference: ClassVar[str] = "Mellor et al., Neural architecture search without training, arXiv 2006.04647v1, 2020"
    needs: ClassVar[tuple[str, ...]] = ("images", "gradients")

    def measure(self, subject: ProxySubject) -> float:
        """Return the score of the correlations."""
        return of_correlations(subject.shared(input_correlations).matrix)


def of_correlations(matrix: FloatArray) -> float:
    """Return the score of a correlation matrix.

    Raises:
        NoScoreError: there is one image only, or an image has a constant gradient.

    >>> round(of_correlations(np.eye(4)), 3)
    -4.0
    """
    if len(matrix) < 2:
        raise NoScoreError("correlations need two images")
    if not np.isfinite(matrix).all():
        raise NoScoreError("the gradient by an image is constant")
    values = np.linalg.eigvalsh(matrix) + _SMALL
    return float(-(np.log(values) + 1 / values).sum())
