"""The values of steps: their unit and sign, and whether they can be from the table."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation.measurements import MEAN
from nasbench_lab.simulation.steps.options import SCALES, StepOptions
from nasbench_lab.tables.description import Metric
from nasbench_lab.tables.importers.columns.hints import option
from nasbench_lab.tables.table import Table

_EQUAL = 1e-6
"""Relative difference up to which a value is that of the table."""

_NEAR = 1e-3
"""Share of the table's range by which a value may leave the values of its architecture."""

_ALL, _MOST, _FEW = 0.9, 0.5, 10
_OPPOSITE = -0.5  # correlation

Meaning = tuple[str | None, bool, bool]
"""Unit, whether errors, and whether negated."""


def converted(values: FloatArray, metric: Metric, unit: str | None, *, error: bool, negated: bool) -> FloatArray:
    """Return values in the unit of a metric.

    Raises:
        ParameterError: the unit of the metric cannot be converted.
    """
    if (unit is not None or error) and metric.unit not in SCALES:
        what = option("error", True) if error else option("unit", unit)
        raise ParameterError(f"{what} is for accuracies; {metric.name} is in {metric.unit!r}")
    found = -values if negated else values
    if metric.unit not in SCALES:
        return found
    full = SCALES[unit or metric.unit]
    found = full - found if error else found
    return found if full == SCALES[metric.unit] else found * (SCALES[metric.unit] / full)


def observed_values(values: FloatArray, table: Table, options: StepOptions) -> FloatArray:
    """Return the values of a log in the unit of the table's objective."""
    return converted(values, table.objective, options.unit, error=options.error, negated=options.negated)


class TableValues:
    """What the table has for evaluations.

    Args:
        table: the table.
        architecture: of the evaluations, shape (rows,).
        fidelity: of the evaluations, shape (rows,).
    """

    def __init__(self, table: Table, architecture: IntArray, fidelity: IntArray) -> None:
        self.table = table
        self.repeats = np.full((len(architecture), table.repeats), np.nan)
        self.mean = np.full(len(architecture), np.nan)
        self.known = np.isin(fidelity, table.fidelities)
        self.low, self.high = np.inf, -np.inf
        for epochs in np.unique(fidelity[self.known]).tolist():
            rows = np.flatnonzero(fidelity == epochs)
            every = table.repeat_values(table.objective.name, epochs)
            means = table.mean_values(table.objective.name, epochs)
            self.repeats[rows, : every.shape[1]] = every[architecture[rows]]
            self.mean[rows] = means[architecture[rows]]
            both = np.concatenate([every.reshape(-1), means])
            self.low = min(self.low, float(np.nanmin(both, initial=np.inf)))
            self.high = max(self.high, float(np.nanmax(both, initial=-np.inf)))

    def repeat_of(self, values: FloatArray) -> NDArray[np.int16]:
        """Return the repeat whose value each evaluation observed; -1 for the mean, or if it is not certain."""
        same = np.abs(self.repeats - values[:, None]) <= _slack(values)[:, None]
        certain = (same.sum(axis=1) == 1) & (~self.is_mean(values) | (self.table.repeats == 1))
        return np.where(certain, same.argmax(axis=1), MEAN).astype(np.int16)

    def is_mean(self, values: FloatArray) -> NDArray[np.bool_]:
        """Return whether each evaluation observed the mean over repeats."""
        same: NDArray[np.bool_] = np.abs(self.mean - values) <= _slack(values)
        return same

    def near(self, values: FloatArray) -> NDArray[np.bool_]:
        """Return whether each value lies among those that the table has for its architecture and fidelity."""
        slack = _NEAR * max(self.high - self.low, 0.0)
        both = np.concatenate([self.repeats, self.mean[:, None]], axis=1)
        low, high = np.fmin.reduce(both, axis=1), np.fmax.reduce(both, axis=1)
        near: NDArray[np.bool_] = (values >= low - slack) & (values <= high + slack)
        return near


def _slack(values: FloatArray) -> FloatArray:
    return _EQUAL * np.maximum(np.abs(values), _EQUAL)


def check_values(raw: FloatArray, there: TableValues, options: StepOptions) -> Iterator[str]:
    """Yield notes about the values of a log.

    Args:
        raw: the values as the log has them; NaN for failed evaluations.
        there: what the table has for them.
        options: how the values are to be read.

    Raises:
        ParameterError: the values cannot be the table's.
    """
    table, metric = there.table, there.table.objective
    judged = np.isfinite(raw) & there.known & np.isfinite(there.mean)
    unknown = np.isfinite(raw) & ~there.known
    if unknown.any():
        yield (
            f"{_count(unknown)} values are at numbers of epochs that {table.name} does not have, so they cannot be "
            "compared with it"
        )
    if not judged.any():
        return
    values = observed_values(raw, table, options)
    near = there.near(values)[judged]
    if options.check and near.mean() < _MOST:
        _refuse(raw, values, judged, there, options)
    if not near.all():
        largest = float(np.abs(values - there.mean)[judged].max())
        yield (
            f"{_count(~near)} of {len(near):,} values are not those of {table.name} (largest difference from the mean: "
            f"{largest:.3g} {metric.unit}); observed values are those of the log, and regrets those of the table"
        )


def _refuse(
    raw: FloatArray, values: FloatArray, judged: NDArray[np.bool_], there: TableValues, options: StepOptions
) -> None:
    """Raise ParameterError if the values cannot be the table's, with what they can be."""
    table, metric = there.table, there.table.objective
    low, high = float(values[judged].min()), float(values[judged].max())
    what = f"the values ({low:.4g} to {high:.4g}) are not {metric.name} of {table.name}"
    for unit, error, negated in _meanings(metric):
        if (unit or metric.unit, error, negated) == (options.unit or metric.unit, options.error, options.negated):
            continue
        if there.near(converted(raw, metric, unit, error=error, negated=negated))[judged].mean() >= _ALL:
            hint = " ".join(_hints((unit, error, negated), metric)) or f"{option('unit', metric.unit)}, no error"
            raise ParameterError(f"{what}; with {hint} they are")
    anyway = f"{option('check', False)} imports them anyway"
    if not there.low <= np.median(values[judged]) <= there.high:
        between = f"{there.low:.4g} to {there.high:.4g} {metric.unit}"
        raise ParameterError(f"{what}, which are {between}; {anyway}")
    if judged.sum() >= _FEW and _correlation(values[judged], there.mean[judged]) < _OPPOSITE:
        raise ParameterError(
            f"{what}: they fall where those rise; are they errors ({option('error', True)}) or negated "
            f"({option('negated', True)})? {anyway}"
        )


def _meanings(metric: Metric) -> Iterator[Meaning]:
    units = tuple(SCALES) if metric.unit in SCALES else (None,)
    errors = (False, True) if metric.unit in SCALES else (False,)
    yield from itertools.product(units, errors, (False, True))


def _hints(meaning: Meaning, metric: Metric) -> Iterator[str]:
    unit, error, negated = meaning
    if unit is not None and unit != metric.unit:
        yield option("unit", unit)
    if error:
        yield option("error", True)
    if negated:
        yield option("negated", True)


def _correlation(one: FloatArray, other: FloatArray) -> float:
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def _count(which: NDArray[np.bool_]) -> str:
    return f"{int(which.sum()):,}"
