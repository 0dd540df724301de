"""Regressors by name: against scikit-learn and linear algebra by hand."""

import subprocess
import sys

import numpy as np
import pytest
from added_entry_points import add_entry_points, forget_entry_points
from scipy.stats import kendalltau
from sklearn.base import clone
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nasbench_lab.errors import ParameterError, UnknownNameError
from nasbench_lab.strategies.models.regressors import (
    fit_regressor,
    list_regressors,
    make_regressor,
    predict_values,
    registry,
    regressor_facts,
    regressor_label,
)
from nasbench_lab.strategies.models.regressors.built_in import BUILT_IN
from nasbench_lab.strategies.models.regressors.gaussian_process import LENGTHSCALES, NOISES, GaussianProcess

RANDOM = np.random.default_rng(3)
X = (RANDOM.random((40, 12)) < 0.4).astype(np.float32)
Y = 70.0 + 10 * (X @ RANDOM.random(12)) + 0.1 * RANDOM.standard_normal(40)
NEW = (RANDOM.random((30, 12)) < 0.4).astype(np.float32)
HERE = [name for name, facts in BUILT_IN.items() if not facts.package]
FAST = {"network-ensemble": ":steps=20", "pairwise-ranker": ":steps=20", "mlp": ":max_iter=20"}


@pytest.fixture(autouse=True)
def forget():
    yield
    forget_entry_points()


def predictions(model, seed=0, x=X, y=Y):
    return predict_values(fit_regressor(make_regressor(model, seed=seed), x, y), NEW)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", HERE)
def test_every_model_learns_and_its_seed_decides(name):
    model = name + FAST.get(name, "")
    one, again = predictions(model, 4), predictions(model, 4)
    assert one.dtype == np.float64
    assert np.array_equal(one, again)
    if name != "mean":
        truth = NEW @ np.linalg.lstsq(X, Y - 70, rcond=None)[0]
        assert kendalltau(one, truth)[0] > (0.2 if name in ("decision-tree", "hist-gradient-boosting") else 0.4)
    if not BUILT_IN[name].ranks_only:
        assert 60 < one.mean() < 110


def test_forests_are_those_of_scikit_learn():
    for name, kind in (("random-forest", RandomForestRegressor), ("extra-trees", ExtraTreesRegressor)):
        expected = kind(n_estimators=7, random_state=11).fit(X, Y).predict(NEW)
        assert np.array_equal(predictions(f"{name}:n_estimators=7", 11), expected)
        place = f"sklearn.ensemble:{kind.__name__}:n_estimators=7"
        assert np.array_equal(predictions(place, 11), expected)
        assert np.array_equal(predictions(kind(n_estimators=7), 11), expected)
        assert np.array_equal(predictions(lambda kind=kind: kind(n_estimators=7), 11), expected)
        assert not np.array_equal(predictions(f"{name}:n_estimators=7", 12), expected)
        assert np.array_equal(predictions(kind(n_estimators=7, random_state=11), 99), expected)


def test_scaled_models_are_those_of_scikit_learn():
    scaled = make_pipeline(StandardScaler(), Ridge())
    expected = scaled.fit(X.astype(float), (Y - Y.mean()) / Y.std()).predict(NEW.astype(float)) * Y.std() + Y.mean()
    np.testing.assert_allclose(predictions("ridge"), expected, rtol=1e-12)


def test_a_gaussian_process_is_that_of_linear_algebra():
    model = fit_regressor(make_regressor("gaussian-process"), X, Y)
    inside, across = (np.abs(a[:, None] - X[None]).sum(axis=2).astype(float) for a in (X, NEW))
    unit = inside.sum() / (40 * 39)

    def posterior(lengthscale, noise):
        covariance = np.exp(-inside / unit / lengthscale) + noise * np.eye(40)
        inverse, ones = np.linalg.inv(covariance), np.ones(40)
        mean = ones @ inverse @ Y / (ones @ inverse @ ones)
        variance = (Y - mean) @ inverse @ (Y - mean) / 40
        likelihood = -20 * np.log(variance) - 0.5 * np.linalg.slogdet(covariance)[1]
        new = np.exp(-across / unit / lengthscale)
        deviation = np.sqrt(variance * np.maximum(1 - np.einsum("ij,jk,ik->i", new, inverse, new), 0))
        return likelihood, mean + new @ inverse @ (Y - mean), deviation

    best = max(((a, b) for a in LENGTHSCALES for b in NOISES), key=lambda pair: posterior(*pair)[0])
    assert (model.lengthscale_, model.noise_) == best
    mean, deviation = model.predict(NEW, return_std=True)
    np.testing.assert_allclose(mean, posterior(*best)[1], rtol=1e-8)
    np.testing.assert_allclose(deviation, posterior(*best)[2], rtol=1e-5, atol=1e-8)
    with pytest.raises(ParameterError, match="kernel must be 'exponential' or 'matern', got 'linear'"):
        GaussianProcess("linear").fit(X, Y)


