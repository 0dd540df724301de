"""Scaling of inputs and targets for our own regressors."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import require


class Scaling(NamedTuple):
    """Inputs to the range from 0 to 1, and targets to mean 0 and variance 1; zeros and ones stay what they are.

    Attributes:
        low: smallest value of every input, shape (length,).
        span: its range; 1 where all values are equal.
        centre: mean of the targets.
        scale: their standard deviation; 1 where all are equal.
    """

    low: FloatArray
    span: FloatArray
    centre: float
    scale: float

    @classmethod
    def of(cls, vectors: FloatArray, values: FloatArray) -> Scaling:
        """Return the scaling for examples, shapes (n, length) and (n,)."""
        low = vectors.min(axis=0)
        span = vectors.max(axis=0) - low
        deviation = float(values.std())
        # An input that only has ones is left as it is, like one that only has zeros.
        low = np.where(span > 0, low, 0.0)
        scale = deviation if deviation > 1e-12 * max(float(np.abs(values).max()), 1e-300) else 1.0
        return cls(low, np.where(span > 0, span, 1.0), float(values.mean()), scale)

    def inputs(self, vectors: FloatArray) -> FloatArray:
        """Return scaled inputs."""
        return (vectors - self.low) / self.span

    def targets(self, values: FloatArray) -> FloatArray:
        """Return scaled targets."""
        return (values - self.centre) / self.scale


def checked_vectors(vectors: Any, length: int | None = None) -> FloatArray:
    """Return vectors as an array of shape (n, length), or raise ParameterError."""
    array: NDArray[Any] = np.asarray(vectors, dtype=np.float64)
    require(array.ndim == 2, f"vectors must have the shape (architectures, length), got {array.shape}")
    require(
        bool(np.isfinite(array).all()), "vectors have missing or infinite values (NaN), which this model cannot use"
    )
    require(
        length is None or array.shape[1] == length,
        f"the model was fitted to vectors of length {length}, got {array.shape[1]}",
    )
    return array


def checked_values(values: Any, count: int) -> FloatArray:
    """Return targets as an array of shape (n,), or raise ParameterError."""
    array: NDArray[Any] = np.asarray(values, dtype=np.float64)
    require(array.shape == (count,), f"there must be one value per vector, shape ({count},), got {array.shape}")
    require(count > 0, "a model needs at least one architecture")
    require(bool(np.isfinite(array).all()), "values must be finite numbers")
    return array
