"""The study of a comparison, against traces with known answers and against the parts it is made of."""

import dataclasses
import json

import numpy as np
import pytest
from traces import NAN, by_hand, with_setting

import nasbench_lab as nl
from nasbench_lab.analysis import TARGETS, anytime_curves, bootstrap_interval, expected_ranks, study, summarize
from nasbench_lab.errors import ParameterError, UnknownNameError
from nasbench_lab.simulation import Budget, save_traces
from nasbench_lab.simulation.results import Results
from nasbench_lab.suites.stored_results import open_results
from nasbench_lab.testing import synthetic_table

STRATEGIES = ("local-search", "random-search", "regularized-evolution")
KINDS = ("topology", "chain", "gnn")


def simulations(budget=None, runs=30, strategies=STRATEGIES, kinds=KINDS, **options):
    budget = budget or Budget(evaluations=60)
    return [
        nl.simulate(synthetic_table(kind, seed=seed), name, runs=runs, budget=budget, **options)
        for seed, kind in enumerate(kinds)
        for name in strategies
    ]


@pytest.fixture(scope="module")
def traces():
    return simulations()


@pytest.fixture(scope="module")
def found(traces):
    return study(traces)


def renamed(trace, **changes):
    return with_setting(trace, **changes)


def test_a_study_by_hand():
    traces = [
        by_hand("good", [4, 4, 4, 3]),
        by_hand("bad", [1, 2, 2, 3]),
        by_hand("good", [3, 3, 3, 3], "b"),
        by_hand("bad", [2, 2, 2, -1], "b"),
    ]
    found = study(traces, reference="bad")
    assert (found.labels, found.kinds, found.kind) == (("good", "bad"), ("observed", "valid", "test"), "test")
    assert [task.name for task in found.tasks] == ["a", "b"]
    task = found.tasks[0]
    assert (task.optimum["test"], task.random_value["test"], task.scale["test"]) == (4, 2, 2)
    assert (task.clock, task.horizon, task.axes) == ("evaluations", 3, ("evaluations",))
    assert np.isnan(task.scale["observed"])
    assert found.final["test"][0].tolist() == [[0, 0, 0, 1], [1, 1, 1, 1]]
    assert np.array_equal(found.final["test"][1, 1], [2, 2, 2, NAN], equal_nan=True)
    good, bad = found.leaderboard["test"]
    assert (good.place, good.strategy, good.without_value, bad.without_value) == (1, "good", 0, 1)
    # On the first task good wins 14 pairs, ties one with 3 against 3, loses none of 16; on the second it wins all.
    assert good.improvement.estimate == pytest.approx((15.5 / 16 + 1) / 2)
    assert bad.improvement.estimate == 0.5
    assert good.run_rank == pytest.approx((1 + 0.5 / 16 + 1) / 2)
    assert good.run_rank + bad.run_rank == pytest.approx(3)
    assert (good.task_rank, bad.task_rank) == (1, 2)
    # Normalised regrets 0, 0, 0, 1/2 and 1/2 four times: without two at each end 0, 1/2, 1/2, 1/2.
    assert good.iqm.estimate == pytest.approx(3 / 8)
    assert good.mean.estimate == pytest.approx((0.5 / 4 + 0.5) / 2)
    assert bad.mean.estimate == np.inf
    # Values 4, 4, 4, 3 and 3: by 87.5 % and 50 % better than 2.
    assert good.relative_improvement.estimate == pytest.approx((87.5 + 50) / 2)
    assert good.solved == 3 / 8
    # Until the first evaluation as the average random architecture (1), then 0 of 4 (2), then 1 of 4 (3/2).
    assert found.auc["test"][0, 0] == pytest.approx((1 + 2 + 1.5) / 3)
    assert found.pairwise["test"].a12[0, 1].tolist() == pytest.approx([15.5 / 16, 1])
    assert found.ranks["test"].task_ranks.tolist() == [[1, 2], [1, 2]]
    first = found.found[0]
    assert (first.architecture, first.runs, first.share, first.test, first.regret["test"]) == (4, 3, 0.75, 4, 0)
    assert [row.architecture for row in found.found] == [4, 2, 3, 2]
    times = found.times["test", "evaluations"]
    assert times.targets[-1] == 0
    assert times.reached[0, :, -1].tolist() == [0.75, 0]
    assert times.median[0, :, -1].tolist() == [3, np.inf]
    assert times.expected[0, :, -1].tolist() == [4, np.inf]
    assert times.complete_until.tolist() == [3, 3]
    assert any("1 of 4 runs of bad on b have no value" in warning for warning in found.warnings)
    profiles = found.profiles["test"]
    assert profiles.scores.estimate[0][0] == 3 / 8
    assert profiles.scores.estimate[1][-1] == 3 / 4


