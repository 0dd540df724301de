"""The budgets of runs that advance in lock step, and the log of their evaluations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.simulation.budget import Budget
from nasbench_lab.simulation.costs import AnySpending
from nasbench_lab.simulation.evaluator import Outcome
from nasbench_lab.simulation.reference import Reference
from nasbench_lab.simulation.run_arrays import MISSING, OPTIONAL, index_type
from nasbench_lab.simulation.setting import Setting
from nasbench_lab.simulation.trace import Trace

_DTYPES: dict[str, type[np.generic]] = {
    "repeat": np.int16,
    "observed": np.float64,
    "time": np.float64,
    "fidelity": np.int32,
}
_ALWAYS = ("architecture", "repeat", "observed", "time")
_MOST_AT_FIRST = 4096
"""Largest number of steps reserved at the start. The log doubles its capacity when it needs more."""


class LoggedRuns(NamedTuple):
    """The evaluations of some runs, to be sent to the process that keeps the log.

    Attributes:
        arrays: evaluations by name, shape (steps, runs).
        evaluations: how many evaluations of every run count, shape (runs,).
        stopped: which runs their strategy ended, shape (runs,).
    """

    arrays: dict[str, NDArray[Any]]
    evaluations: NDArray[np.int64]
    stopped: NDArray[np.bool_]


class Log:
    """The evaluations of all runs, as arrays of shape (steps, runs): one step of all runs is contiguous in memory.

    Args:
        runs: number of runs.
        budget: limits per run; they determine how much memory to reserve.
        fidelity: training epochs of every evaluation; None where evaluations differ.
        size: number of architectures of the space.
    """

    def __init__(self, runs: int, budget: Budget, fidelity: int | None, size: int = 1) -> None:
        self.runs = runs
        self._dtypes = {**_DTYPES, "architecture": index_type(size), "recommended": index_type(size)}
        limit = budget.evaluations if fidelity is None else budget.max_evaluations(fidelity)
        reserved = 64 if limit is None or budget.seconds is not None else limit
        self._capacity = min(reserved, _MOST_AT_FIRST)
        names = _ALWAYS if fidelity is not None else (*_ALWAYS, "fidelity")
        self._arrays: dict[str, NDArray[Any]] = {name: self._empty(name) for name in names}
        self._evaluations = np.zeros(runs, dtype=np.int64)
        self._stopped = np.zeros(runs, dtype=bool)

    def write(self, step: int, first: int, last: int, rows: dict[str, NDArray[Any]]) -> None:
        """Store arrays of runs ``first .. last - 1`` from ``step`` on, shape (k, last - first)."""
        end = step + len(next(iter(rows.values())))
        if end > self._capacity:
            self._grow(end)
        for name, array in rows.items():
            if name not in self._arrays:
                self._arrays[name] = self._empty(name)
            self._arrays[name][step:end, first:last] = array

    def close(self, first: int, last: int, evaluations: NDArray[np.int64], stopped: NDArray[np.bool_]) -> None:
        """Store how many evaluations of runs ``first .. last - 1`` count, and which runs their strategy ended."""
        self._evaluations[first:last] = evaluations
        self._stopped[first:last] = stopped

    def logged(self) -> LoggedRuns:
        """Return the evaluations of all runs."""
        return LoggedRuns(self._used(), self._evaluations, self._stopped)

    def insert(self, first: int, logged: LoggedRuns) -> None:
        """Store runs that another log has recorded, from run ``first`` on."""
        last = first + len(logged.evaluations)
        self.write(0, first, last, logged.arrays)
        self.close(first, last, logged.evaluations, logged.stopped)

    def _used(self) -> dict[str, NDArray[Any]]:
        """Return the arrays without the steps that no run has reached."""
        steps = int(self._evaluations.max())
        return {name: array[:steps] for name, array in self._arrays.items()}

    def occurring(self) -> IntArray:
        """Return the architectures that were evaluated within the budgets or recommended, each once; and maybe -1."""
        arrays = self._used()
        counts = np.arange(len(arrays["architecture"]))[:, None] < self._evaluations
        found = [np.unique(arrays[name][counts]) for name in ("architecture", "recommended") if name in arrays]
        return np.unique(np.concatenate(found)).astype(np.int64)

    def trace(self, setting: Setting, reference: Reference) -> Trace:
        """Return the trace of the evaluations that count. Constant columns take no memory."""
        arrays = self._used()
        steps = len(arrays["architecture"])
        shape = (steps, self.runs)
        fidelity = arrays.pop("fidelity", np.broadcast_to(np.int32(setting.fidelity), shape))
        mask: NDArray[np.bool_] = np.broadcast_to(np.True_, shape)
        if (self._evaluations < steps).any():
            mask = np.arange(steps)[:, None] < self._evaluations
            fidelity = np.where(mask, fidelity, np.int32(MISSING["fidelity"]))
            for name, array in arrays.items():
                array[~mask] = MISSING[name]
        columns = {"fidelity": fidelity, "mask": mask, **arrays}
        return Trace(setting, reference, stopped=self._stopped, **{name: a.T for name, a in columns.items()})

    def _grow(self, needed: int) -> None:
        self._capacity = max(needed, 2 * self._capacity)
        for name, array in self._arrays.items():
            self._arrays[name] = self._empty(name)
            self._arrays[name][: len(array)] = array

    def _empty(self, name: str) -> NDArray[Any]:
        """Return a new array of the current capacity; an optional one with missing values, as not all runs write it."""
        array = np.empty((self._capacity, self.runs), self._dtypes[name])
        if name in OPTIONAL:
            array[:] = MISSING[name]
        return array


class Clock:
    """The budgets of runs ``first .. last - 1`` of a log. The runs advance in lock step.

    Args:
        log: stores the evaluations.
        budget: limits per run.
        fidelity: training epochs of every evaluation; None where evaluations differ.
        first: index of the first run in the log.
        last: index after the last run in the log.
        spendings: costs that the budget limits, besides epochs and seconds.
        watch: called with this clock after every step.
    """

    def __init__(
        self,
        log: Log,
        budget: Budget,
        fidelity: int | None,
        first: int,
        last: int,
        spendings: Sequence[AnySpending] = (),
        watch: Callable[[Clock], None] | None = None,
    ) -> None:
        self.first, self.runs = first, last - first
        self._log = log
        self._limit = budget.evaluations if fidelity is None else budget.max_evaluations(fidelity)
        self._seconds = budget.seconds
        self._fidelity = fidelity or 0
        self._spendings = [(spending, np.zeros(self.runs)) for spending in spendings]
        self._epochs = budget.epochs if fidelity is None else None
        self._watch = watch
        self._steps = self._recorded = 0  # evaluations of a run: in all, and in the last call of `record`
        self._recommended: IntArray = np.full(self.runs, -1)
        self._now: FloatArray = np.zeros(self.runs)  # seconds
        self._used: NDArray[np.int64] = np.zeros(self.runs, dtype=np.int64)  # epochs
        self._running: NDArray[np.bool_] = np.ones(self.runs, dtype=bool)
        self._evaluations: NDArray[np.int64] = np.zeros(self.runs, dtype=np.int64)
        self._stopped: NDArray[np.bool_] = np.zeros(self.runs, dtype=bool)
        self.finished = self._limit == 0

    def room(self, asked: int) -> int:
        """Return how many of the next ``asked`` evaluations the limit in evaluations allows."""
        return asked if self._limit is None else min(asked, self._limit - self._steps)

    def record(self, outcome: Outcome, time: FloatArray) -> None:
        """Count and log evaluations, shape (runs, k), in the order of their ends.

        Args:
            outcome: outcome of the evaluations.
            time: simulated seconds at the end of each evaluation, shape (k, runs); NaN where times are unknown.
        """
        rows: dict[str, NDArray[Any]] = {
            "architecture": outcome.architecture.T,
            "repeat": outcome.repeat.T,
            "observed": outcome.value.T,
            "time": time,
        }
        if outcome.fidelity is not None:
            rows["fidelity"] = outcome.fidelity.T
        self._log.write(self._steps, self.first, self.first + self.runs, rows)
        self._count(outcome, time)
        self._now = time[-1]
        self._recorded = len(time)
        self._steps += self._recorded
        if self._steps == self._limit or not self._running.any():
            self.finished = True
            self._log.close(self.first, self.first + self.runs, self._evaluations, self._stopped)
        if self._watch is not None:
            self._watch(self)

    def recommend(self, recommended: IntArray) -> None:
        """Log what the runs recommend after the recorded evaluations, shape (runs,).

        It belongs to the last of the evaluations that were recorded together. At the others, the earlier one holds.
        """
        rows = np.broadcast_to(self._recommended, (self._recorded, self.runs)).copy()
        rows[-1] = recommended
        self._log.write(self._steps - len(rows), self.first, self.first + self.runs, {"recommended": rows})
        self._recommended = recommended

    @property
    def running(self) -> NDArray[np.bool_]:
        """Which runs have budget left, shape (runs,)."""
        return self._running

    @property
    def runs_done(self) -> float:
        """How many runs are done. A run that goes on counts by the part of its budget that it has used."""
        limits: list[tuple[FloatArray | NDArray[np.int64] | int, float | None]] = [
            (self._steps, self._limit),
            (self._used, self._epochs),
            (self._now, self._seconds),
            *((spent, spending.limit) for spending, spent in self._spendings),
        ]
        parts: FloatArray = np.zeros(self.runs)
        for used, limit in limits:
            if limit:
                parts = np.fmax(parts, used / limit)
        return float(np.where(self._running, np.minimum(parts, 1), 1).sum())

    def _count(self, outcome: Outcome, time: FloatArray) -> None:
        """Count the evaluations that ended within the budget. The first one that did not ends its run."""
        unlimited = self._seconds is None and self._epochs is None and not self._spendings
        if unlimited and outcome.architecture.min() >= 0:
            self._evaluations += len(time) * self._running
            return
        costs = [spending.of(outcome, self._fidelity) for spending, _ in self._spendings]
        for step, (architecture, end) in enumerate(zip(outcome.architecture.T, time, strict=True)):
            self._stopped |= self._running & (architecture < 0)
            self._running = self._running & ~self._stopped
            if self._seconds is not None:
                self._running &= end <= self._seconds
            if self._epochs is not None and outcome.epochs is not None:
                self._used += outcome.epochs[:, step]
                self._running &= self._used <= self._epochs
            for (spending, spent), cost in zip(self._spendings, costs, strict=True):
                np.add(spent, cost[:, step], out=spent)
                self._running &= spent <= spending.limit
            self._evaluations += self._running
