"""What every stored model has: settings, arrays and inner models, and one method that evaluates it."""

from __future__ import annotations

import abc
import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import DataError

Arrays = Mapping[str, NDArray[Any]]
Settings = Mapping[str, Any]

MOST_INPUTS = 2**20
"""Most entries of the vectors that a model takes."""


class StoredModel(abc.ABC):
    """A fitted regressor as plain arrays.

    Its predictions for a vector do not depend on the other vectors of a batch.
    """

    kind: ClassVar[str]
    """What files call this kind of model."""
    inputs: int
    """How many entries a vector has."""
    single: bool = False
    """Whether it rounds the entries of vectors to single precision before anything else."""

    @abc.abstractmethod
    def predict(self, vectors: NDArray[Any]) -> FloatArray:
        """Return the predictions for vectors of single or double precision, shape (n, inputs) to (n,)."""

    @abc.abstractmethod
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that a file stores."""

    def settings(self) -> dict[str, Any]:
        """Return what a file stores besides arrays, as JSON can hold it."""
        return {}

    def parts(self) -> list[StoredModel]:
        """Return the models inside this one."""
        return []

    @classmethod
    @abc.abstractmethod
    def restored(cls, arrays: Arrays, settings: Settings, parts: list[StoredModel]) -> StoredModel:
        """Make the model again from what a file stores, which may be anything.

        Raises:
            DataError: this is no model of this kind.
        """


class Given:
    """What a file stores of a model, with checks of every part.

    Args:
        kind: of the model, for messages.
        arrays: by name.
        settings: by name.
    """

    def __init__(self, kind: str, arrays: Arrays, settings: Settings) -> None:
        self._kind, self._arrays, self._settings = kind, arrays, settings

    def floats(self, name: str, shape: tuple[int | None, ...]) -> FloatArray:
        """Return an array of finite float64 numbers; None stands for any length of at least 1.

        Raises:
            DataError: it is missing, or not such an array.
        """
        array = self._array(name, shape, "f")
        if not np.isfinite(array).all():
            raise self.wrong(f"{name} has numbers that are not finite")
        return np.ascontiguousarray(array, dtype=np.float64)

    def integers(self, name: str, shape: tuple[int | None, ...], low: int, high: int) -> IntArray:
        """Return an array of whole numbers from low to high - 1.

        Raises:
            DataError: it is missing, or not such an array.
        """
        array = self._array(name, shape, "i")
        if array.min() < low or array.max() >= high:
            raise self.wrong(f"{name} has numbers outside {low}..{high - 1}")
        return np.ascontiguousarray(array, dtype=np.int64)

    def whole(self, name: str, low: int, high: int) -> int:
        """Return a setting that is a whole number from low to high, or raise DataError."""
        value = self._settings.get(name)
        if type(value) is not int or not low <= value <= high:
            raise self.wrong(f"{name} must be a whole number from {low} to {high}")
        return value

    def number(self, name: str) -> float:
        """Return a setting that is a finite number, or raise DataError."""
        value = self._settings.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.wrong(f"{name} must be a finite number")
        return float(value)

    def choice(self, name: str, known: tuple[str, ...]) -> str:
        """Return a setting that is one of some words, or raise DataError."""
        value = self._settings.get(name)
        if value not in known:
            raise self.wrong(f"{name} must be one of {', '.join(known)}")
        return str(value)

    def wrong(self, text: str) -> DataError:
        """Return the error about a part of this model."""
        return DataError(f"its model of kind {self._kind!r} is not valid: {text}")

    def _array(self, name: str, shape: tuple[int | None, ...], kind: str) -> NDArray[Any]:
        array = self._arrays.get(name)
        if array is None or array.dtype.kind != kind or array.ndim != len(shape):
            raise self.wrong(f"it has no array {name} of {'floating-point' if kind == 'f' else 'whole'} numbers")
        for found, wanted in zip(array.shape, shape, strict=True):
            if found != wanted and (wanted is not None or found < 1):
                raise self.wrong(f"{name} has the shape {array.shape}")
        return array
