"""Incumbent trajectories: when the incumbent of each run changed, and how far each was from the optimum.

A run has few incumbents, so this is a small part of a trace and says all that an anytime analysis needs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.analysis.curves import Axis, run_ends
from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import MissingDataError, unknown
from nasbench_lab.simulation.trace import REGRETS, RegretKind, Trace

_EVALUATIONS_AT_A_TIME = 2**21

_ROUNDING = 1e-12
"""Relative difference below which times on a grid are equal: a share of a budget may be rounded."""


@dataclasses.dataclass(frozen=True, eq=False)
class Trajectories:
    """The incumbents of every run, one entry (E in all) for each change; by run, and within a run in order of time.

    Attributes:
        runs: number of runs, R.
        run: whose incumbent, from 0, shape (E,).
        times: per axis, when it became the incumbent: the number of its evaluation, or the simulated seconds at the end
            of it. ``"seconds"`` only where the table has times. Shape (E,).
        architecture: its index, shape (E,).
        regrets: per kind that exists, its regret in the metric's unit, inf where its mean is not known, shape (E,).
        ends: per axis, when every run ended, shape (R,).
    """

    runs: int
    run: IntArray
    times: Mapping[Axis, FloatArray]
    architecture: IntArray
    regrets: Mapping[RegretKind, FloatArray]
    ends: Mapping[Axis, FloatArray]

    def end(self, axis: Axis) -> float:
        """Return when the first run ended."""
        return float(self.ends[self._known(axis)].min())

    def at(self, axis: Axis, grid: FloatArray) -> IntArray:
        """Return the entry of every run's incumbent at given times, shape (points, R); -1 before there is one.

        Right-continuous. Nothing is said of whether a run had ended by then.

        Args:
            axis: what the grid counts.
            grid: ascending times.
        """
        place = np.searchsorted(grid * (1 + _ROUNDING), self.times[self._known(axis)])
        seen = np.flatnonzero(place < len(grid))
        entries = np.full((len(grid), self.runs), -1, dtype=np.int64)
        entries[place[seen], self.run[seen]] = seen  # of several at one place, the last is kept
        return np.maximum.accumulate(entries, axis=0)

    def regret_at(self, kind: RegretKind, entries: IntArray) -> FloatArray:
        """Return the regret of entries, as `at` gives them, of the same shape; inf where there is none."""
        return self._padded[kind][entries]

    def final(self) -> IntArray:
        """Return the entry of every run's last incumbent, shape (R,); -1 where it has none."""
        last = np.full(self.runs, -1, dtype=np.int64)
        last[self.run] = np.arange(len(self.run))
        return last

    @cached_property
    def _padded(self) -> dict[RegretKind, FloatArray]:
        """Regrets with one more entry, which -1 points to."""
        return {kind: np.append(regret, np.inf) for kind, regret in self.regrets.items()}

    def _known(self, axis: Axis) -> Axis:
        if axis not in ("evaluations", "seconds"):
            raise unknown("axis", axis, ("evaluations", "seconds"))
        if axis not in self.times:
            raise MissingDataError("the table has no times")
        return axis


def incumbent_trajectories(trace: Trace) -> Trajectories:
    """Return the incumbent trajectories of a trace.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.testing import synthetic_table
    >>> trace = nl.simulate(synthetic_table(), "random-search", runs=2, budget=nl.Budget(evaluations=50))
    >>> found = incumbent_trajectories(trace)
    >>> bool((found.regret_at("test", found.final()) == trace.regret("test")[:, -1]).all())
    True
    """
    parts = [(first, *_changes(part)) for first, part in _parts(trace)]
    run = np.concatenate([first + run for first, run, _, _ in parts])
    step = np.concatenate([step for _, _, step, _ in parts])
    observed = np.concatenate([regret for _, _, _, regret in parts])
    architecture = trace.architecture[run, step].astype(np.int64)
    times: dict[Axis, FloatArray] = {"evaluations": step + 1.0}
    ends: dict[Axis, FloatArray] = {"evaluations": trace.evaluations.astype(np.float64)}
    if not np.isnan(trace.time[trace.mask]).any():
        times["seconds"] = trace.time[run, step]
        ends["seconds"] = run_ends(trace)
    regrets: dict[RegretKind, FloatArray] = {"observed": observed}
    for kind in REGRETS[1:]:
        if kind in trace.reference.means:
            regret = trace.reference.regret(kind, trace.reference.mean(kind))[architecture]
            regrets[kind] = np.where(np.isnan(regret), np.inf, regret)
    return Trajectories(trace.runs, run, times, architecture, regrets, ends)


def _parts(trace: Trace) -> Iterator[tuple[int, Trace]]:
    """Yield consecutive runs with the number of the first, few enough that working memory stays small."""
    names = ("architecture", "fidelity", "repeat", "observed", "time", "mask", "stopped")
    together = max(1, _EVALUATIONS_AT_A_TIME // max(1, trace.steps))
    for first in range(0, trace.runs, together):
        rows = slice(first, first + together)
        yield first, dataclasses.replace(trace, **{name: getattr(trace, name)[rows] for name in names})


def _changes(trace: Trace) -> tuple[IntArray, IntArray, FloatArray]:
    """Return run, step and observed regret of every new incumbent, by run and then by step, shape (E,) each.

    An architecture that was evaluated again with a better value is a new incumbent, too.
    """
    incumbent, regret = trace.incumbent(), trace.regret("observed")
    changed: NDArray[np.bool_] = incumbent >= 0
    same = (incumbent[:, 1:] == incumbent[:, :-1]) & (regret[:, 1:] == regret[:, :-1])
    changed[:, 1:] &= ~same
    # Steps of all runs lie side by side in memory, so they are searched in that order and then sorted by run.
    step, run = np.nonzero(changed.T)
    order = np.argsort(run, kind="stable")
    run, step = run[order], step[order]
    return run, step, regret[run, step]
