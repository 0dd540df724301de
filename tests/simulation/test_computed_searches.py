"""Searches of tables that compute their answers, against the same table with stored answers."""

import functools

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab.errors import MissingDataError, SettingWarning
from nasbench_lab.simulation import concatenate, load_traces, save_traces
from nasbench_lab.tables import ComputedTable, Description, Metric, tabulate
from nasbench_lab.testing import function_table

CHAIN = {"name": "chain", "choices": "012", "length": 5}
LARGE = {"name": "chain", "choices": "abcdefgh", "length": 20}


@functools.cache
def pair(**options):
    stored = tabulate(function_table(CHAIN, **{**options, "cheap": True}))
    return function_table(CHAIN, **options), stored


def assert_same(one, other):
    assert one.arrays().keys() == other.arrays().keys()
    for name, array in one.arrays().items():
        failed = np.isnan(one.observed) if name == "repeat" else np.zeros(array.shape, bool)  # see the next test
        assert np.array_equal(array[~failed], other.arrays()[name][~failed], equal_nan=array.dtype.kind == "f"), name


CONDITIONS = (
    {"budget": nl.Budget(evaluations=20)},
    {"budget": nl.Budget(seconds=300.0), "repeat": "mean"},
    {"budget": nl.Budget(trainings=9), "repeat": 1, "workers": 3},
    {"budget": nl.Budget(epochs=90)},
    {"budget": nl.Budget(energy="1.5 kJ"), "objectives": ["parameters", "energy"]},
)


@pytest.mark.parametrize("conditions", CONDITIONS, ids=lambda each: str(each["budget"]))
@pytest.mark.parametrize(
    "strategy", ["random-search", "regularized-evolution", "local-search", "hyperband", "asha", "nsga-2", "umda"]
)
def test_computed_and_stored_answers_give_the_same_traces(strategy, conditions):
    table, stored = pair(resumable=True)
    one, other = (nl.simulate(each, strategy, runs=3, seed=5, **conditions) for each in (table, stored))
    assert_same(one, other)
    assert np.array_equal(one.final("test"), other.final("test"), equal_nan=True)


@pytest.mark.parametrize("options", [{"failures": 0.3}, {"direction": "minimize"}, {"times": False}, {"cheap": False}])
def test_kinds_of_tables(options):
    table, stored = pair(**options)
    for strategy in ("hyperband", "tpe"):
        one, other = (nl.simulate(each, strategy, runs=3, budget=nl.Budget(evaluations=25)) for each in (table, stored))
        assert_same(one, other)


def test_limits_order_architectures_in_the_same_way():
    table, stored = pair()
    for strategy in ("regularized-evolution", "nsga-2"):
        one, other = (
            nl.simulate(
                each,
                strategy,
                runs=4,
                budget=nl.Budget(evaluations=60),
                limits={"parameters": 0.8},
                objectives=["synflow"],
            )
            for each in (table, stored)
        )
        assert_same(one, other)
        assert np.array_equal(one.incumbent(), other.incumbent())


def test_scores_cost_the_same():
    table, stored = pair()
    options = {"runs": 3, "budget": nl.Budget(seconds=200.0), "inner": "random-search", "score": "synflow"}
    assert_same(*(nl.simulate(each, "zero-cost-filter", **options) for each in (table, stored)))


@pytest.mark.parametrize("cheap", [True, False])
def test_a_run_does_not_depend_on_the_others(cheap):
    options = {"strategy": "hyperband", "budget": nl.Budget(seconds=150.0)}
    every = nl.simulate(function_table(LARGE, cheap=cheap), runs=5, **options)
    alone = nl.simulate(function_table(LARGE, cheap=cheap), runs=1, first_run=3, **options)
    steps = alone.steps
    assert np.array_equal(every.architecture[3:4, :steps], alone.architecture)
    assert np.array_equal(every.observed[3:4, :steps], alone.observed, equal_nan=True)
    if cheap:
        assert np.array_equal(every.value("test")[3:4, :steps], alone.value("test"), equal_nan=True)


class Trained(ComputedTable):
    """A table whose trainings are counted."""

    is_cheap = False

    def __init__(self, seconds=1.0):
        metrics = (
            Metric("accuracy", "valid", "percent", "maximize", "made up"),
            Metric("seconds", "none", "s", "minimize", "made up"),
            Metric("energy", "none", "J", "minimize", "made up"),
        )
        super().__init__(
            Description(
                "trained",
                "t",
                CHAIN,
                (1, 3),
                ("0", "1"),
                metrics,
                "accuracy",
                None,
                cost=("seconds",),
                resumable=True,
                kind="live",
            )
        )
        self.batches, self._seconds = [], seconds

    def measure(self, architecture, epochs, repeat):
        self.batches.append(list(zip(architecture.tolist(), epochs.tolist(), repeat.tolist(), strict=True)))
        took = self._seconds * epochs * (1 + architecture % 3)
        return {"accuracy": (architecture % 97) + 0.1 * epochs, "seconds": took, "energy": took}


def evaluated(trace):
    which = trace.mask
    columns = (trace.architecture, trace.fidelity, trace.repeat)
    return set(zip(*(column[which].tolist() for column in columns), strict=True))


