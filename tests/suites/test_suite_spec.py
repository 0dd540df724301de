"""Suites: what they say, what is refused, and the plans they come to."""

import itertools
import json
import tomllib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_suites import small_shards, small_suite, table_file

import nasbench_lab as nl
from nasbench_lab.errors import DataError, MissingDataError, ParameterError, UnknownNameError
from nasbench_lab.simulation.conditions import Conditions
from nasbench_lab.simulation.zero_cost_scores import tables_with
from nasbench_lab.spaces import ListedSpace
from nasbench_lab.suites import StrategyEntry, Suite, TableEntry, built_in, make_plan, read_suite
from nasbench_lab.suites.plan_changes import fit_to_stored
from nasbench_lab.suites.planned_simulations import EVERY, Plan, Simulation
from nasbench_lab.suites.requirements import lacking
from nasbench_lab.suites.toml_files import EXAMPLE, suite_of
from nasbench_lab.tables import Description, Metric, cached_path, write
from nasbench_lab.tables.catalogue import is_present
from nasbench_lab.testing import synthetic_table

BUDGET = nl.Budget(evaluations=12)

FULL = """
title = "All keys"
runs = 20
fidelity = 12
repeat = "mean"
workers = 2
objectives = ["parameters"]
seed = 5

[[strategies]]
name = "random-search"

[[strategies]]
name = "regularized-evolution"
parameters = { sample_size = 5 }
grid = { population_size = [10, 20] }
optional = true

[[tables]]
name = "mine.h5"
fidelity = 4
budget = { seconds = 100 }

[[tables]]
name = "*"
present = true

[budget]
evaluations = 30
trainings = 25

[limits]
parameters = 1
"""


def toml(folder, text):
    path = folder / "suite.toml"
    path.write_text(text)
    return path


def test_every_key_is_read(tmp_path):
    suite = read_suite(toml(tmp_path, FULL))
    assert suite == Suite(
        strategies=[
            "random-search",
            StrategyEntry("regularized-evolution", {"sample_size": 5}, {"population_size": [10, 20]}, optional=True),
        ],
        tables=[
            TableEntry("mine.h5", budget=nl.Budget(seconds=100), fidelity=4),
            TableEntry("*", present=True),
        ],
        conditions=nl.Conditions(
            budget=nl.Budget(evaluations=30, trainings=25),
            fidelity=12,
            repeat="mean",
            workers=2,
            objectives=["parameters"],
            limits={"parameters": 1},
            seed=5,
        ),
        title="All keys",
        runs=20,
    )
    assert suite.folder == tmp_path


def test_the_hash_is_of_what_a_suite_says_and_not_of_how(tmp_path):
    one = Suite(["regularized-evolution:population_size=20"], ["digits/chain"], BUDGET)
    spelt_out = suite_of(
        {
            "title": "Another title",
            "strategies": [{"name": "regularized-evolution", "parameters": {"population_size": 20}}],
            "tables": [{"name": "digits/chain"}],
            "budget": {"evaluations": 12},
            "runs": 1000,
            "seed": 0,
        },
        tmp_path,
    )
    assert one.hash == spelt_out.hash


def test_every_change_changes_the_hash():
    base = suite_of(tomllib.loads(FULL))
    assert suite_of(json.loads(json.dumps(base.spec))).hash == base.hash
    changes = {
        "strategies": ["random-search"],
        "tables": ["digits/chain"],
        "budget": {"evaluations": 31, "trainings": 25},
        "runs": 21,
        "fidelity": 4,
        "repeat": 0,
        "workers": 3,
        "objectives": [],
        "limits": {},
        "seed": 6,
    }
    assert set(changes) == set(base.spec) - {"title", "published"}
    hashes = {suite_of({**base.spec, key: value}).hash for key, value in changes.items()}
    assert len(hashes | {base.hash}) == len(changes) + 1


