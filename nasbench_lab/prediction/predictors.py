"""What a predictor is, and predictors that are models on encoded architectures or zero-cost scores."""

from __future__ import annotations

import abc
import dataclasses
import re
from typing import Any, ClassVar

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import shortened
from nasbench_lab.prediction.samples import Sample


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
    def predict(self, train: Sample, test: Sample, random_state: int) -> FloatArray:
        """Return a prediction per test architecture, shape (len(test),); NaN where there is none.

        Args:
            train: architectures with labels.
            test: architectures without labels. What `Sample.encode` and `Sample.curves` show of them may cost seconds.
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

    The regressor is copied (``sklearn.base.clone``) for every fit. Its ``random_state``, and those of its parts, are set
    where they are None. Scores that failed (NaN) become the mean of the training set.

    Args:
        model: the regressor, with ``fit`` and ``predict``.
        encoding: of architectures, such as ``"path"`` or ``"one-hot+synflow"``.
        model_name: in tables and figures; by default the name of the class.

    Raises:
        ParameterError: the model has no ``fit`` and ``predict``.

    >>> from sklearn.linear_model import Ridge
    >>> ModelPredictor(Ridge(), "path").label
    'ridge (path)'
    """

    model: Any
    encoding: str = "one-hot"
    model_name: str = ""

    def __post_init__(self) -> None:
        if not (callable(getattr(self.model, "fit", None)) and callable(getattr(self.model, "predict", None))):
            raise ParameterError(
                f"a model must have fit and predict, as regressors of scikit-learn do; got {shortened(self.model)}"
            )

    @property
    def name(self) -> str:
        """The name of the model."""
        return self.model_name or _with_hyphens(type(self.model).__name__)

    @property
    def label(self) -> str:  # type: ignore[override] # a class sets it, or a property
        """Name and encoding."""
        return f"{self.name} ({self.encoding})"

    @property
    def settings(self) -> str:
        """All settings as text."""
        return f"{_full_text(self.model)} on {self.encoding}"

    def predict(self, train: Sample, test: Sample, random_state: int) -> FloatArray:
        """Fit a copy of the model, and predict."""
        model = seeded_copy(self.model, random_state)
        known, unknown = fill_missing(train.encode(self.encoding), test.encode(self.encoding))
        model.fit(known, train.labels)
        return np.asarray(model.predict(unknown), dtype=np.float64).reshape(-1)


def seeded_copy(model: Any, random_state: int) -> Any:
    """Return an unfitted copy of a regressor with its random states set where they are None."""
    from sklearn.base import clone

    copy = clone(model)
    states = {
        key: random_state
        for key, value in (copy.get_params() if hasattr(copy, "get_params") else {}).items()
        if (key == "random_state" or key.endswith("__random_state")) and value is None
    }
    return copy.set_params(**states) if states else copy


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

    score: str

    needs_labels: ClassVar[bool] = False
    in_units: ClassVar[bool] = False

    @property
    def label(self) -> str:  # type: ignore[override]
        """The name of the score."""
        return self.score

    def predict(self, train: Sample, test: Sample, random_state: int) -> FloatArray:  # noqa: ARG002
        """Return the score, with the sign that makes higher better."""
        sign = -1.0 if test.trainings.table.description.metric(self.score).direction == "minimize" else 1.0
        return sign * test.encode(self.score)[:, 0]


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
