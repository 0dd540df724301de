"""The seconds and values that the evaluations of a trace must have according to the table."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.simulation.measurements import MEAN
from nasbench_lab.simulation.trace import Trace
from nasbench_lab.tables import Table


class ExpectedSeconds(NamedTuple):
    """Range of seconds of evaluations, shape (runs, steps); NaN after the end of a run and for unknown times.

    Attributes:
        most: seconds of a training from its start, and a validation.
        least: the same, if trainings can be resumed without the training up to the next lower fidelity.
    """

    most: FloatArray
    least: FloatArray


def expected_seconds(trace: Trace, table: Table) -> ExpectedSeconds:
    """Return the seconds that the evaluations of a trace cost according to a table, which must have times."""
    most = np.full(trace.architecture.shape, np.nan)
    spared = np.zeros(trace.architecture.shape)
    for epochs in _fidelities(trace):
        here = trace.mask & (trace.fidelity == epochs)
        which = trace.architecture[here], trace.repeat[here]
        most[here] = _of(table.cost(epochs), *which)
        lower = [other for other in table.fidelities if other < epochs]
        if table.description.resumable and lower:
            spared[here] = _of(table.training_cost(lower[-1]), *which)
    return ExpectedSeconds(most, most - spared)


def expected_values(trace: Trace, table: Table, metric: str) -> FloatArray:
    """Return the values of a table's metric for the evaluations of a trace, (runs, steps); NaN after a run's end."""
    values = np.full(trace.architecture.shape, np.nan)
    for epochs in _fidelities(trace):
        here = trace.mask & (trace.fidelity == epochs)
        architecture, repeat = trace.architecture[here], trace.repeat[here]
        single = _of(table.repeat_values(metric, epochs), architecture, repeat)
        values[here] = np.where(repeat == MEAN, table.mean_values(metric, epochs)[architecture], single)
    return values


def _fidelities(trace: Trace) -> list[int]:
    return np.unique(trace.fidelity[trace.mask]).tolist()


def _of(columns: FloatArray, architecture: FloatArray, repeat: FloatArray) -> FloatArray:
    """Return entries of an array of shape (architectures, repeats or 1); means over repeats if they were observed."""
    if columns.shape[1] == 1:
        return columns[architecture, 0]
    rows = columns[architecture]
    known = ~np.isnan(rows)
    with np.errstate(invalid="ignore"):
        mean = np.where(known, rows, 0.0).sum(axis=1) / known.sum(axis=1)
    single = np.take_along_axis(rows, np.maximum(repeat, 0).astype(np.int64)[:, None], axis=1)[:, 0]
    return np.where(repeat == MEAN, mean, single)