WRONG = [
    ("runs = 10", "strategies is missing"),
    ("strategies = []\ntables = ['x']\nbudget.epochs = 1", "strategies must name at least one"),
    ("strategies = ['x']\nbudget.epochs = 1", "tables is missing"),
    ("strategies = ['x']\ntables = ['y']", "budget is missing"),
    ("strategies = ['x']\ntables = 'y'\nbudget.epochs = 1", "tables must be a list, got 'y'"),
    ("stratgies = ['x']", "unknown key 'stratgies'; did you mean 'strategies'?"),
    ("folder = 'x'", "unknown key 'folder'"),
    ("budget = { evaluation = 5 }", "unknown key in budget 'evaluation'; did you mean 'evaluations'"),
    ("budget = 5", "budget must be a table, like { evaluations = 300 }, got 5"),
    ("budget = { evaluations = 0 }", "a budget must be positive, got evaluations=0"),
    ("budget = { trainings = 1.5 }", "a budget in trainings must be a whole number, got trainings=1.5"),
    ("budget = {}", "a budget needs evaluations, epochs, seconds, energy, trainings or mean_trainings"),
    ("tables = [{ present = true }]", "an entry of tables has no name"),
    ("tables = [{ name = 'x', budgets = 5 }]", "unknown key in tables 'budgets'; did you mean 'budget'"),
    ("tables = [{ name = 'x', present = 1 }]", "present must be True or False, got 1"),
    ("tables = [5]", "tables are names or entries with a name, got 5"),
    ("strategies = [{ name = 'x', grid = { a = 5 } }]", "grid.a of 'x' must be a list of values, got 5"),
    ("strategies = [{ name = 'x', grid = { a = [] } }]", "grid.a of 'x' must be a list of values, got []"),
    ("strategies = [{ name = 'x', parameters = 5 }]", "parameters of 'x' must be a table"),
    ("strategies = [{ name = '*', parameters = { a = 1 } }]", "the pattern '*' stands for several strategies"),
    (
        "strategies = [{ name = 'x', parameters = { a = 1 }, grid = { a = [1] } }]",
        "is in the parameters and in the grid",
    ),
    ("strategies = [{ name = 'x', parameters = { a = 2020-01-01 } }]", "parameter 'a' of 'x' must be a number, a text"),
    ("strategies = [{ name = 'x', parameters = { a = nan } }]", "parameter 'a' of 'x' must be a number, a text"),
    ("strategies = ['x:']", "malformed strategy 'x:'"),
    ("runs = 0", "runs must be from 1 to 1000000000, got 0"),
    ("runs = true", "runs must be a whole number, got True"),
    ("workers = 5000", "workers must be from 1 to 1024, got 5000"),
    ("seed = -1", "seed must be an integer in [0, 2**128), got -1"),
    ("fidelity = 'high'", "fidelity must be a whole number, got 'high'"),
    ("repeat = 'all'", 'repeat must be "sample", "mean" or a number from 0'),
    ("title = 5", "title must be one line of text, got 5"),
    ("objectives = [5]", "objectives must be names of metrics, got 5"),
    ("limits = { latency = 'low' }", "a limit must be a number, got latency='low'"),
    ("runs = ", "is not a TOML file"),
]


@pytest.mark.parametrize(("text", "message"), WRONG, ids=range(len(WRONG)))
def test_errors_name_the_file_and_the_key(tmp_path, text, message):
    rest = {"strategies": "['random-search']", "tables": "['digits/chain']", "budget": "{ evaluations = 5 }"}
    if "missing" not in message and "at least one" not in message and "tables must" not in message:
        text += "".join(f"\n{key} = {value}" for key, value in rest.items() if f"{key} =" not in text)
    path = toml(tmp_path, text)
    with pytest.raises((ParameterError, UnknownNameError, DataError)) as caught:
        read_suite(path)
    assert str(caught.value).startswith((str(path), f"{path} is not a TOML file"))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(DataError, match=r"cannot read .*none.toml: No such file"):
        read_suite(tmp_path / "none.toml")
    with pytest.raises(UnknownNameError, match="unknown suite 'quik'; did you mean 'quick'"):
        read_suite("quik")


@given(st.integers(1, 500), st.integers(1, 300), st.integers(1, 300))
def test_a_budget_in_trainings_is_one_in_epochs(trainings, fidelity, epochs):
    assert nl.Budget(trainings=trainings).at(fidelity) == nl.Budget(epochs=trainings * fidelity)
    both = nl.Budget(trainings=trainings, epochs=epochs)
    assert (both.trainings, both.epochs) == (trainings, epochs)
    assert both.at(fidelity).epochs == min(epochs, trainings * fidelity)


