"""The mean of the nearest examples."""

from __future__ import annotations

from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray
from nasbench_lab.tables.surrogates.models.products import ordered_sum
from nasbench_lab.tables.surrogates.models.stored import Arrays, Given, Settings, StoredModel

_BLOCK = 2**20  # distances at a time: 8 MiB


@final
class Neighbors(StoredModel):
    """The mean of the values of the nearest examples, by Euclidean distance; of equal distances, the first counts.

    Args:
        examples: shape (examples, inputs).
        values: shape (examples,).
        count: how many neighbours.
        by_distance: whether near examples weigh more, by the inverse of their distances.

    >>> model = Neighbors(np.array([[0.0], [1.0], [5.0]]), np.array([1.0, 3.0, 9.0]), 2, by_distance=False)
    >>> model.predict(np.array([[0.2]])).tolist()
    [2.0]
    """

    kind: ClassVar[str] = "neighbors"

    def __init__(self, examples: FloatArray, values: FloatArray, count: int, *, by_distance: bool) -> None:
        self.examples, self.values, self.count, self.by_distance = examples, values, count, by_distance
        self.inputs = examples.shape[1]

    def predict(self, vectors: NDArray[Any]) -> FloatArray:
        """Return the predictions for vectors, shape (n, inputs) to (n,)."""
        from scipy.spatial.distance import cdist

        vectors, result = vectors.astype(np.float64, copy=False), np.empty(len(vectors))
        step = max(1, _BLOCK // len(self.examples))
        for first in range(0, len(vectors), step):
            rows = slice(first, first + step)
            distance = cdist(vectors[rows], self.examples)
            nearest = np.argsort(distance, axis=1, kind="stable")[:, : self.count]
            result[rows] = self._mean(np.take_along_axis(distance, nearest, axis=1), self.values[nearest])
        return result

    def _mean(self, distance: FloatArray, values: FloatArray) -> FloatArray:
        if not self.by_distance:
            return ordered_sum(values) / self.count
        same = distance == 0
        with np.errstate(divide="ignore"):
            weight = np.where(same.any(axis=1, keepdims=True), same.astype(np.float64), 1.0 / distance)
        return ordered_sum(weight * values) / ordered_sum(weight)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that a file stores."""
        return {"examples": self.examples, "values": self.values}

    def settings(self) -> dict[str, Any]:
        """Return what a file stores besides arrays."""
        return {"count": self.count, "by_distance": int(self.by_distance)}

    @classmethod
    def restored(cls, arrays: Arrays, settings: Settings, _parts: list[StoredModel]) -> Neighbors:
        """Make the model again from what a file stores, or raise DataError."""
        given = Given(cls.kind, arrays, settings)
        examples = given.floats("examples", (None, None))
        values = given.floats("values", (len(examples),))
        by_distance = given.whole("by_distance", 0, 1) == 1
        return cls(examples, values, given.whole("count", 1, len(examples)), by_distance=by_distance)
