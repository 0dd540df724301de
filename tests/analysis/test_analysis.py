"""Curves and summaries, against hand-made traces and a plain reading of the definitions."""

import csv
import dataclasses
import io
import re

import numpy as np
import plain_curves
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traces import NAN, hand_made

import nasbench_lab as nl
from nasbench_lab.analysis import anytime_curves, incumbent_trajectories, run_quantiles, summarize, to_csv
from nasbench_lab.analysis.run_summary import csv_text
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


def test_curves_end_where_the_first_run_ends():
    by_evaluations = anytime_curves([three_runs()], resamples=0)["test"]
    assert by_evaluations.grid.tolist() == [1, 2]
    assert by_evaluations.ends.tolist() == [2]
    assert by_evaluations.quartiles[:, 0].tolist() == [[1, 1], [3, 1], [4, 2]]
    by_seconds = anytime_curves([three_runs()], "seconds", resamples=0)["test"]
    assert (by_seconds.grid[0], by_seconds.grid[-1]) == (1.0, 3.0)
    assert by_seconds.quartiles[:, 0, 0].tolist() == [1, 4, np.inf]  # one run has no value yet: infinitely bad
    assert by_seconds.quartiles[:, 0, -1].tolist() == [1, 1, 2]


BUDGETS = (nl.Budget(evaluations=30), nl.Budget(seconds=200), nl.Budget(seconds=250, evaluations=9))


@given(
    st.integers(0, 50),
    st.integers(1, 12),
    st.sampled_from(BUDGETS),
    st.sampled_from(["random-search", "local-search", "exhaustive"]),
    st.sampled_from(["maximize", "minimize"]),
)
@settings(max_examples=40)
def test_quartiles_are_those_of_plain_loops(seed, runs, budget, strategy, direction):
    table = synthetic_table("chain", failures=0.3, direction=direction)
    trace = nl.simulate(table, strategy, runs=runs, budget=budget, seed=seed)
    for axis in ("evaluations", "seconds"):
        end = min(plain_curves.end_of_run(trace, run, axis) for run in range(runs))
        found = anytime_curves([trace], axis, points=12, resamples=0)
        if not found:
            last = max(end, 1.0) if axis == "evaluations" else end
            assert all(np.isinf(plain_curves.quartiles(trace, "test", axis, last)))
        for kind, curves in found.items():
            assert curves.grid[-1] == curves.ends[0] == end
            for place, time in enumerate(curves.grid):
                expected = plain_curves.quartiles(trace, kind, axis, time)
                assert curves.quartiles[:, 0, place] == pytest.approx(expected, rel=1e-9, abs=1e-15)


def test_traces_and_their_trajectories_give_the_same_curves():
    trace = nl.simulate(synthetic_table("chain"), "random-search", runs=20, budget=nl.Budget(evaluations=30))
    of_trace = anytime_curves([trace, None], kinds=["test"])["test"]
    of_trajectories = anytime_curves([incumbent_trajectories(trace), None], kinds=["test"])["test"]
    quick = anytime_curves([trace, None], resamples=0)
    assert list(quick) == ["observed", "valid", "test"], "all kinds by default"
    for one in (of_trajectories, quick["test"]):
        assert np.array_equal(of_trace.quartiles, one.quartiles, equal_nan=True)
        assert np.array_equal(of_trace.iqm.estimate, one.iqm.estimate, equal_nan=True)
    assert np.array_equal(of_trace.mean.high, of_trajectories.mean.high, equal_nan=True)
    assert np.isnan(quick["test"].mean.high).all(), "without resamples there are no intervals"


def test_curves_that_cannot_be_drawn():
    with pytest.raises(UnknownNameError, match="unknown axis"):
        anytime_curves([three_runs()], "hours")
    no_times = nl.simulate(
        nl.load("nas-bench-graph/proteins"), "random-search", runs=2, budget=nl.Budget(evaluations=3)
    )
    with pytest.raises(MissingDataError, match="has no times"):
        anytime_curves([no_times], "seconds")
    empty = nl.simulate(synthetic_table("chain"), "random-search", runs=2, budget=nl.Budget(seconds=1e-3))
    assert anytime_curves([empty]) == {}
    with pytest.raises(ParameterError, match="points must be at least 2, got 1"):
        anytime_curves([three_runs()], points=1)


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
    curve = anytime_curves([trace], kinds=["test"])["test"]
    assert curve.quartiles[:, 0, 0] == pytest.approx([0.0, 0.1, 0.2])
    empty = nl.simulate(synthetic_table("chain"), "random-search", runs=2, budget=nl.Budget(seconds=1e-3))
    summary = summarize(empty)
    assert (summary.evaluations, summary.without_value, summary.test_regret) == (0, 2, np.inf)
    assert np.isnan([summary.seconds, summary.test_mean]).all()


