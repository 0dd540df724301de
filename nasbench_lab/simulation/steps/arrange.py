"""Steps as the setting, the reference and the arrays of a trace."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nasbench_lab
from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import ParameterError, shortened
from nasbench_lab.simulation.budget import Budget
from nasbench_lab.simulation.conditions import Conditions
from nasbench_lab.simulation.measurements import MEAN, Measurements, RepeatPolicy
from nasbench_lab.simulation.reference import Reference, reference_of
from nasbench_lab.simulation.run_arrays import MISSING
from nasbench_lab.simulation.setting import Setting
from nasbench_lab.simulation.steps.architectures import find_architectures
from nasbench_lab.simulation.steps.clocks import log_clock, logged_seconds, table_clock
from nasbench_lab.simulation.steps.columns import StepColumns, first_row
from nasbench_lab.simulation.steps.options import StepOptions, name_of_strategy
from nasbench_lab.simulation.steps.run_order import RunOrder, order_runs
from nasbench_lab.simulation.steps.spent import shown_budget, shown_spent, stated_budget
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
    fidelity = _fidelities(table, columns, options)[order.rows]
    raw = columns.numbers("value")[order.rows]
    there = TableValues(table, architecture, fidelity)
    notes = [*_ignored(columns), *order.notes, *check_values(raw, there, options)]
    observed = observed_values(raw, table, options)
    repeat = _repeats(table, columns)[order.rows] if "repeat" in columns else there.repeat_of(observed)
    before = _before(columns, order, architecture, fidelity)
    time, clock = _clock(table, columns, order, options, seconds, (architecture, fidelity, before, repeat))
    if clock == "none" and options.clock == "log":
        hint = f"; {option('clock', 'table')} charges the costs of the table" if table.has_times else ""
        notes.append(f"the log of {name} has no seconds, so its runs are compared by evaluations{hint}")
    shown = shared or Conditions(shown_budget(order, fidelity, time), _highest(table, fidelity), _policy(table, repeat))
    measurements = Measurements(table, shown.fidelity, shown.repeat if stated.repeat is None else stated.repeat)
    if stated.budget is None:
        spent = shown_spent(shown.stated_budget, order)
    else:
        spent = stated_budget(stated.budget.at(measurements.fidelity), order, fidelity, before, time)
    notes += spent.notes
    workers = 1 if stated.workers is None else stated.workers
    seed = 0 if stated.seed is None else stated.seed
    conditions = Conditions(spent.budget, measurements.fidelity, measurements.repeat, workers, (), {}, seed)
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
    setting = Setting(
        table=table.name,
        checksum=table.checksum,
        strategy=name,
        label=name,
        parameters={},
        conditions=conditions,
        first_run=order.first_run,
        objective=table.objective,
        origin={
            "format": "steps",
            "files": [],
            "tool": f"nasbench-lab {nasbench_lab.__version__}",
            "clock": clock,
            "unknown": stated.unknown,
            **origin,
        },
    )
    return Arranged(
        setting,
        dataclasses.replace(reference, observable=best),
        {**arrays, "stopped": spent.stopped},
        tuple(dict.fromkeys(notes)),
    )


def _ignored(columns: StepColumns) -> list[str]:
    if not columns.ignored:
        return []
    shown = ", ".join(map(repr, columns.ignored[:5]))
    more = f" and {len(columns.ignored) - 5} more" if len(columns.ignored) > 5 else ""
    return [f"these columns are not used: {shown}{more}"]


def _fidelities(table: Table, columns: StepColumns, options: StepOptions) -> IntArray:
    """Return the training epochs of every row."""
    highest = table.fidelities[-1]
    if columns.is_empty("fidelity"):
        epochs = highest if options.fidelity is None else options.fidelity
        if epochs not in table.fidelities:
            table.fidelity_position(epochs)  # raises an error
        return np.full(len(columns), epochs, dtype=np.int64)
    found, place = columns.whole_numbers("fidelity")
    for position, epochs in enumerate(found):
        if not 1 <= epochs <= highest:
            row = columns.row(first_row(place, position))
            if epochs < 1:
                raise ParameterError(f"{row}: fidelity must be a number of epochs from 1, got {shortened(epochs)}")
            raise ParameterError(
                f"{row}: fidelity {shortened(epochs)} is above the highest of {table.name}, {highest} epochs"
            )
    return np.array(found, dtype=np.int64)[place]


def _highest(table: Table, fidelity: IntArray) -> int:
    """Return the table's lowest fidelity that is not below any of the evaluations."""
    most = int(fidelity.max())
    return next(epochs for epochs in table.fidelities if epochs >= most)


def _repeats(table: Table, columns: StepColumns) -> NDArray[np.int16]:
    """Return the number of the repeat of every row, -1 for the mean or an unknown one."""
    texts, place = columns.distinct("repeat")
    found = []
    for position, text in enumerate(texts):
        if text in ("", "-1", "mean"):
            found.append(MEAN)
            continue
        try:
            number = table.check_repeat(int(text) if text.isdecimal() and len(text) < 19 else text)
        except ParameterError as error:
            raise ParameterError(f"{columns.row(first_row(place, position))}: {error}") from None
        found.append(MEAN if number == "mean" else int(number))
    return np.array(found, dtype=np.int16)[place]


def _policy(table: Table, repeat: NDArray[np.int16]) -> RepeatPolicy:
    """Return what the evaluations observed: the mean, if all did and there is more than one repeat."""
    return "mean" if table.repeats > 1 and bool((repeat == MEAN).all()) else "sample"


def _before(columns: StepColumns, order: RunOrder, architecture: IntArray, fidelity: IntArray) -> IntArray:
    """Return the epochs after which each evaluation continues an earlier one of its training; 0 for a new training."""
    before = np.zeros(len(order.rows), dtype=np.int64)
    if "training" not in columns:
        return before
    names = columns.texts("training")
    last: dict[tuple[int, str], tuple[int, int]] = {}
    for place, row in enumerate(order.rows.tolist()):
        if not names[row]:
            continue
        key = int(order.run[place]), names[row]
        known = last.get(key)
        now = int(architecture[place]), int(fidelity[place])
        if known is not None and known[0] != now[0]:
            raise ParameterError(
                f"{columns.row(row)}: training {names[row][:40]!r} has architectures {known[0]} and {now[0]}"
            )
        if known is not None and known[1] < now[1]:
            before[place] = known[1]
        last[key] = now
    return before


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
