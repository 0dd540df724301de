"""Area under the anytime curve: one number for the quality of a whole search."""

from __future__ import annotations

import numpy as np

from nasbench_lab.analysis.trajectories import TimeAxis, Trajectories
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation.trace import RegretKind


def area_under_curve(
    found: Trajectories, kind: RegretKind, axis: TimeAxis, end: float, before: float, start: float = 0.0
) -> FloatArray:
    """Return the average regret of each run over a period, shape (runs,).

    This is the area under the curve of the run, divided by the length of the period; it is exact. The regret at a time
    is that of the incumbent, from the moment when the incumbent's evaluation ended. Until a run has a value it counts
    as a given regret, usually that of the average random architecture, which needs no search. The axis is linear: the
    last half of a budget counts as much as the first.

    Args:
        found: the runs.
        kind: which regret.
        axis: unit of the period.
        end: of the period; no run may have ended earlier.
        before: regret of a run that has no value yet.
        start: of the period.

    Raises:
        ParameterError: some run ended before ``end``, or the period is empty.
        MissingDataError: the table has no times.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.analysis.trajectories import incumbent_trajectories
    >>> from nasbench_lab.testing import synthetic_table
    >>> trace = nl.simulate(synthetic_table(), "random-search", runs=1, budget=nl.Budget(evaluations=3))
    >>> area = area_under_curve(incumbent_trajectories(trace), "test", "evaluations", end=3, before=1.0)
    >>> bool(np.isclose(area[0], (1.0 + trace.regret("test")[0, :2].sum()) / 3))
    True
    """
    if not start < end <= found.end(axis) or start < 0:
        raise ParameterError(f"an area needs 0 <= start < end <= {found.end(axis):g}, got {start:g} and {end:g}")
    regret = np.where(np.isfinite(found.regrets[kind]), found.regrets[kind], before)
    since = found.times[axis]
    until = np.full(since.shape, np.inf)
    same = found.run[1:] == found.run[:-1]
    until[:-1][same] = since[1:][same]
    lasted = np.clip(until, start, end) - np.clip(since, start, end)
    area = np.bincount(found.run, regret * lasted, minlength=found.runs)
    without = (end - start) - np.bincount(found.run, lasted, minlength=found.runs)
    return (area + before * np.maximum(without, 0.0)) / (end - start)
