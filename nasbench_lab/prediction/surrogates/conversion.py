"""Fitted regressors of scikit-learn, and our own Gaussian process, as models that a file can store."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.strategies.models.regressors import regressor_label
from nasbench_lab.tables.surrogates.models.combined import Average, ScaledModel
from nasbench_lab.tables.surrogates.models.kernels import Kernels
from nasbench_lab.tables.surrogates.models.linear import Constant, Linear
from nasbench_lab.tables.surrogates.models.neighbors import Neighbors
from nasbench_lab.tables.surrogates.models.perceptron import ACTIVATIONS, Perceptron
from nasbench_lab.tables.surrogates.models.stored import StoredModel
from nasbench_lab.tables.surrogates.models.trees import StoredTrees

STORABLE = (
    "bayesian-ridge",
    "decision-tree",
    "extra-trees",
    "gaussian-process",
    "gradient-boosting",
    "hist-gradient-boosting",
    "knn",
    "lasso",
    "linear",
    "mean",
    "mlp",
    "random-forest",
    "ridge",
    "svr",
)
"""The named regressors that a surrogate can store."""

_LEAF = -1
_Nodes = tuple[NDArray[Any], ...]
"""Feature, threshold, left, right and value of the nodes of a tree."""


def stored_model(regressor: Any) -> StoredModel:
    """Return a fitted regressor as a model of plain arrays, whose predictions are the same.

    Those of trees are the same bit for bit, those of other models up to rounding (a relative 1e-9 of the spread of the
    labels). Nearest neighbours differ where distances are equal, as scikit-learn then takes any of them.

    Args:
        regressor: a fitted regressor of scikit-learn, or our Gaussian process.

    Raises:
        ParameterError: a surrogate cannot store this kind of regressor.

    >>> from sklearn.linear_model import Ridge
    >>> fitted = Ridge().fit(np.eye(3), [1.0, 2.0, 4.0])
    >>> bool(np.allclose(stored_model(fitted).predict(np.eye(3)), fitted.predict(np.eye(3)), rtol=1e-12))
    True
    """
    for kind in type(regressor).__mro__:
        convert = _converters().get(f"{kind.__module__.partition('.')[0]}.{kind.__name__}")
        if convert is not None:
            return convert(regressor)
    raise cannot_store(regressor_label(regressor))


def cannot_store(label: str) -> ParameterError:
    """Return the error for a regressor that a surrogate cannot store."""
    return ParameterError(
        f"a surrogate cannot store the model {label}: a file has no code, only models of known kinds; "
        f"choose {', '.join(STORABLE[:-1])} or {STORABLE[-1]}"
    )


@functools.cache
def _converters() -> Mapping[str, Callable[[Any], StoredModel]]:
    """Return functions that convert, by package and name of the class, also for its subclasses."""
    return {
        "sklearn.DummyRegressor": _constant,
        "sklearn.LinearModel": _linear,
        "sklearn.LassoCV": _linear,
        "sklearn.BaseDecisionTree": lambda tree: _forest([tree.tree_], tree.n_features_in_),
        "sklearn.ForestRegressor": lambda forest: _forest(
            [tree.tree_ for tree in forest.estimators_], forest.n_features_in_
        ),
        "sklearn.GradientBoostingRegressor": _boosted,
        "sklearn.HistGradientBoostingRegressor": _histogram_boosted,
        "sklearn.KNeighborsRegressor": _neighbors,
        "sklearn.MLPRegressor": _perceptron,
        "sklearn.SVR": _support_vectors,
        "sklearn.TransformedTargetRegressor": _with_scaled_target,
        "sklearn.Pipeline": _pipeline,
        "sklearn.VotingRegressor": _voting,
        "nasbench_lab.GaussianProcess": _gaussian_process,
    }


def _constant(regressor: Any) -> Constant:
    return Constant(int(regressor.n_features_in_), float(np.ravel(regressor.constant_)[0]))


def _linear(regressor: Any) -> Linear:
    weights = np.asarray(regressor.coef_, dtype=np.float64).reshape(-1)
    return Linear(weights, float(np.ravel(regressor.intercept_)[0]))


def _forest(trees: list[Any], inputs: int) -> StoredTrees:
    return _trees(inputs, [_nodes_of(tree) for tree in trees], divisor=float(len(trees)), single=True)


def _boosted(regressor: Any) -> StoredTrees:
    # scikit-learn multiplies every value with the learning rate before it adds it, too.
    nodes = [_nodes_of(tree.tree_, regressor.learning_rate) for tree in regressor.estimators_[:, 0]]
    first = regressor.init_
    if first == "zero":
        base = 0.0
    elif type(first).__name__ == "DummyRegressor":
        base = float(np.ravel(first.constant_)[0])
    else:
        raise cannot_store(f"{regressor_label(regressor)} with init")
    return _trees(regressor.n_features_in_, nodes, base=base, single=True)


def _histogram_boosted(regressor: Any) -> StoredTrees:
    if regressor.loss not in ("squared_error", "absolute_error", "quantile"):
        raise cannot_store(f"{regressor_label(regressor)} with loss {regressor.loss!r}")
    nodes = [predictor.nodes for (predictor,) in regressor._predictors]
    if any(each["is_categorical"].any() for each in nodes):
        raise cannot_store(f"{regressor_label(regressor)} with categorical inputs")
    parts: list[_Nodes] = []
    for each in nodes:
        leaf = each["is_leaf"].astype(bool)
        feature = np.where(leaf, _LEAF, each["feature_idx"].astype(np.int64))
        threshold = np.where(leaf, 0.0, each["num_threshold"])
        parts.append((feature, _finite(threshold), each["left"], each["right"], each["value"]))
    base = float(np.ravel(regressor._baseline_prediction)[0])
    return _trees(regressor.n_features_in_, parts, base=base)


def _finite(threshold: FloatArray) -> FloatArray:
    """Return thresholds where infinity, above which there is only what is missing, is the largest number."""
    return np.clip(threshold, -np.finfo(np.float64).max, np.finfo(np.float64).max)


def _nodes_of(tree: Any, factor: float = 1.0) -> _Nodes:
    """Return feature, threshold, left, right and value of the nodes of a tree of scikit-learn."""
    leaf = tree.children_left < 0
    value = tree.value[:, 0, 0]
    return (
        np.where(leaf, _LEAF, tree.feature),
        np.where(leaf, 0.0, tree.threshold),
        tree.children_left,
        tree.children_right,
        value if factor == 1.0 else factor * value,
    )


def _trees(
    inputs: Any, trees: list[_Nodes], base: float = 0.0, divisor: float = 1.0, single: bool = False
) -> StoredTrees:
    """Return trees as one model: their nodes are numbered one tree after the other."""
    lengths = np.array([len(tree[0]) for tree in trees])
    roots = np.cumsum(lengths) - lengths
    feature, threshold, left, right, value = (np.concatenate([tree[part] for tree in trees]) for part in range(5))
    offset = np.repeat(roots, lengths)
    inner = feature >= 0
    left, right = (np.where(inner, child.astype(np.int64) + offset, 0) for child in (left, right))
    return StoredTrees(int(inputs), feature, threshold, left, right, value, roots, base, divisor, single)


def _neighbors(regressor: Any) -> Neighbors:
    euclidean = regressor.effective_metric_ == "euclidean"
    if not euclidean or regressor.weights not in ("uniform", "distance"):
        raise cannot_store(f"{regressor_label(regressor)}, whose distance is not Euclidean,")
    examples = np.asarray(regressor._fit_X, dtype=np.float64)
    values = np.asarray(regressor._y, dtype=np.float64).reshape(-1)
    return Neighbors(examples, values, int(regressor.n_neighbors), by_distance=regressor.weights == "distance")


def _perceptron(regressor: Any) -> Perceptron:
    if regressor.activation not in ACTIVATIONS or regressor.out_activation_ != "identity":
        raise cannot_store(regressor_label(regressor))
    weights = [np.asarray(array, dtype=np.float64) for array in regressor.coefs_]
    biases = [np.asarray(array, dtype=np.float64) for array in regressor.intercepts_]
    return Perceptron(weights, biases, regressor.activation)


def _support_vectors(regressor: Any) -> StoredModel:
    constant = float(np.ravel(regressor.intercept_)[0])
    if regressor.kernel == "linear":
        return Linear(np.asarray(regressor.coef_, dtype=np.float64).reshape(-1), constant)
    if regressor.kernel != "rbf":
        raise cannot_store(f"{regressor_label(regressor)} with kernel {regressor.kernel!r}")
    examples = np.asarray(regressor.support_vectors_, dtype=np.float64)
    if not len(examples):
        return Constant(int(regressor.n_features_in_), constant)
    return Kernels(examples, regressor.dual_coef_.reshape(-1), constant, "gaussian", float(regressor._gamma))


def _gaussian_process(regressor: Any) -> ScaledModel:
    scaling, length = regressor.scaling_, regressor.lengthscale_
    kernel = "exponential" if regressor.kernel == "exponential" else "matern"
    scale = 1.0 / (regressor.unit_ * (length if kernel == "exponential" else length**2))
    weights = np.asarray(regressor.estimate_.weights[0], dtype=np.float64).reshape(-1)
    inner = Kernels(regressor.examples_, weights, float(regressor.estimate_.mean[0]), kernel, float(scale))
    return ScaledModel(inner, scaling.low, scaling.span, float(scaling.scale), float(scaling.centre))


def _with_scaled_target(regressor: Any) -> StoredModel:
    transformer = regressor.transformer_
    if type(transformer).__name__ != "StandardScaler":
        raise cannot_store(regressor_label(regressor))
    inner = stored_model(regressor.regressor_)
    factor = 1.0 if transformer.scale_ is None else float(transformer.scale_[0])
    shift = 0.0 if transformer.mean_ is None else float(transformer.mean_[0])
    plain = np.zeros(inner.inputs), np.ones(inner.inputs)
    if isinstance(inner, ScaledModel) and inner.factor == 1.0 and inner.shift == 0.0:
        return ScaledModel(inner.model, inner.centre, inner.spread, factor, shift)
    return ScaledModel(inner, *plain, factor, shift)


def _pipeline(regressor: Any) -> StoredModel:
    """Convert scaling steps and a regressor, such as `make_regressor` joins."""
    model = stored_model(regressor.steps[-1][1])
    for _, step in reversed(regressor.steps[:-1]):
        name = type(step).__name__
        if name == "StandardScaler":
            centre = np.zeros(model.inputs) if step.mean_ is None else step.mean_
            spread = np.ones(model.inputs) if step.scale_ is None else step.scale_
        elif name == "MinMaxScaler" and not step.clip:
            spread = 1.0 / step.scale_
            centre = -step.min_ * spread
        elif step == "passthrough" or (name == "FunctionTransformer" and step.func is np.float64):
            continue
        else:
            raise cannot_store(f"{regressor_label(regressor)} with the step {name}")
        model = ScaledModel(model, np.asarray(centre, np.float64), np.asarray(spread, np.float64), 1.0, 0.0)
    return model


def _voting(regressor: Any) -> Average:
    if regressor.weights is not None:
        raise cannot_store(f"{regressor_label(regressor)} with weights")
    return Average([stored_model(each) for each in regressor.estimators_])


def depth_is_storable(model: StoredModel) -> bool:
    """Return whether all trees inside a model have at most the number of levels that a file may have."""
    from nasbench_lab.tables.surrogates.models.trees import are_trees

    if isinstance(model, StoredTrees):
        arrays = (array.astype(np.int64) for array in (model.feature, model.left, model.right, model.roots))
        return are_trees(*arrays)
    return all(map(depth_is_storable, model.parts()))
