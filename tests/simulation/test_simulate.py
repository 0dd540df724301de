"""The engine: clocks, budgets, observations, and batch invariance."""

import dataclasses
import multiprocessing
import warnings

import numpy as np
import pytest
from catalogue_tables import table_parameters
from hypothesis import given, settings
from hypothesis import strategies as st

import nasbench_lab as nl
from nasbench_lab.errors import MissingDataError, ParameterError, StrategyError, UnknownNameError
from nasbench_lab.simulation import concatenate, load_traces, run_batches, save_traces
from nasbench_lab.strategies import Strategy
from nasbench_lab.suites import comparison
from nasbench_lab.testing import SPACES, identical, synthetic_table
from nasbench_lab.testing.conformance import row

CLASSICS = ("local-search", "random-search", "regularized-evolution")
"""One strategy of each kind of lock step; that the others keep to it is for the conformance cases."""

TABLES = {kind: synthetic_table(kind) for kind in SPACES}
CHAIN = TABLES["chain"]

budgets = st.one_of(
    st.builds(nl.Budget, evaluations=st.integers(1, 60)),
    st.builds(nl.Budget, epochs=st.integers(12, 400)),
    st.builds(nl.Budget, seconds=st.floats(30, 800)),
    st.builds(nl.Budget, evaluations=st.integers(1, 60), epochs=st.integers(12, 400), seconds=st.floats(30, 800)),
)


