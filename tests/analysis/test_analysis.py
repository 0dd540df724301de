"""Curves and summaries, against hand-made traces and a plain reading of the definitions."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traces import NAN, hand_made

import nasbench_lab as nl
from nasbench_lab.analysis import at_times, regret_curve, run_quantiles, summarize, to_csv
from nasbench_lab.errors import MissingDataError, ParameterError, UnknownNameError
from nasbench_lab.testing import synthetic_table


def three_runs():
    """Regrets 4, 2, 0 at 1, 2, 4 s; 3, 1 at 2, 3 s; 1, 1, 1 at 1, 5, 6 s."""
    return hand_made(
        architecture=[[0, 2, 4], [1, 3, -1], [3, 0, 0]],
        observed=[[0.0, 2.0, 4.0], [1.0, 3.0, NAN], [3.0, 0.0, 0.0]],
        mask=[[True] * 3, [True, True, False], [True] * 3],
        time=[[1, 2, 4], [2, 3, NAN], [1, 5, 6]],
        valid=[0, 1, 2, 3, 4],
        test=[0, 1, 2, 3, 4],
    )


def test_values_at_times_are_right_continuous_and_start_when_the_first_evaluation_ends():
    trace = three_runs()
    times = np.array([0.5, 1.0, 1.9, 2.0, 2.5, 3.0, 6.5])
    expected = [[NAN, 4, 4, 2, 2, 2, 0], [NAN, NAN, NAN, 3, 3, 1, 1], [NAN, 1, 1, 1, 1, 1, 1]]
    assert np.array_equal(at_times(trace, trace.regret("test"), times), expected, equal_nan=True)


def test_curves_end_where_the_first_run_ends():
    by_evaluations = regret_curve(three_runs(), "test", "evaluations")
    assert by_evaluations.grid.tolist() == [1, 2]
    assert by_evaluations.quantiles.tolist() == [[1, 1], [3, 1], [4, 2]]
    by_seconds = regret_curve(three_runs(), "test", "seconds")
    assert (by_seconds.grid[0], by_seconds.grid[-1]) == (1.0, 3.0)
    assert by_seconds.quantiles[:, 0].tolist() == [1, 4, np.inf]  # one run has no value yet: infinitely bad
    assert by_seconds.quantiles[:, -1].tolist() == [1, 1, 2]


@given(st.integers(0, 50), st.integers(2, 30))
@settings(max_examples=25)
def test_medians_lie_between_quartiles_and_at_the_end_of_a_step(seed, runs):
    table = synthetic_table("chain", failures=0.3)
    trace = nl.simulate(table, "random-search", runs=runs, budget=nl.Budget(evaluations=30), seed=seed)
    for axis in ("evaluations", "seconds"):
        curve = regret_curve(trace, "valid", axis)
        low, median, high = curve.quantiles
        assert (low <= median).all()
        assert (median <= high).all()
    on_grid = at_times(trace, trace.regret("valid"), curve.grid)
    for run in range(runs):
        for time, value in zip(curve.grid, on_grid[run], strict=True):
            ended = np.flatnonzero(trace.time[run] <= time)
            expected = trace.regret("valid")[run, ended[-1]] if len(ended) else NAN
            assert np.array_equal(value, expected, equal_nan=True)


def test_curves_that_cannot_be_drawn():
    with pytest.raises(UnknownNameError, match="unknown axis"):
        regret_curve(three_runs(), "test", "hours")
    no_times = nl.simulate(
        nl.load("nas-bench-graph/proteins"), "random-search", runs=2, budget=nl.Budget(evaluations=3)
    )
    with pytest.raises(MissingDataError, match="has no times"):
        regret_curve(no_times, "test", "seconds")
    empty = nl.simulate(synthetic_table("chain"), "random-search", runs=2, budget=nl.Budget(seconds=1e-3))
    with pytest.raises(MissingDataError, match="some run ended before its first evaluation"):
        regret_curve(empty)


def test_summary_by_hand():
    summary = summarize(three_runs())
    assert (summary.table, summary.runs, summary.evaluations, summary.seconds) == ("hand-made", 3, 3.0, 4.0)
    assert summary.test_mean == pytest.approx((4 + 3 + 3) / 3)
    assert summary.test_std == pytest.approx(np.std([4, 3, 3], ddof=1))
    assert (summary.test_regret_low, summary.test_regret, summary.test_regret_high) == (0.0, 1.0, 1.0)


def test_runs_without_a_value_count_as_infinitely_bad_but_not_in_means():
    trace = hand_made(
        architecture=[[0], [1], [2], [3]],
        observed=[[NAN], [0.5], [0.7], [0.9]],
        valid=[0.5, 0.6, 0.7, 0.8],
        test=[0.5, 0.6, 0.7, 0.8],
    )
    summary = summarize(trace)
    assert (summary.without_value, summary.runs) == (1, 4)
    assert summary.test_mean == pytest.approx(0.7)
    assert (summary.test_regret_low, summary.test_regret) == pytest.approx((0.0, 0.1))
    curve = regret_curve(trace, "test", "evaluations")
    assert curve.quantiles[:, 0] == pytest.approx([0.0, 0.1, 0.2])
    empty = nl.simulate(synthetic_table("chain"), "random-search", runs=2, budget=nl.Budget(seconds=1e-3))
    summary = summarize(empty)
    assert (summary.evaluations, summary.without_value, summary.test_regret) == (0, 2, np.inf)
    assert np.isnan([summary.seconds, summary.test_mean]).all()


def test_the_end_of_a_curve_is_the_end_of_its_summary():
    table = synthetic_table("chain", failures=0.3)
    for budget in (nl.Budget(evaluations=7), nl.Budget(seconds=150)):
        trace = nl.simulate(table, "random-search", runs=50, budget=budget)
        end = regret_curve(trace, "test", "seconds" if budget.seconds else "evaluations").quantiles[:, -1]
        summary = summarize(trace)
        assert tuple(end) == (summary.test_regret_low, summary.test_regret, summary.test_regret_high)


def test_a_budget_in_seconds_is_drawn_to_its_end_even_if_some_run_evaluated_nothing():
    table = synthetic_table("chain")
    cost = table.cost()[:, 0]
    trace = nl.simulate(table, "random-search", runs=200, budget=nl.Budget(seconds=float(np.quantile(cost, 0.9))))
    assert trace.evaluations.min() == 0
    curve = regret_curve(trace, "test", "seconds")
    assert curve.grid[-1] == trace.setting.budget.seconds
    without = np.isnan(at_times(trace, trace.regret("test"), curve.grid)[:, -1]).mean()
    assert without == (trace.evaluations == 0).mean() > 0
    assert np.isfinite(curve.quantiles[1, -1])


def test_a_run_that_ended_itself_is_not_extrapolated():
    class Three:
        def __init__(self, space, random):
            self.left = [0, 1, 2]

        def ask(self):
            return self.left.pop() if self.left else None

        def tell(self, architecture, value):
            pass

    trace = nl.simulate(synthetic_table("chain"), Three, runs=2, budget=nl.Budget(seconds=1e6))
    assert trace.stopped.all()
    assert regret_curve(trace, "test", "seconds").grid[-1] == trace.time[:, -1].min()
    cut_off = nl.simulate(synthetic_table("chain"), "random-search", runs=2, budget=nl.Budget(seconds=300))
    assert not cut_off.stopped.any()
    assert regret_curve(cut_off, "test", "seconds").grid[-1] == 300


def test_quantiles_of_nothing_and_values_at_times_of_nothing():
    for values, levels in ((np.empty(0), [0.5]), (np.ones(3), [1.5])):
        with pytest.raises(ParameterError):
            run_quantiles(values, levels)
    assert run_quantiles(np.arange(1.0, 101.0), [0.07, 0.0, 1.0]).tolist() == [7, 1, 100]
    empty = nl.simulate(synthetic_table("chain"), "random-search", runs=2, budget=nl.Budget(seconds=1e-3))
    assert np.isnan(at_times(empty, empty.regret("test"), np.array([1.0, 2.0]))).all()


def test_evaluations_that_take_no_time_have_no_time_axis():
    table = synthetic_table("chain")
    values = {name: np.array(table.values(name)) for name in table.metrics}
    values["train_seconds"][:] = values["valid_seconds"][:] = 0.0
    trace = nl.simulate(nl.Table(table.description, values), "random-search", runs=3, budget=nl.Budget(evaluations=4))
    with pytest.raises(MissingDataError, match="no run has an evaluation that takes time"):
        regret_curve(trace, "test", "seconds")


@given(st.lists(st.sampled_from([NAN, 0.0, 1.0, 2.0, 5.0]), min_size=1, max_size=30))
def test_quantiles_by_definition(values):
    found = run_quantiles(np.array(values))
    for level, quantile in zip((0.25, 0.5, 0.75), found, strict=True):
        losses = [np.inf if np.isnan(v) else v for v in values]
        share = [sum(loss <= candidate for loss in losses) / len(losses) for candidate in losses]
        assert quantile == min(c for c, s in zip(losses, share, strict=True) if s >= level)


def test_csv_has_a_row_per_trace():
    rows = list(csv.DictReader(io.StringIO(to_csv([summarize(three_runs())] * 2))))
    assert len(rows) == 2
    assert rows[0]["strategy"] == "random-search"
    assert float(rows[0]["test_mean"]) == pytest.approx(10 / 3, rel=1e-5)
