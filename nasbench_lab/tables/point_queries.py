"""Answering one architecture at a time, in microseconds.

NumPy costs about a microsecond for every number that is taken out of an array alone, and a query takes dozens. A memory
view gives a Python number in a twentieth of that. So for every fidelity and repeat that is asked for, the places of the
numbers are worked out once, and a query only picks them up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

Answer = dict[str, float]
Numbers = memoryview | NDArray[Any]
Verify = Callable[[int, int], None]
"""Makes sure that the rows from the first to before the second are what was written."""

_ROWS = 1024
"""How many architectures are verified at once."""
_SEQUENTIAL = 8
"""NumPy adds fewer numbers than this one after the other, as a loop does."""


class MetricColumn(NamedTuple):
    """Where the numbers of one metric are.

    Attributes:
        name: of the metric.
        dated: whether it belongs to a fidelity or repeat, unlike a number of parameters.
        values: the metric's array over its axes.
        axes: names of its axes.
        means: its published means, (architectures, fidelities), or None.
    """

    name: str
    dated: bool
    values: NDArray[Any]
    axes: tuple[str, ...]
    means: NDArray[Any] | None


class _Place(NamedTuple):
    """How to find the numbers of an architecture: those at ``index * length + offset``, for every offset."""

    name: str
    dated: bool
    numbers: Numbers
    length: int
    offsets: range
    mean: tuple[Numbers, int, int] | None


@final
class Single:
    """The answers for one fidelity and repeat.

    Args:
        columns: the metrics, in the order of the answer.
        fidelity: position on the fidelity axis.
        repeat: position on the repeat axis, or ``"mean"``.
        verify: called for the rows that are about to be used for the first time.
    """

    def __init__(
        self, columns: Sequence[MetricColumn], fidelity: int, repeat: int | Literal["mean"], verify: Verify
    ) -> None:
        self._places = tuple(_place(column, fidelity, repeat) for column in columns)
        self._verify = verify
        self._verified: set[int] = set()

    def answer(self, index: int) -> tuple[Answer, bool]:
        """Return what was measured of an architecture, and whether any of it is dated."""
        if index // _ROWS not in self._verified:
            first = index // _ROWS * _ROWS
            self._verify(first, first + _ROWS)
            self._verified.add(index // _ROWS)
        answer: Answer = {}
        any_dated = False
        for name, dated, numbers, length, offsets, mean in self._places:
            start = index * length
            if len(offsets) == 1:
                value = numbers[start + offsets[0]]
            else:
                value = _mean([numbers[start + offset] for offset in offsets])
            if value != value and mean is not None:  # only NaN differs from itself
                value = mean[0][index * mean[1] + mean[2]]
            if value == value:
                answer[name] = float(value)
                any_dated = any_dated or dated
        return answer, any_dated


def _place(column: MetricColumn, fidelity: int, repeat: int | Literal["mean"]) -> _Place:
    """Work out where the numbers of a metric are."""
    shape = dict(zip(column.axes, column.values.shape, strict=True))
    repeats = shape.get("repeat", 1)
    first = fidelity * repeats if "fidelity" in shape else 0
    single = repeat != "mean" and "repeat" in shape
    offsets = range(first + int(repeat), first + int(repeat) + 1) if single else range(first, first + repeats)
    length = math.prod(column.values.shape[1:])
    mean = None
    if column.means is not None and not single:
        mean = (_numbers(column.means), column.means.shape[1], fidelity)
    return _Place(column.name, column.dated, _numbers(column.values), length, offsets, mean)


def _numbers(array: NDArray[Any]) -> Numbers:
    """Give the numbers of an array one by one, as Python's."""
    flat = array.reshape(-1)
    if not (flat.flags.c_contiguous and flat.flags.aligned and flat.dtype.isnative):
        return flat  # the few arrays that a memory view cannot read are slower
    # A dtype may state its byte order even where it is the machine's, which memory views refuse; made anew it does not.
    return memoryview(flat.view(np.dtype(flat.dtype.str)).data)


def _mean(numbers: list[float]) -> float:
    """Mean of the numbers that are not NaN, to the last bit as `Table.mean_values` has it; NaN where there are none."""
    if len(numbers) >= _SEQUENTIAL:
        array = np.array(numbers)
        known = ~np.isnan(array)
        return float(np.where(known, array, 0.0).sum() / known.sum()) if known.any() else math.nan
    total, count = 0.0, 0
    for number in numbers:  # not sum(), which newer versions of Python round differently
        if number == number:
            total, count = total + number, count + 1
    return total / count if count else math.nan
