"""Validation of picks: which are taken, and whether the statistics are right."""

import dataclasses
import json

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab.analysis import Pick, final_picks, validate
from nasbench_lab.errors import MissingDataError, ParameterError
from nasbench_lab.report import VALIDATION_FILES, write_validation
from nasbench_lab.report.retraining_folder import WEIGHTS
from nasbench_lab.testing import synthetic_table


def pick(strategy, architecture, promised=90.0, rank=1):
    return Pick("a", strategy, rank, architecture, 1, 80.0, promised)


@pytest.fixture(scope="module")
def trace():
    return nl.simulate(synthetic_table(), "random-search", runs=40, budget=nl.Budget(evaluations=15), seed=3)


def test_picks_are_the_best_incumbents_that_were_observed(trace):
    """Against a plain loop over runs."""
    best = {}
    for run in range(trace.runs):
        values = trace.observed[run]
        seen = [(values[step], step) for step in range(trace.steps) if not np.isnan(values[step])]
        value, step = max(seen, key=lambda each: (each[0], -each[1]))
        architecture = int(trace.architecture[run, step])
        value, runs = max(value, best.get(architecture, (-np.inf, 0))[0]), best.get(architecture, (0, 0))[1] + 1
        best[architecture] = (value, runs)
    expected = sorted(best, key=lambda a: (-best[a][0], -best[a][1], a))[:7]
    found = final_picks(trace, 7)
    assert [each.architecture for each in found] == expected
    assert [(each.observed, each.runs) for each in found] == [best[a] for a in expected]
    assert [each.rank for each in found] == list(range(1, 8))
    assert found[0].promised == trace.reference.mean("test")[expected[0]]


def test_there_are_no_more_picks_than_incumbents(trace):
    everything = final_picks(trace, 10**6)
    assert len(everything) == len(np.unique(trace.final_incumbent()))
    assert sum(each.runs for each in everything) == trace.runs


def test_picks_of_nothing(trace):
    with pytest.raises(ParameterError, match="top must be at least 1"):
        final_picks(trace, 0)
    nothing = dataclasses.replace(trace, observed=np.full_like(trace.observed, np.nan))
    with pytest.raises(MissingDataError, match="observed a value"):
        final_picks(nothing, 3)


def test_intervals_are_those_of_an_analysis_of_variance():
    """Means with a pooled variance, against scipy's one-way analysis of variance and t-test."""
    from scipy import stats

    random = np.random.default_rng(0)
    accuracy = {1: random.normal(80, 1, 5), 2: random.normal(82, 1, 5)}
    result = validate([pick("x", 1, 80.0), pick("y", 2, 81.0)], accuracy, "maximize")
    assert result.winner == "y"
    reference = stats.ttest_ind(accuracy[2], accuracy[1]).confidence_interval(0.95)
    lead = result.lead["x"]
    assert (lead.low, lead.high) == pytest.approx((reference.low, reference.high))
    assert lead.estimate == pytest.approx(accuracy[2].mean() - accuracy[1].mean())
    assert result.strategies["x"].estimate == pytest.approx(accuracy[1].mean())


def test_shared_architectures_cancel():
    accuracy = {1: np.array([80.0, 90.0]), 2: np.array([70.0, 71.0])}
    both = [pick("x", 1, 91.0), pick("y", 1, 91.0)]
    result = validate(both, accuracy, "maximize")
    assert result.verdict == "tied"
    assert str(result.lead["y"]) == "0 [0, 0]"
    result = validate([*both, pick("y", 2, 85.0, rank=2)], accuracy, "maximize")
    assert result.lead["y"].estimate == pytest.approx((85.0 - 70.5) / 2)


@pytest.mark.parametrize(
    ("second", "verdict"),
    [([70.0, 70.5, 71.0], "still wins"), ([90.0, 90.5, 91.0], "loses"), ([79.9, 80.1, 80.9], "undecided")],
)
def test_verdicts(second, verdict):
    accuracy = {1: np.array([79.5, 80.0, 80.5]), 2: np.array(second)}
    assert validate([pick("x", 1, 91.0), pick("y", 2, 90.0)], accuracy, "maximize").verdict == verdict


def test_seeds_without_spread_decide_nothing():
    accuracy = {1: np.array([80.0, 80.0]), 2: np.array([70.0, 70.0])}
    result = validate([pick("x", 1, 91.0), pick("y", 2, 90.0)], accuracy, "maximize")
    assert result.verdict == "undecided"
    assert str(result.lead["y"]) == "10"


def test_a_loss_is_better_when_smaller():
    accuracy = {1: np.array([80.0, 81.0]), 2: np.array([70.0, 71.0])}
    chosen = [pick("x", 1, 0.2), pick("y", 2, 0.9)]
    result = validate(chosen, accuracy, "minimize")
    assert result.winner == "x"
    assert result.correlation.estimate == pytest.approx(1.0)
    assert np.isnan([result.correlation.low, result.correlation.high]).all()  # not "certainly 1"
    assert validate(chosen, accuracy, "maximize").correlation.estimate == pytest.approx(-1.0)


