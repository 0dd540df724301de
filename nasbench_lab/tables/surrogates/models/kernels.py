"""Weighted sums of kernels around examples: Gaussian processes and support vectors."""

from __future__ import annotations

from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray
from nasbench_lab.tables.surrogates.models.products import dot
from nasbench_lab.tables.surrogates.models.stored import Arrays, Given, Settings, StoredModel

KERNELS = ("exponential", "gaussian", "matern")
"""Functions of a scaled distance d: exp(-d) of absolute differences, exp(-d), and Matern's with smoothness 5/2, both of
squared Euclidean distances."""

_BLOCK = 2**20  # distances at a time: 8 MiB


@final
class Kernels(StoredModel):
    """A constant plus a weighted sum of kernels, each around an example.

    Args:
        examples: shape (examples, inputs).
        weights: shape (examples,).
        constant: what is added.
        kernel: a name of `KERNELS`.
        scale: distances are multiplied by it; for "matern", squared distances are.

    >>> model = Kernels(np.array([[0.0], [1.0]]), np.array([1.0, 0.0]), 5.0, "exponential", 1.0)
    >>> model.predict(np.array([[0.0]])).tolist()
    [6.0]
    """

    kind: ClassVar[str] = "kernels"

    def __init__(self, examples: FloatArray, weights: FloatArray, constant: float, kernel: str, scale: float) -> None:
        self.examples, self.weights, self.constant = examples, weights, constant
        self.kernel, self.scale, self.inputs = kernel, scale, examples.shape[1]

    def predict(self, vectors: NDArray[Any]) -> FloatArray:
        """Return the predictions for vectors, shape (n, inputs) to (n,)."""
        from scipy.spatial.distance import cdist

        metric = "cityblock" if self.kernel == "exponential" else "sqeuclidean"
        vectors, result = vectors.astype(np.float64, copy=False), np.empty(len(vectors))
        step = max(1, _BLOCK // len(self.examples))
        for first in range(0, len(vectors), step):
            rows = slice(first, first + step)
            near = self._of_distances(cdist(vectors[rows], self.examples, metric) * self.scale)
            result[rows] = dot(near, self.weights) + self.constant
        return result

    def _of_distances(self, distance: FloatArray) -> FloatArray:
        if self.kernel != "matern":
            return np.exp(-distance)
        root = np.sqrt(5.0 * distance)
        result: FloatArray = (1.0 + root + root * root / 3.0) * np.exp(-root)
        return result

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that a file stores."""
        return {"examples": self.examples, "weights": self.weights}

    def settings(self) -> dict[str, Any]:
        """Return what a file stores besides arrays."""
        return {"constant": self.constant, "kernel": self.kernel, "scale": self.scale}

    @classmethod
    def restored(cls, arrays: Arrays, settings: Settings, _parts: list[StoredModel]) -> Kernels:
        """Make the model again from what a file stores, or raise DataError."""
        given = Given(cls.kind, arrays, settings)
        examples = given.floats("examples", (None, None))
        scale = given.number("scale")
        if scale < 0:
            raise given.wrong("scale must not be negative")
        weights = given.floats("weights", (len(examples),))
        return cls(examples, weights, given.number("constant"), given.choice("kernel", KERNELS), scale)
