"""Predictors that learn from the labels of another table, too."""

from __future__ import annotations

import dataclasses
from typing import Literal, get_args

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import one_of
from nasbench_lab.errors import ParameterError
from nasbench_lab.prediction.predictors import ModelPredictor, Predictor
from nasbench_lab.prediction.samples import Sample

TransferWay = Literal["stacked", "pooled"]
TRANSFER_WAYS: tuple[TransferWay, ...] = get_args(TransferWay)


@dataclasses.dataclass(frozen=True)
class TransferPredictor(Predictor):
    """A model that learns from labels of another table, and from the labels of its own table that there are.

    - ``"stacked"``: a model of the other table predicts all architectures; its prediction is a further feature of the
      model that is fitted to own labels.
    - ``"pooled"``: one model is fitted to the labels of both tables, each standardised (mean 0, deviation 1).

    With fewer than two own labels, predictions are those of the other table's model, which are scores without a unit.

    Args:
        predictor: the model and its encoding.
        how: ``"stacked"`` or ``"pooled"``.
    """

    predictor: ModelPredictor
    how: TransferWay = "stacked"

    fewest_labels = 0
    fewest_for_units = 2
    needs_source = True

    def __post_init__(self) -> None:
        one_of("transfer", self.how, TRANSFER_WAYS)

    @property
    def name(self) -> str:
        """The name of the model, and how it transfers."""
        return f"{self.predictor.name}, {self.how}"

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the model."""
        return self.predictor.encoding

    @property
    def label(self) -> str:  # type: ignore[override]
        """Name, encoding, and how it transfers."""
        return f"{self.predictor.label}, {self.how}"

    @property
    def settings(self) -> str:
        """All settings as text."""
        return f"{self.predictor.settings}, {self.how}"

    def predict(self, train: Sample, test: Sample, random_state: int) -> FloatArray:
        """Fit and predict; see the class."""
        other = train.other
        if other is None:
            raise ParameterError(f"{self.label} needs another table to learn from; give source")
        same = 1.0 if other.trainings.direction == train.trainings.direction else -1.0
        known, rows = self._features(other), self._features(test)
        far = same * _standardised(other.labels, other.labels)
        if len(train) < 2:
            return self.predictor.fitted(known, far, rows, random_state)
        near = self._features(train)
        if self.how == "pooled":
            labels = np.concatenate([far, _standardised(train.labels, train.labels)])
            found = self.predictor.fitted(np.concatenate([known, near]), labels, rows, random_state)
            return float(train.labels.mean()) + (float(train.labels.std()) or 1.0) * found
        expected = self.predictor.fitted(known, far, np.concatenate([near, rows]), random_state)
        joined = [np.column_stack(each) for each in ((near, expected[: len(near)]), (rows, expected[len(near) :]))]
        return self.predictor.fitted(joined[0], train.labels, joined[1], random_state)

    def _features(self, sample: Sample) -> FloatArray:
        return sample.encode(self.predictor.encoding)


def _standardised(values: FloatArray, by: FloatArray) -> FloatArray:
    return (values - by.mean()) / (float(by.std()) or 1.0)
