"""The trainings of steps: their epochs, their repeats, and which continue earlier ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import shortened
from nasbench_lab.simulation.measurements import MEAN, RepeatPolicy
from nasbench_lab.simulation.steps.columns import StepColumns, first_row
from nasbench_lab.simulation.steps.options import StepOptions
from nasbench_lab.simulation.steps.run_order import RunOrder
from nasbench_lab.tables.table import Table


def fidelities_of(table: Table, columns: StepColumns, options: StepOptions) -> IntArray:
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


def highest_fidelity(table: Table, fidelity: IntArray) -> int:
    """Return the table's lowest fidelity that is not below any of the evaluations."""
    most = int(fidelity.max())
    return next(epochs for epochs in table.fidelities if epochs >= most)


def repeats_of(table: Table, columns: StepColumns) -> NDArray[np.int16]:
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


def repeat_policy(table: Table, is_mean: NDArray[np.bool_]) -> RepeatPolicy:
    """Return what the evaluations observed: the mean, if all did and there is more than one repeat."""
    return "mean" if table.repeats > 1 and bool(is_mean.all()) else "sample"


def epochs_before(columns: StepColumns, order: RunOrder, architecture: IntArray, fidelity: IntArray) -> IntArray:
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
