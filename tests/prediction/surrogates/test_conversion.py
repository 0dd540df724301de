"""Stored models predict what the regressors of scikit-learn predict: trees bit for bit, others up to rounding."""

import numpy as np
import pytest

from nasbench_lab.errors import ParameterError
from nasbench_lab.prediction.surrogates.conversion import STORABLE, stored_model
from nasbench_lab.prediction.surrogates.models import Models
from nasbench_lab.strategies.models.regressors import make_regressor
from nasbench_lab.tables.surrogates.models.notation import from_notation, to_notation

RANDOM = np.random.default_rng(0)
ROWS = np.concatenate([(RANDOM.random((400, 12)) < 0.4).astype(float), RANDOM.random((400, 5))], axis=1)
VALUES = 80 + ROWS @ RANDOM.standard_normal(17) + np.sin(6 * ROWS[:, -1])
SEEN, UNSEEN = ROWS[:100], ROWS[100:]
EXACT = ("decision-tree", "extra-trees", "gradient-boosting", "hist-gradient-boosting", "mean", "random-forest")
FEW = {
    "extra-trees": {"n_estimators": 10},
    "random-forest": {"n_estimators": 10},
    "gradient-boosting": {"n_estimators": 10},
    "hist-gradient-boosting": {"max_iter": 10},
    "mlp": {"max_iter": 20},
}
VARIANTS = (
    ("gradient-boosting", {"subsample": 0.5, "learning_rate": 0.3, "n_estimators": 20}),
    ("gradient-boosting", {"init": "zero", "n_estimators": 5}),
    ("hist-gradient-boosting", {"max_iter": 10, "loss": "absolute_error"}),
    ("random-forest", {"n_estimators": 5, "max_leaf_nodes": 8}),  # its nodes are in another order
    ("mlp", {"activation": "logistic", "hidden_layer_sizes": (5, 4), "max_iter": 20}),
    ("svr", {"kernel": "linear"}),
    ("knn", {"weights": "distance"}),
    ("gaussian-process", {"kernel": "matern"}),
)


def check(name, parameters, exact):
    fitted = make_regressor(name, parameters, seed=3).fit(SEEN, VALUES[:100])
    model = stored_model(fitted)
    restored = from_notation(*to_notation(model, "m"), "m")
    theirs = fitted.predict(UNSEEN)
    if exact:
        assert (restored.predict(UNSEEN) == theirs).all()
    else:
        assert np.abs(restored.predict(UNSEEN) - theirs).max() <= 1e-9 * VALUES.std()


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
@pytest.mark.parametrize("name", STORABLE)
def test_every_storable_regressor_predicts_the_same(name):
    check(name, FEW.get(name, {}), name in EXACT)


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
@pytest.mark.parametrize(("name", "parameters"), VARIANTS)
def test_variants_predict_the_same(name, parameters):
    check(name, parameters, name in EXACT)


def test_a_vote_and_a_pipeline_are_stored():
    from sklearn.ensemble import VotingRegressor
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler
    from sklearn.tree import ExtraTreeRegressor

    vote = VotingRegressor(
        [("one", Ridge()), ("two", make_pipeline(MinMaxScaler(), ExtraTreeRegressor(random_state=0)))]
    )
    vote.fit(SEEN * 3 - 1, VALUES[:100])
    np.testing.assert_allclose(stored_model(vote).predict(UNSEEN), vote.predict(UNSEEN), rtol=1e-12)


@pytest.mark.parametrize("model", ["network-ensemble", "pairwise-ranker", "graph-network", "xgboost", "tabpfn"])
def test_a_named_model_that_cannot_be_stored_is_refused_before_it_is_fitted(model):
    with pytest.raises(ParameterError, match=r"cannot store the model .*choose bayesian-ridge, .* or svr"):
        Models.of(model, 0)


def test_objects_that_cannot_be_stored_are_one_line():
    from sklearn.isotonic import IsotonicRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures
    from sklearn.svm import SVR

    pipeline = make_pipeline(PolynomialFeatures(1), make_regressor("ridge"))
    for regressor in (pipeline, SVR(kernel="poly"), IsotonicRegression()):
        inputs = SEEN[:, :1] if isinstance(regressor, IsotonicRegression) else SEEN
        with pytest.raises(ParameterError, match="cannot store the model") as caught:
            stored_model(regressor.fit(inputs, VALUES[:100]))
        assert "\n" not in str(caught.value)


def test_the_mean_of_several_models_predicts():
    both = Models.of(["ridge", "mean"], 0).fitted(SEEN, VALUES[:100]).predict(UNSEEN)
    single = [Models.of(name, 0).fitted(SEEN, VALUES[:100]).predict(UNSEEN) for name in ("ridge", "mean")]
    np.testing.assert_allclose(both, np.mean(single, axis=0), rtol=1e-12)
