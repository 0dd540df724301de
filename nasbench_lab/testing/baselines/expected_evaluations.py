"""What the evaluations of a trace should cost, and should have shown, according to the table."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.simulation.measurements import MEAN
from nasbench_lab.simulation.trace import Trace
from nasbench_lab.tables import Table


class ExpectedSeconds(NamedTuple):
    """Seconds of evaluations, shape (runs, steps); NaN where a run had ended or a time is not known."""

    most: FloatArray  # a training from its start, and a validation
    least: FloatArray  # where trainings can be resumed, without the part up to the next lower fidelity


def expected_seconds(trace: Trace, table: Table) -> ExpectedSeconds:
    """Return what the evaluations of a trace cost by the table; it must have times."""
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
    """Return what a metric of a table has for the evaluations of a trace, shape (runs, steps); NaN after its end."""
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
    """Entries of an array of shape (architectures, repeats or 1); the mean over repeats where the mean was observed."""
    if columns.shape[1] == 1:
        return columns[architecture, 0]
    rows = columns[architecture]
    known = ~np.isnan(rows)
    with np.errstate(invalid="ignore"):
        mean = np.where(known, rows, 0.0).sum(axis=1) / known.sum(axis=1)
    single = np.take_along_axis(rows, np.maximum(repeat, 0).astype(np.int64)[:, None], axis=1)[:, 0]
    return np.where(repeat == MEAN, mean, single)
