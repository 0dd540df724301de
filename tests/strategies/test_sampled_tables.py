"""Every strategy searches a table of a sample: 200 cells of a space of 15,625."""

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab.errors import MissingDataError, OutOfSpaceError, ParameterError
from nasbench_lab.strategies import registry
from nasbench_lab.tables import open_table, subset, write
from nasbench_lab.testing import synthetic_table

CELLS = np.sort(np.random.default_rng(1).choice(15_625, 200, replace=False))
WITH_SCORES = ("zero-cost-filter", "zero-cost-warm-start")


@pytest.fixture(scope="module")
def whole():
    return nl.load("digits/topology")


@pytest.fixture(scope="module")
def table(whole):
    return subset(whole, CELLS)


@pytest.fixture(scope="module")
def table_with_scores():
    return subset(synthetic_table("topology"), range(0, 15_625, 80))


def test_the_sample_has_the_values_of_the_whole_table(whole, table):
    for metric in whole.metrics:
        np.testing.assert_array_equal(table.values(metric), whole.values(metric)[CELLS])
    notation = whole.space.format(int(CELLS[17]))
    assert table.query(notation) == table.query(17) == whole.query(notation)
    assert table.space.graph(17) == whole.space.graph(int(CELLS[17]))


@pytest.mark.filterwarnings("ignore:decoupled searches this space as a whole:nasbench_lab.errors.SettingWarning")
@pytest.mark.parametrize("name", registry.built_in())
def test_strategy(table, table_with_scores, name):
    on = table_with_scores if name in WITH_SCORES else table
    budget = nl.Budget(evaluations=40)
    trace = nl.simulate(on, name, runs=2, budget=budget, seed=3)
    assert np.isfinite(trace.final()).all()
    assert (trace.evaluations == 40).all()
    assert all(len(np.unique(row[row >= 0])) >= 5 for row in trace.architecture), "it stays where it started"
    alone = nl.simulate(on, name, runs=1, first_run=1, budget=budget, seed=3)
    np.testing.assert_array_equal(alone.architecture[0], trace.architecture[1, : alone.steps])


def test_local_search_gains_from_the_neighbors(table):
    budget = nl.Budget(evaluations=60)
    random, local = (
        nl.simulate(table, name, runs=300, budget=budget).regret("valid")[:, -1].mean()
        for name in ("random-search", "local-search")
    )
    assert local < 0.9 * random


def test_a_table_file_of_a_sample_is_the_same(table, tmp_path):
    write(table, tmp_path / "sample.h5")
    again = open_table(tmp_path / "sample.h5")
    assert again.space is table.space
    assert again.query(3) == table.query(3)
    assert subset(again, [5, 3]).space.members.tolist() == CELLS[[3, 5]].tolist(), "part of a part"


def test_by_default_a_subset_has_what_was_measured(whole):
    values = {metric: whole.values(metric).copy() for metric in whole.metrics}
    values["valid_accuracy"][np.setdiff1d(np.arange(15_625), CELLS)] = np.nan
    found = subset(nl.Table(whole.description, values), name="mine")
    assert found.name == "mine"
    assert found.space.members.tolist() == CELLS.tolist()
    values["valid_accuracy"][:] = np.nan
    with pytest.raises(MissingDataError, match="has no values of valid_accuracy"):
        subset(nl.Table(whole.description, values))


@pytest.mark.parametrize(
    ("architectures", "error", "message"),
    [
        ([], ParameterError, "at least one architecture"),
        ([3, 3], ParameterError, "must be different, got .* twice"),
        ([15_625], OutOfSpaceError, "architecture 15625 is not in"),
        (["|none|"], OutOfSpaceError, "none"),
    ],
)
def test_subsets_that_make_no_sense(whole, architectures, error, message):
    with pytest.raises(error, match=message):
        subset(whole, architectures)
