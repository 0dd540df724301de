"""One column of a surrogate: a metric after some epochs, its expected value and the spread of its repeats."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray
from nasbench_lab.tables.surrogates.models.stored import StoredModel

_LEAST_SHARE = 0.05
"""A repeat of a positive quantity, such as seconds, is at least this share of its expected value."""


@dataclasses.dataclass(frozen=True, eq=False)
class SurrogateColumn:
    """A metric after some epochs.

    Attributes:
        metric: its name.
        epochs: the fidelity; None for a metric without fidelities.
        model: predicts the expected value, or its logarithm, from a vector.
        is_log: whether it predicts the logarithm. Deviations are then relative to the expected value.
        low: the lowest possible value.
        high: the highest possible value.
        variance: predicts the variance of repeats from a vector with the expected value (as the model predicts it)
            behind it; None if all repeats are equal.
    """

    metric: str
    epochs: int | None
    model: StoredModel
    is_log: bool
    low: float
    high: float
    variance: StoredModel | None = None

    def expected(self, vectors: NDArray[Any]) -> tuple[FloatArray, FloatArray]:
        """Return expected values and the standard deviations of repeats, shape (n, inputs) to (n,) twice.

        Vectors may have any precision that holds their numbers.
        """
        predicted = self.model.predict(vectors)
        values = np.exp(np.clip(predicted, -700.0, 700.0)) if self.is_log else predicted
        values = np.clip(values, self.low, self.high)
        if self.variance is None:
            return values, np.zeros(len(values))
        precision = np.float32 if self.variance.single else np.float64
        inputs = np.concatenate([vectors, predicted[:, None]], axis=1, dtype=precision, casting="same_kind")
        variance = self.variance.predict(inputs)
        return values, np.sqrt(np.maximum(variance, 0.0)) * (values if self.is_log else 1.0)

    def repeated(self, expected: FloatArray, deviation: FloatArray, drawn: FloatArray) -> FloatArray:
        """Return the values of single repeats, given standardised deviations; all of shape (n,)."""
        values = expected + deviation * drawn
        if self.is_log:
            values = np.maximum(values, _LEAST_SHARE * expected)
        return np.clip(values, self.low, self.high)
