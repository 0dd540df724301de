"""Linear models, and constants."""

from __future__ import annotations

from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray
from nasbench_lab.tables.surrogates.models.products import dot
from nasbench_lab.tables.surrogates.models.stored import MOST_INPUTS, Arrays, Given, Settings, StoredModel


@final
class Linear(StoredModel):
    """A weighted sum plus a constant.

    Args:
        weights: shape (inputs,).
        intercept: the constant.

    >>> Linear(np.array([1.0, 2.0]), 0.5).predict(np.array([[1.0, 1.0]])).tolist()
    [3.5]
    """

    kind: ClassVar[str] = "linear"

    def __init__(self, weights: FloatArray, intercept: float) -> None:
        self.weights, self.intercept, self.inputs = weights, intercept, len(weights)

    def predict(self, vectors: NDArray[Any]) -> FloatArray:
        """Return the predictions for vectors, shape (n, inputs) to (n,)."""
        return dot(vectors, self.weights) + self.intercept

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that a file stores."""
        return {"weights": self.weights}

    def settings(self) -> dict[str, Any]:
        """Return what a file stores besides arrays."""
        return {"intercept": self.intercept}

    @classmethod
    def restored(cls, arrays: Arrays, settings: Settings, _parts: list[StoredModel]) -> Linear:
        """Make the model again from what a file stores, or raise DataError."""
        given = Given(cls.kind, arrays, settings)
        return cls(given.floats("weights", (None,)), given.number("intercept"))


@final
class Constant(StoredModel):
    """The same number for all vectors.

    Args:
        inputs: length of the vectors.
        value: the number.

    >>> Constant(2, 7.0).predict(np.zeros((3, 2))).tolist()
    [7.0, 7.0, 7.0]
    """

    kind: ClassVar[str] = "constant"

    def __init__(self, inputs: int, value: float) -> None:
        self.inputs, self.value = inputs, value

    def predict(self, vectors: NDArray[Any]) -> FloatArray:
        """Return the number for each vector, shape (n, inputs) to (n,)."""
        return np.full(len(vectors), self.value)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that a file stores: none."""
        return {}

    def settings(self) -> dict[str, Any]:
        """Return what a file stores."""
        return {"inputs": self.inputs, "value": self.value}

    @classmethod
    def restored(cls, arrays: Arrays, settings: Settings, _parts: list[StoredModel]) -> Constant:
        """Make the model again from what a file stores, or raise DataError."""
        given = Given(cls.kind, arrays, settings)
        return cls(given.whole("inputs", 1, MOST_INPUTS), given.number("value"))