def test_a_study_says_what_its_parts_say(found, traces):
    count = len(STRATEGIES)
    assert found.summaries == tuple(summarize(trace) for trace in traces)
    assert (found.runs == 30).all()
    for number, trace in enumerate(traces):
        task, strategy = divmod(number, count)
        regret = trace.reference.regret("test", trace.final("test"))
        assert found.final["test"][strategy, task].tolist() == regret.tolist()
        for axis in ("evaluations", "seconds"):
            curves, curve = found.curves["test", axis, task], anytime_curves([trace], axis, resamples=0)["test"]
            last = int(np.searchsorted(curves.grid, curves.ends[strategy]))
            assert curves.quartiles[:, strategy, last].tolist() == curve.quartiles[:, 0, -1].tolist()
    for row in found.leaderboard["test"]:
        strategy = found.labels.index(row.strategy)
        scaled = [found.final["test"][strategy, t] / task.scale["test"] for t, task in enumerate(found.tasks)]
        interval = bootstrap_interval(scaled, "iqm").at()
        assert row.iqm == interval
        ranks = [expected_ranks(found.final["test"][:, task])[strategy] for task in range(len(found.tasks))]
        assert row.run_rank == pytest.approx(np.mean(ranks))
        # At the end of the budget, progress is what the leaderboard says.
        assert found.progress["test"].iqm.estimate[strategy, -1] == pytest.approx(row.iqm.estimate)
        assert found.progress["test"].mean.low[strategy, -1] == pytest.approx(row.mean.low)
        assert found.progress["test"].run_rank[strategy, -1] == pytest.approx(row.run_rank)
    assert found.labels[found.reference] == "random-search"
    assert [row.place for row in found.leaderboard["test"]] == sorted(r.place for r in found.leaderboard["test"])


def test_the_mean_of_a12_over_tasks_is_tested_by_itself():
    tables = "abcdef"
    traces = [
        by_hand(label, values, table)
        for table in tables
        for label, values in (("good", [4, 4, 3, 3]), ("same", [4, 4, 3, 3]), ("bad", [3, 2, 2, 1]))
    ]
    found = study(traces, resamples=0)
    pairs = found.pairwise["test"]
    assert pairs.mean_a12 == pytest.approx(pairs.a12.mean(axis=2))
    # All six tasks have the same sign: 2 / 2**6, and Holm multiplies the two smallest of three by 3 and 2.
    assert pairs.mean_a12_adjusted[0, 2] == pytest.approx(3 / 32)
    assert pairs.mean_a12_adjusted[0, 1] == 1
    alone = study(traces[:3], resamples=0).pairwise["test"]
    assert np.isnan(alone.mean_a12_adjusted[0, 1])
    assert alone.mean_a12[0, 2] == alone.a12[0, 2, 0]
    apart = study([traces[0], traces[4], traces[8]], resamples=0).pairwise["test"]  # no task has all strategies
    assert np.isnan(apart.mean_a12[0, 1])


def test_being_unbeaten_means_nothing_where_nothing_can_be_significant():
    few = [by_hand(name, [value] * 3, table) for table in "ab" for name, value in (("good", 4), ("bad", 0))]
    assert np.isnan([row.unbeaten for row in study(few, resamples=0).leaderboard["test"]]).all()
    many = [by_hand(name, [value] * 4, table) for table in "ab" for name, value in (("good", 4), ("bad", 0))]
    assert [row.unbeaten for row in study(many, resamples=0).leaderboard["test"]] == [2, 0]
    alone = study([by_hand("good", [4] * 40)], resamples=0)
    assert np.isnan(alone.leaderboard["test"][0].unbeaten)