@given(
    kind=st.sampled_from(sorted(SPACES)),
    name=st.sampled_from(CLASSICS),
    budget=budgets,
    fidelity=st.sampled_from([None, 4, 12]),
    repeat=st.sampled_from(["sample", "mean", 0]),
    seed=st.integers(0, 2**128 - 1),
    first=st.integers(0, 2**63),
    at_a_time=st.integers(1, 5),
)
@settings(max_examples=80)
def test_a_run_is_the_same_whichever_runs_are_simulated_with_it(
    kind, name, budget, fidelity, repeat, seed, first, at_a_time
):
    options = {"budget": budget, "fidelity": fidelity, "repeat": repeat, "seed": seed}
    together = nl.simulate(TABLES[kind], name, runs=7, first_run=first, **options)
    for run in reversed(range(7)):
        alone = nl.simulate(TABLES[kind], name, runs=1, first_run=first + run, **options)
        assert identical(row(together, run), row(alone, 0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_batches, "RUNS_AT_A_TIME", at_a_time)
        assert identical(together, nl.simulate(TABLES[kind], name, runs=7, first_run=first, **options))
    parts = [nl.simulate(TABLES[kind], name, runs=n, first_run=first + f, **options) for f, n in ((0, 3), (3, 4))]
    assert identical(together, concatenate(parts))


def _simulate_part(arguments):
    name, first, runs = arguments
    trace = nl.simulate(nl.load(name), "regularized-evolution", runs=runs, first_run=first, budget=_REAL_BUDGET)
    return trace.architecture, trace.repeat, trace.observed, trace.time


_REAL_BUDGET = nl.Budget(evaluations=40)


@pytest.mark.filterwarnings("ignore::nasbench_lab.SearchOnTestWarning")
@pytest.mark.parametrize("name", table_parameters())
@pytest.mark.parametrize("strategy", CLASSICS)
def test_a_run_among_ten_thousand_is_the_run_alone(name, strategy):
    table = nl.load(name)
    many = nl.simulate(table, strategy, runs=10_000, budget=nl.Budget(evaluations=12), seed=3)
    for run in (0, 1023, 1024, 7777, 9999):
        alone = nl.simulate(table, strategy, runs=1, first_run=run, budget=nl.Budget(evaluations=12), seed=3)
        assert identical(row(many, run), row(alone, 0))


def test_two_processes_give_the_same_bytes():
    name = "nas-bench-graph/proteins"
    whole = _simulate_part((name, 0, 40))
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        halves = pool.map(_simulate_part, [(name, 0, 15), (name, 15, 25)], chunksize=1)
    for together, one, other in zip(whole, *halves, strict=True):
        assert np.array_equal(together, np.concatenate([one, other]), equal_nan=together.dtype.kind == "f")


# Clocks and budgets.


def test_time_is_the_sum_of_training_and_validation_seconds():
    trace = nl.simulate(CHAIN, "random-search", runs=5, budget=nl.Budget(evaluations=100), fidelity=4)
    cost = CHAIN.cost(4)[:, 0][trace.architecture]
    assert np.allclose(trace.time, np.cumsum(cost, axis=1), rtol=1e-12)


@given(st.floats(5, 500))
@settings(max_examples=50)
def test_an_evaluation_counts_if_it_ends_within_the_seconds(seconds):
    trace = nl.simulate(CHAIN, "random-search", runs=20, budget=nl.Budget(seconds=seconds))
    endless = nl.simulate(CHAIN, "random-search", runs=20, budget=nl.Budget(evaluations=trace.steps + 1))
    assert np.array_equal(trace.evaluations, (endless.time <= seconds).sum(axis=1))
    assert np.array_equal(trace.mask, (endless.time <= seconds)[:, : trace.steps])


def test_an_evaluation_that_ends_exactly_with_the_budget_counts():
    endless = nl.simulate(CHAIN, "random-search", runs=1, budget=nl.Budget(evaluations=10))
    seconds = float(endless.time[0, 6])
    assert nl.simulate(CHAIN, "random-search", runs=1, budget=nl.Budget(seconds=seconds)).evaluations == [7]
    just_less = float(np.nextafter(seconds, 0))
    assert nl.simulate(CHAIN, "random-search", runs=1, budget=nl.Budget(seconds=just_less)).evaluations == [6]


def test_a_budget_too_small_for_anything_gives_empty_runs():
    for budget in (nl.Budget(seconds=1e-3), nl.Budget(epochs=11)):
        trace = nl.simulate(CHAIN, "random-search", runs=3, budget=budget)
        assert trace.architecture.shape == (3, 0)
        assert trace.evaluations.tolist() == [0, 0, 0]
        assert trace.regret("test").shape == trace.incumbent().shape == (3, 0)
        assert np.isnan(trace.final("test")).all()


def test_a_budget_too_large_for_memory_is_no_trouble_where_something_else_ends_the_runs():
    one = nl.simulate(CHAIN, "random-search", runs=3, budget=nl.Budget(seconds=500))
    assert identical(one, nl.simulate(CHAIN, "random-search", runs=3, budget=nl.Budget(10**12, 10**14, 500)))
    everything = nl.simulate(CHAIN, "local-search", runs=1000, budget=nl.Budget(evaluations=10**12))
    assert everything.steps == CHAIN.space.size


def test_the_first_limit_that_is_reached_ends_a_run():
    for budget, expected in (
        (nl.Budget(evaluations=7, epochs=1200), 7),
        (nl.Budget(evaluations=70, epochs=60), 5),
        (nl.Budget(epochs=59), 4),
    ):
        assert nl.simulate(CHAIN, "random-search", runs=2, budget=budget).evaluations.tolist() == [expected] * 2


def test_a_run_that_ended_stays_ended():
    """After an expensive evaluation that did not fit in, a cheap one that would fit in must not count."""

    class DearThenCheap:
        def __init__(self, space, random):
            cost = CHAIN.cost()[:, 0]
            self.turn, self.cheap, self.dear = 0, int(cost.argmin()), int(cost.argmax())

        def ask(self):
            self.turn += 1
            return self.dear if self.turn == 3 else self.cheap

        def tell(self, architecture, value):
            pass

    cost = CHAIN.cost()[:, 0]
    seconds = float(3.5 * cost.min())
    assert 2 * cost.min() + cost.max() > seconds
    trace = nl.simulate(CHAIN, DearThenCheap, runs=2, budget=nl.Budget(seconds=seconds))
    assert trace.evaluations.tolist() == [2, 2]


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({}, "needs evaluations, epochs, seconds, energy, trainings or mean_trainings"),
        ({"evaluations": 0}, "must be positive, got evaluations=0"),
        ({"seconds": -1.0}, "must be positive"),
        ({"seconds": float("nan")}, "must be positive"),
        ({"seconds": float("inf")}, "must be at most"),
        ({"epochs": 2.5}, "whole number, got epochs=2.5"),
        ({"evaluations": "many"}, "must be a number"),
        ({"evaluations": True}, "must be a number"),
    ],
)
def test_budgets_that_make_no_sense(limits, message):
    with pytest.raises(ParameterError, match=message):
        nl.Budget(**limits)


