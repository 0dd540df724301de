"""How repeats of an architecture spread: estimates from repeats, or from the errors of predictions."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.prediction.surrogates.folds import splits
from nasbench_lab.prediction.surrogates.models import fitted_variance
from nasbench_lab.prediction.surrogates.training_set import FEWEST, MeasuredColumn
from nasbench_lab.tables.surrogates.models.stored import StoredModel

SpreadFrom = Literal["repeats", "residuals"]


class Spread(NamedTuple):
    """The spread of one column.

    Attributes:
        source: ``"repeats"``, or ``"residuals"`` where too few architectures have several repeats: the errors of
            predictions, which are larger than the spread of repeats.
        model: of the variance.
        rows: the architectures of the deviations, shape (m,).
        deviations: standardised by the deviation that a model predicts which has not seen the architecture, shape (m,).
        folds: the fold of each, shape (m,).
        typical: root mean square of the deviations, in the unit of the metric (relative for logarithms).
    """

    source: SpreadFrom
    model: StoredModel
    rows: IntArray
    deviations: FloatArray
    folds: IntArray
    typical: float


def spread_of(
    column: MeasuredColumn, vectors: FloatArray, predicted: FloatArray, fold: IntArray, *, is_log: bool, seed: int
) -> Spread | None:
    """Return the spread of a column; None if its repeats are all equal.

    Args:
        column: the measurements.
        vectors: of the architectures, shape (n, length).
        predicted: out-of-fold predictions, in the unit or as logarithms, NaN where there are none, shape (n,).
        fold: of every architecture, shape (n,).
        is_log: whether predictions are logarithms; deviations are then relative.
        seed: of the model.
    """
    values = column.repeats / (np.abs(column.mean)[:, None] if is_log else 1.0)
    count = np.isfinite(values).sum(axis=1)
    usable = np.isfinite(predicted) & np.isfinite(column.mean)
    repeated = usable & (count >= 2)
    if repeated.sum() >= FEWEST:
        source: SpreadFrom = "repeats"
        rows = np.flatnonzero(repeated)
        centred = values[rows] - np.nanmean(values[rows], axis=1, keepdims=True)
        squares = np.nansum(centred**2, axis=1) / (count[rows] - 1)
        centred *= np.sqrt(count[rows] / (count[rows] - 1))[:, None]
    elif "repeat" in column.metric.axes:
        source = "residuals"
        rows = np.flatnonzero(usable)
        expected = np.exp(predicted[rows]) if is_log else predicted[rows]
        centred = ((column.mean[rows] - expected) / (column.mean[rows] if is_log else 1.0))[:, None]
        squares = centred[:, 0] ** 2
    else:
        return None
    if not (squares > 0).any():
        return None
    variance = np.empty(len(rows))
    everywhere = np.ones(len(rows), dtype=bool)
    for learnt, held_out in splits(fold[rows], everywhere):
        model = fitted_variance(vectors[rows[learnt]], predicted[rows[learnt]], squares[learnt], seed)
        given = np.concatenate([vectors[rows[held_out]], predicted[rows[held_out], None]], axis=1)
        variance[held_out] = model.predict(given)
    variance = np.maximum(variance, 1e-12 * squares.mean())
    deviations = centred / np.sqrt(variance)[:, None]
    place, which = np.nonzero(np.isfinite(deviations))
    final = fitted_variance(vectors[rows], predicted[rows], squares, seed)
    return Spread(
        source, final, rows[place], deviations[place, which], fold[rows[place]], float(np.sqrt(squares.mean()))
    )
