"""The results of a study as records, for data frames and files: leaderboard, pairs, curves and final regrets."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from nasbench_lab.analysis.anytime import AnytimeCurves
from nasbench_lab.analysis.intervals import Interval, Intervals
from nasbench_lab.analysis.pairwise import Pairwise
from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.records import Categories, Column, Records

_QUARTILES = ("lower_quartile", "median", "upper_quartile")


def records_of(rows: Sequence[Any]) -> Records:
    """Return frozen dataclasses as records; an `Interval` becomes three columns, with ``_low`` and ``_high``.

    Fields that hold a tuple are left out.

    >>> @dataclasses.dataclass(frozen=True)
    ... class Row:
    ...     strategy: str
    ...     mean: Interval
    >>> records_of([Row("a", Interval(0.5, 0.25, 0.75))]).to_dict()
    {'strategy': ['a'], 'mean': [0.5], 'mean_low': [0.25], 'mean_high': [0.75]}
    """
    columns: dict[str, list[Any]] = {}
    for row in rows:
        for field in dataclasses.fields(row):
            value = getattr(row, field.name)
            if isinstance(value, tuple):
                continue
            named = {field.name: value}
            if isinstance(value, Interval):
                named = {field.name: value.estimate, f"{field.name}_low": value.low, f"{field.name}_high": value.high}
            for name, number in named.items():
                columns.setdefault(name, []).append(number)
    return Records({name: _column(values) for name, values in columns.items()})


def pair_records(pairs: Pairwise, labels: Sequence[str], tasks: Sequence[str]) -> Records:
    """Return the comparisons of all pairs of strategies that ran, each pair in both orders, task by task.

    Args:
        pairs: the comparisons.
        labels: of the strategies.
        tasks: names of the tasks.
    """
    task, one, other = np.nonzero(np.moveaxis(~np.isnan(pairs.a12), -1, 0))
    different = one != other
    where = one[different], other[different], task[different]
    columns: dict[str, Column] = {
        "task": Categories(where[2], tuple(tasks)),
        "strategy": Categories(where[0], tuple(labels)),
        "other": Categories(where[1], tuple(labels)),
    }
    for field in dataclasses.fields(pairs):
        value = getattr(pairs, field.name)
        if isinstance(value, Intervals):
            columns |= _interval_columns(field.name, value[where])
        elif isinstance(value, np.ndarray) and value.ndim == len(where):
            found = value[where]
            columns[field.name] = Categories.of(found.tolist()) if found.dtype.kind == "U" else found
    return Records(columns)


def curve_records(
    curves: Iterable[AnytimeCurves], labels: Sequence[str], tasks: Sequence[str], units: Mapping[str, str]
) -> Records:
    """Return points of curves in long form: task, strategy, axis, place on the axis, and the regret's statistics.

    Points after the end of a strategy's curve are left out.

    Args:
        curves: one for each task and axis, of one kind of regret.
        labels: of the strategies.
        tasks: names of the tasks.
        units: of the columns.
    """
    parts = []
    for each in curves:
        strategy, point = np.nonzero(~np.isnan(each.quartiles[1]))
        columns: dict[str, Column] = {
            "task": Categories.constant(tasks[each.task], len(point)),
            "strategy": Categories(strategy, tuple(labels)),
            "axis": Categories.constant(each.axis, len(point)),
            "at": each.grid[point],
        }
        columns |= {name: each.quartiles[place, strategy, point] for place, name in enumerate(_QUARTILES)}
        for name in ("mean", "iqm"):
            columns |= _interval_columns(name, getattr(each, name)[strategy, point])
        parts.append(Records(columns, units))
    return Records.stack(parts)


def final_records(final: FloatArray, runs: IntArray, labels: Sequence[str], tasks: Sequence[str], unit: str) -> Records:
    """Return the regret at the end of every run; NaN for a run without a value.

    Args:
        final: regrets, shape (strategies, tasks, runs).
        runs: numbers of runs, shape (strategies, tasks).
        labels: of the strategies.
        tasks: names of the tasks.
        unit: of the regret; empty where it differs between tasks.
    """
    strategy, task, run = np.nonzero(np.arange(final.shape[-1]) < runs[..., None])
    columns: dict[str, Column] = {
        "task": Categories(task, tuple(tasks)),
        "strategy": Categories(strategy, tuple(labels)),
        "run": run,
        "regret": final[strategy, task, run],
    }
    return Records(columns, {"regret": unit} if unit else {})


def _interval_columns(name: str, intervals: Intervals) -> dict[str, Column]:
    return {name: intervals.estimate, f"{name}_low": intervals.low, f"{name}_high": intervals.high}


def _column(values: list[Any]) -> Column:
    return Categories.of(values) if isinstance(values[0], str) else np.array(values)
