"""The noise of a surrogate: the distribution of deviations of every column, and how columns go together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.prediction.surrogates.spread import Spread
from nasbench_lab.prediction.surrogates.training_set import MeasuredColumn, TrainingSet
from nasbench_lab.tables.surrogates.noise import RepeatNoise

_KNOTS = np.linspace(-3.0, 3.0, 25)
_FEWEST_FOR_SHAPE = 100  # deviations; of fewer, the distribution is taken as normal
_FEWEST_PAIRS = 20
_LARGEST = 0.999  # correlation


def quantiles_of(deviations: FloatArray) -> FloatArray:
    """Return the deviations at normal numbers from -3 to 3, shape (25,); ascending.

    Of fewer than 100 deviations, they are the normal numbers themselves.
    """
    if len(deviations) < _FEWEST_FOR_SHAPE:
        return _KNOTS
    from scipy.special import ndtr

    found = np.quantile(deviations, ndtr(_KNOTS))
    return np.asarray(np.maximum.accumulate(found - _mean_of(found)), dtype=np.float64)


def _mean_of(quantiles: FloatArray) -> float:
    """Return the mean of the distribution with these quantiles, so that repeats are not better than their mean."""
    weight = np.exp(-(_KNOTS**2) / 2)
    return float((weight * quantiles).sum() / weight.sum())


def fitted_noise(training: TrainingSet, spreads: Sequence[Spread | None], seed: int) -> RepeatNoise:
    """Return the noise of the columns that have a spread.

    Columns go together: a lucky training has a high validation and a high test accuracy. Correlations are those of
    deviations of repeats; where there are no repeats, columns are independent.
    """
    noisy = [(column, spread) for column, spread in zip(training.columns, spreads, strict=True) if spread is not None]
    if not noisy:
        return RepeatNoise(seed, np.zeros((0, 0)), np.zeros(1), np.zeros((0, 1)))
    correlation = np.eye(len(noisy))
    for one, (column, spread) in enumerate(noisy):
        for other in range(one):
            if spread.source == noisy[other][1].source == "repeats":
                correlation[one, other] = correlation[other, one] = _correlation(column, noisy[other][0])
    quantiles = np.stack([quantiles_of(spread.deviations) for _, spread in noisy])
    return RepeatNoise(seed, _factor(correlation), _KNOTS, quantiles)


def _correlation(one: MeasuredColumn, other: MeasuredColumn) -> float:
    """Return the correlation of deviations from the mean within architectures; each architecture counts the same."""
    if one.repeats.shape[1] != other.repeats.shape[1]:
        return 0.0
    both = np.isfinite(one.repeats) & np.isfinite(other.repeats)
    rows = both.sum(axis=1) >= 2
    if rows.sum() < _FEWEST_PAIRS:
        return 0.0
    parts = []
    for column in (one, other):
        values = np.where(both, column.repeats, np.nan)[rows]
        centred = values - np.nanmean(values, axis=1, keepdims=True)
        size = np.sqrt(np.nansum(centred**2, axis=1, keepdims=True))
        parts.append(np.nan_to_num(np.divide(centred, size, out=np.zeros_like(centred), where=size > 0)))
    moved = np.any(parts[0], axis=1) & np.any(parts[1], axis=1)
    if moved.sum() < _FEWEST_PAIRS:
        return 0.0
    return float(np.clip((parts[0] * parts[1]).sum(axis=1)[moved].mean(), -_LARGEST, _LARGEST))


def _factor(correlation: FloatArray) -> FloatArray:
    """Return the lower triangular factor of the nearest matrix with no negative eigenvalue, with rows of length 1."""
    values, vectors = np.linalg.eigh(correlation)
    fixed = (vectors * np.maximum(values, 1e-6)) @ vectors.T
    factor = np.linalg.cholesky((fixed + fixed.T) / 2)
    return np.asarray(factor / np.sqrt((factor**2).sum(axis=1, keepdims=True)), dtype=np.float64)
