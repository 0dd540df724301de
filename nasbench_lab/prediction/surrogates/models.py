"""Fitting the models of a surrogate: one regressor, or the mean of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.prediction.surrogates.conversion import STORABLE, cannot_store, depth_is_storable, stored_model
from nasbench_lab.strategies.models.regressors import (
    RegressorLike,
    fit_regressor,
    make_regressor,
    regressor_facts,
    regressor_label,
)
from nasbench_lab.strategies.models.regressors.built_in import BUILT_IN
from nasbench_lab.tables.surrogates.models.combined import Average
from nasbench_lab.tables.surrogates.models.linear import Constant
from nasbench_lab.tables.surrogates.models.stored import StoredModel

DEFAULT_MODELS = (
    "extra-trees",
    "gradient-boosting:n_estimators=300,learning_rate=0.05,max_depth=4,max_features=0.2",
)
"""The models whose mean predicts by default."""

_SPREAD_TREES, _LEAST_LEAF, _LEAVES = 20, 5, 40


class Models(NamedTuple):
    """The regressors of a surrogate.

    Attributes:
        models: names, classes or objects; predictions are the mean of all.
        seed: from which those of regressors are made.
    """

    models: tuple[RegressorLike, ...]
    seed: int

    @classmethod
    def of(cls, given: RegressorLike | Sequence[RegressorLike] | None, seed: int) -> Models:
        """Return checked regressors.

        Raises:
            UnknownNameError: no regressor has that name.
            ParameterError: a surrogate cannot store a regressor.
        """
        if given is None:
            given = DEFAULT_MODELS
        models = tuple(given) if isinstance(given, list | tuple) else (given,)
        if not models:
            raise ParameterError("a surrogate needs at least one model")
        for model in models:
            name = regressor_facts(model).place if not isinstance(model, str) else ""
            known = next((key for key, facts in BUILT_IN.items() if facts == regressor_facts(model)), name)
            if known in BUILT_IN and known not in STORABLE:
                raise cannot_store(regressor_label(model))
            make_regressor(model, seed=seed)
        return cls(models, seed)

    @property
    def labels(self) -> list[str]:
        """The regressors as texts."""
        return [regressor_label(model) for model in self.models]

    def fitted(self, vectors: FloatArray, values: FloatArray) -> StoredModel:
        """Fit the regressors to vectors, shape (n, length), and their values, shape (n,)."""
        found = [_fitted(model, vectors, values, self.seed + place) for place, model in enumerate(self.models)]
        return found[0] if len(found) == 1 else Average(found)


def _fitted(model: RegressorLike, vectors: FloatArray, values: FloatArray, seed: int) -> StoredModel:
    label = regressor_label(model)
    stored = stored_model(fit_regressor(make_regressor(model, seed=seed), vectors, values, label))
    if not depth_is_storable(stored):
        raise ParameterError(f"the trees of {label} are too deep for a surrogate; set max_depth")
    return stored


def fitted_variance(vectors: FloatArray, predicted: FloatArray, squares: FloatArray, seed: int) -> StoredModel:
    """Fit a model of the variance of repeats: the mean of squared deviations of similar architectures.

    It is a random forest with large leaves. What it averages are unbiased estimates, so its predictions are, too.

    Args:
        vectors: of architectures, shape (n, length).
        predicted: their predicted values, shape (n,), which become a further entry.
        squares: estimated variances, shape (n,).
        seed: of the forest.
    """
    inputs = np.concatenate([vectors, predicted[:, None]], axis=1)
    if len(squares) < 4 * _LEAST_LEAF:
        return Constant(inputs.shape[1], float(squares.mean()))
    leaf = max(_LEAST_LEAF, len(squares) // _LEAVES)
    forest = make_regressor(
        "random-forest",
        {"n_estimators": _SPREAD_TREES, "min_samples_leaf": leaf},
        seed=seed,
    )
    return stored_model(fit_regressor(forest, inputs, squares, "the model of the noise"))
