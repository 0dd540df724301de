"""The lock-step simulation: a strategy searches a table in many runs at once, each on its own simulated clock."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab import strategies
from nasbench_lab.errors import ParameterError, SearchOnTestWarning, StrategyError
from nasbench_lab.simulate.budget import Budget
from nasbench_lab.simulate.measurement import Measurements, RepeatPolicy
from nasbench_lab.simulate.trace import MISSING, Reference, Setting, Trace, concatenate
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.streams import MEASUREMENT, FloatArray, IntArray, Streams, check_seed
from nasbench_lab.tables.table import Table

RUNS_AT_A_TIME = 1024
"""Runs simulated together. More would not fit in the processor's cache; the results are the same whatever it is."""


def simulate(
    table: Table,
    strategy: str | Strategy[Any],
    *,
    runs: int,
    budget: Budget,
    fidelity: int | None = None,
    repeat: RepeatPolicy = "sample",
    seed: int = 0,
    first_run: int = 0,
    **parameters: Any,
) -> Trace:
    """Run a search strategy on a table many times.

    Run r of a root seed is the same, bit for bit, whichever other runs are simulated with it.

    Args:
        table: the table to search.
        strategy: its registered name, or a Strategy object.
        runs: number of runs.
        budget: limits of every run.
        fidelity: training epochs at which architectures are evaluated; by default the table's highest.
        repeat: what an evaluation observes: ``"sample"`` one of the architecture's repeats, drawn anew every time;
            ``"mean"`` the mean over its repeats; a number that repeat.
        seed: root seed.
        first_run: number of the first run; runs ``first_run .. first_run + runs - 1`` of the seed are simulated.
        **parameters: parameters of the strategy, if it is given by name.

    Raises:
        UnknownNameError: no such strategy or fidelity.
        ParameterError: a number makes no sense, or the strategy has no such parameter.
        MissingDataError: the table lacks what the budget, fidelity or repeat asks for.
        StrategyError: the strategy broke its contract.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.testing import synthetic_table
    >>> trace = nl.simulate(synthetic_table("chain"), "random-search", runs=3, budget=nl.Budget(evaluations=5))
    >>> trace.architecture.shape, trace.regret("test").shape
    ((3, 5), (3, 5))
    """
    check_seed(seed, first_run, runs)
    searcher = strategies.resolve(strategy, parameters)
    measurements = Measurements(table, fidelity, repeat)
    if not isinstance(budget, Budget):
        raise ParameterError(f"budget must be a Budget, e.g. Budget(evaluations=300), got {budget!r}")
    if budget.seconds is not None:
        measurements.check_seconds()
    if table.description.valid is None:
        message = f"{table.name} publishes no validation measurements: the search observes {table.objective.name}"
        warnings.warn(message, SearchOnTestWarning, stacklevel=2)
    reference = _reference(table, measurements)
    batches = []
    for start in range(first_run, first_run + runs, RUNS_AT_A_TIME):
        count = min(RUNS_AT_A_TIME, first_run + runs - start)
        setting = Setting(
            table=table.name,
            checksum=table.checksum,
            strategy=searcher.name,
            label=searcher.label,
            parameters=searcher.parameters,
            budget=budget,
            fidelity=measurements.fidelity,
            repeat=repeat,
            seed=seed,
            first_run=start,
            objective=table.objective,
        )
        batches.append(_simulate_batch(table, searcher, measurements, setting, reference, count))
    return concatenate(batches)


def _simulate_batch(
    table: Table,
    strategy: Strategy[Any],
    measurements: Measurements,
    setting: Setting,
    reference: Reference,
    runs: int,
) -> Trace:
    """Simulate up to RUNS_AT_A_TIME runs."""
    draws = Streams(setting.seed, setting.first_run, runs, MEASUREMENT)
    state = strategy.start(table.space, Streams(setting.seed, setting.first_run, runs))
    recorder = _Recorder(setting, runs)
    sign = -1.0 if table.objective.direction == "minimize" else 1.0
    while True:
        asked = _check_proposals(strategy.ask(state), strategy, table, runs)
        proposed = asked[:, : recorder.room(asked.shape[1])]
        observation = measurements.observe(np.maximum(proposed, 0), draws)
        recorder.record(proposed, *observation)
        if recorder.finished:
            return recorder.trace(reference)
        strategy.tell(state, proposed, sign * observation.value if sign < 0 else observation.value)