@pytest.mark.parametrize("strategy", ["random-search", "regularized-evolution", "hyperband"])
def test_nothing_is_trained_twice_or_in_vain(strategy):
    table = Trained()
    trace = nl.simulate(table, strategy, runs=4, budget=nl.Budget(evaluations=30))
    asked = [request for batch in table.batches for request in batch]
    assert len(asked) == len(set(asked))
    assert set(asked) == evaluated(trace)
    again = nl.simulate(table, strategy, runs=4, budget=nl.Budget(evaluations=30))
    assert len(asked) == sum(map(len, table.batches))
    assert np.array_equal(trace.time, again.time)  # the clock charges what is remembered, too


def test_the_requests_of_a_step_are_one_batch():
    table = Trained()
    nl.simulate(table, "random-search", runs=6, budget=nl.Budget(evaluations=1))
    assert len(table.batches) == 1


def test_runs_that_have_ended_train_nothing():
    table = Trained()
    trace = nl.simulate(
        table, "regularized-evolution:population_size=2,sample_size=2", runs=6, budget=nl.Budget(seconds=30.0)
    )
    in_vain = {request for batch in table.batches for request in batch} - evaluated(trace)
    assert len(in_vain) <= 6 * 2  # the evaluation that did not fit; the first two are one step


def test_processes_share_what_they_measured():
    table = function_table(CHAIN, cheap=False)
    options = {"strategy": "hyperband", "runs": 4, "budget": nl.Budget(evaluations=12)}
    together = nl.simulate(table, processes=2, **options)
    alone = nl.simulate(function_table(CHAIN, cheap=False), **options)
    assert_same(together, alone)
    assert np.array_equal(together.value("test"), alone.value("test"), equal_nan=True)


def test_seconds_must_be_positive_where_they_end_runs():
    with pytest.raises(MissingDataError, match="seconds that are not positive, such as 0"):
        nl.simulate(Trained(0.0), "random-search", runs=1, budget=nl.Budget(seconds=9.0))
    with pytest.raises(MissingDataError, match="energies that are not positive"):
        nl.simulate(Trained(0.0), "random-search", runs=1, budget=nl.Budget(energy="9 J"))
    with pytest.raises(MissingDataError, match="has no times"):
        nl.simulate(function_table(CHAIN, times=False), "random-search", runs=1, budget=nl.Budget(seconds=9.0))


def test_what_needs_a_training_is_no_objective():
    with pytest.raises(MissingDataError, match="known only after a training"):
        nl.simulate(Trained(), "nsga-2", runs=1, budget=nl.Budget(evaluations=9), objectives=["energy"])


def test_a_limit_that_nothing_keeps_is_said():
    with pytest.warns(SettingWarning, match="none of 64 random architectures of function/chain keep the limit"):
        trace = nl.simulate(
            function_table(LARGE), "random-search", runs=2, budget=nl.Budget(evaluations=5), limits={"parameters": 0.1}
        )
    assert (trace.final_incumbent() == -1).all()


@pytest.fixture(scope="module")
def large():
    return nl.simulate(function_table(LARGE), "random-search", runs=4, budget=nl.Budget(evaluations=80))


def test_indices_beyond_32_bits(large, tmp_path):
    assert large.architecture.dtype == np.int64
    assert large.architecture.max() > 2**56
    save_traces([large], tmp_path / "traces.h5")
    back = load_traces(tmp_path / "traces.h5")[0]
    assert_same(back, large)
    for split in ("observed", "valid", "test"):
        assert np.array_equal(back.value(split), large.value(split), equal_nan=True)
    frame = back.records().to_dict()
    assert frame["architecture"][0] == large.architecture[0, 0]
    assert frame["notation"][0] == function_table(LARGE).space.format(int(large.architecture[0, 0]))
    assert str(large.architecture[0, 0]) in back.records().to_csv()


def test_the_values_are_those_of_the_table(large):
    table = function_table(LARGE)
    assert np.array_equal(large.final("test"), table.lookup(large.final_incumbent(), metric="test_accuracy"))
    assert large.value("observed").shape == (4, 80)
    assert (np.diff(large.value("observed"), axis=1) >= 0).all()


def test_regret_needs_an_optimum(large):
    assert large.kinds == ()
    with pytest.raises(MissingDataError, match="the best test_accuracy of function/chain is not known") as caught:
        large.regret()
    assert "\n" not in str(caught.value)
    known = function_table(LARGE, noise=0.0, interactions=0.0)
    trace = nl.simulate(known, "umda", runs=2, budget=nl.Budget(evaluations=200), repeat="mean")
    assert trace.kinds == ("observed", "valid", "test")
    assert (trace.regret("test") >= 0).all()
    assert trace.regret("test")[:, -1].max() < trace.regret("test")[:, 0].min()


def test_parts_of_a_simulation_join(large):
    table = function_table(LARGE)
    parts = [
        nl.simulate(table, "random-search", runs=2, first_run=first, budget=nl.Budget(evaluations=80))
        for first in (0, 2)
    ]
    joined = concatenate(parts)
    assert_same(joined, large)
    assert np.array_equal(joined.final("test"), large.final("test"))


def test_the_kind_is_shown(large):
    assert "(function)" in repr(large)
    assert "function" in large._repr_html_()
