"""Live searches: equal to simulations, continued after every kind of stop, and told in the right order."""

import dataclasses
import functools
import itertools
import sqlite3
from types import SimpleNamespace

import numpy as np
import pytest
from inline_trainings import InlineWorkers

import nasbench_lab as nl
from nasbench_lab.errors import DataError, OutputError, ParameterError, UnknownNameError
from nasbench_lab.simulation import Conditions
from nasbench_lab.strategies.lookup import find_strategy
from nasbench_lab.train.live_search import search_loop, search_run
from nasbench_lab.train.live_search.live_table import LiveTable
from nasbench_lab.train.live_search.network_numbers import wanted_metrics
from nasbench_lab.train.live_search.search_folder import LiveSearchPlan, find_search, new_search, stored_searches
from nasbench_lab.train.live_search.search_run import best_steps, check_plan, finished_traces, open_table, run_search
from nasbench_lab.train.live_search.settings import live_spec

EVOLUTION = "regularized-evolution:population_size=3,sample_size=2"
STRATEGIES = (
    EVOLUTION,
    "random-search",
    "tpe",
    "successive-halving:eta=2",
    "asha:eta=2",
    "zero-cost-filter:candidates=3",
)
SAME = ("architecture", "fidelity", "repeat", "observed")


@pytest.fixture(scope="module")
def spec():
    return live_spec("digits/chain", epochs=2, seeds=2)[0]


@pytest.fixture(scope="module")
def trainings(tmp_path_factory):
    """The folder of the trainings of all tests, so that most searches find what they need."""
    return tmp_path_factory.mktemp("trainings")


@pytest.fixture
def make(spec, trainings, tmp_path, monkeypatch):
    """Makes and runs a search; returns its outcome."""

    def run(strategy, budget, folder=None, *, workers=1, inline=InlineWorkers, report=lambda _state: None, **options):
        monkeypatch.setattr(search_run, "TrainingWorkers", inline)
        conditions = Conditions(budget, repeat="sample", workers=workers, **options)
        metrics = wanted_metrics(find_strategy(strategy), (*conditions.objectives, *conditions.limits))
        plan = LiveSearchPlan(strategy, conditions, spec, trainings=str(trainings), metrics=metrics)
        found = new_search(folder or tmp_path, plan).stored()
        with found.locked(), open_table(found, ("cpu",)) as table:
            return run_search(found, table, report)

    return run


def events(folder):
    (path,) = folder.glob("searches/*/events.sqlite")
    rows = "SELECT kind, proposal, architecture, epochs, repeat, value FROM events ORDER BY number"
    with sqlite3.connect(path) as connection:
        return connection.execute(rows).fetchall()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_search_with_one_worker_is_the_simulation_of_the_live_table(make, spec, trainings, strategy):
    budget = nl.Budget(evaluations=5)
    found = make(strategy, budget)
    with open_table(found_search(spec, trainings, strategy, budget), ("cpu",)) as table:
        trace = nl.simulate(table, strategy, runs=1, budget=budget)
    for name in SAME:
        np.testing.assert_array_equal(getattr(found.trace, name), getattr(trace, name))
    assert (np.diff(found.trace.time) >= 0).all()


def found_search(spec, trainings, strategy, budget):
    from nasbench_lab.train.live_search.search_folder import StoredSearch

    plan = LiveSearchPlan(strategy, Conditions(budget), spec, metrics=wanted_metrics(find_strategy(strategy), ()))
    return StoredSearch(trainings, plan)


def in_parts(make, *arguments, **options):
    """Run a search that is stopped after every training; return its outcome and the number of stops."""
    stops = 0
    while True:
        try:
            return make(*arguments, inline=functools.partial(InlineWorkers, stop_after=1), **options), stops
        except KeyboardInterrupt:
            stops += 1


