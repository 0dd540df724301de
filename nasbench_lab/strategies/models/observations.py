"""The proposals of every run and their observed values, in the order of the proposals."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.strategies.problem import Evaluations

Fantasy = Literal["believer", "min", "mean", "max"]

_FIRST_CAPACITY = 32


class Scaled(NamedTuple):
    """Values with mean 0 and variance 1.

    Attributes:
        value: shape (runs, proposals).
        centre: the subtracted mean, shape (runs,).
        scale: the divisor, shape (runs,).
    """

    value: FloatArray
    centre: FloatArray
    scale: FloatArray


class Observations:
    """The proposals of all runs, the same number in each, and their values as far as they are known.

    Args:
        runs: number of runs.
        fantasy: the value of a proposal until it is observed: ``"believer"``, the prediction of the model at the time
            of the proposal (the mean of the known values if there was no model); or ``"min"``, ``"mean"`` or ``"max"``
            of the known values.
    """

    def __init__(self, runs: int, fantasy: Fantasy = "believer") -> None:
        self._fantasy = fantasy
        self.count = 0
        """Number of proposals of every run."""
        self.told = 0
        """Number of known values of every run, failed trainings among them."""
        self._architecture: IntArray = np.zeros((runs, _FIRST_CAPACITY), dtype=np.int64)
        self._value: FloatArray = np.full((runs, _FIRST_CAPACITY), np.nan)
        self._believed: FloatArray = np.full((runs, _FIRST_CAPACITY), np.nan)
        self._known: NDArray[np.bool_] = np.zeros((runs, _FIRST_CAPACITY), dtype=bool)

    @property
    def architecture(self) -> IntArray:
        """All proposals, shape (runs, count)."""
        return self._architecture[:, : self.count]

    @property
    def value(self) -> FloatArray:
        """The values of all proposals, NaN where the training failed or has not ended, shape (runs, count)."""
        return self._value[:, : self.count]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which values are known, failed trainings among them, shape (runs, count)."""
        return self._known[:, : self.count]

    def propose(self, architecture: IntArray, believed: FloatArray | None = None) -> None:
        """Add one proposal per run, shape (runs,), and the values that the model predicts for them."""
        if self.count == self._architecture.shape[1]:
            self._grow()
        self._architecture[:, self.count] = architecture
        if believed is not None:
            self._believed[:, self.count] = believed
        self.count += 1

    def tell(self, evaluations: Evaluations) -> None:
        """Record the values; -1 is no proposal."""
        run, column = np.nonzero(evaluations.architecture >= 0)
        number = evaluations.number[run, column]
        self._value[run, number] = evaluations.value[run, column]
        self._known[run, number] = True
        self.told = min(self.told + evaluations.architecture.shape[1], self.count)

    def values(self) -> Scaled:
        """Return the values of all proposals, scaled to mean 0 and variance 1; at least one must be known.

        A failed training (NaN) shows that an architecture is bad, but not how bad: it counts as the worst value that
        the run has seen. Where all values are equal or failed, they become 0.
        """
        known, value = self._known[:, : self.count], self._value[:, : self.count]
        good = known & ~np.isnan(value)
        some = good.any(axis=1, keepdims=True)
        number = np.maximum(good.sum(axis=1, keepdims=True), 1)
        low = np.where(some, np.where(good, value, np.inf).min(axis=1, keepdims=True), 0.0)
        high = np.where(some, np.where(good, value, -np.inf).max(axis=1, keepdims=True), 0.0)
        mean = np.where(good, value, 0.0).sum(axis=1, keepdims=True) / number
        if self._fantasy == "believer":
            believed = self._believed[:, : self.count]
            fantasy = np.where(np.isnan(believed), mean, believed)
        else:
            fantasy = {"min": low, "mean": mean, "max": high}[self._fantasy]
        filled = np.where(good, value, np.where(known, low, fantasy))
        centre = filled.mean(axis=1, keepdims=True)
        centred = filled - centre
        scale = np.sqrt((centred * centred).mean(axis=1, keepdims=True))
        varied = scale > 1e-12 * np.abs(filled).max(axis=1, keepdims=True)
        scale = np.where(varied, scale, 1.0)
        return Scaled(np.where(varied, centred / scale, 0.0), centre[:, 0], scale[:, 0])

    def _grow(self) -> None:
        more = self._architecture.shape[1]
        self._architecture = np.pad(self._architecture, ((0, 0), (0, more)))
        self._value, self._believed = (
            np.pad(array, ((0, 0), (0, more)), constant_values=np.nan) for array in (self._value, self._believed)
        )
        self._known = np.pad(self._known, ((0, 0), (0, more)))
