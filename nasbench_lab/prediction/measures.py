"""How good predictions are: rank correlations, errors, precision and regret of the best predicted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from nasbench_lab.analysis.score_rankings import ranking_quality
from nasbench_lab.arrays import FloatArray
from nasbench_lab.tables.description import Direction

PICKS = (1, 5, 10, 20)
"""Numbers of architectures that are picked by prediction."""


class Measure(NamedTuple):
    """A measure of the quality of predictions.

    Attributes:
        words: what figures and tables call it.
        low: its smallest possible value.
        high: its largest possible value.
        better: whether higher or lower is better.
        has_unit: whether it is in the unit of the metric.
    """

    words: str
    low: float
    high: float
    better: str
    has_unit: bool = False


MEASURES: Mapping[str, Measure] = {
    "kendall": Measure("Kendall's rank correlation", -1.0, 1.0, "higher"),
    "kendall_top_fifth": Measure("Kendall's rank correlation in the top fifth", -1.0, 1.0, "higher"),
    "spearman": Measure("Spearman's rank correlation", -1.0, 1.0, "higher"),
    "pearson": Measure("Pearson's correlation", -1.0, 1.0, "higher"),
    "mae": Measure("mean absolute error", 0.0, math.inf, "lower", has_unit=True),
    "rmse": Measure("root mean squared error", 0.0, math.inf, "lower", has_unit=True),
    **{f"precision_{k}": Measure(f"precision of the best {k}", 0.0, 1.0, "higher") for k in PICKS if k > 1},
    "regret_1": Measure("regret of the best predicted", 0.0, math.inf, "lower", has_unit=True),
    **{f"regret_{k}": Measure(f"regret of the best {k}", 0.0, math.inf, "lower", has_unit=True) for k in PICKS[1:]},
}
"""All measures, by name. Correlations are positive where architectures with better predictions are better."""


def prediction_quality(
    predicted: FloatArray, truth: FloatArray, *, direction: Direction = "maximize", in_units: bool = True
) -> dict[str, float]:
    """Return all measures of predictions; see `MEASURES`.

    An architecture without a prediction (NaN) counts as worse than all others in rank correlations, precision and
    regret. It is left out of the other measures.

    Args:
        predicted: predictions of the true values, or scores that are better if higher. Shape (architectures,).
        truth: true values, shape (architectures,), without NaN.
        direction: whether true values are maximised or minimised.
        in_units: whether predictions are in the unit of the true values. Otherwise they are scores, and have no errors.

    >>> found = prediction_quality(np.array([70.0, 80.0, 92.0]), np.array([71.0, 82.0, 91.0]))
    >>> found["kendall"], round(found["mae"], 3), found["regret_1"]
    (1.0, 1.333, 0.0)
    """
    values = np.full(len(MEASURES), np.nan)
    found = dict(zip(MEASURES, values.tolist(), strict=True))
    known = np.isfinite(predicted)
    if not known.any():
        return found
    sign = -1.0 if direction == "minimize" else 1.0
    score = sign * predicted if in_units else predicted
    if _is_constant(score[known]):  # the mean of five values in another order is no other prediction
        score = np.where(known, score[known][0], score)
    ranked = np.where(known, score, score[known].min() - 1.0)
    quality = ranking_quality(ranked, truth, direction=direction, picks=PICKS)
    found |= {
        "kendall": quality.kendall[1.0],
        "kendall_top_fifth": quality.kendall[0.2],
        "spearman": quality.spearman[1.0],
        "pearson": _pearson(score[known], sign * truth[known]),
    }
    for k in quality.regret:
        found[f"regret_{k}"] = quality.regret[k]
        if k > 1:
            found[f"precision_{k}"] = quality.precision[k]
    if in_units:
        error = predicted[known] - truth[known]
        found["mae"] = float(np.abs(error).mean())
        found["rmse"] = float(np.sqrt((error**2).mean()))
    return found


def _pearson(score: FloatArray, value: FloatArray) -> float:
    """Return Pearson's correlation; NaN where one of both is constant."""
    x, y = score - score.mean(), value - value.mean()
    if _is_constant(score) or _is_constant(value):
        return math.nan
    return float(np.clip((x @ y) / np.sqrt((x @ x) * (y @ y)), -1.0, 1.0))


def _is_constant(values: FloatArray) -> bool:
    """Return whether values are equal but for rounding errors."""
    return bool(np.ptp(values) <= 1e-12 * np.abs(values).max())
