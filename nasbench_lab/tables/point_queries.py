"""Queries of single architectures, in microseconds.

NumPy takes about a microsecond to extract one number from an array, and a query extracts dozens. A memory view returns
a Python number in a twentieth of that time. So the positions of the numbers are computed once per fidelity and repeat,
and a query only reads them.
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
"""Verifies the rows ``first`` to ``end - 1`` against their checksums, called as ``verify(first, end)``."""

_ROWS = 1024
"""Number of architectures that are verified together."""
_SEQUENTIAL = 8
"""NumPy sums fewer numbers than this sequentially, as a loop does."""


class MetricColumn(NamedTuple):
    """The stored numbers of one metric.

    Attributes:
        name: name of the metric.
        dated: whether it belongs to a fidelity or repeat, unlike a number of parameters.
        values: the values over the axes of the metric.
        axes: names of the axes.
        means: the published means, (architectures, fidelities), or None.
    """

    name: str
    dated: bool
    values: NDArray[Any]
    axes: tuple[str, ...]
    means: NDArray[Any] | None


class _Place(NamedTuple):
    """The positions of the numbers of an architecture: ``index * length + offset``, for every offset."""

    name: str
    dated: bool
    numbers: Numbers
    length: int
    offsets: range
    mean: tuple[Numbers, int, int] | None


@final
class PointQueries:
    """Queries of single architectures at one fidelity and repeat.

    Args:
        columns: the metrics, in the order of the answer.
        fidelity: position on the fidelity axis.
        repeat: position on the repeat axis, or ``"mean"``.
        verify: called before rows are used for the first time.
    """

    def __init__(
        self, columns: Sequence[MetricColumn], fidelity: int, repeat: int | Literal["mean"], verify: Verify
    ) -> None:
        self._places = tuple(_place(column, fidelity, repeat) for column in columns)
        self._verify = verify
        self._verified: set[int] = set()

    def answer(self, index: int) -> tuple[Answer, bool]:
        """Return metric name to value for an architecture, and whether any of them is dated."""
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
    """Compute the positions of the numbers of a metric."""
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
    """Return the flattened array in a form from which Python numbers are read fast."""
    flat = array.reshape(-1)
    if not (flat.flags.c_contiguous and flat.flags.aligned and flat.dtype.isnative):
        return flat  # slower; the rare case of an array that a memory view cannot read
    # Memory views refuse a dtype with an explicit byte order, even the native one. Making the dtype again removes it.
    return memoryview(flat.view(np.dtype(flat.dtype.str)).data)


def _mean(numbers: list[float]) -> float:
    """Return the mean of the numbers that are not NaN, equal to `Table.mean_values` to the last bit; NaN if all are."""
    if len(numbers) >= _SEQUENTIAL:
        array = np.array(numbers)
        known = ~np.isnan(array)
        return float(np.where(known, array, 0.0).sum() / known.sum()) if known.any() else math.nan
    total, count = 0.0, 0
    for number in numbers:  # not sum(), which rounds differently in newer versions of Python
        if number == number:
            total, count = total + number, count + 1
    return total / count if count else math.nan
