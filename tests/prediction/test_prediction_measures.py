"""Measures of predictions, against scipy and scikit-learn and by their definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from nasbench_lab.prediction import MEASURES, prediction_quality

RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.normal(80, 5, 60)
PREDICTED = TRUTH + RANDOM.normal(0, 4, 60)


def test_against_scipy_and_scikit_learn():
    found = prediction_quality(PREDICTED, TRUTH)
    assert list(found) == list(MEASURES)
    assert found["kendall"] == pytest.approx(stats.kendalltau(PREDICTED, TRUTH).statistic)
    assert found["spearman"] == pytest.approx(stats.spearmanr(PREDICTED, TRUTH).statistic)
    assert found["pearson"] == pytest.approx(stats.pearsonr(PREDICTED, TRUTH).statistic)
    assert found["mae"] == pytest.approx(mean_absolute_error(TRUTH, PREDICTED))
    assert found["rmse"] == pytest.approx(root_mean_squared_error(TRUTH, PREDICTED))
    order = np.argsort(-PREDICTED)
    assert found["regret_1"] == pytest.approx(TRUTH.max() - TRUTH[order[0]])
    assert found["regret_5"] == pytest.approx(TRUTH.max() - TRUTH[order[:5]].max())
    best = np.argsort(-TRUTH)[:10]
    assert found["precision_10"] == pytest.approx(len(set(best) & set(order[:10])) / 10)


def test_correlations_keep_their_sign():
    found = prediction_quality(-PREDICTED, TRUTH)
    assert found["pearson"] < -0.5
    assert found["kendall"] < -0.4


def test_what_is_minimised():
    found = prediction_quality(PREDICTED, TRUTH, direction="minimize")
    assert found["kendall"] == pytest.approx(stats.kendalltau(PREDICTED, TRUTH).statistic)
    assert found["regret_1"] == pytest.approx(TRUTH[np.argmin(PREDICTED)] - TRUTH.min())
    # Scores are better if higher, whatever the metric.
    scores = prediction_quality(-PREDICTED, TRUTH, direction="minimize", in_units=False)
    assert scores["kendall"] == found["kendall"]
    assert np.isnan(scores["mae"])


def test_a_missing_prediction_is_the_worst():
    predicted = PREDICTED.copy()
    predicted[np.argmax(TRUTH)] = np.nan
    found = prediction_quality(predicted, TRUTH)
    lowest = np.where(np.isnan(predicted), -1e9, predicted)
    assert found["kendall"] == pytest.approx(stats.kendalltau(lowest, TRUTH).statistic)
    known = ~np.isnan(predicted)
    assert found["mae"] == pytest.approx(np.abs(predicted - TRUTH)[known].mean())
    assert all(np.isnan(value) for value in prediction_quality(np.full(60, np.nan), TRUTH).values())


def test_constant_predictions_have_no_correlation():
    found = prediction_quality(np.full(60, 0.1) * 3, TRUTH)
    assert np.isnan(found["kendall"])
    assert np.isnan(found["pearson"])
    assert found["regret_1"] == pytest.approx(TRUTH.max() - TRUTH.mean())
    sums = [sum(np.roll([71.3, 80.7, 65.1, 90.2, 77.7], place)) / 5 for place in range(60)]
    assert len(set(sums)) > 1, "the example must have rounding errors"
    for name, value in prediction_quality(np.array(sums), TRUTH).items():
        assert value == pytest.approx(found[name], nan_ok=True) or name in ("mae", "rmse"), name


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=3, max_size=30))
@settings(max_examples=50)
def test_measures_are_in_their_ranges(pairs):
    predicted, truth = np.array(pairs, dtype=float).T
    for name, value in prediction_quality(predicted, truth).items():
        measure = MEASURES[name]
        assert np.isnan(value) or measure.low - 1e-12 <= value <= measure.high + 1e-12, name
