"""Checks of a surrogate on what its models did not see: predictions, and the spread of repeats."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.prediction.surrogates.ceiling import noise_ceiling, two_repeats
from nasbench_lab.prediction.surrogates.folds import splits
from nasbench_lab.prediction.surrogates.models import Models
from nasbench_lab.prediction.surrogates.noise import quantiles_of
from nasbench_lab.prediction.surrogates.spread import Spread
from nasbench_lab.prediction.surrogates.training_set import FEWEST, MeasuredColumn, TrainingSet
from nasbench_lab.prediction.surrogates.verdict import LeftOutCheck, MetricCheck, NoiseCheck

_SHARES = (0.5, 0.8, 0.95)
_KNOTS = np.linspace(-3.0, 3.0, 25)
_FEWEST_LEFT_OUT = 5


def kendall(predicted: FloatArray, truth: FloatArray) -> float:
    """Return Kendall's rank correlation; NaN where either is constant or there are fewer than three values.

    >>> kendall(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0]))
    1.0
    """
    if len(truth) < 3 or np.ptp(predicted) == 0 or np.ptp(truth) == 0:
        return math.nan
    from scipy.stats import kendalltau

    return float(kendalltau(predicted, truth).statistic)


def r_squared(predicted: FloatArray, truth: FloatArray) -> float:
    """Return the share of the variance that predictions explain; NaN where all true values are equal.

    >>> r_squared(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]))
    1.0
    """
    total = ((truth - truth.mean()) ** 2).sum() if len(truth) else 0.0
    return float(1.0 - ((truth - predicted) ** 2).sum() / total) if total > 0 else math.nan


def metric_check(column: MeasuredColumn, predicted: FloatArray, spread: Spread | None, *, is_log: bool) -> MetricCheck:
    """Return how well the architectures of a column were predicted; predictions are NaN where there are none."""
    known = np.isfinite(predicted) & np.isfinite(column.mean)
    found, truth = predicted[known], column.mean[known]
    found = np.exp(found) if is_log else found
    pairs = two_repeats(column.repeats)
    between = kendall(*pairs.T) if len(pairs) >= FEWEST else math.nan
    return MetricCheck(
        metric=column.metric.name,
        epochs=column.epochs,
        unit=column.metric.unit,
        architectures=len(truth),
        kendall=kendall(found, truth),
        r2=r_squared(found, truth),
        rmse=float(np.sqrt(((found - truth) ** 2).mean())),
        spread=0.0 if spread is None else spread.typical,
        is_relative=is_log,
        spread_from="none" if spread is None else spread.source,
        between_repeats=between,
        ceiling=noise_ceiling(between, np.isfinite(column.repeats[known]).sum(axis=1)),
    )


def noise_check(column: MeasuredColumn, spread: Spread) -> NoiseCheck:
    """Return how well the noise of a column is calibrated.

    The deviations of a fold are compared with intervals of the others.
    """
    from scipy.special import ndtri

    deviations = spread.deviations
    inside = np.zeros((len(_SHARES), len(deviations)), dtype=bool)
    for learnt, held_out in splits(spread.folds, np.ones(len(deviations), dtype=bool)):
        quantiles = quantiles_of(deviations[learnt])
        for place, share in enumerate(_SHARES):
            low, high = (np.interp(ndtri(p), _KNOTS, quantiles) for p in (0.5 - share / 2, 0.5 + share / 2))
            inside[place, held_out] = (deviations[held_out] >= low) & (deviations[held_out] <= high)
    size = float(deviations.std())
    centred = deviations - deviations.mean()
    kurtosis = float((centred**4).mean() / max(size, 1e-300) ** 4 - 3.0)
    inside_50, inside_80, inside_95 = (float(row.mean()) for row in inside)
    return NoiseCheck(
        metric=column.label,
        spread_from=spread.source,
        deviations=len(deviations),
        inside_50=inside_50,
        inside_80=inside_80,
        inside_95=inside_95,
        mean=float(deviations.mean()),
        deviation=size,
        kurtosis=kurtosis,
    )


def left_out_checks(
    training: TrainingSet, vectors: FloatArray, models: Models, found_by: Mapping[str, Sequence[int | str]]
) -> tuple[LeftOutCheck, ...]:
    """Return how well the architectures of each strategy are predicted from those of all others.

    What several strategies found is learnt from, and so are architectures that nobody found. Networks of these are not
    predicted.

    Args:
        training: the sample.
        vectors: of its architectures.
        models: the regressors.
        found_by: strategy to the architectures that it found, by index or notation in the whole space.

    Raises:
        ParameterError: fewer than two strategies are given.
        OutOfSpaceError: an architecture is not in the space.
    """
    if len(found_by) < 2:
        raise ParameterError("leaving out one strategy after the other needs at least two strategies")
    found = {name: _rows_of(training, each) for name, each in found_by.items()}
    truth = training.columns[training.judged].mean
    known = np.isfinite(truth)
    checks = []
    for name, rows in found.items():
        own = np.zeros(len(known), dtype=bool)
        own[rows] = True
        for other, others in found.items():
            if other != name:
                own[others] = False
        shared = np.isin(training.networks, training.networks[~own])
        held_out, learnt = np.flatnonzero(own & ~shared & known), np.flatnonzero(~own & known)
        if len(held_out) < _FEWEST_LEFT_OUT or len(learnt) < FEWEST:
            continue
        predicted = models.fitted(vectors[learnt], truth[learnt]).predict(vectors[held_out])
        quality = kendall(predicted, truth[held_out]), r_squared(predicted, truth[held_out])
        checks.append(LeftOutCheck(name, len(learnt), len(held_out), *quality))
    return tuple(checks)


def _rows_of(training: TrainingSet, architectures: Sequence[int | str]) -> IntArray:
    """Return the rows of the sample with some architectures; those that were not measured are left out."""
    indices = np.array([training.space.resolve(each) for each in architectures], dtype=np.int64)
    return np.flatnonzero(np.isin(training.architectures, indices))