def test_the_end_of_a_curve_is_the_end_of_its_summary():
    table = synthetic_table("chain", failures=0.3)
    for budget in (nl.Budget(evaluations=7), nl.Budget(seconds=150)):
        trace = nl.simulate(table, "random-search", runs=50, budget=budget)
        axis = "seconds" if budget.seconds else "evaluations"
        end = anytime_curves([trace], axis, resamples=0)["test"].quartiles[:, 0, -1]
        summary = summarize(trace)
        assert tuple(end) == (summary.test_regret_low, summary.test_regret, summary.test_regret_high)


def test_a_budget_in_seconds_is_drawn_to_its_end_even_if_some_run_evaluated_nothing():
    table = synthetic_table("chain")
    cost = table.cost()[:, 0]
    trace = nl.simulate(table, "random-search", runs=200, budget=nl.Budget(seconds=float(np.quantile(cost, 0.9))))
    assert trace.evaluations.min() == 0
    curve = anytime_curves([trace], "seconds", resamples=0)["test"]
    assert curve.grid[-1] == trace.setting.budget.seconds
    found = incumbent_trajectories(trace)
    without = np.isinf(found.regret_at("test", found.at("seconds", curve.grid))[-1]).mean()
    assert without == (trace.evaluations == 0).mean() > 0
    assert np.isfinite(curve.quartiles[1, 0, -1])


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
    assert anytime_curves([trace], "seconds", resamples=0)["test"].grid[-1] == trace.time[:, -1].min()
    cut_off = nl.simulate(synthetic_table("chain"), "random-search", runs=2, budget=nl.Budget(seconds=300))
    assert not cut_off.stopped.any()
    assert anytime_curves([cut_off], "seconds", resamples=0)["test"].grid[-1] == 300


def test_quantiles_of_nothing_and_incumbents_of_nothing():
    for values, levels in ((np.empty(0), [0.5]), (np.ones(3), [1.5])):
        with pytest.raises(ParameterError):
            run_quantiles(values, levels)
    assert run_quantiles(np.arange(1.0, 101.0), [0.07, 0.0, 1.0]).tolist() == [7, 1, 100]
    empty = nl.simulate(synthetic_table("chain"), "random-search", runs=2, budget=nl.Budget(seconds=1e-3))
    assert (incumbent_trajectories(empty).at("seconds", np.array([1.0, 2.0])) == -1).all()


def test_evaluations_that_take_no_time_have_no_time_axis():
    table = synthetic_table("chain")
    values = {name: np.array(table.values(name)) for name in table.metrics}
    values["train_seconds"][:] = values["valid_seconds"][:] = 0.0
    trace = nl.simulate(nl.Table(table.description, values), "random-search", runs=3, budget=nl.Budget(evaluations=4))
    assert anytime_curves([trace], "seconds") == {}


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


def test_csv_has_no_formulas():
    row = dataclasses.replace(summarize(three_runs()), strategy='=HYPERLINK("a")', table="@sum", test_mean=-0.5)
    (read,) = csv.DictReader(io.StringIO(to_csv([row])))
    assert (read["strategy"], read["table"], read["test_mean"]) == ('\'=HYPERLINK("a")', "'@sum", "-0.5")
    for text in ("=1", "+a", "-a", "@a", "\ta", "\ra", "a=1", "", "-1e-3", "'a"):
        written = csv_text(text)
        assert written.removeprefix("'") == text.removeprefix("'")
        assert written == text or text[0] in "=+-@\t\r"
        assert not re.match(r"[=@\t\r]|[+-](?![0-9.])", written)


def test_curves_have_points_for_linear_and_for_logarithmic_axes():
    trace = nl.simulate(synthetic_table("topology"), "random-search", runs=3, budget=nl.Budget(evaluations=2000))
    grid = anytime_curves([trace], points=100)["test"].grid
    assert len(grid) <= 100
    assert np.diff(grid).max() <= 2000 / 50 + 1, "at equal distances"
    assert (grid[1:] / grid[:-1]).max() <= max(2.0, 2000 ** (1 / 49)), "in equal ratios"
