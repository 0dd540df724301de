"""The clock of steps: the seconds of the log, or the costs of the table."""

from __future__ import annotations

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import MissingDataError, ParameterError
from nasbench_lab.simulation.steps.columns import StepColumns
from nasbench_lab.simulation.steps.options import StepOptions
from nasbench_lab.simulation.steps.run_order import RunOrder
from nasbench_lab.tables.importers.columns.hints import option
from nasbench_lab.tables.table import Table


def logged_seconds(columns: StepColumns) -> FloatArray | None:
    """Return the seconds of a log; None if it has none.

    Raises:
        ParameterError: some are missing, or one is negative.
    """
    if columns.is_empty("seconds"):
        return None
    seconds = columns.numbers("seconds")
    missing = np.flatnonzero(np.isnan(seconds))
    if len(missing):
        others = f"{option('clock', 'table')} charges those of the table, {option('clock', 'none')} none"
        raise ParameterError(
            f"{columns.row(int(missing[0]))} has no seconds, while other rows have; a clock must be complete: {others}"
        )
    negative = np.flatnonzero(seconds < 0)
    if len(negative):
        first = int(negative[0])
        raise ParameterError(f"{columns.row(first)}: seconds must not be negative, got {seconds[first]:g}")
    return seconds


def log_clock(seconds: FloatArray, columns: StepColumns, order: RunOrder, options: StepOptions) -> FloatArray:
    """Return the seconds since the start of the run at the end of each evaluation, in order.

    Args:
        seconds: seconds of the rows.
        columns: the columns.
        order: the order of the rows.
        options: how the steps are to be read.

    Raises:
        ParameterError: elapsed seconds decrease within a run.
    """
    ordered = seconds[order.rows]
    if options.durations:
        return sums_in_runs(ordered, order)
    earlier = np.flatnonzero((np.diff(ordered) < 0) & (np.diff(order.run) == 0))
    if len(earlier):
        place = int(earlier[0])
        where, before = columns.row(int(order.rows[place + 1])), columns.row(int(order.rows[place]))
        raise ParameterError(
            f"{where} ends before the evaluation of {before}; evaluations are ordered by their ends with "
            f"{option('order', 'seconds')}; if the seconds are those of single evaluations, give "
            f"{option('durations', True)}"
        )
    return ordered


def table_clock(
    table: Table, architecture: IntArray, fidelity: IntArray, before: IntArray, repeat: IntArray, order: RunOrder
) -> FloatArray:
    """Return the seconds at the end of each evaluation if one worker pays the costs of the table.

    Args:
        table: the table.
        architecture: of the evaluations, in order, shape (rows,).
        fidelity: training epochs of each, shape (rows,).
        before: epochs after which each continues an earlier evaluation; 0 for a new training, shape (rows,).
        repeat: number of the repeat of each; -1 for the mean over repeats, shape (rows,).
        order: the order of the rows.

    Raises:
        MissingDataError: the table has no times, or not those of an evaluation.
    """
    if not table.has_times:
        raise MissingDataError(f"table {table.name!r} has no times, so {option('clock', 'table')} is impossible")
    resumable = table.description.resumable
    cost = _costs(table, architecture, fidelity, repeat)
    if resumable and before.any():
        trained = _costs(table, architecture, fidelity, repeat, training=True)
        earlier = _costs(table, architecture, np.where(before > 0, before, fidelity), repeat, training=True)
        cost = np.where(before > 0, cost - trained + (trained - earlier), cost)
    missing = int(np.isnan(cost).sum())
    if missing:
        raise MissingDataError(
            f"table {table.name!r} lacks the times of {missing:,} evaluations, so {option('clock', 'table')} is "
            f"impossible; it has those at {_shown(table.fidelities)} epochs"
        )
    return sums_in_runs(cost, order)


def sums_in_runs(numbers: FloatArray, order: RunOrder) -> FloatArray:
    """Return cumulative sums that start anew with every run."""
    found = np.empty(len(numbers))
    ends = np.cumsum(order.lengths)
    for first, end in zip(ends - order.lengths, ends, strict=True):
        found[first:end] = np.cumsum(numbers[first:end])
    return found


def _costs(
    table: Table, architecture: IntArray, fidelity: IntArray, repeat: IntArray, *, training: bool = False
) -> FloatArray:
    """Return the seconds of evaluations, or of their trainings alone; NaN where the table has none."""
    found = np.full(len(architecture), np.nan)
    for epochs in np.unique(fidelity).tolist():
        if epochs not in table.fidelities:
            continue
        rows = np.flatnonzero(fidelity == epochs)
        every = table.training_cost(epochs) if training else table.cost(epochs)
        every = np.broadcast_to(every, (len(every), table.repeats)) if every.shape[1] == 1 else every
        present = ~np.isnan(every)
        with np.errstate(invalid="ignore"):
            mean = np.where(present, every, 0.0).sum(axis=1) / present.sum(axis=1)
        one = every[architecture[rows], np.maximum(repeat[rows], 0)]
        found[rows] = np.where(repeat[rows] < 0, mean[architecture[rows]], one)
    return found


def _shown(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers)) if len(numbers) <= 4 else f"{numbers[0]} to {numbers[-1]}"
