"""The runs of a log, and the order of the evaluations in each."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation.steps.columns import StepColumns, first_row
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
    names, place = columns.distinct("run")
    if "" in names:
        raise ParameterError(f"{columns.row(first_row(place, names.index('')))} has no run")
    numbers = [whole_number(name) for name in names]
    known = sorted({number for number in numbers if number is not None})
    if None in numbers:
        positions, notes = np.arange(len(names)), _renumbered(names, len(names))
        return positions[place], 0, notes
    first, last = known[0], known[-1]
    if len(known) == last - first + 1 and first >= 0 and last <= _LARGEST_RUN:
        return np.array([(number or 0) - first for number in numbers])[place], first, ()
    rank = {number: position for position, number in enumerate(known)}
    return np.array([rank[number or 0] for number in numbers])[place], 0, _renumbered(map(str, known), len(known))


def _renumbered(names: Iterable[str], count: int) -> tuple[str, ...]:
    shown = ", ".join(name[:40] for name in itertools.islice(names, _MOST_NAMED))
    more = ", ..." if count > _MOST_NAMED else ""
    return (f"runs {shown}{more} of the log are numbered 0 to {count - 1}" if count > 1 else f"run {shown} is run 0",)


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
    numbers, keys = columns.whole_numbers("step")
    rows = np.lexsort((keys, run))
    same = np.flatnonzero((np.diff(run[rows]) == 0) & (np.diff(keys[rows]) == 0))
    if len(same):
        one, other = sorted(map(int, rows[[same[0], same[0] + 1]]))
        raise ParameterError(f"{columns.row(other)} has the run and the step of {columns.row(one)}")
    return keys, _gaps(run[rows], keys[rows], numbers)


def _gaps(run: IntArray, keys: IntArray, numbers: list[int]) -> tuple[str, ...]:
    """Return a note if the steps of runs are not consecutive.

    Args:
        run: of the rows, ascending.
        keys: position of each row's step in ``numbers``, ascending in every run.
        numbers: the different steps.
    """
    lengths = np.bincount(run)
    ends = np.cumsum(lengths)
    gaps = [
        number
        for number, (first, end) in enumerate(zip((ends - lengths).tolist(), ends.tolist(), strict=True))
        if numbers[keys[first]] not in (0, 1) or numbers[keys[end - 1]] - numbers[keys[first]] + 1 != end - first
    ]
    if not gaps:
        return ()
    what = f"run {gaps[0]}" if len(gaps) == 1 else f"{len(gaps)} runs"
    return (f"the steps of {what} do not start at 0 or 1 or have gaps; evaluations are numbered as they are in order",)
