"""How good a classifier is, beyond its accuracy."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike, NDArray


def confusion_matrix(labels: ArrayLike, predicted: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Return how many images of each class (row) were taken for each class (column), shape (classes, classes).

    >>> confusion_matrix([0, 0, 1], [0, 1, 1], 2).tolist()
    [[1, 1], [0, 1]]
    """
    cells = np.asarray(labels, dtype=np.int64) * classes + np.asarray(predicted, dtype=np.int64)
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


@dataclasses.dataclass(frozen=True)
class MacroScores:
    """Averages over classes, each class counting the same (macro), in percent.

    A class that is never predicted has the precision 0, as in scikit-learn's default; one without images has the recall
    0.

    Attributes:
        precision: of the images taken for a class, how many are of it.
        recall: of the images of a class, how many are taken for it.
        f1: harmonic mean of both, class by class, before averaging.
    """

    precision: float
    recall: float
    f1: float

    @classmethod
    def from_confusion(cls, confusion: ArrayLike) -> MacroScores:
        """Compute the scores from a confusion matrix (rows are the true classes), shape (classes, classes).

        >>> scores = MacroScores.from_confusion([[1, 1], [0, 2]])
        >>> round(scores.precision, 1), round(scores.recall, 1), round(scores.f1, 1)
        (83.3, 75.0, 73.3)
        """
        matrix = np.asarray(confusion, dtype=np.float64)
        right, taken, present = matrix.diagonal(), matrix.sum(axis=0), matrix.sum(axis=1)
        precision = np.divide(right, taken, out=np.zeros_like(right), where=taken > 0)
        recall = np.divide(right, present, out=np.zeros_like(right), where=present > 0)
        f1 = np.divide(2 * right, taken + present, out=np.zeros_like(right), where=taken + present > 0)
        return cls(*(float(100 * each.mean()) for each in (precision, recall, f1)))
