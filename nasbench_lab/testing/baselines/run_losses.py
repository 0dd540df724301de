"""Losses of runs, which the statistical tier of a baseline compares. Lower is always better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nasbench_lab.analysis.trajectories import TimeAxis, incumbent_trajectories
from nasbench_lab.arrays import FloatArray
from nasbench_lab.simulation.trace import Trace
from nasbench_lab.tables import Table
from nasbench_lab.testing.baselines.expected_evaluations import expected_seconds

LOSSES: Mapping[str, str] = {
    "anytime": "mean regret over the checkpoints",
    "clock": "simulated seconds, divided by the seconds of the same evaluations in the table",
    "final": "regret at the end",
    "unused": "evaluations of the budget that were not used",
}
"""The losses of a run by name, with their meaning."""

_TIMES = 8  # checkpoints of a budget in seconds: the budget, half of it, a quarter, ...
_DIGITS = 9  # significant digits; the last bits of a mean can differ between platforms


@dataclass(frozen=True)
class RegretScale:
    """How the regrets of a baseline, and of runs that are compared with it, are measured.

    Attributes:
        kind: kind of the regret.
        axis: unit of the checkpoints.
        checkpoints: points at which the anytime regret is measured, ascending: 1, 2, 4, ... evaluations, or the seconds
            of the budget divided by ..., 4, 2, 1.
    """

    kind: Literal["valid", "test"]
    axis: TimeAxis
    checkpoints: tuple[float, ...]


def scale_of(trace: Trace) -> RegretScale:
    """Return how the regrets of a trace are measured: on test if the table has test, in the unit of the budget."""
    kind: Literal["valid", "test"] = "test" if "test" in trace.reference.means else "valid"
    budget = trace.setting.budget
    if budget.seconds is not None:
        return RegretScale(kind, "seconds", tuple(budget.seconds / 2**n for n in reversed(range(_TIMES))))
    steps = max(trace.steps, 1)
    return RegretScale(kind, "evaluations", (*(float(2**n) for n in range((steps - 1).bit_length())), float(steps)))


def losses(trace: Trace, table: Table, scale: RegretScale) -> dict[str, FloatArray]:
    """Return the losses of every run by name (see `LOSSES`), each of shape (runs,) and without NaN.

    Regrets are in the unit of the metric, and those of incumbents (see `Trace.incumbent`). A run without one has the
    regret of the worst architecture. There is no ``clock`` if the table has no times, and no ``unused`` without a
    budget in evaluations; a search that trained networks itself has neither.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.testing import synthetic_table
    >>> table = synthetic_table()
    >>> trace = nl.simulate(table, "random-search", runs=2, budget=nl.Budget(evaluations=5))
    >>> found = losses(trace, table, scale_of(trace))
    >>> found["clock"].tolist(), found["unused"].tolist()
    ([1.0, 1.0], [0.0, 0.0])
    """
    worst = float(np.nanmax(trace.reference.regret(scale.kind, trace.reference.mean(scale.kind))))
    final = trace.reference.regret(scale.kind, trace.final(scale.kind))
    anytime = _at_checkpoints(trace, scale)
    found = {
        "anytime": np.where(np.isnan(anytime), worst, anytime).mean(axis=1),
        "final": np.where(np.isnan(final), worst, final),
    }
    if table.has_times and trace.evaluations.all() and not trace.setting.trains_networks:
        charged = np.where(trace.mask, expected_seconds(trace, table).most, 0.0).sum(axis=1)
        ends = np.where(trace.mask, trace.time, 0.0).max(axis=1)
        if (charged > 0).all() and np.isfinite(ends).all():
            found["clock"] = ends / charged
    limit = trace.setting.budget.evaluations
    if limit is not None and not trace.setting.trains_networks:
        found["unused"] = (limit - trace.evaluations).astype(np.float64)
    return {name: rounded(values) for name, values in found.items()}


def rounded(values: FloatArray) -> FloatArray:
    """Round values to the digits that a baseline file keeps.

    >>> rounded(np.array([1 / 3, 0.0])).tolist()
    [0.333333333, 0.0]
    """
    return np.array([float(f"{value:.{_DIGITS}g}") for value in values.tolist()])


def _at_checkpoints(trace: Trace, scale: RegretScale) -> FloatArray:
    """Return regrets at the checkpoints, (runs, checkpoints): NaN before the first value, the last after the end."""
    found = incumbent_trajectories(trace)
    regret = found.regret_at(scale.kind, found.at(scale.axis, np.array(scale.checkpoints))).T
    return np.where(np.isinf(regret), np.nan, regret)
