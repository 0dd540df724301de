"""Models around models: scaled inputs and outputs, and the mean of several models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray
from nasbench_lab.tables.surrogates.models.stored import Arrays, Given, Settings, StoredModel

_MOST_MEMBERS = 1000


@final
class ScaledModel(StoredModel):
    """A model of scaled vectors, whose predictions are scaled back.

    Args:
        model: of ``(vector - centre) / spread``.
        centre: shape (inputs,).
        spread: shape (inputs,), not 0.
        factor: predictions are multiplied by it.
        shift: and this is added.

    >>> from nasbench_lab.tables.surrogates.models.linear import Linear
    >>> model = ScaledModel(Linear(np.array([1.0]), 0.0), np.array([2.0]), np.array([4.0]), 10.0, 1.0)
    >>> model.predict(np.array([[6.0]])).tolist()
    [11.0]
    """

    kind: ClassVar[str] = "scaled"

    def __init__(self, model: StoredModel, centre: FloatArray, spread: FloatArray, factor: float, shift: float) -> None:
        self.model, self.centre, self.spread, self.factor, self.shift = model, centre, spread, factor, shift
        self.inputs = len(centre)

    def predict(self, vectors: NDArray[Any]) -> FloatArray:
        """Return the predictions for vectors, shape (n, inputs) to (n,)."""
        return self.model.predict((vectors - self.centre) / self.spread) * self.factor + self.shift

    def parts(self) -> list[StoredModel]:
        """Return the model inside."""
        return [self.model]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that a file stores."""
        return {"centre": self.centre, "spread": self.spread}

    def settings(self) -> dict[str, Any]:
        """Return what a file stores besides arrays."""
        return {"factor": self.factor, "shift": self.shift}

    @classmethod
    def restored(cls, arrays: Arrays, settings: Settings, parts: list[StoredModel]) -> ScaledModel:
        """Make the model again from what a file stores, or raise DataError."""
        given = Given(cls.kind, arrays, settings)
        if len(parts) != 1:
            raise given.wrong("it must have one model inside")
        centre, spread = (given.floats(name, (parts[0].inputs,)) for name in ("centre", "spread"))
        if not spread.all():
            raise given.wrong("spread must not be 0")
        return cls(parts[0], centre, spread, given.number("factor"), given.number("shift"))


@final
class Average(StoredModel):
    """The mean of several models.

    Args:
        models: that take the same vectors.

    >>> from nasbench_lab.tables.surrogates.models.linear import Constant
    >>> Average([Constant(1, 2.0), Constant(1, 4.0)]).predict(np.zeros((1, 1))).tolist()
    [3.0]
    """

    kind: ClassVar[str] = "average"

    def __init__(self, models: Sequence[StoredModel]) -> None:
        self.models = list(models)
        self.inputs = self.models[0].inputs

    def predict(self, vectors: NDArray[Any]) -> FloatArray:
        """Return the predictions for vectors, shape (n, inputs) to (n,)."""
        total = np.zeros(len(vectors))
        for model in self.models:
            total += model.predict(vectors)
        return total / len(self.models)

    def parts(self) -> list[StoredModel]:
        """Return the models."""
        return self.models

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that a file stores: none."""
        return {}

    @classmethod
    def restored(cls, arrays: Arrays, settings: Settings, parts: list[StoredModel]) -> Average:
        """Make the model again from what a file stores, or raise DataError."""
        given = Given(cls.kind, arrays, settings)
        if not 1 <= len(parts) <= _MOST_MEMBERS:
            raise given.wrong(f"it must have 1 to {_MOST_MEMBERS} models inside")
        if any(part.inputs != parts[0].inputs for part in parts):
            raise given.wrong("its models take vectors of different lengths")
        return cls(parts)
