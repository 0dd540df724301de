"""Incumbent trajectories: when the incumbent of each run changed, and its regret.

A run has few incumbents, so its trajectory is a small part of its trace. All anytime analysis starts from it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import MissingDataError
from nasbench_lab.messages import unknown
from nasbench_lab.simulation.trace import REGRETS, RegretKind, Trace
from nasbench_lab.tables.description import Direction

TimeAxis = Literal["evaluations", "seconds"]
"""What the progress of a run is counted in: finished evaluations, or simulated seconds."""

TIME_AXES: tuple[TimeAxis, ...] = ("evaluations", "seconds")

NO_EVALUATIONS = "a search that trains networks itself has no evaluations; its axis is seconds"
"""Why such a search has no curve over evaluations."""

_Name = TypeVar("_Name", bound=str)

_ROUNDING = 1e-12
"""Relative difference below which times on a grid are equal: a share of a budget may be rounded."""


@dataclasses.dataclass(frozen=True, eq=False)
class Trajectories:
    """The incumbents of R runs: E entries, one per change of an incumbent, sorted by run and then by time.

    Attributes:
        runs: number of runs, R.
        run: the run of each entry, from 0, shape (E,).
        times: per axis, when the entry became the incumbent: the number of its evaluation, or the simulated seconds at
            the end of that evaluation. ``"seconds"`` only where the table has times, and ``"evaluations"`` only where
            the search evaluated anything (see `Setting.trains_networks`). Shape (E,).
        architecture: index of the architecture, shape (E,); -1 where a run that had an incumbent has none, as its
            strategy now recommends nothing that counts.
        regrets: per kind that exists, regret of the architecture in the metric's unit; inf where its mean is not known
            or there is no architecture, shape (E,).
        ends: per axis, when each run ended, shape (R,).
        without_optimum: kinds whose optimum is not known. Their "regrets" are losses: the values themselves, with the
            sign turned where higher is better.
    """

    runs: int
    run: IntArray
    times: Mapping[TimeAxis, FloatArray]
    architecture: IntArray
    regrets: Mapping[RegretKind, FloatArray]
    ends: Mapping[TimeAxis, FloatArray]
    without_optimum: tuple[RegretKind, ...] = ()

    def relative_to(self, best: Mapping[RegretKind, float]) -> Trajectories:
        """Return trajectories in which the losses of kinds without optimum are regrets, given the best loss of each."""
        regrets = {
            kind: regret - best[kind] if kind in self.without_optimum else regret
            for kind, regret in self.regrets.items()
        }
        return dataclasses.replace(self, regrets=regrets)

    def end(self, axis: TimeAxis) -> float:
        """Return when the first run ended."""
        return float(self.ends[self._known(axis)].min())

    def at(self, axis: TimeAxis, grid: FloatArray) -> IntArray:
        """Return the entry of each run's incumbent at given times, shape (points, R); -1 before the first incumbent.

        Right-continuous. A run that has ended keeps its last incumbent; see `ends` for when runs ended.

        Args:
            axis: what the grid counts.
            grid: ascending times, shape (points,).

        Raises:
            UnknownNameError: there is no such axis.
            MissingDataError: the table has no times, or the search evaluated nothing.
        """
        place = np.searchsorted(grid * (1 + _ROUNDING), self.times[self._known(axis)])
        seen = np.flatnonzero(place < len(grid))
        entries = np.full((len(grid), self.runs), -1, dtype=np.int64)
        entries[place[seen], self.run[seen]] = seen  # of several entries at one place, the last is kept
        return np.maximum.accumulate(entries, axis=0)

    def regret_at(self, kind: RegretKind, entries: IntArray) -> FloatArray:
        """Return the regrets of entries as returned by `at`, in the same shape; inf for -1."""
        return self._padded[kind][entries]

    def final(self) -> IntArray:
        """Return the entry of each run's last incumbent, shape (R,); -1 where a run has none."""
        last = np.full(self.runs, -1, dtype=np.int64)
        last[self.run] = np.arange(len(self.run))
        return last

    @cached_property
    def _padded(self) -> dict[RegretKind, FloatArray]:
        """Regrets with one more entry at the end, to which -1 points."""
        return {kind: np.append(regret, np.inf) for kind, regret in self.regrets.items()}

    def _known(self, axis: TimeAxis) -> TimeAxis:
        if axis not in TIME_AXES:
            raise unknown("axis", axis, TIME_AXES)
        if axis not in self.times:
            raise MissingDataError(NO_EVALUATIONS if axis == "evaluations" else "the table has no times")
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
    return join_trajectories([_of_block(block) for block in trace.blocks()])


