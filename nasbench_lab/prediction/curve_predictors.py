"""Predictors that train architectures for some epochs, and read their learning curves."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Literal

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import AtLeast, check_fields
from nasbench_lab.errors import MissingDataError, ParameterError
from nasbench_lab.global_random import kept_random_state
from nasbench_lab.prediction.curve_fits import log_power_at, power_law_at
from nasbench_lab.prediction.predictors import Predictor, fill_missing
from nasbench_lab.prediction.samples import ArchitectureSample
from nasbench_lab.prediction.trainings import TableTrainings

_FEWEST_POINTS = 3  # of a curve that is extrapolated


@dataclasses.dataclass(frozen=True)
class CurvePredictor(Predictor):
    """A predictor that reads learning curves up to some epochs, for which test architectures are trained.

    Args:
        epochs: at which training stops; by default the last fidelity of the table up to half of its epochs.
    """

    epochs: Annotated[int, AtLeast(1)] | None = None

    needs_labels = False

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def label(self) -> str:  # type: ignore[override]
        """Name and parameters that are not defaults."""
        changed = [
            f"{field.name}={value}"
            for field in dataclasses.fields(self)
            if (value := getattr(self, field.name)) != field.default
        ]
        return ":".join([_NAMES[type(self)], ",".join(changed)]) if changed else _NAMES[type(self)]

    def stop(self, sample: ArchitectureSample) -> int:
        """Return the epochs at which training stops.

        Raises:
            UnknownNameError: the table has no such fidelity.
            MissingDataError: the table has a single fidelity.
            ParameterError: training would not stop before the end.
        """
        trainings = sample.trainings
        before = trainings.points(trainings.epochs)[:-1]
        if not before:
            raise MissingDataError(f"{self.label} reads learning curves, but {trainings.table.name!r} has none")
        if self.epochs is None:
            early = [at for at in before if 2 * at <= trainings.epochs]
            return early[-1] if early else before[0]
        trainings.table.fidelity_position(self.epochs)
        if self.epochs >= trainings.epochs:
            raise ParameterError(f"{self.label} must stop before {trainings.epochs} epochs, the end of the training")
        return self.epochs

    def _extrapolated(self, sample: ArchitectureSample) -> tuple[FloatArray, FloatArray, int]:
        """Return epochs and values of the curves, and the epochs at their end, for extrapolations."""
        stop = self.stop(sample)
        points = np.array(sample.points(stop), dtype=np.float64)
        if len(points) < _FEWEST_POINTS:
            raise MissingDataError(
                f"{self.label} needs {_FEWEST_POINTS} points of learning curves, but {sample.trainings.table.name!r} "
                f"has {len(points)} up to {stop} epochs"
            )
        return points, sample.curves(stop), sample.trainings.epochs


@dataclasses.dataclass(frozen=True)
class LastValue(CurvePredictor):
    """The last value of the learning curve: early stopping.

    Args:
        epochs: at which training stops; by default the last fidelity of the table up to half of its epochs.
    """

    def predict(self, train: ArchitectureSample, test: ArchitectureSample, random_state: int) -> FloatArray:
        """Return the values at the end of the curves."""
        return test.curves(self.stop(test))[:, -1]


@dataclasses.dataclass(frozen=True)
class SumOfLosses(CurvePredictor):
    """The sum over training losses, negated (Ru et al., "Speedy performance estimation for NAS", NeurIPS 2021).

    Without ``last`` it is their SoTL; with it, the sum over the last E epochs, SoTL-E. Where the table lacks epochs, a
    loss stands for all epochs since the previous fidelity.

    Args:
        epochs: at which training stops; by default the last fidelity of the table up to half of its epochs.
        last: number of last epochs whose losses are summed; by default all.
    """

    last: Annotated[int, AtLeast(1)] | None = None

    in_units = False

    def predict(self, train: ArchitectureSample, test: ArchitectureSample, random_state: int) -> FloatArray:
        """Return the negated sums."""
        stop = self.stop(test)
        losses = test.curves(stop, training_loss(test.trainings))
        points = np.array([0, *test.points(stop)])
        first = 0 if self.last is None else max(0, stop - self.last)
        epochs = np.diff(np.maximum(points, first))  # for which each loss stands
        return -(np.where(epochs > 0, losses, 0.0) @ epochs.astype(np.float64))


@dataclasses.dataclass(frozen=True)
class PowerLawCurve(CurvePredictor):
    """Extrapolates curves by a power law, ``y(e) = a - b e^-alpha`` with b >= 0, to the end of the training.

    Least squares over a grid of exponents; for a metric that is minimised, of ``-y``.

    Args:
        epochs: at which training stops; by default the last fidelity of the table up to half of its epochs.
    """

    def predict(self, train: ArchitectureSample, test: ArchitectureSample, random_state: int) -> FloatArray:
        """Return the extrapolated values."""
        points, curves, end = self._extrapolated(test)
        sign = -1.0 if test.trainings.direction == "minimize" else 1.0
        return sign * power_law_at(points, sign * curves, end)


@dataclasses.dataclass(frozen=True)
class LogPowerCurve(CurvePredictor):
    """Extrapolates curves by the log-power function of Domhan et al. (IJCAI 2015), ``y(e) = a / (1 + (e / e^b)^c)``.

    Least squares over a grid of b and c, with a in closed form.

    Args:
        epochs: at which training stops; by default the last fidelity of the table up to half of its epochs.
    """

    def predict(self, train: ArchitectureSample, test: ArchitectureSample, random_state: int) -> FloatArray:
        """Return the extrapolated values."""
        points, curves, end = self._extrapolated(test)
        return log_power_at(points, curves, end, growing=test.trainings.direction == "maximize")


@dataclasses.dataclass(frozen=True)
class CurveModel(CurvePredictor):
    """A regression from the first part of learning curves to labels (Baker et al., ICLR workshop 2018).

    Features are the values of the curve and their first and second differences; with ``encoding``, also the
    architecture. The paper uses a support vector machine ("LcSVR"); ridge regression is more stable with few labels.

    Args:
        epochs: at which training stops; by default the last fidelity of the table up to half of its epochs.
        model: ``"ridge"`` (its penalty chosen by leave-one-out cross-validation) or ``"svr"``.
        encoding: of architectures, as further features; by default none.
    """

    model: Literal["ridge", "svr"] = "ridge"
    encoding: str = ""

    needs_labels = True
    fewest_labels = 2

    def predict(self, train: ArchitectureSample, test: ArchitectureSample, random_state: int) -> FloatArray:
        """Fit the regression, and predict."""
        with kept_random_state():
            from sklearn.linear_model import RidgeCV
            from sklearn.pipeline import make_pipeline
            from sklearn.preprocessing import StandardScaler
            from sklearn.svm import SVR

        regression = RidgeCV(alphas=np.logspace(-3, 3, 13)) if self.model == "ridge" else SVR(C=10.0)
        known, unknown = fill_missing(self._features(train), self._features(test))
        scale = float(train.labels.std()) or 1.0
        middle = float(train.labels.mean())
        model = make_pipeline(StandardScaler(), regression)
        model.fit(known, (train.labels - middle) / scale)
        return middle + scale * np.asarray(model.predict(unknown), dtype=np.float64)

    def _features(self, sample: ArchitectureSample) -> FloatArray:
        curves = sample.curves(self.stop(sample))
        parts = [curves, np.diff(curves, axis=1), np.diff(curves, 2, axis=1)]
        if self.encoding:
            parts.append(sample.encode(self.encoding))
        return np.concatenate(parts, axis=1)


def training_loss(trainings: TableTrainings) -> str:
    """Return the name of the metric with training losses.

    Raises:
        MissingDataError: the table has none over epochs.
    """
    for metric in trainings.table.description.metrics:
        if metric.split == "train" and metric.direction == "minimize" and "fidelity" in metric.axes:
            return metric.name
    raise MissingDataError(f"table {trainings.table.name!r} has no training losses over epochs")


CURVE_PREDICTORS: dict[str, type[CurvePredictor]] = {
    "last-value": LastValue,
    "sum-of-losses": SumOfLosses,
    "power-law": PowerLawCurve,
    "log-power": LogPowerCurve,
    "curve-model": CurveModel,
}
"""Predictors that read learning curves, by name."""

_NAMES = {kind: name for name, kind in CURVE_PREDICTORS.items()}