def test_seconds_need_a_table_with_times():
    table = nl.load("nas-bench-graph/proteins")
    with pytest.raises(MissingDataError, match="has no times"):
        nl.simulate(table, "random-search", runs=1, budget=nl.Budget(seconds=10))
    assert np.isnan(nl.simulate(table, "random-search", runs=1, budget=nl.Budget(evaluations=3)).time).all()


# Observations.


def test_sampled_repeats_are_those_that_exist_and_equally_frequent():
    trace = nl.simulate(CHAIN, "random-search", runs=500, budget=nl.Budget(evaluations=200))
    values = np.asarray(CHAIN.values("valid_accuracy"))[:, 1]
    observed = values[trace.architecture, trace.repeat]
    assert np.array_equal(observed, trace.observed), "what is observed is the repeat that the trace names"
    assert not np.isnan(observed).any(), "a missing repeat was drawn"
    for present in (2, 3):
        full = (~np.isnan(values)).sum(axis=1)[trace.architecture] == present
        share = np.bincount(trace.repeat[full], minlength=3)[:present] / full.sum()
        assert np.abs(share - 1 / present).max() < 5 / np.sqrt(full.sum())


def test_the_same_architecture_is_drawn_and_paid_for_anew():
    trace = nl.simulate(TABLES["tiny"], "random-search", runs=1, budget=nl.Budget(evaluations=200))
    assert (np.diff(trace.time[0]) > 0).all()
    for architecture in (0, 1):
        assert len(np.unique(trace.observed[0][trace.architecture[0] == architecture])) > 1


def test_means_and_single_repeats():
    options = {"runs": 3, "budget": nl.Budget(evaluations=50)}
    mean = nl.simulate(CHAIN, "random-search", repeat="mean", **options)
    assert np.array_equal(mean.observed, CHAIN.mean_values("valid_accuracy")[mean.architecture])
    assert (mean.repeat == -1).all()
    second = nl.simulate(CHAIN, "random-search", repeat=1, **options)
    assert np.array_equal(second.observed, CHAIN.repeat_values("valid_accuracy")[second.architecture, 1])
    assert (second.repeat == 1).all()
    with pytest.raises(MissingDataError, match=r'of 243 architectures .* have no repeat 2 .*use repeat="sample"'):
        nl.simulate(CHAIN, "random-search", repeat=2, **options)


@pytest.mark.mirror
def test_a_published_mean_is_observed_where_there_is_no_single_repeat():
    table = nl.load("nats-bench-tss/cifar10")
    options = {"runs": 2, "budget": nl.Budget(evaluations=9), "fidelity": 12}
    sampled = nl.simulate(table, "random-search", **options)
    assert (sampled.repeat == -1).all()
    assert identical(sampled, nl.simulate(table, "random-search", repeat="mean", **options))
    with pytest.raises(MissingDataError):
        nl.simulate(table, "random-search", repeat=0, **options)


@pytest.mark.mirror
def test_a_search_on_test_accuracy_is_never_silent():
    table = nl.load("nas-bench-macro/cifar10")
    with pytest.warns(nl.SearchOnTestWarning, match="the search observes test_accuracy"):
        trace = nl.simulate(table, "random-search", runs=2, budget=nl.Budget(evaluations=9))
    assert trace.regret("test").shape == (2, 9)
    with pytest.raises(MissingDataError, match="publishes no valid"):
        trace.regret("valid")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"fidelity": 13}, UnknownNameError, "unknown fidelity"),
        ({"repeat": "median"}, ParameterError, 'must be "sample", "mean" or a number'),
        ({"repeat": 3}, ParameterError, r"repeats 0\.\.2 \(first, second, third\), not 3"),
        ({"runs": 0}, ParameterError, "runs must be from 1 to 1000000000, got 0"),
        ({"seed": -1}, ParameterError, "seed must be"),
        ({"first_run": -1}, ParameterError, "first_run must be"),
        ({"runs": 2.5}, ParameterError, "runs must be a whole number, got 2.5"),
        ({"seed": "1"}, ParameterError, "seed must be a whole number"),
        ({"budget": 300}, ParameterError, "must be a Budget"),
    ],
)
def test_settings_that_make_no_sense(options, error, message):
    with pytest.raises(error, match=message):
        nl.simulate(CHAIN, "random-search", **{"runs": 2, "budget": nl.Budget(evaluations=3), **options})


