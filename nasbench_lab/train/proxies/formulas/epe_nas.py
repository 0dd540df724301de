"""EPE-NAS: how similarly a network reacts to images of the same class (Lopes et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray
from nasbench_lab.train.proxies.base import Proxy
from nasbench_lab.train.proxies.input_jacobian import input_correlations
from nasbench_lab.train.proxies.subject import NoScoreError, ProxySubject

_SMALL = 1e-5
_MANY_CLASSES = 100


@final
@dataclass(frozen=True)
class EpeNas(Proxy):
    """EPE-NAS: a score of the correlations between the input gradients of images of the same class.

    Every class in the batch has ``s = sum(log(|c| + k))`` over the correlations ``c`` of its images
    (`input_correlations`) with ``k = 1e-5``. The score is the sum of ``|s|`` over classes (Lopes et al. 2021).

    Traps: with more than 100 classes, ``s`` is divided by the images of the class, and the score is the sum of
    ``|s - s'|`` over all ordered pairs of classes, divided by their number. The score grows with the squared number of
    images per class, so it depends on the labels of the batch more than on the network: use the same batch for all
    networks. A class with one image adds almost nothing.
    """

    name: ClassVar[str] = "epe_nas"
    reference: ClassVar[str] = (
        "Lopes et al., EPE-NAS: efficient performance estimation without training for neural architecture search, "
        "ICANN 2021"
    )

    def measure(self, subject: ProxySubject) -> float:
        """Return the score of the correlations within classes."""
        matrix, outputs = subject.shared(input_correlations)
        return within_classes(matrix, subject.labels.cpu().numpy(), outputs)


def within_classes(matrix: FloatArray, labels: NDArray[np.int64], classes: int) -> float:
    """Return the score of the correlations between images.

    Args:
        matrix: correlations, shape (images, images).
        labels: of the images, shape (images,).
        classes: of the data set, also those without images.

    Raises:
        NoScoreError: an image has a constant gradient, or above 100 classes, each class has one image.

    >>> matrix = np.array([[1, 0.5, 0.1], [0.5, 1, 0.1], [0.1, 0.1, 1]])
    >>> round(within_classes(matrix, np.array([0, 0, 1]), 10), 2)  # 2 |log 0.5|
    1.39
    """
    member = (np.unique(labels)[:, None] == labels).astype(np.float64)
    sizes = member.sum(axis=1)
    logs = np.where(labels[:, None] == labels, np.log(np.abs(matrix) + _SMALL), 0)
    of_class = ((member @ logs) * member).sum(axis=1)
    if not np.isfinite(of_class).all():
        raise NoScoreError("the gradient by an image is constant")
    if classes <= _MANY_CLASSES:
        return float(np.abs(of_class).sum())
    several = (of_class / sizes)[sizes > 1]
    if not len(several):
        raise NoScoreError("every class has one image in the batch")
    return float(np.abs(several[:, None] - several).sum() / len(several))