@pytest.mark.parametrize("strategy", [EVOLUTION, "asha:eta=2"])
def test_a_search_that_is_stopped_after_every_training_is_the_same(make, tmp_path, strategy):
    budget = nl.Budget(evaluations=6)
    parts, stops = in_parts(make, strategy, budget, tmp_path / "parts", seed=1)
    whole = make(strategy, budget, tmp_path / "whole", seed=1)
    assert stops
    assert parts.finished
    assert events(tmp_path / "parts") == events(tmp_path / "whole")
    np.testing.assert_array_equal(parts.trace.incumbent(), whole.trace.incumbent())


def test_several_workers_lose_nothing_when_a_search_is_stopped(make, tmp_path):
    parts, stops = in_parts(make, "asha:eta=2", nl.Budget(evaluations=6), tmp_path, workers=2, seed=2)
    assert stops
    ends = [number for kind, number, *_ in events(tmp_path) if kind == "end"]
    starts = [number for kind, number, *_ in events(tmp_path) if kind == "start"]
    assert sorted(ends) == sorted(starts) == list(range(6))
    assert len(parts.steps) == 6


def test_a_stop_between_a_training_and_its_event_trains_nothing_twice(make, tmp_path, monkeypatch):
    add, count = search_loop.LiveSearchLog.add, 0

    def stop(self, *given):
        nonlocal count
        count += 1
        if count % 3 == 0:
            raise KeyboardInterrupt
        add(self, *given)

    budget = nl.Budget(evaluations=5)
    whole = make(EVOLUTION, budget, tmp_path / "whole", seed=5)
    with monkeypatch.context() as patch:
        patch.setattr(search_loop.LiveSearchLog, "add", stop)
        while True:
            try:
                parts = make(EVOLUTION, budget, tmp_path / "parts", seed=5)
                break
            except KeyboardInterrupt:
                continue
    assert parts.trace.observed.tolist() == whole.trace.observed.tolist()
    assert not any(step.fresh for step in parts.steps)


def test_asynchronous_strategies_are_told_what_ends_first(make, tmp_path):
    inline = functools.partial(InlineWorkers, last_first=True)
    found = make("random-search", nl.Budget(evaluations=4), tmp_path, workers=3, seed=70, inline=inline)
    ends = [number for kind, number, *_ in events(tmp_path) if kind == "end"]
    assert ends[0] == 2
    assert sorted(ends) == [0, 1, 2, 3]
    assert found.finished


def test_the_budget_of_time_ends_a_search_and_can_be_raised(make, tmp_path, monkeypatch):
    ticks = itertools.count()
    monkeypatch.setattr(search_loop, "time", SimpleNamespace(monotonic=lambda: float(next(ticks))))
    first = make("random-search", nl.Budget(seconds=15), tmp_path / "a", seed=9)
    assert first.finished
    assert first.steps
    assert all(step.clock <= 15 for step in first.steps)
    (stored,) = stored_searches(tmp_path / "a").values()
    longer = stored._replace(plan=stored.plan.extended(nl.Budget(seconds=30), {})).stored()
    with longer.locked(), open_table(longer, ("cpu",)) as table:
        more = run_search(longer, table, lambda _state: None)
    assert more.steps[: len(first.steps)] == first.steps
    assert len(more.steps) > len(first.steps)


def test_architectures_beyond_a_limit_are_not_trained_and_never_the_best(make, trainings):
    before = len(list(trainings.iterdir()))
    found = make(EVOLUTION, nl.Budget(evaluations=7), limits={"parameters": 8000.0}, seed=3, objectives=("flops",))
    assert {step.feasible for step in found.steps} == {True, False}
    assert all(np.isnan(step.observed) and not step.fresh for step in found.steps if not step.feasible)
    assert all(step.feasible for step in best_steps(found.steps, 10))
    assert found.trace.reference.keeps_limits(found.trace.final_incumbent()).all()
    assert before == len(list(trainings.iterdir()))