def test_numbers_of_numpy_are_as_good_as_plain_ones(tmp_path):
    plain = nl.simulate(
        *(CHAIN, "regularized-evolution"), runs=3, budget=nl.Budget(9, 900, 500), repeat=1, seed=1, population_size=4
    )
    i, f = np.int64, np.float64
    numpy = nl.simulate(
        *(CHAIN, "regularized-evolution"),
        runs=i(3),
        budget=nl.Budget(i(9), i(900), f(500)),
        repeat=i(1),
        seed=i(1),
        first_run=i(0),
        fidelity=i(12),
        population_size=i(4),
    )
    assert identical(plain, numpy)
    assert plain.setting == numpy.setting
    save_traces([numpy], tmp_path / "traces.h5")
    assert load_traces(tmp_path / "traces.h5")[0].setting == plain.setting


def test_hundreds_of_repeats_keep_their_numbers():
    table = synthetic_table("tiny")
    values = {name: np.array(table.values(name)) for name in table.metrics}
    values["valid_accuracy"] = np.random.default_rng(0).random((2, 2, 300))
    values["test_accuracy"] = values["valid_accuracy"]
    description = dataclasses.replace(table.description, repeats=tuple(map(str, range(300))))
    trace = nl.simulate(nl.Table(description, values), "random-search", runs=50, budget=nl.Budget(evaluations=50))
    assert np.array_equal(values["valid_accuracy"][trace.architecture, 1, trace.repeat], trace.observed)
    assert len(np.unique(trace.repeat)) == 300


def test_a_comparison_is_checked_before_anything_is_simulated(monkeypatch):
    monkeypatch.setattr(comparison, "simulate_under", lambda *_arguments, **_options: pytest.fail("it was simulated"))
    untimed = "nas-bench-graph/proteins"
    for wrong in ({"budget": nl.Budget(seconds=9)}, {"fidelity": 12}, {"repeat": 7}):
        options = {"budget": nl.Budget(evaluations=9), **wrong}
        with pytest.raises(nl.NasbenchLabError):
            list(comparison.Comparison((untimed,), ("random-search",), nl.Conditions(**options)).run())
    same = ("regularized-evolution", "regularized-evolution:population_size=10")
    with pytest.raises(ParameterError, match="'regularized-evolution' is listed twice"):
        list(comparison.Comparison((untimed,), same, nl.Budget(evaluations=9)).run())


# Strategies that break the contract are named.


class Broken(Strategy):
    name, reference = "broken", ""

    def __init__(self, answer):
        self.answer = answer

    def start(self, task):
        return None

    def ask(self, state):
        return self.answer

    def tell(self, state, evaluations):
        pass


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.array([[243], [0]]), r"'broken' proposed architecture 243; 'synthetic/chain' has 0\.\.242"),
        (np.array([[0], [-2]]), "proposed architecture -2"),
        (np.array([0, 1]), r"integers of shape \(2, k\), not int64 of shape \(2,\)"),
        (np.array([[0.0], [1.0]]), "not float64"),
        (np.zeros((2, 0), dtype=int), "shape"),
        (np.zeros((3, 1), dtype=int), "shape"),
    ],
)
def test_strategies_that_break_the_contract_are_named(answer, message):
    with pytest.raises(StrategyError, match=message):
        nl.simulate(CHAIN, Broken(answer), runs=2, budget=nl.Budget(evaluations=3))


def test_a_strategy_without_a_name_has_that_of_its_class():
    class Nameless(Broken):
        pass

    assert Nameless(0).name == "broken"

    class Fresh(Strategy):
        start = ask = tell = None

    assert Fresh.name == "Fresh"
    with pytest.raises(ParameterError, match="a class with ask and tell"):
        nl.simulate(CHAIN, int, runs=1, budget=nl.Budget(evaluations=1))


