"""One-shot searches: several runs of a method, as a trace on the clock of a table."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nasbench_lab.checks import AtLeast, whole
from nasbench_lab.child_processes import number_of_processes
from nasbench_lab.errors import DataError, ParameterError, SettingWarning
from nasbench_lab.files import as_output_error, atomic_path
from nasbench_lab.progress_bars import progress_bar
from nasbench_lab.simulation import Budget, Conditions, Trace
from nasbench_lab.simulation.recommendations import needs_seconds
from nasbench_lab.simulation.training_notes import CALIBRATION, CUT_RUNS, FAILED_RUNS
from nasbench_lab.tables import Table
from nasbench_lab.train.one_shot.calibration import Calibration, calibrate
from nasbench_lab.train.one_shot.methods.base import Method
from nasbench_lab.train.one_shot.one_shot_trace import OneShotTrace, TemporaryFolder
from nasbench_lab.train.one_shot.run_processes import do_runs
from nasbench_lab.train.one_shot.run_tasks import RunOutcome, RunTask, finished_outcome, torch_threads
from nasbench_lab.train.one_shot.search_plan import SearchPlan, plan_search

SEARCH = "search.json"
"""Name of the file in the folder of a search that says which search it is."""

_FORMAT = "nasbench-lab one-shot search"


@dataclasses.dataclass(frozen=True)
class OneShotProgress:
    """The progress of a one-shot search.

    Attributes:
        method: label of the method.
        table: name of the table.
        run: number of the run that has advanced.
        epoch: its finished epochs.
        done: finished epochs of all runs together.
        epochs: epochs of all runs together.
    """

    method: str
    table: str
    run: int
    epoch: int
    done: int
    epochs: int


Progress = bool | Callable[[OneShotProgress], None]
"""Whether to show a bar, or a function that is called after every epoch."""


def search(
    table: Table | str | os.PathLike[str],
    method: str | Method[Any],
    *,
    runs: int = 1,
    first_run: int = 0,
    seed: int | None = None,
    scale: float | Calibration | None = None,
    conditions: Conditions | None = None,
    folder: str | os.PathLike[str] | None = None,
    processes: int | None = 1,
    progress: Progress = False,
    **options: Any,
) -> OneShotTrace:
    """Search with a one-shot method, and judge what it recommends with a table.

    Every run trains one supernet. The table is not used before the end: the method sees training and validation images
    only. The seconds are those of the search on this machine, on the clock of the table (see `calibrate`), so that the
    trace can be compared with simulations by `nasbench_lab.simulate`.

    Args:
        table: the table, its name, or the path of a table file.
        method: name of a method (see `list_methods`), with parameters as ``"darts:order=2"`` if wanted; or a `Method`.
        runs: number of runs. Each has its own initial weights, images and draws.
        first_run: number of the first run.
        seed: root seed; run r depends on the seed and r only. By default that of the conditions, or 0.
        scale: seconds of the table per second of the search; by default measured (see `calibrate`).
        conditions: conditions of a comparison with a budget in seconds: later recommendations are cut off. By default
            the budget is the end of the longest run.
        folder: where checkpoints and supernets are kept. If a search was stopped, the same call resumes it. By default
            a temporary folder.
        processes: number of processes that share the runs; None for one per processor. The results are the same,
            except for the seconds.
        progress: whether to show a progress bar, or a function that is called with an `OneShotProgress`.
        **options: the following.

            - ``parameters``: of the method, if it is given by name.
            - ``epochs``: of the training of the supernet; by default those of ``recipe`` if it is given, or of the
              method.
            - ``dataset``: what the supernet is trained on; by default the data set in the name of the table.
            - ``recipe``: how the shared weights are trained, or its name; by default ours for digits, and that of
              NAS-Bench-201 for other data sets.
            - ``statistics``: that scores are normalised with, see `make_supernet`; by default ``"batch"``.
            - ``affine``: whether normalisations have trained scales and shifts; by default False.
            - ``network``: options of the networks, e.g. ``{"channels": 8, "cells": 3}``; by default those of the table.
            - ``device``: name of a torch device; by default ``"cpu"``.
            - ``precision``: ``"float32"`` (the default), or ``"bfloat16"`` for mixed precision.
            - ``snapshots``: number of epochs, at equal distances, after which each supernet is saved; by default 10.
            - ``threads``: of torch per process, by default 1. With one thread on a CPU, seconds are processor time.

    Returns:
        A trace with one step per epoch, which also gives the supernets (`OneShotTrace.supernet`).

    Raises:
        UnknownNameError: no such table, method, parameter, data set or recipe.
        ParameterError: an argument has a value that is not allowed, or the space has no supernet.
        MissingDataError: the table has no times, and no scale was given.
        DataError: the folder has another search or damaged files.
        OutputError: the folder cannot be written, or a process died.

    Warns:
        SettingWarning: the weights of a run were not finite, so it ended early.

    >>> trace = search(
    ...     "digits/topology",
    ...     "spos",
    ...     epochs=1,
    ...     scale=1.0,
    ...     network={"channels": 2, "cells": 1},
    ...     parameters={"population": 2, "parents": 1, "generations": 1},
    ... )
    >>> trace.runs, trace.incumbent_kind, trace.setting.strategy
    (1, 'recommended', 'spos')
    """
    runs, first_run = whole("runs", runs, AtLeast(1)), whole("first_run", first_run, AtLeast(0))
    _check_conditions(conditions)
    plan = plan_search(table, method, seed=_seed(seed, conditions), **options)
    number = number_of_processes(processes)
    with contextlib.ExitStack() as stack:
        temporary = TemporaryFolder() if folder is None else None
        home = temporary.path if temporary is not None else Path(folder or "")
        claim_folder(home, plan)
        calibration = calibration_of(plan, scale, home)
        tasks = [plan.task(run, home) for run in range(first_run, first_run + runs)]
        report = stack.enter_context(_reported(progress, plan, runs))
        outcomes = _outcomes(plan, tasks, number, report)
    trace = trace_of(plan, outcomes, calibration, conditions)
    fields = {each.name: getattr(trace, each.name) for each in dataclasses.fields(trace)}
    return OneShotTrace(**fields, tasks=tuple(tasks), temporary=temporary)


def claim_folder(folder: Path, plan: SearchPlan) -> None:
    """Write into a folder which search it has; its runs can be done by several processes at different times.

    Raises:
        DataError: the folder has another search, or a damaged file.
        OutputError: the folder cannot be written.
    """
    path = folder / SEARCH
    identity = json.loads(json.dumps({"format": _FORMAT, **plan.identity}))
    with as_output_error(path):
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            with atomic_path(path) as temporary:
                temporary.write_text(json.dumps(identity, indent=1) + "\n", encoding="utf-8")
            return
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise DataError(f"{path} is damaged: {error}") from error
    if found != identity:
        differ = [name for name in identity if not isinstance(found, dict) or found.get(name) != identity[name]]
        raise DataError(f"{folder} has another search (different {', '.join(differ)}); give another folder")


def calibration_of(plan: SearchPlan, scale: float | Calibration | None, folder: Path) -> Calibration:
    """Return the given calibration, or measure it.

    Raises:
        ParameterError: the scale is not a number above 0.
        MissingDataError: the table has no times, and no scale is given.
    """
    if isinstance(scale, Calibration):
        return scale
    if scale is not None:
        return Calibration.given(scale)
    with torch_threads(plan.threads):
        return calibrate(plan.table, dataset=plan.dataset, device=plan.options.device, folder=folder)


def trace_of(
    plan: SearchPlan, outcomes: Sequence[RunOutcome], calibration: Calibration, conditions: Conditions | None = None
) -> Trace:
    """Return the outcomes of consecutive runs as a trace."""
    steps = max(len(outcome.times) for outcome in outcomes)
    recommended = np.full((len(outcomes), steps), -1)
    seconds = np.full((len(outcomes), steps), np.nan)
    for row, outcome in enumerate(outcomes):
        recommended[row, : len(outcome.times)] = outcome.recommended
        seconds[row, : len(outcome.times)] = calibration.scale * np.array(outcome.times)
    stated = conditions or Conditions(Budget(seconds=float(np.nanmax(seconds))), seed=plan.seed)
    limit = stated.stated_budget.seconds or np.inf
    return Trace.from_recommendations(
        recommended,
        seconds,
        table=plan.table,
        strategy=plan.method.name,
        label=plan.label,
        parameters=plan.parameters,
        version=plan.method.version,
        conditions=stated,
        first_run=outcomes[0].run,
        training={
            **plan.facts,
            "clock_scale": calibration.scale,
            CALIBRATION: calibration.to_data(),
            FAILED_RUNS: [outcome.run for outcome in outcomes if outcome.failed],
            CUT_RUNS: [outcome.run for outcome in outcomes if calibration.scale * outcome.times[-1] > limit],
        },
    )


def _outcomes(
    plan: SearchPlan, tasks: Sequence[RunTask], processes: int, report: Callable[[int, int], None]
) -> list[RunOutcome]:
    """Do the runs that are not done yet, and return the outcomes of all in their order."""
    found: dict[int, RunOutcome] = {}
    for task in tasks:
        done = finished_outcome(task)
        if done is not None:
            found[task.run] = done
            report(task.run, plan.recipe.epochs)
    left = [task for task in tasks if task.run not in found]
    for outcome in do_runs(left, processes, report) if left else ():
        found[outcome.run] = outcome
    outcomes = [found[task.run] for task in tasks]
    for outcome in outcomes:
        if outcome.failed:
            _warn_of_failure(plan, outcome)
    return outcomes


def _warn_of_failure(plan: SearchPlan, outcome: RunOutcome) -> None:
    none = outcome.recommended[-1] < 0
    warnings.warn(
        f"run {outcome.run} of {plan.method.label} ended after epoch {len(outcome.times)} of {plan.recipe.epochs}, as "
        f"its weights were not finite; it recommends {'nothing' if none else 'what it did before'}. "
        "A lower learning rate may help",
        SettingWarning,
        stacklevel=3,
    )


@contextlib.contextmanager
def _reported(progress: Progress, plan: SearchPlan, runs: int) -> Iterator[Callable[[int, int], None]]:
    """Give a function to call with the number of a run and its finished epochs."""
    if not isinstance(progress, bool) and not callable(progress):
        raise ParameterError(f"progress must be True, False or a function, got {progress!r}")
    finished: dict[int, int] = {}
    label, table, total = plan.label, plan.table.name, runs * plan.recipe.epochs
    with progress_bar(f"{label} on {table}") if progress is True else contextlib.nullcontext() as update:

        def report(run: int, epoch: int) -> None:
            finished[run] = epoch
            done = sum(finished.values())
            if update is not None:
                update(f"{done:,} of {total:,} epochs", done, total)
            elif not isinstance(progress, bool):
                progress(OneShotProgress(label, table, run, epoch, done, total))

        yield report


def _check_conditions(conditions: Any) -> None:
    """Refuse now what would be refused after the training."""
    if conditions is not None:
        needs_seconds(conditions)


def _seed(seed: int | None, conditions: Conditions | None) -> int:
    if conditions is None:
        return 0 if seed is None else seed
    if seed is not None and seed != conditions.seed:
        raise ParameterError(f"the seed is {seed}, but that of the conditions is {conditions.seed}; give one")
    return conditions.seed
