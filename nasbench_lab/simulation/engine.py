"""The simulation engine: a strategy searches a table in many runs in lock step, each with its own simulated clock."""

from __future__ import annotations

import contextlib
import inspect
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nasbench_lab.checks import whole
from nasbench_lab.errors import OneFidelityWarning, ParameterError, SearchOnTestWarning, SettingWarning
from nasbench_lab.messages import shortened
from nasbench_lab.simulation.budget import Budget
from nasbench_lab.simulation.conditions import Conditions, Prepared
from nasbench_lab.simulation.measurements import RepeatPolicy
from nasbench_lab.simulation.reference import reference_of
from nasbench_lab.simulation.run_batches import simulate_runs
from nasbench_lab.simulation.search_progress import Progress, Watch, check_progress, reported
from nasbench_lab.simulation.setting import Setting
from nasbench_lab.simulation.setting_notes import setting_notes
from nasbench_lab.simulation.simulation_processes import SimulationProcesses
from nasbench_lab.simulation.single_fidelity import one_fidelity_warning
from nasbench_lab.simulation.table_searches import family_of
from nasbench_lab.simulation.trace import Trace
from nasbench_lab.simulation.zero_cost_scores import recorded_parameters, require_scores
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.lookup import find_strategy, parameter_names, parameters_in_text
from nasbench_lab.strategies.plain import PlainRun
from nasbench_lab.streams import check_seed
from nasbench_lab.tables.any_table import AnyTable
from nasbench_lab.tables.catalogue import load


def simulate(
    table: AnyTable | str | os.PathLike[str],
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
    processes: int | None = 1,
    progress: Progress = False,
    parameters: Mapping[str, Any] | None = None,
    **more_parameters: Any,
) -> Trace:
    """Run a search strategy on a table many times.

    Run r of a root seed is the same, bit for bit, regardless of which other runs are simulated with it.

    Args:
        table: the table to search, its name, or the path of a table file.
        strategy: its registered name (optionally with parameters, as ``name:key=value,...``), ``"file.py:Class"`` or
            ``"package.module:Class"``, a Strategy object or class, or a class or factory function that makes an object
            with ``ask`` and ``tell`` for a single run (see `PlainStrategy`).
        runs: number of runs.
        budget: limits per run.
        fidelity: training epochs at which architectures are evaluated; by default the table's highest.
        repeat: what an evaluation observes: ``"sample"``, one of the architecture's repeats, drawn for every
            evaluation; ``"mean"``, the mean over its repeats; or the number of a repeat.
        workers: number of simulated workers per run, which evaluate in parallel; with more than one, the table must
            have times. An asynchronous strategy (`Strategy.asynchronous`) is asked again whenever a worker is free;
            with other strategies, the workers wait until all proposed evaluations have ended.
        objectives: further metrics that the strategy receives with every evaluation (see `Problem.objectives`), for
            multi-objective search. The incumbent is still the architecture with the best observed value.
        limits: the largest allowed value of a metric (the smallest if higher is better), by metric name, for
            constrained search. The strategy sees an architecture that breaks a limit as worse than all that keep the
            limits, and it is never the incumbent.
        seed: root seed.
        first_run: number of the first run; runs ``first_run .. first_run + runs - 1`` of the seed are simulated.
        processes: number of processes that share the runs; None for one per processor. The trace is the same, bit for
            bit, for any number. It is worth it where a simulation takes more than a few seconds.
        progress: whether to show a bar with the time left, on a terminal or in a notebook; or a function that is called
            with a `SearchProgress` several times a second.
        parameters: parameters of the strategy, unless it is an object.
        **more_parameters: parameters of the strategy as keywords. A parameter with the same name as an argument of
            this function, such as ``seed``, can only be given in ``parameters``.

    Raises:
        UnknownNameError: no such table, strategy, parameter or fidelity.
        ParameterError: a value is invalid, or the name of a parameter is ambiguous.
        MissingDataError: the table lacks data that the budget, fidelity or repeat requires.
        StrategyError: the strategy broke its contract, or a process died.

    >>> import nasbench_lab as nl
    >>> trace = nl.simulate("digits/chain", "random-search", runs=3, budget=nl.Budget(evaluations=5))
    >>> trace.architecture.shape, trace.regret("test").shape
    ((3, 5), (3, 5))
    """
    named: Any = objectives  # a tuple, once the conditions have checked it
    conditions = Conditions(budget, fidelity, repeat, workers, named, limits or {}, seed)
    _refuse_search_of_family(strategy)
    searcher = find_strategy(strategy, _merged(parameters, more_parameters))
    _refuse_ambiguous(strategy, searcher, parameters)
    found = table if isinstance(table, AnyTable) else load(table)
    return simulate_under(
        conditions,
        found,
        searcher,
        runs=runs,
        first_run=first_run,
        processes=processes,
        progress=progress,
        stacklevel=3,
    )


