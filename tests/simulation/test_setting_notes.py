"""Settings that have no effect, or hide most of the table, are noted: in Python, on the command line and in reports."""

import dataclasses
import warnings

import numpy as np
import pytest
from command_line import nasbench_lab_here as nasbench_lab
from tables_without_scores import without_scores

import nasbench_lab as nl
from nasbench_lab.analysis import study
from nasbench_lab.errors import UnknownNameError
from nasbench_lab.tables import Table, write
from nasbench_lab.testing import synthetic_table

BUDGET = nl.Budget(evaluations=5)
TABLE = synthetic_table("chain")
LARGEST = float(np.nanmax(TABLE.values("parameters")))


def with_few_long_trainings(few):
    """The table, in which only the first few architectures were trained for the highest number of epochs."""
    values = {name: np.array(TABLE.values(name)) for name in TABLE.metrics}
    for name in ("valid_accuracy", "test_accuracy"):
        values[name][few:, -1] = np.nan
    return Table(dataclasses.replace(TABLE.description, name="few"), values)


def simulate(table=TABLE, **options):
    return nl.simulate(table, "random-search", runs=3, budget=BUDGET, **options)


def test_a_limit_that_excludes_nothing_is_noted():
    with pytest.warns(nl.SettingWarning, match=r"the limit parameters \S+ excludes no architecture of .* largest"):
        trace = simulate(limits={"parameters": LARGEST})
    assert any("has no effect on" in line for line in study([trace]).warnings)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trace = simulate(limits={"parameters": LARGEST * 0.99})
    assert not any("has no effect" in line for line in study([trace]).warnings)


def test_limits_from_below(tmp_path):
    smallest = float(np.nanmin(TABLE.mean_values("synflow")))
    with pytest.warns(nl.SettingWarning, match="whose smallest value is"):
        simulate(limits={"synflow": smallest, "parameters": LARGEST * 0.99})


def test_the_command_line_notes_it_once(tmp_path):
    write(TABLE, tmp_path / "mine.h5")
    words = ["run", "--table", tmp_path / "mine.h5", "--strategy", "random-search", "--strategy", "local-search"]
    done = nasbench_lab(*words, "--runs", 2, "--evaluations", 5, "--limit", f"parameters={LARGEST}")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("note: the limit parameters") == 1


def test_a_highest_fidelity_that_few_architectures_have_is_noted():
    table = with_few_long_trainings(100)
    with pytest.warns(nl.SettingWarning, match=r"12 epochs, has values of only 100 architectures; 4 epochs have"):
        simulate(table)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        simulate(table, fidelity=4)
        simulate(with_few_long_trainings(150))


def test_a_strategy_that_needs_a_score_says_which_tables_have_it():
    with pytest.raises(
        UnknownNameError, match=r"unknown score 'naswot'; .*; tables with 'naswot': digits/cell101, .*nats-bench-tss"
    ):
        nl.simulate(TABLE, "zero-cost-filter", runs=1, score="naswot", budget=BUDGET)
    with pytest.raises(UnknownNameError, match=r"'zero-cost-filter' needs zero-cost scores; tables with scores: "):
        nl.simulate(without_scores(TABLE), "zero-cost-filter", runs=1, budget=BUDGET)


def with_seeds():
    description = dataclasses.replace(TABLE.description, name="seeds", repeats=("777", "888", "999"))
    return Table(description, {name: TABLE.values(name) for name in TABLE.metrics})


def test_repeats_can_be_named_by_their_seeds(tmp_path):
    table = with_seeds()
    for seed, number in (("777", 0), (888, 1), (np.int64(999), 2)):
        assert table.query(7, repeat=seed) == table.query(7, repeat=number)
        assert table.lookup([7], repeat=seed) == table.lookup([7], repeat=number)
    assert np.array_equal(simulate(table, repeat=888).observed, simulate(table, repeat=1).observed)
    with pytest.raises(nl.NasbenchLabError, match=r"table 'seeds' has repeats 0\.\.2 \(777, 888, 999\), not 5"):
        table.query(7, repeat=5)
    with pytest.raises(nl.NasbenchLabError, match=r"\(777, 888, 999\), not 'x'"):
        table.query(7, repeat="x")
    write(table, tmp_path / "mine.h5")
    assert "repeat        1 (888)" in nasbench_lab("query", tmp_path / "mine.h5", 7, "--repeat", "888").stdout
    done = nasbench_lab("query", tmp_path / "mine.h5", 7, "--repeat", "11")
    assert "(777, 888, 999), not 11" in done.stderr
