"""The architectures of a trial, and what a predictor may see of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.prediction.trainings import Trainings
from nasbench_lab.spaces import Space

JOIN = "+"
"""Joins names of encodings and columns, as in ``"path+synflow"``."""


class Bill:
    """The seconds that a predictor spends on architectures: partial trainings and scores.

    Args:
        sample: the architectures.
    """

    def __init__(self, sample: Sample) -> None:
        self._sample = sample
        self._epochs = 0
        self._columns: set[str] = set()

    def partial_training(self, epochs: int) -> None:
        """Charge a training up to some epochs. One training shows all metrics, and continues from fewer epochs."""
        self._epochs = max(self._epochs, epochs)

    def column(self, name: str) -> None:
        """Charge a column, once."""
        self._columns.add(name)

    @property
    def seconds(self) -> float:
        """The sum over all architectures."""
        sample, trainings = self._sample, self._sample.trainings
        total = 0.0
        if self._epochs and not sample.is_trained:
            total += float(trainings.training_seconds(sample.architectures, sample.repeats, self._epochs).sum())
        return total + sum(float(trainings.column_seconds(name, sample.architectures).sum()) for name in self._columns)


@dataclasses.dataclass(frozen=True, eq=False)
class Sample:
    """Architectures of a trial, and what a predictor may see of them.

    Attributes:
        trainings: of the table.
        architectures: indices in the space, shape (n,).
        repeats: which training of each is seen; -1 for the mean, shape (n,).
        is_trained: whether the architectures were trained to the end. Their curves then cost nothing more, and they
            have `labels`.
        known: their labels, if they were trained.
    """

    trainings: Trainings
    architectures: IntArray
    repeats: IntArray
    is_trained: bool
    known: FloatArray | None = None
    bill: Bill = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "bill", Bill(self))

    def __len__(self) -> int:
        return len(self.architectures)

    @property
    def space(self) -> Space:
        """The space of the architectures."""
        return self.trainings.space

    @property
    def labels(self) -> FloatArray:
        """The values after full trainings, in the unit of the metric, shape (n,).

        Raises:
            ParameterError: these are architectures to be predicted, whose labels are hidden.
        """
        if self.known is None:
            raise ParameterError("labels of test architectures are hidden from predictors")
        return self.known

    def encode(self, encoding: str) -> FloatArray:
        """Return architectures as vectors, shape (n, length); NaN for a score that failed.

        Args:
            encoding: encodings of the space and columns of the table, joined with ``+``, as in ``"path+synflow"``.
                ``scores`` stands for all zero-cost scores of the table. Columns cost the seconds that the table says.

        Raises:
            UnknownNameError: there is no such encoding or column.
        """
        parts = [part.strip() for part in encoding.split(JOIN)]
        own = [part for part in parts if part in self.space.encodings]
        columns = [name for part in parts if part not in own for name in self.trainings.columns(part)]
        blocks = [np.asarray(self.space.encode(self.architectures, part), dtype=np.float64) for part in own]
        for name in dict.fromkeys(columns):
            self.bill.column(name)
            blocks.append(self.trainings.column(name, self.architectures)[:, None])
        return np.concatenate(blocks, axis=1)

    def curves(self, epochs: int, metric: str | None = None) -> FloatArray:
        """Return learning curves up to some epochs, shape (n, points); the points are `points`.

        This trains test architectures for that many epochs, which costs seconds.

        Args:
            epochs: a fidelity of the table.
            metric: by default that of labels.
        """
        self.bill.partial_training(epochs)
        return self.trainings.curves(
            metric or self.trainings.objective.name, self.architectures, self.repeats, epochs
        )

    def points(self, epochs: int) -> tuple[int, ...]:
        """Return the epochs at the points of `curves`."""
        return self.trainings.points(epochs)

    def first(self, size: int) -> Sample:
        """Return the first architectures, with a new bill."""
        return self._at(slice(size))

    def _at(self, where: slice) -> Sample:
        known = None if self.known is None else self.known[where]
        return Sample(self.trainings, self.architectures[where], self.repeats[where], self.is_trained, known)


Encoder = Callable[[str], FloatArray]
