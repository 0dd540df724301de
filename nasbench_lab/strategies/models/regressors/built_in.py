"""The regressors that have a short name, and what must be known of them before they are imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class RegressorFacts:
    """What is known of a named regressor.

    Attributes:
        place: its class, ``"package.module:Class"``.
        summary: what it is, in a few words.
        scaled: whether inputs and targets are scaled to mean 0 and variance 1 for it, as it depends on their units.
        defaults: parameters that differ from the defaults of the class.
        package: what to install where its module is missing, as pip calls it; empty for what always comes with this
            package.
        encoding: the only encoding that it takes; None for any.
        ranks_only: whether predictions have no unit, so that only their order counts.
    """

    place: str
    summary: str = ""
    scaled: bool = False
    defaults: Mapping[str, Any] = field(default_factory=dict)
    package: str = ""
    encoding: str | None = None
    ranks_only: bool = False


_OWN = "nasbench_lab.strategies.models.regressors"

BUILT_IN: Mapping[str, RegressorFacts] = {
    "bayesian-ridge": RegressorFacts(
        "sklearn.linear_model:BayesianRidge", "linear, with its penalty by the marginal likelihood", scaled=True
    ),
    "decision-tree": RegressorFacts("sklearn.tree:DecisionTreeRegressor", "one regression tree"),
    "extra-trees": RegressorFacts("sklearn.ensemble:ExtraTreesRegressor", "100 trees with random thresholds"),
    "gaussian-process": RegressorFacts(
        f"{_OWN}.gaussian_process:GaussianProcess", "our own: exponential kernel, fitted by the marginal likelihood"
    ),
    "gradient-boosting": RegressorFacts(
        "sklearn.ensemble:GradientBoostingRegressor", "100 trees of depth 3, one after the other"
    ),
    "graph-network": RegressorFacts(
        "nasbench_lab.train.predictors.graph_network:GraphNetwork",
        "our own: a small graph convolutional network; needs torch",
        package="nasbench-lab[torch]",
        encoding="graph",
    ),
    "hist-gradient-boosting": RegressorFacts(
        "sklearn.ensemble:HistGradientBoostingRegressor", "100 trees on binned inputs; for many labels"
    ),
    "knn": RegressorFacts("sklearn.neighbors:KNeighborsRegressor", "the mean of the 5 nearest neighbours", scaled=True),
    "lasso": RegressorFacts("sklearn.linear_model:LassoCV", "linear and sparse, by cross-validation", scaled=True),
    "lightgbm": RegressorFacts(
        "lightgbm:LGBMRegressor", "boosted trees", package="lightgbm", defaults={"verbose": -1, "n_jobs": 1}
    ),
    "linear": RegressorFacts("sklearn.linear_model:LinearRegression", "least squares", scaled=True),
    "mean": RegressorFacts("sklearn.dummy:DummyRegressor", "the mean of all labels: what a predictor must beat"),
    "mlp": RegressorFacts(
        "sklearn.neural_network:MLPRegressor",
        "a network with one hidden layer of 100 units",
        scaled=True,
        defaults={"max_iter": 500, "solver": "lbfgs"},
    ),
    "network-ensemble": RegressorFacts(
        f"{_OWN}.networks:NetworkEnsemble", "our own: the mean of five small networks, as in BANANAS"
    ),
    "pairwise-ranker": RegressorFacts(
        f"{_OWN}.networks:PairwiseRanker",
        "our own: a network that learns which of two is better, as in BRP-NAS",
        ranks_only=True,
    ),
    "random-forest": RegressorFacts("sklearn.ensemble:RandomForestRegressor", "100 trees on bootstrap samples"),
    "ridge": RegressorFacts("sklearn.linear_model:Ridge", "linear, with penalty 1", scaled=True),
    "svr": RegressorFacts("sklearn.svm:SVR", "support vectors, Gaussian kernel", scaled=True),
    "tabpfn": RegressorFacts("tabpfn:TabPFNRegressor", "a pretrained transformer for tables", package="tabpfn"),
    "xgboost": RegressorFacts(
        "xgboost:XGBRegressor", "boosted trees", package="xgboost", defaults={"n_jobs": 1, "verbosity": 0}
    ),
}
"""The named regressors, by name."""