def setting_of(table: AnyTable, strategy: Strategy[Any], prepared: Prepared, first_run: int = 0) -> Setting:
    """Return the setting of a simulation under conditions that were checked against the table."""
    return Setting(
        table=table.name,
        checksum=table.checksum,
        strategy=strategy.name,
        version=strategy.version,
        label=strategy.label,
        parameters=recorded_parameters(strategy, table),
        conditions=prepared.conditions,
        first_run=first_run,
        objective=table.objective,
    )


def simulate_under(
    conditions: Conditions,
    table: AnyTable,
    strategy: Strategy[Any],
    *,
    runs: int,
    first_run: int = 0,
    processes: int | SimulationProcesses | None = 1,
    progress: Progress = False,
    stacklevel: int = 2,
) -> Trace:
    """Run a strategy on a table under given conditions. `simulate` calls this.

    Args:
        conditions: conditions of the search.
        table: the table to search.
        strategy: the strategy.
        runs: number of runs.
        first_run: number of the first run.
        processes: see `simulate`; or processes that several simulations share.
        progress: see `simulate`.
        stacklevel: stack level of warnings, see `warnings.warn`.

    Raises:
        NasbenchLabError: see `simulate`.
    """
    runs, first_run = whole("runs", runs), whole("first_run", first_run)
    check_progress(progress)
    pool = processes if isinstance(processes, SimulationProcesses) else SimulationProcesses(processes)
    check_seed(conditions.seed, first_run, runs)
    prepared = conditions.on(table)
    require_scores(strategy, table)
    if table.description.valid is None:
        message = f"{table.name} publishes no validation measurements: the search observes {table.objective.name}"
        warnings.warn(message, SearchOnTestWarning, stacklevel=stacklevel)
    for note in (*setting_notes(table, prepared), *strategy.notes(table.space)):
        warnings.warn(note, SettingWarning, stacklevel=stacklevel)
    setting = setting_of(table, strategy, prepared, first_run)
    ours = contextlib.nullcontext() if pool is processes else pool
    with ours, reported(progress, strategy.label, table.name, runs) as report:
        if pool.number > 1 and runs > 1:
            log = pool.simulate(table, strategy, setting, runs, report)
        else:
            watch = None if report is None else Watch(report)
            log = simulate_runs(table, strategy, prepared, setting, runs, watch)
    trace = log.trace(setting, reference_of(table, prepared.measurements, prepared.goals, log.occurring))
    if note := one_fidelity_warning(strategy, table, trace):
        warnings.warn(note, OneFidelityWarning, stacklevel=stacklevel)
    return trace


def _merged(parameters: Mapping[str, Any] | None, more: Mapping[str, Any]) -> dict[str, Any]:
    """Return all parameters of the strategy; raise ParameterError if one is given twice."""
    if parameters is not None and not isinstance(parameters, Mapping):
        raise ParameterError(f"parameters must map names to values, got {parameters!r}")
    twice = sorted(set(parameters or ()) & set(more))
    if twice:
        raise ParameterError(f"parameter {twice[0]!r} is given twice: as a keyword and in parameters")
    return {**(parameters or {}), **more}


_ARGUMENTS = frozenset(inspect.signature(simulate).parameters) - {"more_parameters"}


def _refuse_search_of_family(strategy: Any) -> None:
    """Raise ParameterError for a search that only suites know by name, such as ``one-shot/spos``."""
    if not isinstance(strategy, str) or family_of(strategy) is None:
        return
    alone = ", or alone with nasbench_lab.train.one_shot.search" if strategy.startswith("one-shot/") else ""
    raise ParameterError(
        f"{shortened(strategy)} is no strategy that can be simulated: run it in a suite "
        f"(nasbench_lab.suites.run_suite){alone}"
    )


def _refuse_ambiguous(given: Any, strategy: Strategy[Any], parameters: Mapping[str, Any] | None) -> None:
    """Raise ParameterError if a parameter that was not given clearly has the same name as an argument of `simulate`."""
    if isinstance(given, Strategy):  # its parameters were given when it was made
        return
    clear = {*(parameters or {}), *getattr(given, "keywords", {})}  # keywords: of functools.partial
    if isinstance(given, str):
        clear |= parameters_in_text(given).keys()
    for name in parameter_names(strategy):
        if name in _ARGUMENTS and name not in clear:
            raise ParameterError(
                f"strategy {strategy.name!r} has a parameter {name!r}, which is also an argument of simulate: "
                f"give the strategy's in parameters={{{name!r}: ...}}"
            )