def test_a_gaussian_process_predicts_blocks_alike(monkeypatch):
    model = fit_regressor(make_regressor("gaussian-process:kernel=matern"), X, Y)
    whole = model.predict(NEW)
    monkeypatch.setattr("nasbench_lab.strategies.models.regressors.gaussian_process._BLOCK", 80)
    np.testing.assert_allclose(model.predict(NEW), whole, rtol=1e-12)


@pytest.mark.parametrize("name", ["gaussian-process", "network-ensemble", "pairwise-ranker"])
def test_our_own_models_refuse_what_they_cannot_use(name):
    model = make_regressor(name + FAST.get(name, ""))
    assert clone(model).get_params() == model.get_params()
    broken = X.copy()
    broken[3, 2] = np.nan
    with pytest.raises(ParameterError, match="vectors have missing or infinite values"):
        fit_regressor(model, broken, Y)
    with pytest.raises(ParameterError, match=r"one value per vector, shape \(40,\), got \(39,\)"):
        model.fit(X, Y[1:])
    with pytest.raises(ParameterError, match="fitted to vectors of length 12, got 11"):
        model.fit(X, Y).predict(NEW[:, 1:])
    assert np.isfinite(model.fit(X[:1], Y[:1]).predict(NEW)).all()
    constant = model.fit(X, np.ones(40)).predict(NEW)
    assert np.isfinite(constant).all()
    assert name != "gaussian-process" or np.ptp(constant) < 1e-9


def test_a_ranker_only_sees_the_order():
    np.testing.assert_array_equal(
        predictions("pairwise-ranker:steps=20"), predictions("pairwise-ranker:steps=20", y=Y**3)
    )
    assert regressor_facts("pairwise-ranker:steps=20").ranks_only
    assert not regressor_facts("ridge").ranks_only


def test_names():
    assert list_regressors() == sorted(list_regressors())
    assert regressor_label(Ridge(alpha=2.0)) == "Ridge(alpha=2.0)"
    assert "\n" not in regressor_label(make_regressor("svr"))
    assert type(make_regressor("Random_Forest")) is RandomForestRegressor
    with pytest.raises(UnknownNameError, match="unknown model 'forest'; did you mean"):
        make_regressor("forest")
    with pytest.raises(
        UnknownNameError, match="unknown parameter of model 'ridge:alfa=2' 'alfa'; did you mean 'alpha'"
    ):
        make_regressor("ridge:alfa=2")
    with pytest.raises(ParameterError, match="parameter 'alpha' of model 'ridge:alpha=2' is given twice"):
        make_regressor("ridge:alpha=2", {"alpha": 3})
    with pytest.raises(ParameterError, match="give parameters"):
        make_regressor(Ridge(), {"alpha": 3})
    with pytest.raises(ParameterError, match="seed must be at least 0"):
        make_regressor("ridge", seed=-1)
    with pytest.raises(ParameterError, match="cannot import no_such_package:Model"):
        make_regressor("no_such_package:Model")


@pytest.mark.parametrize("name", [name for name, facts in BUILT_IN.items() if facts.package])
def test_a_package_that_is_missing_is_named(name):
    try:
        make_regressor(name)
    except ParameterError as error:
        assert str(error).startswith(f"model {name!r} needs ")
        assert str(error).endswith(f"pip install '{BUILT_IN[name].package}'")


def test_errors_of_models_are_one_line():
    class Broken:
        def fit(self, x, y):
            raise RuntimeError("no\nmemory")

        def predict(self, x):
            return np.zeros((len(x), 2))

    with pytest.raises(ParameterError, match="cannot be fitted to 40 architectures: RuntimeError: no") as error:
        fit_regressor(Broken(), X, Y)
    assert "\n" not in str(error.value)
    with pytest.raises(ParameterError, match=r"must predict one number per architecture, shape \(30,\), not \(30, 2\)"):
        predict_values(Broken(), NEW)
    with pytest.raises(ParameterError, match="cannot be fitted"):
        fit_regressor(make_regressor("ridge"), np.full((3, 2), np.nan), np.ones(3))


def test_a_package_adds_a_model(monkeypatch):
    add_entry_points(monkeypatch, registry.GROUP, mine=GaussianProcess)
    assert "mine" in list_regressors()
    assert isinstance(make_regressor("mine:kernel=matern"), GaussianProcess)


def test_the_registry_does_not_import_scikit_learn():
    code = (
        "import sys; from nasbench_lab.strategies.models.regressors import list_regressors, regressor_facts;"
        "list_regressors(); regressor_facts('graph-network');"
        "print([name for name in ('sklearn', 'torch') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
