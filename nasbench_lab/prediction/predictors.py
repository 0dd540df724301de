"""What a predictor is, and predictors that are models on encoded architectures or zero-cost scores."""

from __future__ import annotations

import abc
import dataclasses
import re
from typing import Any

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import MissingDataError, ParameterError
from nasbench_lab.messages import unknown
from nasbench_lab.prediction.samples import ArchitectureSample
from nasbench_lab.simulation.zero_cost_scores import score_names
from nasbench_lab.strategies.models.regressors import (
    RegressorLike,
    fit_regressor,
    make_regressor,
    predict_values,
    regressor_facts,
)


class Predictor(abc.ABC):
    """Predicts the values of architectures that were not trained to the end.

    A subclass defines `predict`, and sets `label`. One object is used for all trials, so it keeps nothing of a trial.

    >>> class Larger(Predictor):
    ...     label, needs_labels, in_units = "larger is better", False, False
    ...     def predict(self, train, test, random_state):
    ...         return test.space.size_of(test.architectures).astype(float)
    """

    label: str
    """What tables and figures call it."""
    encoding: str = ""
    """The encoding of a model, for tables of models and encodings; empty for other predictors."""
    needs_labels: bool = True
    """Whether predictions depend on labels; without, they are the same for all sizes of the training set."""
    fewest_labels: int = 1
    """The smallest training set that `predict` takes."""
    in_units: bool = True
    """Whether predictions are in the unit of labels. Otherwise they are scores; higher is better."""
    fewest_for_units: int = 0
    """The smallest training set from which predictions are in the unit of labels; only oriented like them before."""
    needs_source: bool = False
    """Whether it learns from another table."""

    @abc.abstractmethod
    def predict(self, train: ArchitectureSample, test: ArchitectureSample, random_state: int) -> FloatArray:
        """Return a prediction per test architecture, shape (len(test),); NaN where there is none.

        Args:
            train: architectures with labels.
            test: architectures without labels. What `ArchitectureSample.encode` and
                `ArchitectureSample.curves` show of them may cost seconds.
            random_state: a seed, which differs between trials and sizes of the training set.
        """

    @property
    def name(self) -> str:
        """The name without an encoding, for tables of predictors and encodings."""
        return self.label

    @property
    def settings(self) -> str:
        """All settings as text, to find out whether stored results are of the same predictor."""
        return repr(self)


@dataclasses.dataclass(frozen=True)
class ModelPredictor(Predictor):
    """Any regressor with the interface of scikit-learn, on encoded architectures.

    Scores that failed (NaN) become the mean of the training set.

    Args:
        model: a name of `nasbench_lab.strategies.models.regressors.list_regressors`, with parameters as
            ``"random-forest:max_depth=3"``, ``"package.module:Class"``, a class, or a regressor, which is copied for
            every fit. Random states that it does not set differ between trials.
        encoding: of architectures, such as ``"path"`` or ``"one-hot+synflow"``.
        given_name: in tables and figures; by default that of the model.

    Raises:
        UnknownNameError: no regressor has that name.
        ParameterError: the model has no ``fit`` and ``predict``, or takes another encoding.

    >>> from sklearn.linear_model import Ridge
    >>> ModelPredictor(Ridge(), "path").label, ModelPredictor("random-forest").label
    ('ridge (path)', 'random-forest (one-hot)')
    """

    model: RegressorLike
    encoding: str = "one-hot"
    given_name: str = ""

    def __post_init__(self) -> None:
        make_regressor(self.model)
        only = regressor_facts(self.model).encoding
        if only is not None and only != self.encoding:
            raise ParameterError(f"{self.name} takes the encoding {only!r}, not {self.encoding!r}")

    @property
    def name(self) -> str:
        """The name of the model."""
        if self.given_name or isinstance(self.model, str):
            return self.given_name or str(self.model)
        kind = self.model if isinstance(self.model, type) else type(self.model)
        return _with_hyphens(kind.__name__)

    @property
    def label(self) -> str:  # type: ignore[override] # a class sets it, or a property
        """Name and encoding."""
        return f"{self.name} ({self.encoding})"

    @property
    def in_units(self) -> bool:  # type: ignore[override]
        """Whether the model predicts values, not only their order."""
        return not regressor_facts(self.model).ranks_only

    @property
    def settings(self) -> str:
        """All settings as text."""
        return f"{_full_text(self.model)} on {self.encoding}"

    def predict(self, train: ArchitectureSample, test: ArchitectureSample, random_state: int) -> FloatArray:
        """Fit a new model, and predict."""
        found = self.fitted(train.encode(self.encoding), train.labels, test.encode(self.encoding), random_state)
        return found if self.in_units or train.trainings.direction == "maximize" else -found

    def fitted(self, known: FloatArray, labels: FloatArray, rows: FloatArray, random_state: int) -> FloatArray:
        """Fit a new model to vectors, shape (n, length), and their labels, and predict other vectors."""
        model = make_regressor(self.model, seed=random_state)
        known, rows = fill_missing(known, rows)
        return predict_values(fit_regressor(model, known, labels, self.label), rows, self.label)


