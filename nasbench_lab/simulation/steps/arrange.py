"""Steps as the setting, the reference and the arrays of a trace."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nasbench_lab
from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation.budget import Budget
from nasbench_lab.simulation.conditions import Conditions
from nasbench_lab.simulation.measurements import MEAN, Measurements, RepeatPolicy
from nasbench_lab.simulation.reference import Reference, reference_of
from nasbench_lab.simulation.run_arrays import MISSING
from nasbench_lab.simulation.setting import Setting
from nasbench_lab.simulation.steps.architectures import find_architectures
from nasbench_lab.simulation.steps.clocks import log_clock, logged_seconds, table_clock
from nasbench_lab.simulation.steps.columns import StepColumns
from nasbench_lab.simulation.steps.options import StepOptions, name_of_strategy
from nasbench_lab.simulation.steps.run_order import RunOrder, order_runs
from nasbench_lab.simulation.steps.spent import shown_budget, shown_spent, stated_budget
from nasbench_lab.simulation.steps.trainings import (
    epochs_before,
    fidelities_of,
    highest_fidelity,
    repeat_policy,
    repeats_of,
)
from nasbench_lab.simulation.steps.values import TableValues, check_values, observed_values
from nasbench_lab.tables.importers.columns.hints import option
from nasbench_lab.tables.table import Table

_FREE_CELLS = 2**24
_MOST_CELLS_PER_ROW = 64

_DTYPES: Mapping[str, type[np.generic]] = {
    "architecture": np.int32,
    "fidelity": np.int32,
    "repeat": np.int16,
    "observed": np.float64,
    "time": np.float64,
    "mask": np.bool_,
}


@dataclasses.dataclass(frozen=True)
class StatedConditions:
    """The conditions that a user states about a log; None for what is not known.

    Attributes:
        budget: limits per run.
        repeat: what an evaluation observes.
        workers: number of workers.
        seed: root seed.
    """

    budget: Budget | None = None
    repeat: RepeatPolicy | None = None
    workers: int | None = None
    seed: int | None = None

    @property
    def unknown(self) -> list[str]:
        """The names of the conditions that are not known."""
        return [field.name for field in dataclasses.fields(self) if getattr(self, field.name) is None]


@dataclasses.dataclass(frozen=True)
class Arranged:
    """What a trace is made of.

    Attributes:
        setting, reference: of the trace.
        arrays: the arrays of the trace by name.
        notes: what a user should know about the import.
    """

    setting: Setting
    reference: Reference
    arrays: Mapping[str, NDArray[Any]]
    notes: tuple[str, ...]


def arranged(
    columns: StepColumns,
    table: Table,
    strategy: str,
    options: StepOptions,
    stated: StatedConditions,
    origin: Mapping[str, Any],
    shared: Conditions | None = None,
) -> Arranged:
    """Return steps as the parts of a trace.

    Args:
        columns: the steps of one strategy on one table.
        table: the table.
        strategy: name of the strategy.
        options: how the steps are to be read.
        stated: the conditions of the runs, as far as they are known.
        origin: where the steps come from, plain data.
        shared: conditions in place of those that are not stated, so that several strategies have the same; by default
            those that the steps show.

    Raises:
        ParameterError: the steps are empty or contradict themselves or the table.
        MissingDataError: the table lacks what the clock or the budget needs.
        UnknownNameError: the table has no such fidelity.
    """
    name = name_of_strategy(strategy)
    if not len(columns):
        raise ParameterError("there are no evaluations")
    if "value" not in columns:
        raise ParameterError("there is no column 'value' (the observed value of every evaluation)")
    seconds = logged_seconds(columns) if options.clock == "log" or options.order == "seconds" else None
    order = order_runs(columns, seconds, options)
    architecture = find_architectures(table, columns)[order.rows]
    fidelity = fidelities_of(table, columns, options)[order.rows]
    raw = columns.numbers("value")[order.rows]
    there = TableValues(table, architecture, fidelity)
    notes = [*_ignored(columns), *order.notes, *check_values(raw, there, options)]
    observed = observed_values(raw, table, options)
    if columns.is_empty("repeat"):
        repeat, is_mean = there.repeat_of(observed), there.is_mean(observed) | np.isnan(observed)
    else:
        repeat = repeats_of(table, columns)[order.rows]
        is_mean = repeat == MEAN
    before = epochs_before(columns, order, architecture, fidelity)
    time, clock = _clock(table, columns, order, options, seconds, (architecture, fidelity, before, repeat))
    if clock == "none" and options.clock == "log":
        hint = f"; {option('clock', 'table')} charges the costs of the table" if table.has_times else ""
        notes.append(f"the log of {name} has no seconds, so its runs are compared by evaluations{hint}")
    shown = shared or Conditions(
        shown_budget(order, fidelity, time), highest_fidelity(table, fidelity), repeat_policy(table, is_mean)
    )
    measurements = Measurements(table, shown.fidelity, shown.repeat if stated.repeat is None else stated.repeat)
    if stated.budget is None:
        spent = shown_spent(shown.stated_budget, order)
    else:
        spent = stated_budget(measurements.resolved(stated.budget), order, fidelity, before, time)
    notes += spent.notes
    rows: dict[str, NDArray[Any]] = {
        "architecture": architecture,
        "fidelity": fidelity,
        "repeat": repeat,
        "observed": observed,
        "time": np.full(len(order.rows), np.nan) if time is None else time,
        "mask": np.ones(len(order.rows), dtype=bool),
    }
    arrays = _dense(order, spent.counts, rows)
    reference = reference_of(table, measurements)
    best, beyond = _observable(reference, observed[spent.counts], table)
    notes += beyond
    known = {"clock": clock, "unknown": stated.unknown, **origin}
    setting = _setting(table, name, measurements, spent.budget, stated, known)
    return Arranged(
        dataclasses.replace(setting, first_run=order.first_run),
        dataclasses.replace(reference, observable=best),
        {**arrays, "stopped": spent.stopped},
        tuple(dict.fromkeys(notes)),
    )


def _setting(
    table: Table,
    strategy: str,
    measurements: Measurements,
    budget: Budget,
    stated: StatedConditions,
    origin: Mapping[str, Any],
) -> Setting:
    """Return the setting of imported runs, with the usual values of conditions that are not known."""
    workers = 1 if stated.workers is None else stated.workers
    seed = 0 if stated.seed is None else stated.seed
    return Setting(
        table=table.name,
        checksum=table.checksum,
        strategy=strategy,
        label=strategy,
        parameters={},
        conditions=Conditions(budget, measurements.fidelity, measurements.repeat, workers, (), {}, seed),
        first_run=0,
        objective=table.objective,
        origin={"format": "steps", "files": [], "tool": f"nasbench-lab {nasbench_lab.__version__}", **origin},
    )


def _ignored(columns: StepColumns) -> list[str]:
    if not columns.ignored:
        return []
    shown = ", ".join(map(repr, columns.ignored[:5]))
    more = f" and {len(columns.ignored) - 5} more" if len(columns.ignored) > 5 else ""
    return [f"these columns are not used: {shown}{more}"]


def _clock(
    table: Table,
    columns: StepColumns,
    order: RunOrder,
    options: StepOptions,
    seconds: FloatArray | None,
    evaluations: tuple[IntArray, IntArray, IntArray, NDArray[np.int16]],
) -> tuple[FloatArray | None, str]:
    """Return the seconds at the end of each evaluation, in order, and where they come from."""
    if options.clock == "table":
        architecture, fidelity, before, repeat = evaluations
        return table_clock(table, architecture, fidelity, before, repeat.astype(np.int64), order), "table"
    if options.clock == "none" or seconds is None:
        return None, "none"
    return log_clock(seconds, columns, order, options), "log"


def _dense(order: RunOrder, counts: NDArray[np.bool_], rows: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the columns of evaluations as arrays of shape (runs, steps). One step of all runs is contiguous."""
    runs = len(order.lengths)
    steps = int(order.step[counts].max(initial=-1)) + 1
    if runs * steps > max(_FREE_CELLS, _MOST_CELLS_PER_ROW * len(order.rows)):
        raise ParameterError(
            f"{runs:,} runs of up to {steps:,} evaluations, of which most have far fewer, do not fit into one trace"
        )
    found = {}
    for name, values in rows.items():
        array = np.full((steps, runs), MISSING[name], dtype=_DTYPES[name])
        array[order.step[counts], order.run[counts]] = values[counts]
        found[name] = array.T
    return found


def _observable(reference: Reference, observed: FloatArray, table: Table) -> tuple[float, list[str]]:
    """Return the best value that could have been observed: the table's, or a better one of the log, with a note."""
    best = np.fmin if table.objective.direction == "minimize" else np.fmax
    found = float(best.reduce(observed, initial=np.nan))
    if np.isnan(found) or best(found, reference.observable) == reference.observable:
        return reference.observable, []
    if abs(found - reference.observable) <= 1e-9 * abs(reference.observable):
        return found, []
    note = (
        f"the log observed {found:.6g}, which is better than any value of {table.name} ({reference.observable:.6g}); "
        "observed regret is measured from it"
    )
    return found, [note]
