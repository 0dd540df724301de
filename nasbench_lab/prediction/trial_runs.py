"""Trials of one predictor: predictions at every number of labels, their quality, and what they cost."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.prediction.measures import MEASURES, prediction_quality
from nasbench_lab.prediction.predictors import Predictor
from nasbench_lab.prediction.settings import Settings
from nasbench_lab.prediction.trainings import TableTrainings
from nasbench_lab.prediction.trials import Trial, make_trial

SECONDS = ("label_seconds", "fit_seconds", "query_seconds", "source_seconds")
"""The parts of the total seconds: labels, fitting and predicting (measured), what is paid for test architectures, and
labels of another table."""
COLUMNS = (*MEASURES, "missing", *SECONDS)
"""What is stored of every trial and number of labels."""
MEASURED = ("fit_seconds",)
"""The columns that differ when a trial is repeated."""


@dataclasses.dataclass(frozen=True)
class TrialTask:
    """Trials of one predictor that are evaluated together.

    Attributes:
        predictor: the predictor.
        settings: of the evaluation.
        trials: numbers of the trials.
    """

    predictor: Predictor
    settings: Settings
    trials: tuple[int, ...]


def run_task(
    task: TrialTask, trainings: TableTrainings, source: TableTrainings | None, done: Callable[[], None] = lambda: None
) -> FloatArray:
    """Return the `COLUMNS` of trials, shape (columns, trials, sizes).

    Args:
        task: the trials and the predictor.
        trainings: of the table.
        source: of the other table, if any.
        done: called after every trial.
    """
    found = np.full((len(COLUMNS), len(task.trials), len(task.settings.sizes)), np.nan)
    for place, number in enumerate(task.trials):
        trial = make_trial(number, task.settings, trainings, source)
        found[:, place] = run_trial(trial, task.predictor, task.settings.sizes)
        done()
    return found


def run_trial(trial: Trial, predictor: Predictor, sizes: tuple[int, ...]) -> FloatArray:
    """Return the `COLUMNS` of one trial, shape (columns, sizes).

    A predictor that needs no labels predicts once.

    Raises:
        ParameterError: the predictor returns something else than one number per test architecture.
    """
    if not predictor.needs_labels:
        return np.repeat(_predicted(trial, predictor, 0)[:, None], len(sizes), axis=1)
    return np.stack([_predicted(trial, predictor, size) for size in sizes], axis=1)


def _predicted(trial: Trial, predictor: Predictor, size: int) -> FloatArray:
    train, test = trial.train.first(size), trial.test.first(len(trial.test))
    before = time.process_time()
    predicted = np.asarray(predictor.predict(train, test, trial.random_state(size)), dtype=np.float64)
    fit_seconds = time.process_time() - before
    if predicted.shape != (len(test),):
        raise ParameterError(
            f"{predictor.label} returned predictions of shape {predicted.shape}; it must return one number for each of "
            f"{len(test)} architectures"
        )
    quality = prediction_quality(
        predicted, trial.truth, direction=test.trainings.direction, in_units=predictor.in_units
    )
    if size < predictor.fewest_for_units:
        quality |= {"mae": np.nan, "rmse": np.nan}
    used = predictor.needs_source and train.other is not None
    row = quality | {
        "missing": float(np.isnan(predicted).sum()),
        "label_seconds": float(trial.label_seconds[:size].sum()) + train.bill.seconds,
        "fit_seconds": fit_seconds,
        "query_seconds": test.bill.seconds,
        "source_seconds": trial.source_seconds + train.other.bill.seconds if used and train.other else 0.0,
    }
    return np.array([row[name] for name in COLUMNS])