# Plans.


def labels(plan, table=0):
    return [simulation.label for simulation in plan.simulations if simulation.table == table]


def test_grids_and_patterns(tmp_path):
    entry = StrategyEntry("regularized-evolution", grid={"population_size": [10, 20], "sample_size": [3, 4]})
    found = labels(make_plan(small_suite(tmp_path, strategies=["random-se*", entry, "simulated-annealing"])))
    assert found == [
        "random-search",
        "regularized-evolution",  # the defaults, 10 and 3
        "regularized-evolution:sample_size=4",
        "regularized-evolution:population_size=20",
        "regularized-evolution:population_size=20,sample_size=4",
        "simulated-annealing",
    ]
    everything = labels(make_plan(small_suite(tmp_path, strategies=["random-search:replacement=False", "*"])))
    assert everything[0] == "random-search:replacement=False"
    assert len(everything) == len(set(everything))
    assert "random-search" not in everything, "a pattern does not repeat what is named"


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"strategies": ["random-serch"]}, UnknownNameError, "unknown strategy 'random-serch'"),
        ({"strategies": ["xyz-*"]}, UnknownNameError, r"unknown strategy 'xyz-\*'"),
        ({"strategies": ["random-search:x=1"]}, UnknownNameError, "unknown parameter of strategy 'random-search' 'x'"),
        (
            {"strategies": ["regularized-evolution", "regularized-evolution:population_size=10"]},
            ParameterError,
            "strategy 'regularized-evolution' is listed twice",
        ),
        ({"fidelity": 5}, UnknownNameError, "unknown fidelity '5'"),
        ({"repeat": 9}, ParameterError, r"has repeats 0..2 \(first, second, third\), not 9"),
        ({"objectives": ["latency"]}, UnknownNameError, "unknown metric 'latency'"),
        ({"budget": nl.Budget(seconds=1)}, MissingDataError, "no evaluation fits into 1 s"),
        ({"strategies": ["hyperband"], "fidelity": 4}, MissingDataError, "it needs several fidelities"),
        (
            {"strategies": ["zero-cost-filter:score=naswot"]},
            MissingDataError,
            "it needs the score 'naswot', and the table has synflow",
        ),
    ],
)
def test_what_is_wrong_with_the_only_table_is_an_error(tmp_path, changes, error, message):
    with pytest.raises(error, match=message):
        make_plan(small_suite(tmp_path, **changes))


def test_tables_and_their_errors(tmp_path):
    table_file(tmp_path, "other.h5")
    base = {"conditions": BUDGET, "folder": tmp_path}
    table_file(tmp_path)
    with pytest.raises(ParameterError, match="table 'synthetic/chain' is listed twice"):
        make_plan(Suite(["random-search"], ["*.h5"], **base))
    with pytest.raises(ParameterError, match=r"table 'mine.h5' is listed twice"):
        make_plan(Suite(["random-search"], ["mine.h5", "mine.h5"], **base))
    with pytest.raises(MissingDataError, match=r"no table file matches 'no\*.h5'"):
        make_plan(Suite(["random-search"], ["no*.h5"], **base))
    with pytest.raises(DataError, match="there is no file"):
        make_plan(Suite(["random-search"], ["none.h5"], **base))
    with pytest.raises(UnknownNameError, match="did you mean 'digits/chain'"):
        make_plan(Suite(["random-search"], ["digits/chian"], **base))


def test_patterns_of_tables(tmp_path, empty_cache):
    suite = Suite(["random-search"], [TableEntry("*", present=True), "digits/chain"], BUDGET)
    assert not cached_path("nas-bench-graph/cora").exists()
    embedded = ["digits/cell101", "digits/chain", "digits/topology"]
    assert all(map(is_present, embedded)), "they come with the package"
    assert sorted(table.name for table in make_plan(suite).tables) == embedded, "none of them twice"
    nl.load("nas-bench-graph/proteins")
    found = make_plan(Suite(["random-search"], [TableEntry("nas-bench-*", present=True)], BUDGET))
    assert [table.name for table in found.tables] == ["nas-bench-graph/proteins"]
    none = Suite(["random-search"], [TableEntry("nats-bench-tss/*", present=True)], BUDGET)
    with pytest.raises(ParameterError, match=r"nothing is left to simulate: .*no such table is on this machine"):
        make_plan(none)


