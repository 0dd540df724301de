"""Predictors that learn from the labels of another table, too."""

from __future__ import annotations

import dataclasses
from typing import Literal, get_args

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import one_of
from nasbench_lab.errors import ParameterError
from nasbench_lab.prediction.predictors import ModelPredictor, Predictor
from nasbench_lab.prediction.samples import ArchitectureSample

TransferWay = Literal["residual", "stacked", "pooled"]
TRANSFER_WAYS: tuple[TransferWay, ...] = get_args(TransferWay)


@dataclasses.dataclass(frozen=True)
class TransferPredictor(Predictor):
    """A model that learns from labels of another table, and from the labels of its own table that there are.

    - ``"residual"``: a model of the other table predicts all architectures; a line from its predictions to own labels
      is fitted, and then a second model to what is left. The slope starts from 1, in deviations of both tables, with
      the weight of one label. This is the autoregressive form of Kennedy and O'Hagan (Biometrika 2000).
    - ``"stacked"``: the prediction of the other table's model is a further feature of the model of own labels.
    - ``"pooled"``: one model is fitted to the labels of both tables, each standardised (mean 0, deviation 1).

    With fewer than two own labels, predictions are those of the other table's model, which are scores without a unit.

    Args:
        predictor: the model and its encoding.
        how: ``"residual"``, ``"stacked"`` or ``"pooled"``.
    """

    predictor: ModelPredictor
    how: TransferWay = "residual"

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

    def predict(self, train: ArchitectureSample, test: ArchitectureSample, random_state: int) -> FloatArray:
        """Fit and predict; see the class."""
        other = train.other
        if other is None:
            raise ParameterError(f"{self.label} needs another table to learn from; give source")
        same = 1.0 if other.trainings.direction == train.trainings.direction else -1.0
        known, rows = self._features(other), self._features(test)
        far = same * _standardised(other.labels)
        if len(train) < 2:
            return self.predictor.fitted(known, far, rows, random_state)
        near, middle, spread = self._features(train), float(train.labels.mean()), float(train.labels.std()) or 1.0
        own = _standardised(train.labels)
        if self.how == "pooled":
            joined = np.concatenate([known, near])
            return middle + spread * self.predictor.fitted(joined, np.concatenate([far, own]), rows, random_state)
        expected = self.predictor.fitted(known, far, np.concatenate([near, rows]), random_state)
        of_train, of_test = expected[: len(near)], expected[len(near) :]
        if self.how == "stacked":
            joined = np.column_stack([near, of_train])
            return self.predictor.fitted(joined, train.labels, np.column_stack([rows, of_test]), random_state)
        centred = of_train - of_train.mean()
        slope = (centred @ own + 1.0) / (centred @ centred + 1.0)
        left = self.predictor.fitted(near, own - slope * centred, rows, random_state)
        return middle + spread * (slope * (of_test - of_train.mean()) + left)

    def _features(self, sample: ArchitectureSample) -> FloatArray:
        return sample.encode(self.predictor.encoding)


def _standardised(values: FloatArray) -> FloatArray:
    return (values - values.mean()) / (float(values.std()) or 1.0)
