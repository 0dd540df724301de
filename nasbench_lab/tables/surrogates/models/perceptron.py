"""Fully connected networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray
from nasbench_lab.tables.surrogates.models.products import product
from nasbench_lab.tables.surrogates.models.stored import Arrays, Given, Settings, StoredModel

_MOST_LAYERS = 100


def _logistic(x: FloatArray) -> FloatArray:
    with np.errstate(over="ignore"):
        result: FloatArray = 1.0 / (1.0 + np.exp(-x))
    return result


ACTIVATIONS: Mapping[str, Callable[[FloatArray], FloatArray]] = {
    "identity": lambda x: x,
    "logistic": _logistic,
    "relu": lambda x: np.maximum(x, 0.0),
    "tanh": np.tanh,
}
"""The functions of hidden units, with the names of scikit-learn."""


@final
class Perceptron(StoredModel):
    """Layers of weighted sums, with a function of each sum in all layers but the last, which has one sum.

    Args:
        weights: of every layer, shape (units before, units).
        biases: of every layer, shape (units,).
        activation: a name of `ACTIVATIONS`.

    >>> net = Perceptron([np.array([[1.0, -1.0]]), np.array([[1.0], [1.0]])], [np.zeros(2), np.zeros(1)], "relu")
    >>> net.predict(np.array([[-3.0], [2.0]])).tolist()
    [3.0, 2.0]
    """

    kind: ClassVar[str] = "perceptron"

    def __init__(self, weights: Sequence[FloatArray], biases: Sequence[FloatArray], activation: str) -> None:
        self.weights, self.biases, self.activation = list(weights), list(biases), activation
        self.inputs = len(self.weights[0])

    def predict(self, vectors: NDArray[Any]) -> FloatArray:
        """Return the predictions for vectors, shape (n, inputs) to (n,)."""
        units = vectors.astype(np.float64, copy=False)
        for place, (weights, biases) in enumerate(zip(self.weights, self.biases, strict=True)):
            units = product(units, weights) + biases
            if place < len(self.weights) - 1:
                units = ACTIVATIONS[self.activation](units)
        return units[:, 0]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that a file stores."""
        weights = {f"weights{place}": array for place, array in enumerate(self.weights)}
        return weights | {f"biases{place}": array for place, array in enumerate(self.biases)}

    def settings(self) -> dict[str, Any]:
        """Return what a file stores besides arrays."""
        return {"layers": len(self.weights), "activation": self.activation}

    @classmethod
    def restored(cls, arrays: Arrays, settings: Settings, _parts: list[StoredModel]) -> Perceptron:
        """Make the model again from what a file stores, or raise DataError."""
        given = Given(cls.kind, arrays, settings)
        layers = given.whole("layers", 1, _MOST_LAYERS)
        weights: list[FloatArray] = []
        for place in range(layers):
            before = weights[-1].shape[1] if weights else None
            weights.append(given.floats(f"weights{place}", (before, 1 if place == layers - 1 else None)))
        biases = [given.floats(f"biases{place}", (array.shape[1],)) for place, array in enumerate(weights)]
        return cls(weights, biases, given.choice("activation", tuple(ACTIVATIONS)))