def test_failed_trainings_are_left_out():
    accuracy = {1: np.array([80.0, np.nan, 81.0]), 2: np.array([np.nan] * 3)}
    result = validate([pick("x", 1, 91.0), pick("y", 2, 90.0)], accuracy, "maximize")
    assert result.trained[1].estimate == pytest.approx(80.5)
    assert np.isnan(result.trained[2].estimate)
    assert (result.verdict, result.failed) == ("undecided", 4)
    part = {1: np.array([90.0, 90.1, np.nan]), 2: np.array([80.0, 80.5, 81.0])}
    assert validate([pick("x", 1, 91.0), pick("y", 2, 90.0)], part, "maximize").verdict == "undecided"


def test_a_single_strategy_has_no_rival():
    result = validate([pick("x", 1)], {1: np.array([80.0, 81.0])}, "maximize")
    assert result.verdict == "no rival"
    assert np.isnan(result.correlation.estimate)


def test_what_cannot_be_validated():
    with pytest.raises(ParameterError, match="picks of one table"):
        validate([], {}, "maximize")
    with pytest.raises(ParameterError, match=r"not trained: \[1\]"):
        validate([pick("x", 1)], {}, "maximize")


def test_the_rank_correlation_is_scipys_and_its_interval_covers_the_truth():
    """Promises and accuracies from a bivariate normal distribution, whose rank correlation is known."""
    from scipy.stats import spearmanr

    random = np.random.default_rng(0)
    truth, covered = 6 / np.pi * np.arcsin(0.6 / 2), 0
    for _ in range(300):
        promised, trained = random.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 20).T
        chosen = [pick("x", i, float(promised[i]), rank=i + 1) for i in range(20)]
        found = validate(chosen, {i: trained[i] + np.zeros(2) for i in range(20)}, "maximize").correlation
        assert found.estimate == pytest.approx(spearmanr(promised, trained).statistic)
        assert found.low <= found.estimate <= found.high
        covered += found.low <= truth <= found.high
    assert 0.9 <= covered / 300 <= 0.99


def test_architectures_that_share_a_training_count_once():
    sample = np.array([80.0, 82.0, 84.0])
    chosen = [pick("x", 7, 91.0), pick("y", 8, 90.0)]
    result = validate(chosen, {7: sample, 8: sample}, "maximize", {7: 7, 8: 7})
    assert result.verdict == "tied"
    once = validate(chosen[:1], {7: sample}, "maximize")
    assert result.trained[8] == once.trained[7]
    assert result.strategies["y"] == once.strategies["x"]


def test_equal_rivals_are_seldom_said_to_win():
    """With seven rivals of the same accuracy, "loses" is wrong, and given in at most five of a hundred."""
    random = np.random.default_rng(1)
    wrong = 0
    for _ in range(300):
        accuracy = {i: random.normal(80, 1, 3) for i in range(8)}
        chosen = [pick(f"s{i}", i, 90.0 - i) for i in range(8)]
        wrong += validate(chosen, accuracy, "maximize").verdict == "loses"
    assert wrong / 300 <= 0.05


def test_intervals_cover_the_truth_as_often_as_they_say():
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        accuracy = {i: random.normal(80 + i, 2.0, 3) for i in range(4)}
        chosen = [pick("x", 0, 1.0), pick("x", 1, 1.0, 2), pick("y", 2, 2.0), pick("y", 3, 2.0, 2)]
        lead = validate(chosen, accuracy, "maximize").lead["x"]
        covered += lead.low <= 2.0 <= lead.high
    assert 0.92 <= covered / 400 <= 0.98  # 95 % with four standard errors less and almost three more


def test_the_result_on_disk(tmp_path):
    accuracy = {1: np.array([80.0, 81.0]), 2: np.array([70.0, 71.0])}
    result = validate([pick("x", 1, 91.0), pick("y", 2, 90.0)], accuracy, "maximize")
    write_validation(
        [result], tmp_path, dataset="digits", notation={("a", 1): "one", ("a", 2): "two"}, details={"n": [1]}
    )
    assert {path.name for path in tmp_path.iterdir()} == VALIDATION_FILES - {WEIGHTS}
    rows = (tmp_path / "picks.csv").read_text().splitlines()
    assert rows[1].startswith("a,x,1,1,one,1,80,91,80.5,")
    assert "still wins" in (tmp_path / "strategies.csv").read_text()
    assert json.loads((tmp_path / "details.json").read_text()) == {"n": [1]}
    assert (tmp_path / "validation.png").read_bytes()[1:4] == b"PNG"