def test_any_number_of_proposals_at_a_time_gives_the_same_trace():
    class Fixed(Strategy):
        name, reference = "fixed", ""

        def __init__(self, k):
            self.k = k

        def start(self, task):
            return {"next": 0, "runs": task.runs}

        def ask(self, state):
            proposals = (state["next"] + np.arange(self.k)) * 7 % 243
            state["next"] += self.k
            return np.broadcast_to(proposals, (state["runs"], self.k))

        def tell(self, state, evaluations):
            pass

    for budget in (nl.Budget(evaluations=50), nl.Budget(seconds=321.0)):
        one = nl.simulate(CHAIN, Fixed(1), runs=4, budget=budget)
        for k in (2, 3, 64):
            assert identical(one, nl.simulate(CHAIN, Fixed(k), runs=4, budget=budget))


def test_simulating_warns_of_nothing_else():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nl.simulate(synthetic_table("chain", failures=0.9), "local-search", runs=5, budget=nl.Budget(seconds=500))


def test_costs_that_differ_between_repeats():
    """A repeat that was not measured has no cost either; the others are charged what they took."""
    table = synthetic_table("tiny")
    axes = ("architecture", "fidelity", "repeat")
    metrics = [dataclasses.replace(m, axes=axes) if m.name == "train_seconds" else m for m in table.description.metrics]
    values = {name: np.array(table.values(name)) for name in table.metrics}
    values["valid_accuracy"][0, 1] = [0.1, np.nan, 0.3]
    values["train_seconds"] = np.array([[[1.0, 1, 1], [2, np.nan, 8]], [[1, 1, 1], [16, 32, 64]]])
    values["valid_seconds"][:] = 0.5
    timed = nl.Table(dataclasses.replace(table.description, metrics=tuple(metrics)), values)
    trace = nl.simulate(timed, "random-search", runs=20, budget=nl.Budget(seconds=2_000))
    took = np.diff(trace.time, axis=1, prepend=0.0)
    expected = values["train_seconds"][trace.architecture, 1, trace.repeat] + 0.5
    assert np.allclose(took[trace.mask], expected[trace.mask])
    assert {2.5, 8.5, 16.5, 32.5, 64.5} == set(expected[trace.mask].tolist())
    mean = nl.simulate(timed, "random-search", runs=3, budget=nl.Budget(seconds=500), repeat="mean")
    first = mean.time[:, 0]
    assert np.array_equal(first, np.where(mean.architecture[:, 0] == 0, 5.5, 112 / 3 + 0.5))


def test_failed_trainings_are_named_as_what_they_are():
    table = synthetic_table("chain", failures=0.5)
    trace = nl.simulate(table, "random-search", runs=5, budget=nl.Budget(evaluations=50))
    failed = np.isnan(table.repeat_values("valid_accuracy")).all(axis=1)[trace.architecture]
    assert np.array_equal(np.isnan(trace.observed), failed)
    assert (trace.repeat[failed] == -1).all()
    assert (trace.repeat[~failed] >= 0).all()


def test_linear_algebra_has_one_thread_while_simulating_and_not_after():
    threadpoolctl = pytest.importorskip("threadpoolctl")
    seen = []

    class Watcher:
        def __init__(self, space, random):
            self.space = space

        def ask(self):
            seen.extend(threads())
            return 0

        def tell(self, architecture, value):
            pass

    def threads():
        return [pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]

    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        if 2 not in threads():
            pytest.skip("this NumPy's BLAS has one thread, whatever it is told")
        nl.simulate(synthetic_table(), Watcher, runs=1, budget=nl.Budget(evaluations=2))
        assert set(seen) == {1}
        assert 2 in threads()


def test_a_method_that_trains_networks_is_no_strategy():
    for name in ("one-shot/spos", "one-shot/no-such-method"):
        with pytest.raises(ParameterError, match=rf"'{name}' is no strategy .*run_suite.*one_shot\.search$"):
            nl.simulate(synthetic_table("tiny"), name, runs=1, budget=nl.Budget(evaluations=2))
    with pytest.raises(UnknownNameError, match="unknown strategy 'two-shot/spos'"):
        nl.simulate(synthetic_table("tiny"), "two-shot/spos", runs=1, budget=nl.Budget(evaluations=2))
