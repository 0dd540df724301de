"""The strategy predictor-search: conformance, plain scikit-learn, scores and their price, and errors."""

import importlib.util

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

import nasbench_lab as nl
from nasbench_lab.errors import ParameterError, UnknownNameError
from nasbench_lab.strategies import resolve
from nasbench_lab.streams import Streams
from nasbench_lab.testing import CASES, synthetic_table

CHAIN, CELLS = synthetic_table("chain"), synthetic_table("topology")
SMALL = {"model": "decision-tree", "batch": 20, "encoding": "codes", "pool_size": 30}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_conformance(case):
    case(resolve("predictor-search", SMALL))


def by_hand(table, model, encoding, evaluations, seed, run, *, initial, batch, greedy):
    """What one run evaluates, in plain Python with scikit-learn."""
    space, streams = table.space, Streams(seed, run, 1)
    vectors = space.encode(np.arange(space.size), encoding)
    values, chosen = table.mean_values("valid_accuracy"), []
    while len(chosen) < evaluations:
        favoured, count = 0, initial
        if chosen:
            favoured, count = round(greedy * batch), batch
            model.set_params(random_state=int(streams.uniform(1)[0, 0] * 2**32))
            known = values[chosen]
            model.fit(vectors[chosen], np.round((known - known.mean()) / known.std() * 2**30) / 2**30)
            predicted = model.predict(vectors).astype(np.float32)
            tie = streams.uniform(space.size)[0].copy()
            ranked = sorted(
                (one for one in range(space.size) if one not in chosen), key=lambda i: (-predicted[i], tie[i])
            )
        uniform = streams.uniform(2 * count)[0].copy()
        if chosen:
            chosen += ranked[:favoured]
        for place in range(favoured if len(chosen) > initial else 0, count):
            drawn = int(space.sample(uniform[place : place + 1])[0])
            if drawn in chosen:
                free = [one for one in range(space.size) if one not in chosen]
                drawn = free[int(uniform[count + place] * len(free))]
            chosen.append(drawn)
    return chosen[:evaluations]


@pytest.mark.parametrize("greedy", [1.0, 0.6])
def test_a_run_is_that_of_scikit_learn_by_hand(greedy):
    options = {"initial": 6, "batch": 5, "greedy": greedy}
    strategy = resolve(
        "predictor-search", {"model": "extra-trees:n_estimators=3", "encoding": "counts+codes", **options}
    )
    trace = nl.simulate(CHAIN, strategy, runs=2, budget=nl.Budget(evaluations=31), seed=9, repeat="mean")
    for run in range(2):
        model = ExtraTreesRegressor(3)
        expected = by_hand(CHAIN, model, "counts+codes", 31, 9, run, **options)
        assert trace.architecture[run].tolist() == expected


def test_a_regressor_object_is_a_model():
    model = DecisionTreeRegressor(max_depth=2)
    one = nl.simulate(CHAIN, resolve("predictor-search", {"model": model}), runs=2, budget=nl.Budget(evaluations=30))
    other = nl.simulate(
        CHAIN, "predictor-search:model=decision-tree:max_depth=2", runs=2, budget=nl.Budget(evaluations=30)
    )
    assert np.array_equal(one.architecture, other.architecture)
    assert one.setting.label == "predictor-search:model=DecisionTreeRegressor(max_depth=2)"
    assert not hasattr(model, "tree_"), "the object of the user was fitted"


def test_it_is_better_than_random_search():
    budget = nl.Budget(evaluations=60)
    strategy = resolve("predictor-search", {"model": LinearRegression(), "encoding": "one-hot"})
    found = nl.simulate(CELLS, strategy, runs=4, budget=budget).regret("valid")[:, -1]
    random = nl.simulate(CELLS, "random-search", runs=100, budget=budget).regret("valid")[:, -1]
    assert found.max() < np.quantile(random, 0.1)