def test_tasks_that_the_interquartile_mean_ignores_are_named():
    traces = [by_hand("one", [final] * 8, table) for table, final in zip("abcd", (4, 3, 2, 0), strict=True)]
    found = study(traces, resamples=0)
    (row,) = found.leaderboard["test"]
    assert row.ignored == (0, 3)
    (warning,) = [each for each in found.warnings if "interquartile" in each]
    assert "those of one on a; those of one on d. Look at the mean, too." in warning
    assert row.mean.estimate == pytest.approx(np.mean([0, 1, 2, 4]) / 2)
    assert not any("interquartile" in each for each in study(traces[1:2] * 1, resamples=0).warnings)


def test_a_single_run_has_no_interval_and_no_verdict():
    found = study([by_hand("good", [4]), by_hand("bad", [1])])
    for row in found.leaderboard["test"]:
        assert np.isfinite(row.iqm.estimate)
        assert np.isnan([row.iqm.low, row.mean.high, row.auc.low, row.improvement.low]).all()
    assert found.pairwise["test"].verdict[0, 1, 0] == "inconclusive"
    assert found.pairwise["test"].p[0, 1, 0] == 1
    assert np.isnan(found.curves["test", "evaluations", 0].iqm.low).all()


def test_shapes(found):
    strategies, tasks, targets = len(STRATEGIES), len(KINDS), len(TARGETS)
    assert found.pairwise["valid"].verdict.shape == (strategies, strategies, tasks)
    assert set(found.curves) == {
        (kind, axis, t) for kind in found.kinds for axis in ("evaluations", "seconds") for t in range(tasks)
    }
    assert found.times["valid", "seconds"].reached.shape == (strategies, tasks, targets)
    assert found.ranks["observed"].task_ranks.shape == (tasks, strategies)
    assert np.isnan(found.progress["observed"].iqm.estimate).all()
    assert np.isfinite(found.progress["observed"].run_rank).all()
    assert set(found.profiles) == {"valid", "test"}
    times = found.times["test", "evaluations"]
    assert (np.diff(times.ecdf, axis=1) >= 0).all()
    assert times.ecdf[:, -1] == pytest.approx(times.reached.mean(axis=(1, 2)))
    assert found.profiles["test"].costs.max() <= 1


def test_a_study_is_plain_data(found):
    text = json.dumps(found.to_dict(with_runs=True), allow_nan=False)
    again = json.loads(text)
    assert again["labels"] == list(STRATEGIES)
    assert again["leaderboard"]["test"][0]["strategy"] == found.leaderboard["test"][0].strategy
    assert set(again["curves"]) >= {"test/evaluations/0"}
    assert "final" in again
    assert "final" not in found.to_dict()


def test_the_same_study_from_disk_and_in_shards(found, traces, tmp_path):
    save_traces(traces, tmp_path / "traces.h5")
    stored = study(open_results(tmp_path))
    expected, got = found.to_dict(with_runs=True), stored.to_dict(with_runs=True)
    for part in (expected, got):
        del part["provenance"]
    assert got == expected
    assert stored.provenance["kind"] == "traces"


def test_consecutive_runs_of_a_strategy_are_joined():
    table, budget = synthetic_table("tiny"), Budget(evaluations=4)
    parts = [nl.simulate(table, "random-search", runs=5, budget=budget, first_run=first) for first in (0, 5)]
    whole = nl.simulate(table, "random-search", runs=10, budget=budget)
    assert study(parts).to_dict(with_runs=True) == study([whole]).to_dict(with_runs=True)


def test_other_seeds_of_the_bootstrap_change_intervals_only(found, traces):
    other = study(traces, seed=1)
    for one, row in zip(found.leaderboard["test"], other.leaderboard["test"], strict=True):
        assert (one.strategy, one.iqm.estimate) == (row.strategy, row.iqm.estimate)
        assert (one.iqm.low, one.iqm.high) != (row.iqm.low, row.iqm.high)


