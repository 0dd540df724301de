"""Regressors that predict the values of architectures from vectors, by name: those of scikit-learn, and our own.

All have the interface of scikit-learn, ``fit(X, y)`` and ``predict(X)``. scikit-learn is imported when one is made.
"""

from nasbench_lab.strategies.models.regressors.registry import (
    Regressor,
    RegressorLike,
    fit_regressor,
    list_regressors,
    make_regressor,
    predict_values,
    regressor_facts,
    regressor_label,
)

__all__ = [
    "Regressor",
    "RegressorLike",
    "fit_regressor",
    "list_regressors",
    "make_regressor",
    "predict_values",
    "regressor_facts",
    "regressor_label",
]
