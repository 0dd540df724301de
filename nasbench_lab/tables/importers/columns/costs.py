"""Costs in a file: seconds of single epochs are summed, and seconds of whole trainings must grow with the epochs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.errors import DataError
from nasbench_lab.tables.description import AXES, Description
from nasbench_lab.tables.importers.columns.hints import option, option_name
from nasbench_lab.tables.importers.columns.layout import blocks

_MOST_FALLS = 0.1
_MOST_EQUAL = 0.5  # of the later epochs of trainings that can be resumed
_NOTED_EQUAL = 0.1  # of the fidelities of trainings that cannot be resumed
_LIKE_EPOCHS = 0.9  # slope of the logarithms of seconds and epochs: 1 for whole trainings, 0 for single epochs
_BLOCK = 2**20  # numbers


def settle_costs(
    file: str, description: Description, per_epoch: Collection[str], arrays: Mapping[str, NDArray[Any]]
) -> list[str]:
    """Sum the seconds of single epochs, in place, and check the seconds of whole trainings.

    Args:
        file: name of the file, for messages.
        description: description of the table.
        per_epoch: the metrics with seconds of single epochs.
        arrays: the arrays of all metrics.

    Returns:
        Notes on costs that are doubtful.

    Raises:
        DataError: the seconds fall with the epochs, most of them are the same at different epochs of a training that
            can be resumed, or the seconds of "single epochs" grow like those of whole trainings.
    """
    for name in description.cost:
        if name in per_epoch:
            _refuse_whole_trainings(file, name, arrays[name], description.fidelities)
        if "fidelity" in description.metric(name).axes:
            _settle(file, description, name, arrays[name], sums=name in per_epoch)
    return _equal_seconds(file, description, arrays)


def _settle(file: str, description: Description, name: str, seconds: NDArray[Any], *, sums: bool) -> None:
    falls = present = 0
    for block in blocks(seconds):
        if sums:
            _add_up(block, description.fidelities)
        falls += int((block < np.fmax.accumulate(block, axis=1)).sum())
        present += int((~np.isnan(block)).sum())
    if falls > (0 if description.resumable else _MOST_FALLS * present):
        raise DataError(
            f"column {name!r} of {file} has fewer seconds at a later epoch; it must have the seconds of the "
            f"whole training up to the epoch of the row, or be listed in {option_name('per_epoch')}"
        )


def _equal_seconds(file: str, description: Description, arrays: Mapping[str, NDArray[Any]]) -> list[str]:
    """Return a note if trainings cost the same seconds at different epochs; DataError if they could be resumed free."""
    names = description.cost
    if not names or len(description.fidelities) == 1:
        return []
    equal, pairs = _count_equal(description, arrays)
    columns = " and ".join(map(repr, names))
    if description.resumable and equal > _MOST_EQUAL * pairs:
        raise DataError(
            f"{file} has the same seconds at different epochs in {columns}; if they are the seconds of single epochs, "
            f"pass {option('per_epoch', names[0])}; otherwise, {option_name('cost')} needs seconds of whole trainings"
        )
    if equal <= (0 if description.resumable else _NOTED_EQUAL * pairs):
        return []
    note = (
        f"At {equal} of {pairs} later epochs, the seconds in {columns} are the same as at earlier epochs. "
        f"Columns with the seconds of single epochs must be listed in {option_name('per_epoch')}."
    )
    return [note]


def _count_equal(description: Description, arrays: Mapping[str, NDArray[Any]]) -> tuple[int, int]:
    """Count the later fidelities of all trainings with the same cost as an earlier one, and all later fidelities."""
    axes = {name: description.metric(name).axes for name in description.cost}
    size = max(arrays[name].shape[0] for name in axes)
    fidelities, repeats = len(description.fidelities), len(description.repeats)
    equal = pairs = 0
    step = max(1, _BLOCK // (fidelities * repeats))
    for first in range(0, size, step):
        total = np.zeros((min(step, size - first), fidelities, repeats))
        for name, found in axes.items():
            lengths = [length if axis in found else 1 for axis, length in zip(AXES, total.shape, strict=True)]
            total += arrays[name][first : first + step].reshape(lengths)
        before = np.fmax.accumulate(total, axis=1)[:, :-1]
        equal += int((total[:, 1:] == before).sum())
        pairs += int((~np.isnan(total[:, 1:]) & ~np.isnan(before)).sum())
    return equal, pairs


def _refuse_whole_trainings(file: str, name: str, seconds: NDArray[Any], fidelities: Sequence[int]) -> None:
    counts = np.array([_count_growing(block, fidelities) for block in blocks(seconds)])
    growing, trainings = counts.sum(axis=0).tolist()
    if growing > trainings / 2:
        raise DataError(
            f"column {name!r} of {file} grows in proportion to the epochs, as the seconds of whole trainings do; "
            f"do not list it in {option_name('per_epoch')}"
        )


def _count_growing(seconds: NDArray[Any], fidelities: Sequence[int]) -> tuple[int, int]:
    """Count the trainings whose seconds grow at least nearly in proportion to the epochs, and all trainings.

    >>> _count_growing(np.array([[9.0, 27.1, np.nan], [9.0, 9.3, 9.1]]), (1, 3, 9))
    (1, 2)
    """
    known = seconds > 0
    first, last = known.argmax(axis=1), known.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
    ends = [np.take_along_axis(seconds, np.expand_dims(each, 1), axis=1).squeeze(1) for each in (first, last)]
    several = known.any(axis=1) & (last > first)
    epochs = np.log(np.asarray(fidelities, dtype=np.float64))
    slope = np.log(ends[1][several] / ends[0][several]) / (epochs[last] - epochs[first])[several]
    return int((slope > _LIKE_EPOCHS).sum()), int(several.sum())


def _add_up(seconds: NDArray[Any], fidelities: Sequence[int]) -> None:
    """Convert seconds of single epochs to seconds of the training so far, in place; (architectures, fidelities, ...).

    An epoch without a number is assumed to take as long as the next epoch with a number.

    >>> seconds = np.array([[2.0, np.nan, 3.0]])
    >>> _add_up(seconds, (1, 2, 4))
    >>> seconds
    array([[ 2., nan, 11.]])
    """
    total = np.zeros_like(seconds[:, 0])
    counted = np.zeros_like(total)  # epochs
    for position, epochs in enumerate(fidelities):
        known = ~np.isnan(seconds[:, position])
        total += np.where(known, (epochs - counted) * np.nan_to_num(seconds[:, position]), 0.0)
        counted[known] = epochs
        seconds[:, position] = np.where(known, total, np.nan)
