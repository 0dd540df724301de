"""Anytime curves: a quantity of every run on a common grid, and its quantiles over runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from nasbench_lab.analysis.quantiles import run_quantiles
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import MissingDataError, unknown
from nasbench_lab.simulation.trace import RegretKind, Trace

Axis = Literal["evaluations", "seconds"]

_GRID_POINTS = 256


@dataclass(frozen=True, eq=False)
class Curve:
    """Quantiles over runs along a grid.

    Attributes:
        axis: what the grid counts.
        grid: ascending, shape (points,).
        quantiles: lower quartile, median, upper quartile, shape (3, points); inf where so many runs have no value yet.
        runs: number of runs.
    """

    axis: Axis
    grid: FloatArray
    quantiles: FloatArray
    runs: int


def regret_curve(trace: Trace, kind: RegretKind = "test", axis: Axis = "evaluations") -> Curve:
    """Return median and quartiles of the regret over runs, against evaluations or simulated seconds.

    Right-continuous: a run has the regret of its incumbent from the moment the evaluation ends. A run without a value
    yet counts as infinitely bad. Never extrapolated: the grid ends where the first run ends. A run that a budget in
    seconds ended, ends with the budget: until then it was training, with the same incumbent.

    Args:
        trace: the runs.
        kind: which regret, see `Trace.regret`.
        axis: ``"evaluations"`` or ``"seconds"``.

    Raises:
        UnknownNameError: no such kind or axis.
        MissingDataError: the table has no times, or no measurements of that split, or there is nothing to draw.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.testing import synthetic_table
    >>> trace = nl.simulate(synthetic_table(), "random-search", runs=9, budget=nl.Budget(evaluations=20))
    >>> regret_curve(trace).quantiles.shape
    (3, 20)
    """
    values = trace.regret(kind)
    if axis == "evaluations":
        shortest = int(trace.evaluations.min())
        if not shortest:
            raise MissingDataError("some run ended before its first evaluation")
        grid = np.arange(1, shortest + 1, dtype=np.float64)
        on_grid = values[:, :shortest]
    elif axis == "seconds":
        grid = _time_grid(trace)
        on_grid = at_times(trace, values, grid)
    else:
        raise unknown("axis", axis, ("evaluations", "seconds"))
    return Curve(axis, grid, run_quantiles(on_grid), trace.runs)


def at_times(trace: Trace, values: FloatArray, seconds: FloatArray) -> FloatArray:
    """Return a quantity of every run at given times, shape (runs, times); NaN before the first evaluation ended.

    Args:
        trace: the runs.
        values: the quantity after every evaluation, shape (runs, steps).
        seconds: ascending times; the value at a time is that after the last evaluation that had ended by then.

    Raises:
        MissingDataError: the table has no times.
    """
    if np.isnan(trace.time[trace.mask]).any():
        raise MissingDataError(f"table {trace.setting.table!r} has no times")
    run, step = np.nonzero(trace.mask)
    place = np.searchsorted(seconds, trace.time[run, step])
    seen = place < len(seconds)
    if not trace.steps:
        return np.full((trace.runs, len(seconds)), np.nan)
    last = np.full((trace.runs, len(seconds)), -1, dtype=np.int64)
    np.maximum.at(last, (run[seen], place[seen]), step[seen])
    last = np.maximum.accumulate(last, axis=1)
    return np.where(last >= 0, np.take_along_axis(values, np.maximum(last, 0), axis=1), np.nan)


def _time_grid(trace: Trace) -> FloatArray:
    """Times from the first end of an evaluation in any run to the first end of a run, in equal ratios."""
    times = trace.time[trace.mask]
    if np.isnan(times).any():
        raise MissingDataError(f"table {trace.setting.table!r} has no times")
    if not (times > 0).any():
        raise MissingDataError("no run has an evaluation that takes time")
    start, end = float(times[times > 0].min()), float(run_ends(trace).min())
    if end < start:
        raise MissingDataError("some run ended before the first evaluation of any other")
    grid = np.geomspace(start, end, _GRID_POINTS)
    grid[-1] = end
    return grid


def run_ends(trace: Trace) -> FloatArray:
    """Return the simulated seconds at which every run ended, shape (runs,); 0 for one that had no evaluation.

    A run that a budget in seconds ended, ends with the budget: until then it was training.
    """
    last = np.where(trace.mask, trace.time, 0.0).max(axis=1, initial=0.0)
    budget = trace.setting.budget
    limit = budget.max_evaluations(trace.setting.fidelity)
    if budget.seconds is None:
        return last
    used_up = np.zeros(trace.runs, dtype=bool) if limit is None else trace.evaluations == limit
    return np.where(used_up | trace.stopped, last, budget.seconds)
