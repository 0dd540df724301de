"""The values of a landscape: one number per architecture, and their order as levels without rounding errors."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import AtLeast, number
from nasbench_lab.errors import MissingDataError, ParameterError
from nasbench_lab.tables import Metric, Table
from nasbench_lab.tables.tabulated import stored_table

Split = Literal["valid", "test"]

ROUNDING = {4: 2e-7, 8: 1e-13}
"""Values that differ by less than this share of the largest one are equal by default, by the bytes of stored numbers.

Equal accuracies get different means where the stored numbers were rounded, or where they are added in another order.
"""

_NEAR = 1e-6  # a gap between values below this share of their range is no measurement
_MISSING = -1


@dataclasses.dataclass(frozen=True, eq=False)
class Fitness:
    """One value per architecture.

    Attributes:
        metric: what the values measure.
        values: in the unit of the metric, NaN where missing, shape (size,).
        tolerance: values that differ by at most this much are equal.
    """

    metric: Metric
    values: FloatArray
    tolerance: float

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Which architectures have a value, shape (size,)."""
        return ~np.isnan(self.values)

    @cached_property
    def quality(self) -> FloatArray:
        """The values, with the sign that makes higher ones better, shape (size,)."""
        return -self.values if self.metric.direction == "minimize" else self.values

    @cached_property
    def levels(self) -> NDArray[np.int32]:
        """The place of each value among the different values, from 0 for the worst; -1 where missing. Shape (size,)."""
        return levels(self.quality, self.tolerance)

    @cached_property
    def best(self) -> IntArray:
        """The architectures with the best value, ascending."""
        return np.flatnonzero(self.levels == self.levels.max())

    @property
    def near_ties(self) -> int:
        """Number of gaps between neighbouring values that are too small to be measured (1e-6 of the range).

        Published means of the same accuracy differ by that much where they were computed in single precision.
        """
        ordered = np.unique(self.values[self.known])
        gaps = np.diff(ordered)
        return int(((gaps > self.tolerance) & (gaps < _NEAR * np.ptp(ordered))).sum()) if len(gaps) else 0


def levels(quality: FloatArray, tolerance: float) -> NDArray[np.int32]:
    """Return the place of each value among the different values, from 0 for the lowest; -1 for NaN.

    Values are different if a gap of more than the tolerance separates them: sorted values with smaller gaps between
    them are one level.

    >>> levels(np.array([0.5, 0.1, 0.5 + 1e-15, np.nan, 0.9]), 1e-12).tolist()
    [1, 0, 1, -1, 2]
    """
    known = ~np.isnan(quality)
    ordered, inverse = np.unique(quality[known], return_inverse=True)
    place = np.concatenate([[0], np.cumsum(np.diff(ordered) > tolerance)]).astype(np.int32)
    found = np.full(len(quality), _MISSING, dtype=np.int32)
    found[known] = place[inverse]
    return found


def fitness_of(
    table: Table,
    split: Split | None = None,
    *,
    fidelity: int | None = None,
    repeat: int | str = "mean",
    tolerance: float | None = None,
) -> Fitness:
    """Return the values of a table that make its landscape.

    Args:
        table: the table.
        split: ``"valid"`` or ``"test"``; by default test, if the table has it.
        fidelity: training epochs; by default the highest.
        repeat: number or name of a repeat, or ``"mean"`` over the repeats of each architecture.
        tolerance: values that differ by at most this much are equal; by default only rounding errors are.

    Raises:
        MissingDataError: the table does not have the split, or no value of it.
        UnknownNameError: there is no such fidelity.
        ParameterError: there is no such split or repeat, or the tolerance is negative.
    """
    description = table.description
    names = {"valid": description.valid, "test": description.test}
    if split is None:
        split = "test" if description.test is not None else "valid"
    if split not in names:
        raise ParameterError(f"split must be 'valid' or 'test', got {split!r}")
    name = names[split]
    if name is None:
        other = next(each for each in names if names[each] is not None)
        raise MissingDataError(f"table {table.name!r} has no {split} values; it has {other} values")
    values = np.asarray(stored_table(table).lookup(np.arange(table.space.size), fidelity, repeat, name))
    return fitness(values, description.metric(name), tolerance, table.name, table.values(name).dtype.itemsize)


def fitness(
    values: FloatArray, metric: Metric, tolerance: float | None = None, name: str = "", stored_bytes: int = 8
) -> Fitness:
    """Return values with a tolerance, by default one for rounding errors of numbers that were stored in so many bytes.

    Raises:
        MissingDataError: all values are missing.
        ParameterError: the tolerance is negative or not finite, or a value is infinite.
    """
    if np.isinf(values).any():
        raise ParameterError(f"{metric.name} of table {name!r} has infinite values; make them NaN")
    if np.isnan(values).all():
        raise MissingDataError(f"table {name!r} has no {metric.name} of any architecture")
    if tolerance is None:
        tolerance = ROUNDING.get(stored_bytes, ROUNDING[4]) * float(np.nanmax(np.abs(values)))
    return Fitness(metric, values, number("tolerance", tolerance, AtLeast(0)))