def test_a_run_pays_for_the_score_of_an_architecture_once():
    strategy = resolve("predictor-search", {**SMALL, "encoding": "codes+synflow", "pool_size": None, "batch": 10})
    trace = nl.simulate(CHAIN, strategy, runs=2, budget=nl.Budget(evaluations=40), repeat=0)
    cost = CHAIN.cost()
    seconds = cost[trace.architecture, 0] if cost.shape[1] == 1 else cost[trace.architecture, trace.repeat]
    waited = np.diff(trace.time, axis=1, prepend=0.0) - seconds
    np.testing.assert_allclose(waited[:, 10], CHAIN.values("synflow_seconds").sum(), rtol=1e-9)
    np.testing.assert_allclose(np.delete(waited, 10, axis=1), 0.0, atol=1e-6)


def test_scores_of_a_pool_cost_less_and_failed_ones_are_the_lowest():
    values = {name: np.asarray(CHAIN.values(name)).copy() for name in CHAIN.metrics}
    values["synflow"][::2] = np.nan
    table = nl.Table(CHAIN.description, values)
    strategy = resolve("predictor-search", {**SMALL, "encoding": "scores"})
    trace = nl.simulate(table, strategy, runs=2, budget=nl.Budget(evaluations=60))
    assert (trace.evaluations == 60).all()
    whole = resolve("predictor-search", {**SMALL, "encoding": "scores", "pool_size": None})
    assert trace.time[0, -1] < nl.simulate(table, whole, runs=1, budget=nl.Budget(evaluations=60)).time[0, -1]


def test_the_default_encoding_is_what_the_space_has():
    strategy = {"model": "decision-tree"}
    for table, encoding in ((CHAIN, "one-hot"), (CELLS, "graph-features")):
        one = nl.simulate(table, resolve("predictor-search", strategy), runs=1, budget=nl.Budget(evaluations=20))
        named = resolve("predictor-search", {**strategy, "encoding": encoding})
        other = nl.simulate(table, named, runs=1, budget=nl.Budget(evaluations=20))
        assert np.array_equal(one.architecture, other.architecture)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"model": "random-forrest"}, "unknown model 'random-forrest'; did you mean 'random-forest'"),
        ({"model": "xgboost"}, "model 'xgboost' needs xgboost: pip install 'xgboost'"),
        ({"model": "random-forest:trees=3"}, "unknown parameter of model 'random-forest:trees=3' 'trees'"),
        ({"model": "ridge:alpha"}, "malformed model 'ridge:alpha'"),
        ({"model": 7}, "a model must have fit and predict, as scikit-learn's regressors, got 7"),
        (
            {"model": "graph-network", "encoding": "path"},
            "model 'graph-network' takes encoding 'graph' only, got 'path'",
        ),
        ({"model": "json:JSONDecoder"}, "a model must have fit and predict"),
    ],
    ids=str,
)
def test_wrong_models_are_refused_at_once(parameters, message):
    if importlib.util.find_spec(parameters["model"]) if parameters["model"] == "xgboost" else False:
        pytest.skip("xgboost is installed")
    with pytest.raises((ParameterError, UnknownNameError), match=r"^[^\n]*$") as error:
        resolve("predictor-search", parameters)
    assert str(error.value).startswith(message)


def test_wrong_encodings_and_values_are_refused_when_a_search_starts():
    budget = nl.Budget(evaluations=30)
    with pytest.raises(UnknownNameError, match="unknown encoding 'path'; known: codes, counts, one"):
        nl.simulate(CHAIN, "predictor-search:encoding=path", runs=1, budget=budget)
    with pytest.raises(UnknownNameError, match="unknown encoding ''; known: codes, counts, one"):
        nl.simulate(CHAIN, resolve("predictor-search", {"encoding": ""}), runs=1, budget=budget)
    with pytest.raises(
        ParameterError,
        match=r"^model 'random-forest:n_estimators=-1' cannot be fitted to 10 architectures: Inv.*n_estim",
    ):
        nl.simulate(CHAIN, "predictor-search:model=random-forest:n_estimators=-1", runs=1, budget=budget)