def test_a_second_search_in_the_folder_keeps_the_first(make, tmp_path):
    make(EVOLUTION, nl.Budget(evaluations=3), tmp_path / "both")
    make("random-search", nl.Budget(evaluations=3), tmp_path / "both")
    assert [trace.setting.strategy for trace in finished_traces(tmp_path / "both")] == [
        "regularized-evolution",
        "random-search",
    ]
    with pytest.raises(ParameterError, match="several searches"):
        find_search(tmp_path / "both")
    assert find_search(tmp_path / "both", "random-search").plan.strategy == "random-search"
    with pytest.raises(OutputError, match="with other settings"):
        make("random-search", nl.Budget(evaluations=4), tmp_path / "both")


def test_only_one_process_searches(make, tmp_path):
    make("random-search", nl.Budget(evaluations=1), tmp_path)
    with find_search(tmp_path).locked(), pytest.raises(OutputError, match="another process is at work"):
        make("random-search", nl.Budget(evaluations=1), tmp_path)


def test_a_strategy_whose_code_has_changed_is_refused(make, tmp_path):
    make("random-search", nl.Budget(evaluations=2), tmp_path)
    with sqlite3.connect(next(tmp_path.glob("searches/*/events.sqlite"))) as connection:
        connection.execute("UPDATE events SET architecture = (architecture + 1) % 100")
    with pytest.raises(DataError, match="does not repeat the search"):
        make("random-search", nl.Budget(evaluations=2), tmp_path)


@pytest.mark.parametrize("name", ["search.json", "events.sqlite"])
def test_a_damaged_search_is_one_clear_error(make, tmp_path, name):
    make("random-search", nl.Budget(evaluations=1), tmp_path)
    path = next(tmp_path.glob(f"searches/*/{name}"))
    path.write_bytes(path.read_bytes()[:100] + b"?" * 50)
    with pytest.raises((DataError, OutputError), match=name):
        make("random-search", nl.Budget(evaluations=1), tmp_path)


def test_a_search_in_which_all_trainings_fail_gives_up(make, tmp_path, monkeypatch):
    monkeypatch.setattr(LiveTable, "known_means", None)
    trained = InlineWorkers

    class Failing(trained):
        def wait(self, seconds):
            return [
                each._replace(answer=each.answer._replace(trained=failed(each.answer.trained)))
                for each in super().wait(seconds)
            ]

    def failed(trained):
        arrays = {name: np.full_like(values, np.nan, dtype=float) for name, values in trained.arrays.items()}
        return trained._replace(reason="out of memory", arrays=arrays)

    monkeypatch.setattr("nasbench_lab.train.live_search.trainings.TrainingsOnDemand.known", lambda *_: None)
    with pytest.raises(ParameterError, match="the first 5 trainings all failed; the last one: out of memory"):
        make("random-search", nl.Budget(evaluations=9), tmp_path / "new", seed=4, inline=Failing)


def test_wrong_settings_are_found_before_a_training(spec):
    data = spec.dataset.load()
    plan = LiveSearchPlan("random-search", Conditions(nl.Budget(evaluations=3)), spec)
    check_plan(plan, data)
    for change, error, text in (
        ({"strategy": "randm-search"}, UnknownNameError, "random-search"),
        ({"conditions": Conditions(nl.Budget(epochs=3))}, ParameterError, "in evaluations or in seconds"),
        ({"conditions": Conditions(nl.Budget(evaluations=3), fidelity=7)}, UnknownNameError, "unknown fidelity"),
        ({"conditions": Conditions(nl.Budget(evaluations=3), repeat=5)}, ParameterError, "repeats 0..1"),
        (
            {"conditions": Conditions(nl.Budget(evaluations=3), objectives=("test_accuracy",))},
            ParameterError,
            "no search may see",
        ),
    ):
        with pytest.raises(error, match=text):
            check_plan(dataclasses.replace(plan, **change), data)


def test_a_plan_survives_on_disk(spec, tmp_path):
    conditions = Conditions(nl.Budget(seconds=5), limits={"parameters": 3.0}, objectives=("flops",), workers=4)
    plan = LiveSearchPlan("hyperband:eta=2", conditions, spec, "x", ("flops",), 2, 5, "none")
    new_search(tmp_path, plan).stored()
    assert find_search(tmp_path).plan == plan
