"""The lock-step simulation: a strategy searches a table in many runs at once, each on its own simulated clock."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from nasbench_lab import strategies
from nasbench_lab.errors import ParameterError, SearchOnTestWarning, StrategyError
from nasbench_lab.simulate.budget import Budget
from nasbench_lab.simulate.clock import Clock, Log
from nasbench_lab.simulate.measurement import Measurements, RepeatPolicy
from nasbench_lab.simulate.trace import Reference, Setting, Trace
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.plain import PlainRun
from nasbench_lab.streams import MEASUREMENT, IntArray, Streams, check_seed, whole
from nasbench_lab.tables.table import Table

RUNS_AT_A_TIME = 4096
"""Most runs simulated together. The results are the same whatever it is."""

_STATE_ENTRIES = 2**27
"""Fewer runs are simulated together on so large a space that one entry per run and architecture would be more."""


def simulate(
    table: Table,
    strategy: str | Strategy[Any] | Callable[..., PlainRun],
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
        strategy: its registered name, a Strategy object, or a class with ``ask`` and ``tell`` for a single run (see
            `PlainStrategy`).
        runs: number of runs.
        budget: limits of every run.
        fidelity: training epochs at which architectures are evaluated; by default the table's highest.
        repeat: what an evaluation observes: ``"sample"`` one of the architecture's repeats, drawn anew every time;
            ``"mean"`` the mean over its repeats; a number that repeat.
        seed: root seed.
        first_run: number of the first run; runs ``first_run .. first_run + runs - 1`` of the seed are simulated.
        **parameters: parameters of the strategy, if it is given by name or as a class.

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
    runs, seed, first_run = whole("runs", runs), whole("seed", seed), whole("first_run", first_run)
    check_seed(seed, first_run, runs)
    searcher = strategies.resolve(strategy, parameters)
    if not isinstance(budget, Budget):
        raise ParameterError(f"budget must be a Budget, e.g. Budget(evaluations=300), got {budget!r}")
    measurements = Measurements(table, fidelity, repeat)
    measurements.check_budget(budget)
    if table.description.valid is None:
        message = f"{table.name} publishes no validation measurements: the search observes {table.objective.name}"
        warnings.warn(message, SearchOnTestWarning, stacklevel=2)
    setting = Setting(
        table=table.name,
        checksum=table.checksum,
        strategy=searcher.name,
        label=searcher.label,
        parameters=searcher.parameters,
        budget=budget,
        fidelity=measurements.fidelity,
        repeat=measurements.repeat,
        seed=seed,
        first_run=first_run,
        objective=table.objective,
    )
    log = Log(runs, budget, measurements.fidelity)
    together = max(1, min(RUNS_AT_A_TIME, _STATE_ENTRIES // table.space.size))
    for start in range(0, runs, together):
        clock = Clock(log, setting, start, min(start + together, runs))
        _simulate_together(table, searcher, measurements, setting, clock)
    return log.trace(setting, _reference(table, measurements))


def _simulate_together(
    table: Table, strategy: Strategy[Any], measurements: Measurements, setting: Setting, clock: Clock
) -> None:
    """Simulate the runs of one clock in lock step until their budgets are used up."""
    first_run = setting.first_run + clock.first
    draws = Streams(setting.seed, first_run, clock.runs, MEASUREMENT)
    state = strategy.start(table.space, Streams(setting.seed, first_run, clock.runs))
    minimize = table.objective.direction == "minimize"
    while not clock.finished:
        asked = _check_proposals(strategy.ask(state), strategy, table, clock.runs)
        proposed = asked[:, : clock.room(asked.shape[1])]
        observation = measurements.observe(np.maximum(proposed, 0), draws)
        clock.record(proposed, observation)
        if not clock.finished:
            strategy.tell(state, proposed, -observation.value if minimize else observation.value)


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
