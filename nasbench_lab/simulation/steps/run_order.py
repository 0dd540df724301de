"""The runs of a log, and the order of the evaluations in each."""

from __future__ import annotations

import dataclasses

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import ParameterError, shortened
from nasbench_lab.simulation.steps.columns import StepColumns
from nasbench_lab.simulation.steps.options import StepOptions
from nasbench_lab.tables.importers.columns.hints import option
from nasbench_lab.tables.importers.columns.space import whole_number

_LARGEST_RUN = 2**63 - 1
_MOST_NAMED = 8


@dataclasses.dataclass(frozen=True)
class RunOrder:
    """The rows of a log, run by run, in the order in which the evaluations ended.

    Attributes:
        rows: positions of the rows in this order, shape (rows,).
        run: the run of each, from 0, shape (rows,).
        step: the number of each in its run, from 0, shape (rows,).
        lengths: evaluations of every run, shape (runs,).
        first_run: number of the first run.
        notes: what a user should know about it.
    """

    rows: IntArray
    run: IntArray
    step: IntArray
    lengths: IntArray
    first_run: int
    notes: tuple[str, ...]


def order_runs(columns: StepColumns, seconds: FloatArray | None, options: StepOptions) -> RunOrder:
    """Return the order of the evaluations of a log.

    Args:
        columns: the columns.
        seconds: seconds of the rows; None where the log has none.
        options: how the steps are to be read.

    Raises:
        ParameterError: a run has a step twice, or what orders the evaluations is missing.
    """
    run, first_run, notes = _runs(columns)
    keys, more = _keys(columns, run, seconds, options)
    rows = np.lexsort((keys, run)) if keys is not None else np.argsort(run, kind="stable")
    run = run[rows]
    lengths = np.bincount(run)
    step = np.arange(len(run)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return RunOrder(rows, run, step, lengths, first_run, (*notes, *more))


def _runs(columns: StepColumns) -> tuple[IntArray, int, tuple[str, ...]]:
    """Return the run of each row from 0, the number of the first run, and notes."""
    if "run" not in columns:
        return np.zeros(len(columns), dtype=np.int64), 0, ()
    texts = columns.texts("run")
    if "" in texts:
        raise ParameterError(f"{columns.row(texts.index(''))} has no run")
    names = list(dict.fromkeys(texts))
    found = {name: whole_number(name) for name in names}
    numbers = sorted(number for number in found.values() if number is not None)
    if len(numbers) == len(names):
        first, last = numbers[0], numbers[-1]
        if len(set(numbers)) == last - first + 1 and first >= 0 and last <= _LARGEST_RUN:
            return np.array([(found[text] or 0) - first for text in texts]), first, ()
        names.sort(key=lambda name: found[name] or 0)
        place = {number: position for position, number in enumerate(dict.fromkeys(numbers))}
        positions = {name: place[found[name] or 0] for name in names}
    else:
        positions = {name: position for position, name in enumerate(names)}
    shown = ", ".join(shortened(name)[1:-1][:40] for name in names[:_MOST_NAMED])
    more = ", ..." if len(names) > _MOST_NAMED else ""
    last = max(positions.values())
    note = f"runs {shown}{more} of the log are numbered 0 to {last}" if last else f"run {shown} of the log is run 0"
    return np.array([positions[text] for text in texts]), 0, (note,)


def _keys(
    columns: StepColumns, run: IntArray, seconds: FloatArray | None, options: StepOptions
) -> tuple[IntArray | FloatArray | None, tuple[str, ...]]:
    """Return numbers that order the evaluations of a run (None for the order of the rows), and notes."""
    order = options.order
    if order == "auto":
        by_seconds = seconds is not None and not options.durations
        order = "step" if "step" in columns else "seconds" if by_seconds else "rows"
    if order == "rows":
        return None, ()
    if order == "seconds":
        if seconds is None or options.durations:
            raise ParameterError(f"{option('order', 'seconds')} needs elapsed seconds in the log")
        return seconds, ()
    if "step" not in columns:
        raise ParameterError(f"{option('order', 'step')} needs a column 'step'")
    given = columns.whole_numbers("step")
    rank = {number: position for position, number in enumerate(sorted(set(given)))}  # of any size
    keys = np.array([rank[number] for number in given], dtype=np.int64)
    rows = np.lexsort((keys, run))
    same = np.flatnonzero((np.diff(run[rows]) == 0) & (np.diff(keys[rows]) == 0))
    if len(same):
        one, other = sorted(map(int, rows[[same[0], same[0] + 1]]))
        raise ParameterError(f"{columns.row(other)} has the run and the step of {columns.row(one)}")
    return keys, _gaps(run, given)


def _gaps(run: IntArray, step: list[int]) -> tuple[str, ...]:
    """Return a note if the steps of runs are not consecutive."""
    ends: dict[int, tuple[int, int, int]] = {}
    for number, place in zip(run.tolist(), step, strict=True):
        low, high, count = ends.get(number, (place, place, 0))
        ends[number] = min(low, place), max(high, place), count + 1
    gaps = [number for number, (low, high, count) in ends.items() if high - low + 1 != count or low not in (0, 1)]
    if not gaps:
        return ()
    what = f"run {gaps[0]}" if len(gaps) == 1 else f"{len(gaps)} runs"
    return (f"the steps of {what} do not start at 0 or 1 or have gaps; evaluations are numbered as they are in order",)