def fill_missing(train: FloatArray, test: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return features with the mean of the training set where they are missing, 0 if it has none.

    >>> train, test = fill_missing(np.array([[1.0], [np.nan], [3.0]]), np.array([[np.nan]]))
    >>> train.tolist(), test.tolist()
    ([[1.0], [2.0], [3.0]], [[2.0]])
    """
    if np.isfinite(train).all() and np.isfinite(test).all():
        return train, test
    known = np.isfinite(train)
    mean = np.where(known, train, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(known, train, mean), np.where(np.isfinite(test), test, mean)


@dataclasses.dataclass(frozen=True)
class ScorePredictor(Predictor):
    """A zero-cost score of the table, as a predictor without labels.

    Args:
        score: name of the score, e.g. ``"synflow"``.
    """

    score: str = "synflow"

    needs_labels = False
    in_units = False

    @property
    def label(self) -> str:  # type: ignore[override]
        """The name of the score."""
        return f"zero-cost ({self.score})"

    def predict(self, train: ArchitectureSample, test: ArchitectureSample, random_state: int) -> FloatArray:
        """Return the score, with the sign that makes higher better.

        Raises:
            UnknownNameError: the table has no such score.
            MissingDataError: it has no scores.
        """
        description = test.trainings.table.description
        known = score_names(description)
        if not known:
            raise MissingDataError(f"{self.label} needs zero-cost scores, but {description.name!r} has none")
        if self.score not in known:
            raise unknown("zero-cost score", self.score, known)
        sign = -1.0 if description.metric(self.score).direction == "minimize" else 1.0
        return sign * test.encode(self.score)[:, 0]


@dataclasses.dataclass(frozen=True)
class NamedPredictor(Predictor):
    """A predictor under a name of the user.

    Args:
        predictor: the predictor.
        label: in tables and figures.
    """

    predictor: Predictor
    label: str

    def __post_init__(self) -> None:
        for name in ("encoding", "needs_labels", "fewest_labels", "in_units", "fewest_for_units", "needs_source"):
            object.__setattr__(self, name, getattr(self.predictor, name))

    @property
    def settings(self) -> str:
        """The settings of the predictor."""
        return self.predictor.settings

    def predict(self, train: ArchitectureSample, test: ArchitectureSample, random_state: int) -> FloatArray:
        """Return what the predictor predicts."""
        return self.predictor.predict(train, test, random_state)


def _with_hyphens(name: str) -> str:
    """Return the name of a class in lower case, without "Regressor".

    >>> _with_hyphens("RandomForestRegressor"), _with_hyphens("SVR")
    ('random-forest', 'svr')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name.removesuffix("Regressor") or name).lower()


def _full_text(model: Any) -> str:
    """Return a model with all of its parameters that are not defaults; its usual text may be shortened."""
    from sklearn.base import BaseEstimator

    if isinstance(model, BaseEstimator):
        return model.__repr__(N_CHAR_MAX=10**6)
    return repr(model)