def counted_on(axis: TimeAxis, found: Sequence[Trajectories | None]) -> list[Trajectories | None]:
    """Return trajectories with None for those of searches that have no evaluations, if that is the axis.

    Raises:
        MissingDataError: none has any.
    """
    if axis != "evaluations":
        return list(found)
    kept = [each if each is not None and axis in each.times else None for each in found]
    if any(each is not None for each in found) and not any(each is not None for each in kept):
        raise MissingDataError(NO_EVALUATIONS)
    return kept


def join_trajectories(blocks: Sequence[Trajectories]) -> Trajectories:
    """Join the trajectories of consecutive runs of one simulation, in order."""
    if len(blocks) == 1:
        return blocks[0]
    firsts = np.cumsum([0, *(block.runs for block in blocks)])
    return Trajectories(
        runs=int(firsts[-1]),
        run=np.concatenate([first + block.run for first, block in zip(firsts, blocks, strict=False)]),
        times=_joined([block.times for block in blocks]),
        architecture=np.concatenate([block.architecture for block in blocks]),
        regrets=_joined([block.regrets for block in blocks]),
        ends=_joined([block.ends for block in blocks]),
        without_optimum=blocks[0].without_optimum,
    )


def _joined(parts: Sequence[Mapping[_Name, FloatArray]]) -> dict[_Name, FloatArray]:
    """Join the arrays that all parts have: there are seconds only if all evaluations have times."""
    names = [name for name in parts[0] if all(name in part for part in parts)]
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


def _of_block(trace: Trace) -> Trajectories:
    reference = trace.reference
    run, step, architecture, observed = _changes(trace)
    times: dict[TimeAxis, FloatArray] = {}
    ends: dict[TimeAxis, FloatArray] = {}
    regrets: dict[RegretKind, FloatArray] = {}
    if observed is not None:
        times["evaluations"] = step.astype(np.float64) + 1
        ends["evaluations"] = trace.evaluations.astype(np.float64)
        regrets["observed"] = observed
    if not np.isnan(trace.time[trace.mask]).any():
        times["seconds"] = trace.time[run, step]
        ends["seconds"] = _ends_in_seconds(trace)
    for kind in REGRETS[1:]:
        if kind in reference.means:
            if reference.members is None:
                regret = reference.regret(kind, reference.mean(kind))[architecture]
            elif reference.knows_optimum(kind):
                regret = reference.regret(kind, reference.means_of(architecture, kind))
            else:
                regret = _loss(reference.means_of(architecture, kind), reference.metrics[kind].direction)
            regrets[kind] = np.where(np.isnan(regret) | (architecture < 0), np.inf, regret)
    without = tuple(kind for kind in regrets if not reference.knows_optimum(kind))
    return Trajectories(trace.runs, run, times, architecture, regrets, ends, without)


def _loss(value: FloatArray, direction: Direction) -> FloatArray:
    return value if direction == "minimize" else -value


def _ends_in_seconds(trace: Trace) -> FloatArray:
    """Return the simulated seconds at which each run ended, shape (R,); 0 for a run without evaluations.

    A run that a budget in seconds ended, ends with the budget: until then it was training, with the same incumbent.
    What a search that trains networks itself recommends holds until the end of the budget.
    """
    last = np.where(trace.mask, trace.time, 0.0).max(axis=1, initial=0.0)
    budget = trace.setting.budget
    limit = budget.max_evaluations(trace.setting.fidelity)
    if budget.seconds is None:
        return last
    unlimited = limit is None or trace.setting.trains_networks
    used_up = np.zeros(trace.runs, dtype=bool) if unlimited else trace.evaluations == limit
    return np.where(used_up | trace.stopped, last, budget.seconds)


def _changes(trace: Trace) -> tuple[IntArray, IntArray, IntArray, FloatArray | None]:
    """Return run, step, architecture and observed regret of each new incumbent, by run and then by step, shape (E,).

    Where the best observed value changes, this counts as a new incumbent, too: the architecture may be the same. There
    is no observed regret if the search observed nothing.
    """
    incumbent = trace.incumbent()
    changed: NDArray[np.bool_] = incumbent >= 0
    changed[:, 1:] |= trace.mask[:, 1:] & (incumbent[:, :-1] >= 0)  # what counted does so no longer
    same = incumbent[:, 1:] == incumbent[:, :-1]
    regret = None
    if not trace.setting.trains_networks:
        if trace.reference.knows_optimum("observed"):
            regret = trace.regret("observed")
        else:
            regret = _loss(trace.value("observed"), trace.setting.objective.direction)
        if trace.recommended is not None:  # an architecture can be recommended before there is a value
            regret[np.isnan(regret)] = np.inf
        same &= regret[:, 1:] == regret[:, :-1]
    changed[:, 1:] &= ~same
    # Steps of all runs lie side by side in memory, so they are searched in that order and then sorted by run.
    step, run = np.nonzero(changed.T)
    order = np.argsort(run, kind="stable")
    run, step = run[order], step[order]
    return run, step, incumbent[run, step], None if regret is None else regret[run, step]
