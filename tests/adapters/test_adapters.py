"""Other people's optimisers as strategies, and tables as objectives of theirs."""

import random
import warnings

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab.adapters import OptunaSearch, ask_tell_search, nevergrad_search, optuna_objective
from nasbench_lab.adapters.ask_tell import _Run as AskTellRun
from nasbench_lab.adapters.nevergrad import UNREPEATABLE
from nasbench_lab.errors import MissingDataError, ParameterError, UnknownNameError
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


class Script(Countdown):
    """Proposes given points, and then the last one for ever."""

    def __init__(self, points):
        super().__init__((), 0)
        self.points = points

    def ask(self):
        self.next += 1
        return self.points[min(self.next, len(self.points)) - 1]


@pytest.mark.parametrize("values", [[0.3, 0.2, 0.5], [-0.3, -0.2, -0.5], [np.nan, -0.4, np.nan, -0.1]])
@pytest.mark.parametrize("before", [0, 1, 3])
def test_no_point_is_told_to_be_better_than_what_was_seen(values, before):
    """The first points are no architecture; the values are those of a metric to maximise or to minimise."""
    space, random = synthetic_table("gnn").space, np.random.default_rng(4)
    codes = random.integers(space.cardinalities, size=(500, len(space.cardinalities)))
    wrong = codes[space.find(codes) < 0].tolist()
    right = codes[space.find(codes) >= 0].tolist()
    optimiser = Script(wrong[:before] + right[:5] + wrong[before : before + 2] + right[5:])
    search = AskTellRun(space, random, lambda *_: optimiser)
    seen, told = [], 0
    for value in values * 5:
        search.ask()
        search.tell(0, value)
        if not np.isnan(value):
            seen.append(-value)
        new = optimiser.told[told:]
        told += len(new)
        assert all(loss in seen for _, loss in new)
        assert all(loss == max(seen) for point, loss in new if point in map(tuple, wrong))
    asked = optimiser.next
    assert len(optimiser.told) == asked, "every point that was asked for is told, one after the other"


def repeats(table, strategy, evaluations=25):
    """Whether two simulations are equal although global generators are in other states."""
    budget, traces = nl.Budget(evaluations=evaluations), []
    for state in (1, 2):
        np.random.seed(state)  # noqa: NPY002
        random.seed(state)
        traces.append(nl.simulate(table, strategy, runs=1, budget=budget, seed=3))
        assert np.random.randint(2**30) == np.random.RandomState(state).randint(2**30), "another state was changed"  # noqa: NPY002
    return identical(*traces)


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


# Some of each kind; those of the second line draw from global generators, one of them in a thread.
SOME_OPTIMIZERS = (
    *("CMA", "PSO", "ScrHammersleySearch", "SQP", "TBPSA", "cGA"),
    *("BigLognormalDiscreteOnePlusOne", "ChainDSPowell", "ManyLN", "MetaModelLogNormal"),
)
VERY_SLOW = ("BO", "BOSplit", "PCABO", "PCABO80", "PCABO95DoE20", "SMAC3", "pysot")


@pytest.mark.filterwarnings("ignore")
def test_optimizers_of_nevergrad_repeat_themselves(nevergrad, request):
    """All with ``--all-optimizers``, which takes minutes."""
    every = request.config.getoption("--all-optimizers")
    names = sorted({*nevergrad.optimizers.registry} - {*VERY_SLOW} - UNREPEATABLE) if every else SOME_OPTIMIZERS
    lacking, different = [], []
    for name in names:
        try:
            if not repeats(TABLE, nevergrad_search(name, budget=20), evaluations=20):
                different.append(name)
        except MissingDataError:
            lacking.append(name)
    assert different == []
    assert len(lacking) < len(names) / 10


@pytest.mark.filterwarnings("ignore")
def test_nevergrad_searches(nevergrad):
    budget = nl.Budget(evaluations=150)
    ours = nl.simulate(TABLE, nevergrad_search("DiscreteOnePlusOne", 150), runs=20, budget=budget).regret("test")[:, -1]
    random = nl.simulate(TABLE, "random-search", runs=200, budget=budget).regret("test")[:, -1]
    assert ours.mean() < random.mean()
    with pytest.raises(ParameterError, match="optimizer 'CmaFmin2' of Nevergrad ignores seeds"):
        nevergrad_search("CmaFmin2")
    with pytest.raises(UnknownNameError, match="unknown optimizer 'OnePlusTwo'; did you mean"):
        nevergrad_search("OnePlusTwo")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("strategy", [("TPESampler", None), ("RandomSampler", "SuccessiveHalvingPruner")])
@pytest.mark.parametrize("kind", ["topology", "gnn"])
def test_optuna(optuna, strategy, kind):
    sampler, pruner = strategy
    assert_runs_are_independent(synthetic_table(kind, failures=0.2), OptunaSearch(sampler, pruner))


@pytest.mark.filterwarnings("ignore")
def test_all_samplers_and_pruners_of_optuna_repeat_themselves(optuna):
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # one sampler writes a line per parameter
    table = synthetic_table("topology", failures=0.1)
    grid = {f"code_{code}": list(range(number)) for code, number in enumerate(table.space.cardinalities)}
    options = {
        "GridSampler": {"search_space": grid},
        "GPSampler": {"n_startup_trials": 15},
        "PercentilePruner": {"percentile": 50.0},
        "PatientPruner": {"wrapped_pruner": optuna.pruners.MedianPruner(), "patience": 1},
        "ThresholdPruner": {"lower": 0.3},
    }
    samplers, pruners = (
        [name for name in module.__all__ if not name.startswith("Base") and name[0].isupper()]
        for module in (optuna.samplers, optuna.pruners)
    )
    assert {"TPESampler", "GPSampler", "QMCSampler"} < {*samplers}
    assert {"HyperbandPruner", "WilcoxonPruner"} < {*pruners}
    strategies = [OptunaSearch("RandomSampler", name, pruner_options=options.get(name, {})) for name in pruners]
    for name in samplers:
        if name == "PartialFixedSampler":
            with pytest.raises(ParameterError, match="sampler 'PartialFixedSampler' takes no seed"):
                OptunaSearch(name)
        elif name == "CmaEsSampler":
            with pytest.raises(ParameterError, match="sampler 'CmaEsSampler' cannot search categories"):
                OptunaSearch(name)
        else:
            strategies.append(OptunaSearch(name, sampler_options=options.get(name, {})))
    assert [one.label for one in strategies if not repeats(table, one)] == []


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
    for name in ("BaseSampler", "nsgaii"):
        with pytest.raises(UnknownNameError, match=f"unknown sampler '{name}'"):
            OptunaSearch(name)
