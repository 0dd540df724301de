"""Metrics of classifiers besides accuracy: confusion matrix, precision, recall and F1 score."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike, NDArray


def confusion_matrix(labels: ArrayLike, predicted: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Return the number of images of each class (row) that were predicted as each class (column).

    Args:
        labels: true classes, shape (images,).
        predicted: predicted classes, shape (images,).
        classes: number of classes.

    Returns:
        Counts of shape (classes, classes).

    >>> confusion_matrix([0, 0, 1], [0, 1, 1], 2).tolist()
    [[1, 1], [0, 1]]
    """
    cells = np.asarray(labels, dtype=np.int64) * classes + np.asarray(predicted, dtype=np.int64)
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


@dataclasses.dataclass(frozen=True)
class MacroScores:
    """Macro averages of precision, recall and F1 score: unweighted means over the classes, in percent.

    The precision of a class that is never predicted is 0, and so is the recall of a class without images, which is
    scikit-learn's default.

    Attributes:
        precision: fraction of the images predicted as a class that belong to it.
        recall: fraction of the images of a class that are predicted as it.
        f1: harmonic mean of precision and recall of a class.
    """

    precision: float
    recall: float
    f1: float

    @classmethod
    def from_confusion(cls, confusion: ArrayLike) -> MacroScores:
        """Compute the scores from a confusion matrix of shape (classes, classes), with the true classes as rows.

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
