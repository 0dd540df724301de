"""Stored tables of the answers of computed tables, where the space is small enough to list."""

from __future__ import annotations

import dataclasses

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import AtLeast, whole
from nasbench_lab.errors import MissingDataError
from nasbench_lab.tables.computed import ComputedTable
from nasbench_lab.tables.table import Table

_MOST_NUMBERS = 2**27
"""Largest number of values of a metric: a gigabyte."""
_AT_A_TIME = 2**16  # requests


def tabulate(table: ComputedTable, *, repeats: int | None = None, name: str | None = None) -> Table:
    """Return a stored table with all answers of a computed table, so that optima and regrets are known.

    Args:
        table: the computed table, whose answers must be cheap.
        repeats: number of repeats, where the table draws them; by default 3. Otherwise all of the description.
        name: name of the new table; by default the same.

    Raises:
        MissingDataError: the answers need trainings, or there are too many.
        ParameterError: ``repeats`` is not a number from 1.

    >>> from nasbench_lab.testing import function_table
    >>> table = tabulate(function_table({"name": "chain", "choices": "abc", "length": 4}))
    >>> table.values("valid_accuracy").shape, table.kind
    ((81, 2, 3), 'function')
    """
    count = table.repeats
    if table.unlimited_repeats:
        count = whole("repeats", 3 if repeats is None else repeats, AtLeast(1))
    fidelities, size = table.fidelities, table.space.size
    if not table.is_cheap:
        raise MissingDataError(f"table {table.name!r} trains what it is asked for, so it cannot be tabulated")
    if size * len(fidelities) * count > _MOST_NUMBERS:
        raise MissingDataError(
            f"table {table.name!r} has {size:,} architectures, {len(fidelities)} fidelities and {count} repeats, which "
            f"are too many to tabulate; at most {_MOST_NUMBERS:,} values are stored"
        )
    names = table.description.repeats if not table.unlimited_repeats else tuple(map(str, range(count)))
    lengths = {"architecture": size, "fidelity": len(fidelities), "repeat": count}
    values = {metric.name: np.empty([lengths[axis] for axis in metric.axes]) for metric in table.description.metrics}
    step = max(1, _AT_A_TIME // (len(fidelities) * count))
    for first in range(0, size, step):
        rows = np.arange(first, min(first + step, size))
        for metric in table.description.metrics:
            values[metric.name][rows] = _piece(table, metric.name, metric.axes, rows, count)
    description = dataclasses.replace(table.description, repeats=names, name=table.name if name is None else name)
    return Table(description, values)


def _piece(table: ComputedTable, metric: str, axes: tuple[str, ...], rows: np.ndarray, count: int) -> FloatArray:
    """Return the values of some architectures over the axes of a metric."""
    if axes == ("architecture",):
        return table.lookup(rows, repeat=0, metric=metric)
    epochs = table.fidelities if "fidelity" in axes else table.fidelities[-1:]
    repeats = range(count) if "repeat" in axes else range(1)
    answers = table.answers(rows[:, None, None], np.array(epochs)[:, None], np.array(repeats))
    return answers.values[metric].reshape(
        [len(rows), *([len(epochs)] if "fidelity" in axes else []), *([count] if "repeat" in axes else [])]
    )
