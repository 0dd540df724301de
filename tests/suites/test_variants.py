"""Variants: a suite that searches every table under several conditions equals one suite for each of them."""

import numpy as np
import pytest
from small_suites import small_suite, table_file

import nasbench_lab as nl
from nasbench_lab.errors import ChangedSuiteWarning, MissingDataError, ParameterError, UnknownNameError
from nasbench_lab.simulation.conditions import Conditions
from nasbench_lab.spaces import ListedSpace
from nasbench_lab.suites import (
    StrategyEntry,
    Suite,
    SuiteFolder,
    TableEntry,
    Variant,
    make_plan,
    merge_suites,
    read_suite,
    run_suite,
)
from nasbench_lab.suites.planned_simulations import EVERY
from nasbench_lab.suites.toml_files import suite_of
from nasbench_lab.tables import Description, Metric, write
from nasbench_lab.testing import function_table, identical, synthetic_table

BUDGET = nl.Budget(evaluations=12)
VARIANTS = (Variant("plain"), Variant("means", {"repeat": "mean"}), Variant("workers", {"workers": 3}))

TEXT = """
strategies = ["random-search", { name = "hyperband", variants = ["time"] }]
tables = ["mine.h5"]
runs = 4

[budget]
evaluations = 12

[[variants]]
name = "plain"

[[variants]]
name = "time"
budget = { mean_trainings = 6 }
fidelity = 4
"""


def varied(folder, variants=VARIANTS, **options):
    options = {"strategies": ["random-search", "local-search"], "tables": ["mine.h5"], "conditions": BUDGET} | options
    return Suite(runs=4, folder=folder, variants=variants, **options)


def one_repeat(times=True):
    """A table with one fidelity and one repeat of 30 architectures."""
    metrics = [Metric("valid", "valid", "fraction", "maximize", "made up")]
    metrics += [Metric("train_seconds", "none", "s", "minimize", "made up", ("architecture",))] if times else []
    description = Description(
        name="once",
        title="made up",
        space=ListedSpace([f"net{i}" for i in range(30)]).spec(),
        fidelities=(10,),
        repeats=("only",),
        metrics=tuple(metrics),
        valid="valid",
        test=None,
        cost=("train_seconds",) if times else (),
    )
    values = {"valid": np.linspace(0, 1, 30)[:, None, None]}
    return nl.Table(description, values | ({"train_seconds": np.arange(1.0, 31)} if times else {}))


def test_a_file_gives_the_variants(tmp_path):
    (tmp_path / "suite.toml").write_text(TEXT)
    suite = read_suite(tmp_path / "suite.toml")
    assert suite.variants == (
        Variant("plain"),
        Variant("time", {"budget": nl.Budget(mean_trainings=6), "fidelity": 4}),
    )
    assert suite.strategies[1].variants == ("time",)
    assert suite_of(suite.spec, tmp_path) == suite
    assert suite.hash != Suite(suite.strategies[:1], suite.tables, suite.conditions, runs=4).hash


def test_the_specification_without_variants_has_no_such_key(tmp_path):
    spec = small_suite(tmp_path).spec
    assert "variants" not in spec
    assert all("variants" not in entry for entry in spec["strategies"])


@pytest.mark.parametrize(
    ("variants", "error", "message"),
    [
        ([{"repeat": "mean"}], ParameterError, "an entry of variants has no name"),
        ([{"name": "a"}, {"name": "a"}], ParameterError, "variant 'a' is listed twice"),
        ([{"name": "a (b)"}], ParameterError, "must not have parentheses"),
        ([{"name": ""}], ParameterError, "must be a text"),
        ([{"name": "a", "repeat": "all"}], ParameterError, "variant 'a': repeat must be \"sample\""),
        ([{"name": "a", "repeats": "mean"}], UnknownNameError, "unknown key in variants 'repeats'; did you mean"),
        ([{"name": "a", "seed": 3}], UnknownNameError, "unknown key in variants 'seed'"),
        ([{"name": "a", "budget": 5}], ParameterError, "variants.budget must be a table"),
        (["a"], ParameterError, "variants have a name and conditions, got 'a'"),
        ("a", ParameterError, "variants must be a list"),
    ],
)
def test_wrong_variants(variants, error, message):
    data = {"strategies": ["random-search"], "tables": ["digits/chain"], "budget": {"evaluations": 5}}
    with pytest.raises(error, match=message.replace("(", r"\(")):
        suite_of({**data, "variants": variants})


def test_a_strategy_names_an_existing_variant():
    entry = StrategyEntry("random-search", variants=["tmie"])
    with pytest.raises(UnknownNameError, match="unknown variant 'tmie'; did you mean 'time'"):
        Suite([entry], ["digits/chain"], BUDGET, variants=[Variant("time")])
    with pytest.raises(UnknownNameError, match="has no variants"):
        Suite([entry], ["digits/chain"], BUDGET)
    with pytest.raises(ParameterError, match="must be a list of names"):
        StrategyEntry("random-search", variants="time")


def test_the_budget_may_be_in_the_variants():
    Suite(["random-search"], ["digits/chain"], variants=[Variant("a", {"budget": BUDGET})])
    with pytest.raises(ParameterError, match="budget is missing"):
        Suite(["random-search"], ["digits/chain"], variants=[Variant("a", {"budget": BUDGET}), Variant("b")])