def named_table(folder):
    """A table of names: no neighbours, no times, one fidelity, no scores."""
    values = np.random.default_rng(0).random((30, 1, 1))
    description = Description(
        name="named",
        title="names",
        space=ListedSpace([f"net{i}" for i in range(30)]).spec(),
        fidelities=(10,),
        repeats=("only",),
        metrics=(Metric("valid", "valid", "fraction", "maximize", "made up"),),
        valid="valid",
        test=None,
    )
    write(nl.Table(description, {"valid": values}), folder / "named.h5")


def test_what_a_table_lacks_is_skipped_with_the_reason(tmp_path):
    named_table(tmp_path)
    table_file(tmp_path)
    suite = Suite(
        ["random-search", "local-search", "hyperband", "zero-cost-filter"],
        ["mine.h5", "named.h5"],
        BUDGET,
        folder=tmp_path,
    )
    plan = make_plan(suite)
    assert labels(plan, 0) == ["random-search", "local-search", "hyperband", "zero-cost-filter"]
    assert labels(plan, 1) == ["random-search"]
    assert {(skip.strategy, skip.table): skip.reason for skip in plan.skipped} == {
        ("local-search", "named"): "it needs neighbours, and the table's architectures have none",
        ("hyperband", "named"): "it needs several fidelities, and the table has none below 10 epochs",
        ("zero-cost-filter", "named"): "it needs scores that cost no training, and the table has none; "
        + tables_with(None),
    }


def test_strategies_that_are_nothing_without_objectives():
    class OfSeveral(nl.Strategy):
        needs = ("objectives",)
        start = ask = tell = None

    table, conditions = synthetic_table("chain"), Conditions(BUDGET)
    measurements = conditions.on(table).measurements
    reason = "it needs further objectives, and the suite names none"
    assert lacking(OfSeveral(), table, conditions, measurements) == reason
    assert not lacking(OfSeveral(), table, Conditions(BUDGET, objectives=("parameters",)), measurements)


def test_a_table_that_lacks_what_all_need_is_skipped(tmp_path):
    named_table(tmp_path)
    table_file(tmp_path)
    suite = Suite(["random-search"], ["named.h5", "mine.h5"], nl.Budget(seconds=100), folder=tmp_path)
    plan = make_plan(suite)
    assert [table.name for table in plan.tables] == ["synthetic/chain"]
    (skip,) = plan.skipped
    assert (skip.strategy, skip.table) == (EVERY, "named")
    assert "has no times" in skip.reason
    with pytest.raises(MissingDataError, match="has no times"):
        make_plan(Suite(["random-search"], ["named.h5"], nl.Budget(seconds=100), folder=tmp_path))


def test_optional_strategies_are_skipped_on_the_only_table(tmp_path):
    entries = [StrategyEntry("hyperband", optional=True), "random-search"]
    plan = make_plan(small_suite(tmp_path, strategies=entries, fidelity=4))
    assert labels(plan) == ["random-search"]
    assert [skip.strategy for skip in plan.skipped] == ["hyperband"]


def test_rungs_that_are_asked_for_need_no_several_fidelities(tmp_path):
    """NAS-Bench-201 ran BOHB with several rungs, all of them at 12 epochs."""
    plan = make_plan(small_suite(tmp_path, strategies=["hyperband:rungs=2"], fidelity=4))
    assert labels(plan) == ["hyperband:rungs=2"]
    assert not plan.skipped


def test_tables_have_their_own_budgets_and_fidelities(tmp_path):
    table_file(tmp_path)
    suite = Suite(
        ["random-search"],
        [TableEntry("mine.h5", fidelity=4), TableEntry("digits/chain", budget=nl.Budget(evaluations=7))],
        nl.Budget(trainings=5),
        folder=tmp_path,
    )
    one, other = (table.conditions for table in make_plan(suite).tables)
    assert (one.fidelity, one.budget) == (4, nl.Budget(epochs=20))
    assert (other.fidelity, other.budget) == (None, nl.Budget(evaluations=7))