class _Recorder:
    """The clocks of the runs and the evaluations that ended in time.

    Arrays are kept as (steps, runs) while they grow, so that a step of all runs lies side by side.
    """

    def __init__(self, setting: Setting, runs: int) -> None:
        self._setting = setting
        self._limit = setting.budget.max_evaluations(setting.fidelity)
        self._seconds = setting.budget.seconds
        self._steps = 0
        self._elapsed: FloatArray = np.zeros(runs)
        self._running: NDArray[np.bool_] = np.ones(runs, dtype=bool)
        self._all_running = True
        self._columns: dict[str, list[NDArray[Any]]] = {name: [] for name in MISSING if name != "fidelity"}

    def room(self, asked: int) -> int:
        """Return how many of the next ``asked`` evaluations the limits in evaluations and epochs allow."""
        return asked if self._limit is None else min(asked, self._limit - self._steps)

    @property
    def finished(self) -> bool:
        """Whether no run can evaluate anything more."""
        return self._steps == self._limit or not (self._all_running or self._running.any())

    def record(
        self, proposed: IntArray, value: FloatArray, repeat: NDArray[np.int8], seconds: FloatArray | None
    ) -> None:
        """Advance the clocks over evaluations, each array of shape (runs, k), and keep what happened."""
        if seconds is None:
            time = np.full(proposed.shape[::-1], np.nan)
        else:
            # One addition after the other, so that it does not matter how many evaluations come at a time.
            time = np.add.accumulate(np.concatenate([self._elapsed[None], seconds.T]), axis=0)[1:]
            self._elapsed = time[-1] if len(time) else self._elapsed
        happened = self._happened(proposed, time)
        self._steps += proposed.shape[1]
        new: dict[str, NDArray[Any]] = {
            "architecture": proposed.T.astype(np.int32),
            "observed": value.T,
            "repeat": repeat.T,
            "time": time,
            "mask": happened,
        }
        for name, array in new.items():
            self._columns[name].append(array)

    def _happened(self, proposed: IntArray, time: FloatArray) -> NDArray[np.bool_]:
        """Return which evaluations ended in time, shape (k, runs). The first that did not ends its run."""
        happened = proposed.T >= 0
        if self._seconds is not None:
            happened &= time <= self._seconds
        if self._all_running and happened.all():
            return happened
        happened &= self._running
        happened = np.logical_and.accumulate(happened, axis=0)
        self._running = happened[-1] if len(happened) else self._running
        self._all_running = False
        return happened

    def trace(self, reference: Reference) -> Trace:
        """Return the trace of all evaluations that happened."""
        columns = {name: np.concatenate(parts) for name, parts in self._columns.items()}
        mask = columns["mask"]
        if not self._all_running:
            steps = int(mask.any(axis=1).sum())
            columns = {name: array[:steps] for name, array in columns.items()}
            mask = columns["mask"]
            for name, array in columns.items():
                array[~mask] = MISSING[name]
        fidelity = np.full(mask.shape, self._setting.fidelity, dtype=np.int32)
        fidelity[~mask] = MISSING["fidelity"]
        return Trace(self._setting, reference, fidelity=fidelity.T, **{name: a.T for name, a in columns.items()})


def _check_proposals(asked: Any, strategy: Strategy[Any], table: Table, runs: int) -> IntArray:
    """Return what a strategy asked for, or raise StrategyError where it is not architectures of the space."""
    proposals = np.asarray(asked)
    if proposals.ndim != 2 or len(proposals) != runs or proposals.shape[1] < 1 or proposals.dtype.kind not in "iu":
        raise StrategyError(
            f"strategy {strategy.name!r} must ask for integers of shape ({runs}, k), "
            f"not {proposals.dtype} of shape {proposals.shape}"
        )
    if proposals.min() < -1 or proposals.max() >= table.space.size:
        wrong = proposals[(proposals < -1) | (proposals >= table.space.size)][0]
        raise StrategyError(
            f"strategy {strategy.name!r} proposed architecture {wrong}; {table.name!r} has 0..{table.space.size - 1}"
        )
    return proposals.astype(np.int64, copy=False)


def _reference(table: Table, measurements: Measurements) -> Reference:
    """Collect what the table says of every architecture."""
    splits = {"valid": table.description.valid, "test": table.description.test}
    metrics = {split: table.description.metric(name) for split, name in splits.items() if name is not None}
    means = {split: table.mean_values(metric.name) for split, metric in metrics.items()}
    return Reference(measurements.best, metrics, means)
