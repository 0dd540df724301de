"""Finding architectures by their values, for logs that do not name them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation.steps.options import RowName
from nasbench_lab.tables.description import Metric
from nasbench_lab.tables.table import Table

_EQUAL = 1e-6
_NEARLY = 2e-4
"""Relative differences: of the value that decides, and of the others, which logs may round."""


_Flags = NDArray[np.bool_]


@dataclasses.dataclass(frozen=True)
class Clue:
    """Values of a metric that a log has for every evaluation.

    Attributes:
        metric: name of the table's metric.
        values: in the metric's unit, shape (rows,).
    """

    metric: str
    values: FloatArray


def architectures_by_value(
    table: Table, fidelity: int, value: FloatArray, clues: list[Clue], row: RowName, advice: str
) -> IntArray:
    """Return the only architecture that has the values of each row.

    The value of the objective decides. Where several architectures have it, those whose other values agree are kept,
    as far as there are any: a log can have other values than the table has. Of architectures with the same mean
    values, and so the same regrets, the first is returned.

    Args:
        table: the table.
        fidelity: training epochs of the values.
        value: of the objective, shape (rows,).
        clues: further values.
        row: names a row in messages.
        advice: what a user can do if the values do not say the architecture.

    Raises:
        ParameterError: no architecture has the value of a row, or several have it.
    """
    names = (table.objective.name, *(clue.metric for clue in clues))
    every = {name: _candidates(table, name, fidelity) for name in names}
    objective = every[table.objective.name]
    order = np.argsort(objective, axis=None)
    ordered = objective.reshape(-1)[order]
    found = np.empty(len(value), dtype=np.int64)
    known: dict[tuple[float, ...], int] = {}
    for position in range(len(value)):
        key = (float(value[position]), *(float(clue.values[position]) for clue in clues))
        if key not in known:
            slack = _EQUAL * max(abs(key[0]), _EQUAL)
            low, high = np.searchsorted(ordered, [key[0] - slack, key[0] + slack])
            which = np.unique(order[low:high] // objective.shape[1])
            same = np.abs(objective[which] - key[0]) <= slack
            for clue, wanted in zip(clues, key[1:], strict=True):
                same = _narrowed(same, every[clue.metric][which], wanted)
            known[key] = _only(which, same, table, row(position), key[0], advice)
        found[position] = known[key]
    return found


def _only(which: IntArray, same: _Flags, table: Table, row: str, value: float, advice: str) -> int:
    """Return the only architecture of some, or raise ParameterError.

    Args:
        which: the architectures.
        same: whether their mean, and every repeat, has the values of the log, shape (architectures, columns).
        table: the table.
        row: name of the row in messages.
        value: value of the objective.
        advice: end of the message.
    """
    means = same[:, :1].any(axis=1)
    which = which[means] if means.any() else which[same.any(axis=1)]
    values = [table.mean_values(metric.name)[which] for metric in _splits(table).values()]
    if len(which) > 1 and all(np.ptp(each) <= _EQUAL * np.abs(each).max() for each in values):
        which = which[:1]  # all have the same regrets
    if len(which) == 1:
        return int(which[0])
    name = f"{table.objective.name} {value:.6g}"
    if not len(which):
        raise ParameterError(f"{row}: the log names no architectures, and none of {table.name} has {name}; {advice}")
    raise ParameterError(
        f"{row}: the log names no architectures, and {len(which)} of {table.name} have {name}; {advice}"
    )


def _splits(table: Table) -> dict[str, Metric]:
    names = {"valid": table.description.valid, "test": table.description.test}
    return {split: table.description.metric(name) for split, name in names.items() if name is not None}


def _narrowed(same: _Flags, candidates: NDArray[np.float64], wanted: float) -> _Flags:
    """Return which of the values belong to another value of the log, too; all of them if none does."""
    kept: _Flags = same & (np.abs(candidates - wanted) <= _NEARLY * max(abs(wanted), _NEARLY))
    return kept if kept.any() else same


def _candidates(table: Table, metric: str, fidelity: int) -> NDArray[np.float64]:
    """Return the values that a log can have for an architecture: the mean, and every repeat; inf where missing."""
    repeats = table.repeat_values(metric, fidelity)
    repeats = np.broadcast_to(repeats, (len(repeats), table.repeats))
    parts = np.concatenate([table.mean_values(metric, fidelity)[:, None], repeats], axis=1)
    return np.where(np.isnan(parts), np.inf, parts)


def clues_of(table: Table, given: Mapping[str, FloatArray]) -> Iterator[Clue]:
    """Yield clues about the splits of accuracies in percent, for those that the table has in percent or as fractions.

    Args:
        table: the table.
        given: of each split ("train", "valid", "test"), the values in percent.
    """
    for split, values in given.items():
        for metric in table.description.metrics:
            if metric.split == split and metric.direction == "maximize" and metric.unit in ("percent", "fraction"):
                if metric.name != table.objective.name:
                    yield Clue(metric.name, values if metric.unit == "percent" else values / 100)
                break
