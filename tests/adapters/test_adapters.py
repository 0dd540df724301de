"""Other people's optimisers as strategies, and tables as objectives of theirs."""

import warnings

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab.adapters import OptunaSearch, ask_tell_search, nevergrad_search, optuna_objective
from nasbench_lab.errors import UnknownNameError
from nasbench_lab.testing import identical, synthetic_table
from nasbench_lab.testing.conformance import row

TABLE = synthetic_table("topology")
BUDGET = nl.Budget(evaluations=30)


@pytest.fixture
def optuna():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("optuna")


@pytest.fixture
def nevergrad():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("nevergrad")


class Countdown:
    """Minimises nothing: proposes the highest codes first, and remembers what it is told."""

    def __init__(self, cardinalities, seed):
        self.cardinalities, self.told, self.next = cardinalities, [], 0

    def ask(self):
        self.next += 1
        return [(number - self.next) % number for number in self.cardinalities]

    def tell(self, point, loss):
        self.told.append((tuple(point), loss))


def test_anything_that_is_asked_and_told():
    made = []
    strategy = ask_tell_search(lambda *given: made.append(Countdown(*given)) or made[-1], "countdown")
    trace = nl.simulate(synthetic_table("chain"), strategy, runs=2, budget=nl.Budget(evaluations=4))
    space = synthetic_table("chain").space
    assert trace.setting.strategy == "countdown"
    expected = [[2] * 5, [1] * 5, [0] * 5, [2] * 5]
    assert trace.architecture.tolist() == [space.index(expected).tolist()] * 2
    told = made[0].told
    assert [point for point, _ in told] == [tuple(codes) for codes in expected[:3]]
    np.testing.assert_allclose([loss for _, loss in told], -trace.observed[0, :3])


def test_points_that_are_no_architecture_are_asked_again():
    """Most codes of the space of graph networks are architectures, but not all."""
    table, made = synthetic_table("gnn"), []
    strategy = ask_tell_search(lambda *given: made.append(Random(*given)) or made[-1])
    trace = nl.simulate(table, strategy, runs=3, budget=BUDGET)
    assert (trace.evaluations == 30).all()
    assert len(made[0].told) >= 29


class Random(Countdown):
    def __init__(self, cardinalities, seed):
        super().__init__(cardinalities, seed)
        self.random = np.random.default_rng(seed)

    def ask(self):
        return [int(self.random.integers(number)) for number in self.cardinalities]


def assert_runs_are_independent(table, strategy):
    together = nl.simulate(table, strategy, runs=3, budget=BUDGET, first_run=5)
    for run in range(3):
        alone = nl.simulate(table, strategy, runs=1, budget=BUDGET, first_run=5 + run)
        assert identical(row(together, run), row(alone, 0))
    assert (together.evaluations == 30).all()
    assert not np.array_equal(together.architecture[0], together.architecture[1])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["OnePlusOne", "DE", "NGOpt"])
@pytest.mark.parametrize("kind", ["topology", "gnn"])
def test_nevergrad(nevergrad, name, kind):
    assert_runs_are_independent(synthetic_table(kind, failures=0.2), nevergrad_search(name, budget=30))


@pytest.mark.filterwarnings("ignore")
def test_nevergrad_searches(nevergrad):
    budget = nl.Budget(evaluations=150)
    ours = nl.simulate(TABLE, nevergrad_search("DiscreteOnePlusOne", 150), runs=20, budget=budget).regret("test")[:, -1]
    random = nl.simulate(TABLE, "random-search", runs=200, budget=budget).regret("test")[:, -1]
    assert ours.mean() < random.mean()
    with pytest.raises(UnknownNameError, match="unknown optimizer 'OnePlusTwo'; did you mean"):
        nevergrad_search("OnePlusTwo")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("strategy", [("TPESampler", None), ("RandomSampler", "SuccessiveHalvingPruner")])
@pytest.mark.parametrize("kind", ["topology", "gnn"])
def test_optuna(optuna, strategy, kind):
    sampler, pruner = strategy
    assert_runs_are_independent(synthetic_table(kind, failures=0.2), OptunaSearch(sampler, pruner))


@pytest.mark.filterwarnings("ignore")
def test_optunas_sampler_searches(optuna):
    budget = nl.Budget(evaluations=100)
    ours = nl.simulate(TABLE, OptunaSearch(), runs=10, budget=budget).regret("test")[:, -1]
    random = nl.simulate(TABLE, "random-search", runs=200, budget=budget).regret("test")[:, -1]
    assert ours.mean() < random.mean()


@pytest.mark.filterwarnings("ignore")
def test_optunas_pruner_stops_trainings(optuna):
    trace = nl.simulate(TABLE, OptunaSearch("RandomSampler", "MedianPruner"), runs=3, budget=nl.Budget(evaluations=60))
    short = (trace.fidelity == 4).sum(axis=1)
    long = (trace.fidelity == 12).sum(axis=1)
    assert (long > 5).all()
    assert (long < 0.9 * short).all()
    for run in range(3):
        for step in np.flatnonzero(trace.fidelity[run] == 12):
            assert trace.architecture[run, step] == trace.architecture[run, step - 1]


@pytest.mark.filterwarnings("ignore")
def test_a_table_is_an_objective(optuna):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    for prune in (False, True):
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=1))
        study.optimize(optuna_objective(TABLE, repeat="mean", prune=prune), n_trials=40)
        best = study.best_trial
        architecture = best.user_attrs["architecture"]
        assert best.value == TABLE.mean_values("valid_accuracy", 12)[architecture]
        assert best.user_attrs["seconds"] == pytest.approx(TABLE.cost(12)[architecture, 0])
        pruned = [trial for trial in study.trials if trial.state == optuna.trial.TrialState.PRUNED]
        assert bool(pruned) == prune


@pytest.mark.filterwarnings("ignore")
def test_unknown_samplers_offer_the_nearest(optuna):
    with pytest.raises(UnknownNameError, match="unknown sampler 'TPSampler'; did you mean 'TPESampler'"):
        OptunaSearch("TPSampler")
    with pytest.raises(UnknownNameError, match="unknown pruner 'Median'"):
        OptunaSearch(pruner="Median")
