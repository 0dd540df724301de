"""The lock-step simulation: a strategy searches a table in many runs at once, each on its own simulated clock."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nasbench_lab.checks import whole
from nasbench_lab.errors import ParameterError, SearchOnTestWarning
from nasbench_lab.simulation.budget import Budget
from nasbench_lab.simulation.clock import Clock, Log
from nasbench_lab.simulation.measurements import Measurements, RepeatPolicy
from nasbench_lab.simulation.objectives import Goals, make_goals
from nasbench_lab.simulation.search_loop import simulate_together
from nasbench_lab.simulation.threads import one_thread
from nasbench_lab.simulation.trace import Reference, Setting, Trace
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.plain import PlainRun
from nasbench_lab.strategies.registry import resolve
from nasbench_lab.streams import check_seed
from nasbench_lab.tables.table import Table, best

RUNS_AT_A_TIME = 4096
"""Most runs simulated together. The results are the same whatever it is."""

MOST_WORKERS = 1024
"""Most simulated workers of a run."""

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
    workers: int = 1,
    objectives: Sequence[str] = (),
    limits: Mapping[str, float] | None = None,
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
        workers: how many evaluations of a run happen at the same time; with more than one, the table must have times. A
            strategy that can (`Strategy.asynchronous`) is asked again whenever a worker is free; for others, the
            workers wait until all that was proposed has ended.
        objectives: further metrics that a strategy is told of every evaluation (see `Task.objectives`): multi-objective
            search. Incumbents are still the best observed values.
        limits: the most that a metric may be (or the least, where more is better), by its name: constrained search.
            Architectures that break one are told as worse than all others, and are never incumbents.
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
    searcher = resolve(strategy, parameters)
    if not isinstance(budget, Budget):
        raise ParameterError(f"budget must be a Budget, e.g. Budget(evaluations=300), got {budget!r}")
    measurements, aims = prepare(table, budget, fidelity, repeat, workers, objectives, limits or {})
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
        workers=workers,
        objectives=tuple(objectives),
        limits=dict(limits or {}),
        seed=seed,
        first_run=first_run,
        objective=table.objective,
    )
    fixed = None if searcher.multi_fidelity else measurements.fidelity
    log = Log(runs, budget, fixed)
    together = max(1, min(RUNS_AT_A_TIME, searcher.runs_at_a_time, _STATE_ENTRIES // table.space.size))
    for start in range(0, runs, together):
        clock = Clock(log, budget, fixed, start, min(start + together, runs))
        with one_thread():
            simulate_together(table, searcher, measurements, aims, setting, clock)
    return log.trace(setting, _reference(table, measurements, aims))


def prepare(
    table: Table,
    budget: Budget,
    fidelity: int | None,
    repeat: RepeatPolicy,
    workers: int,
    objectives: Sequence[str],
    limits: Mapping[str, float],
) -> tuple[Measurements, Goals | None]:
    """Check what a simulation is asked for against a table; return what is measured there and what the goals are.

    Raises:
        UnknownNameError: no such fidelity or metric.
        ParameterError: a number makes no sense.
        MissingDataError: the table lacks what is asked for.
    """
    measurements = Measurements(table, fidelity, repeat)
    measurements.check_budget(budget)
    if not 1 <= whole("workers", workers) <= MOST_WORKERS:
        raise ParameterError(f"workers must be from 1 to {MOST_WORKERS}, got {workers}")
    if workers > 1:
        measurements.check_times("several workers are")
    return measurements, make_goals(table, objectives, limits, measurements.fidelity)


def _reference(table: Table, measurements: Measurements, aims: Goals | None) -> Reference:
    """Collect what the table says of every architecture."""
    splits = {"valid": table.description.valid, "test": table.description.test}
    metrics = {split: table.description.metric(name) for split, name in splits.items() if name is not None}
    means = {split: table.mean_values(metric.name) for split, metric in metrics.items()}
    if aims is None:
        return Reference(measurements.best, metrics, means, space=table.description.space)
    values, _, architecture = measurements.outcomes()
    feasible = aims.violation() == 0
    observable = best(values[feasible[architecture]], table.objective)
    return Reference(
        observable, {**metrics, **aims.metrics}, {**means, **aims.columns}, feasible, table.description.space
    )