def test_shards_are_all_runs_once_and_plans_survive_json(tmp_path, monkeypatch):
    small_shards(monkeypatch)
    plan = make_plan(small_suite(tmp_path))
    for number in range(len(plan.simulations)):
        runs = [(s.first_run, s.runs) for s in plan.shards if s.simulation == number]
        assert runs == [(0, 4), (4, 4), (8, 2)]
    assert len({shard.name for shard in plan.shards}) == len(plan.shards)
    assert Plan.of_data(json.loads(json.dumps(plan.to_data()))) == plan


RUNS = st.integers(1, 30)


@given(st.integers(0, 3), RUNS, st.lists(st.tuples(RUNS, RUNS), max_size=12), st.randoms())
def test_plans_are_cut_where_stored_shards_end(power, runs, stored, chance):
    """Whatever is stored, shards are all runs once, at most as large as planned, and stored ones are used."""
    size = 2**power
    plan = Plan((), (Simulation(0, "a", {}, "a", size, 1.0, key="k"),), (), runs)
    pieces = [(first - 1, first - 1 + count) for first, count in stored]
    (fitted,) = fit_to_stored(plan, {"k": pieces, "other": [(0, 1)]}).simulations
    found = list(fitted.pieces(runs))
    assert [run for first, end in found for run in range(first, end)] == list(range(runs))
    assert all(first // size == (end - 1) // size for first, end in found)
    for first, end in pieces:
        whole = first % size == 0 and end == min(first + size, runs)
        assert not whole or (first, end) in found, "the largest possible shard is used"
    alone = [(first, end) for first, end in pieces if end <= runs and first // size == (end - 1) // size]
    if all(one[1] <= two[0] for one, two in itertools.pairwise(sorted(alone))):
        assert set(alone) <= set(found), "disjoint shards are all used"
    chance.shuffle(pieces)
    assert fit_to_stored(plan, {"k": pieces}).simulations == (fitted,)


@pytest.mark.parametrize("key", ["../../elsewhere", "", "0123456789abcdeg", 5, "0123456789ABCDEF"])
def test_keys_of_a_plan_from_a_file_cannot_be_paths(tmp_path, key):
    data = make_plan(small_suite(tmp_path)).to_data()
    data["simulations"][1]["key"] = key
    with pytest.raises(DataError, match="impossible number"):
        Plan.of_data(data)


def test_shards_of_slow_strategies_are_smaller(tmp_path):
    entries = ["random-search", "tpe", "smac"]
    plan = make_plan(small_suite(tmp_path, strategies=entries, budget=nl.Budget(evaluations=300), runs=100_000))
    sizes = [simulation.shard_runs for simulation in plan.simulations]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 3
    assert all(shard.seconds <= 4 for shard in plan.shards)


# Suites that come with the package.


@pytest.mark.parametrize("name", built_in())
def test_built_in_suites_say_what_they_are(name):
    suite = read_suite(name)
    assert suite.title
    assert read_suite(built_in()[name]) == suite


def test_the_example_runs_as_it_is():
    suite = read_suite(EXAMPLE)
    plan = make_plan(suite)
    assert len(plan.simulations) == 7
    assert not plan.skipped


def test_the_standard_suite_has_every_strategy():
    suite = read_suite("standard")
    assert suite.runs == 1000
    assert set(labels(make_plan(suite))) <= set(nl.list_strategies())
    skipped = {skip.strategy for skip in make_plan(suite).skipped}
    assert set(labels(make_plan(suite))) | skipped == set(nl.list_strategies())


@pytest.mark.mirror
def test_paper_suites_fit_the_tables():
    plan = make_plan(read_suite("nas-bench-201-paper"))
    (table,) = plan.tables
    assert (table.conditions.budget.seconds, table.conditions.fidelity, table.conditions.repeat) == (12_000, 12, "mean")
    assert not plan.skipped
    plan = make_plan(read_suite("nats-bench-paper"))
    assert [table.conditions.budget.seconds for table in plan.tables] == [20_000, 40_000, 120_000]
    assert len(plan.simulations) == 12