def test_a_variant_comes_before_a_table_and_a_table_before_the_suite(tmp_path):
    table_file(tmp_path)
    entry = TableEntry("mine.h5", budget=nl.Budget(evaluations=7), fidelity=4)
    variants = [Variant("table"), Variant("own", {"budget": nl.Budget(evaluations=5), "fidelity": 12})]
    plan = make_plan(varied(tmp_path, variants, tables=[entry]))
    found = [(each.label, each.conditions.budget.evaluations, each.conditions.fidelity) for each in plan.tables]
    assert found == [("synthetic/chain (table)", 7, 4), ("synthetic/chain (own)", 5, 12)]


def test_results_equal_those_of_one_suite_per_variant(tmp_path):
    table_file(tmp_path)
    results = run_suite(varied(tmp_path), tmp_path / "all")
    found = [trace for _, trace in zip(results.settings, results, strict=True)]
    expected = []
    for variant in VARIANTS:
        alone = Suite(
            ["random-search", "local-search"],
            ["mine.h5"],
            Conditions(BUDGET, **variant.replaced),
            runs=4,
            folder=tmp_path,
        )
        expected += list(run_suite(alone, tmp_path / variant.name))
    assert len(found) == len(expected) == 6
    assert all(identical(one, other) for one, other in zip(found, expected, strict=True))
    names = {path.name for path in (tmp_path / "all" / "shards").iterdir()}
    assert names == {path.name for variant in VARIANTS for path in (tmp_path / variant.name / "shards").iterdir()}


def test_what_cannot_be_simulated_under_a_variant_is_skipped_with_the_reason(tmp_path):
    write(one_repeat(), tmp_path / "mine.h5")
    variants = [*VARIANTS[:2], Variant("same"), Variant("time", {"budget": nl.Budget(seconds=100)})]
    strategies = ["random-search", StrategyEntry("tpe", variants=["time"])]
    plan = make_plan(varied(tmp_path, variants, strategies=strategies))
    reasons = {(skip.strategy, skip.table): skip.reason for skip in plan.skipped}
    assert "one repeat" in reasons[EVERY, "once (means)"]
    assert reasons["random-search", "once (same)"] == "the conditions are those of plain"
    assert reasons["tpe", "once (plain)"] == "the suite runs it only under time"
    assert [table.label for table in plan.tables] == ["once (plain)", "once (time)"]
    assert [(each.table, each.label) for each in plan.simulations] == [
        (0, "random-search"),
        (1, "random-search"),
        (1, "tpe"),
    ]
    assert not plan.open_pairs


def test_a_new_variant_keeps_what_is_finished(tmp_path):
    table_file(tmp_path)
    run_suite(varied(tmp_path, VARIANTS[:2]), tmp_path / "out")
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out" / "shards").iterdir()}
    with pytest.warns(ChangedSuiteWarning, match=r"new in the suite: synthetic/chain \(workers\)"):
        results = run_suite(varied(tmp_path), tmp_path / "out")
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out" / "shards").iterdir()}
    assert len(results) == 6
    assert before.items() < after.items()


def test_suites_with_the_same_variants_are_merged(tmp_path):
    table_file(tmp_path)
    whole = run_suite(varied(tmp_path), tmp_path / "whole")
    for name in ("random-search", "local-search"):
        run_suite(varied(tmp_path, strategies=[name]), tmp_path / name)
    merged = merge_suites([tmp_path / "random-search", tmp_path / "local-search"], tmp_path / "both").folder
    assert not merged.plan.open_pairs
    assert [table.label for table in merged.plan.tables] == [
        "synthetic/chain (plain)",
        "synthetic/chain (means)",
        "synthetic/chain (workers)",
    ]
    assert len(whole) == len(merged.plan.simulations)
    run_suite(varied(tmp_path, VARIANTS[:1]), tmp_path / "other")
    with pytest.raises(ParameterError, match=r"the variants of .* are different"):
        merge_suites([tmp_path / "whole", tmp_path / "other"], tmp_path / "none")


def test_variants_are_stored_in_the_folder(tmp_path):
    table_file(tmp_path)
    suite = varied(tmp_path)
    run_suite(suite, tmp_path / "out")
    opened = SuiteFolder.open(tmp_path / "out")
    assert opened.suite.spec == suite.spec
    assert [table.variant for table in opened.plan.tables] == ["plain", "means", "workers"]


def test_mean_trainings_are_seconds_of_the_table():
    table = nl.load("digits/chain")
    cost = table.cost(table.fidelities[-1])
    mean = np.mean([np.mean(row[~np.isnan(row)]) for row in cost])
    trace = nl.simulate(table, "random-search", runs=3, budget=nl.Budget(mean_trainings=2.5))
    assert trace.setting.budget.seconds == pytest.approx(2.5 * mean, rel=1e-12)
    assert trace.setting.budget.mean_trainings is None
    both = nl.simulate(table, "random-search", runs=3, budget=nl.Budget(mean_trainings=2.5, seconds=0.1))
    assert both.setting.budget.seconds == 0.1


def test_mean_trainings_need_times_of_all_architectures():
    with pytest.raises(MissingDataError, match="no times, so a budget in mean trainings is impossible"):
        nl.simulate(one_repeat(times=False), "random-search", runs=2, budget=nl.Budget(mean_trainings=3))
    with pytest.raises(MissingDataError, match="the mean time of a training is not known"):
        table = function_table(synthetic_table().space)
        nl.simulate(table, "random-search", runs=2, budget=nl.Budget(mean_trainings=3))