def test_budgets_in_seconds_and_epochs():
    for budget, clock in ((Budget(seconds=400), "seconds"), (Budget(epochs=400), "seconds")):
        found = study(simulations(budget, runs=8, strategies=("random-search", "hyperband"), kinds=("chain",)))
        assert found.tasks[0].clock == clock
        if budget.seconds:
            assert found.tasks[0].horizon == 400
            assert found.progress["test"].run_rank[:, -1].sum() == pytest.approx(3)
        assert any("Evaluations of hyperband differ in epochs" in warning for warning in found.warnings)


def test_what_did_not_run_is_left_out(traces):
    found = study(traces[:-1])
    assert found.runs[2].tolist() == [30, 30, 0]
    assert found.progress["test"].tasks == (0, 1)
    assert np.isnan(found.pairwise["test"].p[2, :, 2]).all()
    assert np.isnan(found.curves["test", "evaluations", 2].iqm.estimate[2]).all()
    assert np.isnan(found.final["test"][2, 2]).all()
    assert any("regularized-evolution did not run on synthetic/gnn" in warning for warning in found.warnings)
    assert study(traces[:2]).progress["test"].tasks == (0,)
    nothing_shared = study([traces[0], traces[4]])
    assert nothing_shared.leaderboard == {}
    assert len(nothing_shared.curves) == 12


def test_a_strategy_that_stops_early_is_not_extrapolated():
    table = synthetic_table("chain")
    traces = [
        nl.simulate(table, name, runs=6, budget=Budget(evaluations=300)) for name in ("exhaustive", "random-search")
    ]
    found = study(traces)
    progress, ends = found.progress["test"], found.curves["test", "evaluations", 0].ends
    assert ends.tolist() == [243, 300]
    shown = progress.fractions * 300 <= 243
    assert 0 < shown.sum() < len(shown)
    assert np.isfinite(progress.run_rank[:, shown]).all()
    assert np.isnan(progress.run_rank[:, ~shown]).all()
    assert np.isnan(progress.iqm.high[0, ~shown]).all()
    assert np.isfinite(progress.iqm.high[1, -1])
    assert any("A run of exhaustive on synthetic/chain ended after 81.0%" in warning for warning in found.warnings)
    assert [row.strategy for row in found.leaderboard["observed"]] == ["exhaustive", "random-search"]
    without = nl.simulate(table, "random-search", runs=6, budget=Budget(evaluations=300), replacement=False)
    said = (
        "Runs of 2 of 3 searches ended before the longest curve of their task, the first after 81.0% of it (exhaustive"
    )
    assert sum(said in warning for warning in study([*traces, without]).warnings) == 1


def test_one_table_searched_in_several_ways_is_several_tasks():
    table = synthetic_table("chain")
    options = {"runs": 25, "budget": Budget(evaluations=10)}
    traces = [
        nl.simulate(table, "random-search", **options),
        nl.simulate(table, "random-search", **options, fidelity=4, repeat="mean"),
        nl.simulate(table, "random-search", **{**options, "budget": Budget(evaluations=20)}, limits={"parameters": 1}),
    ]
    found = study(traces)
    assert [task.name for task in found.tasks] == [
        "synthetic/chain (12 epochs each, sampled repeats, 10 evaluations, no limits)",
        "synthetic/chain (4 epochs each, mean of repeats, 10 evaluations, no limits)",
        "synthetic/chain (12 epochs each, sampled repeats, 20 evaluations, parameters limit 1)",
    ]
    assert any("The 3 tasks use one search space" in warning for warning in found.warnings)
    assert any("Budgets differ between tasks (10 evaluations; 20 evaluations)" in w for w in found.warnings)


def test_tables_without_validation_measurements():
    table = synthetic_table("chain")
    metrics = tuple(m for m in table.description.metrics if m.name != "valid_accuracy")
    description = dataclasses.replace(table.description, metrics=metrics, valid=None)
    only_test = nl.Table(description, {m.name: np.array(table.values(m.name)) for m in metrics})
    with pytest.warns(nl.errors.SearchOnTestWarning):
        trace = nl.simulate(only_test, "random-search", runs=25, budget=Budget(evaluations=9))
    found = study([trace])
    assert found.kinds == ("observed", "test")
    assert found.tasks[0].searched_on_test
    assert np.isnan(found.found[0].valid)
    assert any("observed test values" in warning for warning in found.warnings)


