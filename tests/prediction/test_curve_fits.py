"""Predictors that read learning curves: made-up curves, and sums by hand."""

import numpy as np
import pytest
from scipy.optimize import curve_fit

import nasbench_lab as nl
from nasbench_lab.prediction import CurveModel, LogPowerCurve, PowerLawCurve, SumOfLosses
from nasbench_lab.prediction.curve_fits import log_power_at, power_law_at
from nasbench_lab.prediction.settings import Settings
from nasbench_lab.prediction.trainings import TableTrainings
from nasbench_lab.prediction.trials import make_trial

EPOCHS = np.array([1.0, 2, 3, 4, 6, 8])


@pytest.mark.parametrize(
    ("fit", "function", "start"),
    [
        (power_law_at, lambda e, a, b, c: a - b * e**-c, (0.9, 0.5, 0.5)),
        (log_power_at, lambda e, a, b, c: a / (1 + (e / np.exp(b)) ** c), (0.9, 0.5, -1.0)),
    ],
)
def test_extrapolations_agree_with_least_squares_of_scipy(fit, function, start):
    random = np.random.default_rng(1)
    for _ in range(5):
        curve = function(EPOCHS, *(np.array(start) * random.uniform(0.8, 1.2, 3))) + random.normal(0, 1e-4, 6)
        best, _ = curve_fit(function, EPOCHS, curve, p0=start, maxfev=20_000)
        assert fit(EPOCHS, curve[None], 16)[0] == pytest.approx(function(16.0, *best), abs=0.015)


def test_curves_with_missing_values_have_no_prediction():
    curves = np.array([[0.1, 0.2, 0.3], [0.1, np.nan, 0.3]])
    for fit in (power_law_at, log_power_at):
        found = fit(np.array([1.0, 2.0, 4.0]), curves, 8)
        assert np.isfinite(found).tolist() == [True, False]


def test_falling_curves():
    curve = 2.0 / (1 + (EPOCHS / 3) ** 0.5)
    assert log_power_at(EPOCHS, curve[None], 16, growing=False)[0] == pytest.approx(2 / (1 + (16 / 3) ** 0.5), abs=0.02)


def test_sums_of_losses_where_not_all_epochs_are_known():
    table = nl.load("digits/cell101")  # 2, 4, 8 and 16 epochs
    settings = Settings(table.name, "", (5,), 30, "uniform", 0, 0)
    trial = make_trial(0, settings, TableTrainings(table, repeat=0))
    losses = table.values("train_loss")[trial.test.architectures, :, 0].astype(float)
    for predictor, weights in (
        (SumOfLosses(), (2, 2, 4, 0)),
        (SumOfLosses(epochs=4), (2, 2, 0, 0)),
        (SumOfLosses(last=1), (0, 0, 1, 0)),
        (SumOfLosses(last=6), (0, 2, 4, 0)),
    ):
        test = trial.test.first(30)
        expected = -(losses @ np.array(weights, dtype=float))
        np.testing.assert_allclose(predictor.predict(trial.train, test, 0), expected)
        stop = 4 if predictor.epochs == 4 else 8
        assert test.bill.seconds == pytest.approx(table.cost(stop)[trial.test.architectures, 0].sum())


def test_predictions_are_near_the_end_of_the_curves():
    table = nl.load("digits/chain")
    settings = Settings(table.name, "", (100,), 100, "uniform", "mean", 0)
    trial = make_trial(0, settings, TableTrainings(table, repeat="mean"))
    last = table.mean_values("valid_accuracy", 6)[trial.test.architectures]
    for predictor, limit in ((PowerLawCurve(), 1.0), (CurveModel(), 0.6), (CurveModel(model="svr"), 0.8)):
        found = predictor.predict(trial.train, trial.test.first(100), 0)
        assert np.abs(found - trial.truth).mean() < limit * np.abs(last - trial.truth).mean(), predictor
    assert np.corrcoef(LogPowerCurve().predict(trial.train, trial.test.first(100), 0), trial.truth)[0, 1] > 0.3
