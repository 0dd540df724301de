"""Further objectives, limits and scores: what a strategy is told, and what it is charged."""

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab.errors import MissingDataError, ParameterError, UnknownNameError
from nasbench_lab.simulation import load_traces, save_traces
from nasbench_lab.strategies import Strategy
from nasbench_lab.tables import Table
from nasbench_lab.testing import identical, synthetic_table

CHAIN = synthetic_table("chain")
PARAMETERS = CHAIN.mean_values("parameters")
BUDGET = nl.Budget(evaluations=30)


class Spy(Strategy):
    """Random search that remembers what it is told, and asks for scores."""

    name, asynchronous = "spy", True

    def __init__(self, score=None):
        self.score, self.told, self.scores, self.task = score, [], [], None

    def start(self, task):
        self.task = task
        return task

    def ask(self, task):
        architecture = task.space.sample(task.streams.uniform(2))
        if self.score:
            self.scores.append((architecture, task.scores.score(self.score, architecture)))
        return architecture

    def tell(self, task, evaluations):
        self.told.append(evaluations)


def test_every_objective_is_told_and_more_is_better():
    spy = Spy()
    trace = nl.simulate(CHAIN, spy, runs=4, budget=BUDGET, objectives=["parameters", "valid_seconds"])
    assert spy.task.objectives == ("valid_accuracy", "parameters", "valid_seconds")
    told = np.concatenate([evaluations.objectives for evaluations in spy.told], axis=1)
    architecture = trace.architecture[:, : told.shape[1]]
    assert np.array_equal(told[..., 0], trace.observed[:, : told.shape[1]], equal_nan=True)
    assert np.array_equal(told[..., 1], -PARAMETERS[architecture])
    assert np.array_equal(told[..., 2], -CHAIN.mean_values("valid_seconds")[architecture])
    assert trace.setting.conditions.objectives == ("parameters", "valid_seconds")
    assert np.array_equal(trace.reference.means["parameters"], PARAMETERS)


def test_what_breaks_a_limit_is_worse_than_all_else_and_never_the_incumbent():
    limit = float(np.median(PARAMETERS))
    spy = Spy()
    trace = nl.simulate(CHAIN, spy, runs=20, budget=BUDGET, limits={"parameters": limit})
    value = np.concatenate([evaluations.value for evaluations in spy.told], axis=1)
    architecture = trace.architecture[:, : value.shape[1]]
    breaks = PARAMETERS[architecture] > limit
    lowest = np.nanmin(CHAIN.repeat_values("valid_accuracy"))
    assert np.array_equal(value[~breaks], trace.observed[:, : value.shape[1]][~breaks], equal_nan=True)
    assert np.nanmax(value[breaks]) < lowest
    order = np.argsort(PARAMETERS[architecture][breaks])
    assert (np.diff(value[breaks][order]) <= 0).all(), "less excess is better"
    incumbent = trace.incumbent()
    assert (PARAMETERS[incumbent[incumbent >= 0]] <= limit).all()
    best = np.nanmax(CHAIN.mean_values("test_accuracy")[limit >= PARAMETERS])
    found = CHAIN.mean_values("test_accuracy")[trace.final_incumbent()]
    np.testing.assert_allclose(trace.regret("test")[:, -1], best - found, atol=1e-9)


def test_what_breaks_a_limit_is_dominated_by_all_that_keep_it():
    limit = float(np.median(PARAMETERS))
    spy = Spy()
    trace = nl.simulate(
        CHAIN, spy, runs=20, budget=BUDGET, limits={"parameters": limit}, objectives=["parameters", "valid_seconds"]
    )
    told = np.concatenate([evaluations.objectives for evaluations in spy.told], axis=1)
    architecture = trace.architecture[:, : told.shape[1]]
    breaks = PARAMETERS[architecture] > limit
    assert (np.nanmax(told[breaks], axis=0) < np.nanmin(told[~breaks], axis=0)).all()
    assert np.array_equal(told[~breaks][:, 1], -PARAMETERS[architecture][~breaks])
    order = np.argsort(PARAMETERS[architecture][breaks])
    assert (np.diff(told[breaks][order], axis=0) <= 0).all(), "less excess dominates more"


def test_observed_regret_is_of_what_keeps_the_limits():
    limit = float(np.quantile(PARAMETERS, 0.1))
    trace = nl.simulate(
        CHAIN, "random-search", runs=50, budget=nl.Budget(evaluations=3000), limits={"parameters": limit}
    )
    assert np.nanmin(trace.regret("observed")) == 0.0


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"objectives": ["nothing"]}, UnknownNameError, "unknown metric 'nothing'"),
        ({"objectives": ["test_accuracy"]}, ParameterError, "a test measurement, which no search may see"),
        ({"limits": {"test_accuracy": 1}}, ParameterError, "a test measurement"),
        ({"objectives": ["valid_accuracy"]}, ParameterError, "the first objective of every search"),
        ({"objectives": "parameters"}, ParameterError, "a list of metrics"),
        ({"objectives": ["parameters", "parameters"]}, ParameterError, "listed twice"),
        ({"limits": {"parameters": "small"}}, ParameterError, "a limit must be a number"),
        ({"limits": {"parameters": float("nan")}}, ParameterError, "a limit must be a number"),
        ({"limits": {"parameters": -1.0}}, MissingDataError, "no architecture .* keeps the limits parameters -1"),
    ],
)
def test_goals_that_make_no_sense_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        nl.simulate(CHAIN, "random-search", runs=1, budget=BUDGET, **options)


def scored():
    """The table with another score and another price."""
    values = {name: CHAIN.values(name) for name in CHAIN.metrics}
    values["synflow"] = np.arange(CHAIN.space.size, dtype=float)
    values["synflow_seconds"] = 0.5 + np.arange(CHAIN.space.size) % 3
    return Table(CHAIN.description, values)


@pytest.mark.parametrize("workers", [1, 2])
def test_scores_cost_what_they_take(workers):
    table = scored()
    paying, free = Spy("synflow"), Spy()
    options = {"runs": 3, "budget": nl.Budget(evaluations=10), "workers": workers}
    charged, uncharged = nl.simulate(table, paying, **options), nl.simulate(table, free, **options)
    assert paying.task.scores.names == ("synflow",)
    for architecture, score in paying.scores:
        assert np.array_equal(score, architecture)
    if workers == 1:
        price = np.concatenate([(0.5 + a % 3).sum(axis=1, keepdims=True) for a, _ in paying.scores], axis=1)
        owed = np.repeat(np.cumsum(price, axis=1), 2, axis=1)
        np.testing.assert_allclose(charged.time, uncharged.time + owed[:, : charged.steps])
    else:
        assert (charged.time >= uncharged.time).all()
        assert (charged.time[:, -1] > uncharged.time[:, -1]).all()
    with pytest.raises(UnknownNameError, match="unknown score 'naswot'; known: synflow"):
        nl.simulate(table, Spy("naswot"), **options)


@pytest.mark.filterwarnings("ignore:the limit parameters")
def test_traces_with_goals_survive_the_disk(tmp_path):
    trace = nl.simulate(
        CHAIN,
        "random-search",
        runs=3,
        budget=BUDGET,
        objectives=["valid_seconds"],
        limits={"parameters": 1e9},
        workers=2,
    )
    save_traces([trace], tmp_path / "traces.h5")
    (found,) = load_traces(tmp_path / "traces.h5")
    assert identical(trace, found)
    assert found.setting == trace.setting
    assert np.array_equal(found.reference.feasible, trace.reference.feasible)
    assert np.array_equal(found.incumbent(), trace.incumbent())