def test_tables_that_tell_nothing_apart():
    trace = nl.simulate(synthetic_table("chain", constant=True), "random-search", runs=25, budget=Budget(evaluations=9))
    found = study([trace, renamed(trace, label="other")])
    assert np.isnan(found.tasks[0].scale["valid"])
    assert "valid" not in found.profiles
    assert np.isnan(found.leaderboard["valid"][0].iqm.estimate)
    assert [row.place for row in found.leaderboard["valid"]] == [1, 1]
    assert found.pairwise["valid"].p[0, 1, 0] == 1
    assert any("do not differ in valid" in warning for warning in found.warnings)


def test_runs_that_evaluate_nothing():
    table = synthetic_table("chain")
    empty = nl.simulate(table, "random-search", runs=3, budget=Budget(seconds=1e-3))
    found = study([empty])
    assert found.curves == {}
    assert found.found == ()
    assert np.isnan(found.final["test"]).all()
    assert found.leaderboard["test"][0].iqm.estimate == np.inf
    assert np.isnan(found.auc["test"]).all() or (found.auc["test"] == 1).all()
    json.dumps(found.to_dict(), allow_nan=False)


def test_unequal_numbers_of_runs_and_several_seeds():
    table = synthetic_table("chain")
    budget = Budget(evaluations=10)
    traces = [
        nl.simulate(table, "random-search", runs=25, budget=budget),
        nl.simulate(table, "local-search", runs=40, budget=budget, seed=5),
        nl.simulate(table, "simulated-annealing", runs=2, budget=budget),
    ]
    found = study(traces)
    assert found.runs[:, 0].tolist() == [25, 40, 2]
    assert found.final["test"].shape == (3, 1, 40)
    assert sum(row.run_rank for row in found.leaderboard["test"]) == pytest.approx(6)
    texts = " ".join(found.warnings)
    for part in ("Numbers of runs differ, from 2 to 40", "Root seeds differ: 0, 5", "only 2 runs", "Only one task"):
        assert part in texts


def test_what_a_study_needs(traces):
    with pytest.raises(UnknownNameError, match="did you mean 'local-search'"):
        study(traces, reference="local-serch")
    for options in ({"level": 0.4}, {"margin": -1}, {"resamples": -1}, {"seed": -1}, {"points": 1}):
        with pytest.raises(ParameterError):
            study(traces[:1], **options)
    with pytest.raises(ParameterError, match="ran twice"):
        study([traces[0], renamed(traces[0], seed=1)])
    with pytest.raises(ParameterError, match="no results"):
        study([])


def test_unfinished_suites_are_warned_of(traces):
    results = Results.of(traces[:3])
    results._provenance = {**results.provenance, "missing": 4, "skipped": [{}]}
    assert {"The suite is not finished: 4 shards are missing."} < set(study(results).warnings)


def test_curves_alone_are_the_same_without_comparisons(found, traces):
    quick = study(traces, resamples=0, curves_only=True)
    assert quick.curves.keys() == found.curves.keys()
    for key, curves in quick.curves.items():
        assert np.array_equal(curves.quartiles, found.curves[key].quartiles, equal_nan=True)
        assert np.array_equal(curves.mean.estimate, found.curves[key].mean.estimate, equal_nan=True)
        assert np.isnan(curves.mean.low).all()
    assert not any((quick.leaderboard, quick.pairwise, quick.ranks, quick.progress, quick.times, quick.profiles))
    assert (quick.labels, quick.summaries, quick.warnings) == (found.labels, found.summaries, found.warnings)


def test_without_resamples_there_are_estimates_without_intervals(found, traces):
    quick = study(traces, resamples=0)
    for one, other in zip(quick.leaderboard["test"], found.leaderboard["test"], strict=True):
        assert (one.strategy, one.run_rank, one.iqm.estimate) == (other.strategy, other.run_rank, other.iqm.estimate)
        assert one.improvement.estimate == other.improvement.estimate
        assert np.isnan([one.iqm.low, one.mean.high, one.auc.low]).all()
    assert np.array_equal(quick.ranks["test"].ranks, found.ranks["test"].ranks)
    assert np.isnan(quick.profiles["test"].scores.low).all()
