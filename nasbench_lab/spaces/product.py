"""Spaces in which every combination of choices is a different architecture."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.spaces.base import CodeArray, Space

_MOST_ARCHITECTURES = 2**31 - 1  # indices are kept as int32
_MOST_CHOICES = 127  # codes are kept as int8
_MOST_CODES = 1000  # far more than 2**31 architectures need; a hostile file may ask for more, to keep the reader busy


class ProductSpace(Space):
    """All combinations of independent choices, numbered like an odometer (the last code turns fastest).

    A subclass defines `parse_one` and `format_one`, `spec` where it has parameters, and `official_order` where the
    official order differs.

    Args:
        name: of the space in the registry.
        cardinalities: how many values each choice has.

    Raises:
        ParameterError: there are too many architectures, choices, or values of a choice.
    """

    def __init__(self, name: str, cardinalities: tuple[int, ...]) -> None:
        self.name = name
        self.cardinalities = cardinalities
        self.size = math.prod(cardinalities[:_MOST_CODES])
        if len(cardinalities) > _MOST_CODES or self.size > _MOST_ARCHITECTURES or max(cardinalities) > _MOST_CHOICES:
            raise ParameterError(
                f"a space can have at most {_MOST_ARCHITECTURES} architectures, {_MOST_CODES} choices and "
                f"{_MOST_CHOICES} values of a choice"
            )

    @property
    def has_neighbors(self) -> bool:
        """Whether any architecture has a neighbour."""
        return self.size > 1

    @cached_property
    def official_order(self) -> IntArray | None:
        """Odometer number of every official index, shape (size,); None where both are the same."""
        return None

    @cached_property
    def _rank(self) -> IntArray | None:
        """Official index of every odometer number: the inverse of `official_order`."""
        order = self.official_order
        return None if order is None else np.argsort(order)

    @cached_property
    def _weights(self) -> IntArray:
        sizes = np.array((*self.cardinalities[1:], 1), dtype=np.int64)
        return np.cumprod(sizes[::-1])[::-1].copy()

    def codes(self, index: ArrayLike) -> CodeArray:
        """Return the codes of architectures: index of shape (...) to codes of shape (..., number of codes)."""
        number = self.check_index(index)
        if self.official_order is not None:
            number = self.official_order[number]
        digits = number[..., None] // self._weights % np.array(self.cardinalities)
        return digits.astype(np.int8)

    def index(self, codes: ArrayLike) -> IntArray:
        """Return the indices of architectures given by codes, shape (..., number of codes) to (...)."""
        number = self.check_codes(codes) @ self._weights
        return number if self._rank is None else self._rank[number]

    def make_neighbor_table(self) -> NDArray[np.int32]:
        """Return all architectures that differ in exactly one code, ordered by position, then by value."""
        codes = self.codes(np.arange(self.size)).astype(np.int64)
        columns = []
        for position, cardinality in enumerate(self.cardinalities):
            for step in range(cardinality - 1):
                changed = codes.copy()
                changed[:, position] = step + (step >= codes[:, position])
                columns.append(self.index(changed))
        if not columns:
            return np.full((self.size, 1), -1, dtype=np.int32)
        return np.stack(columns, axis=1).astype(np.int32)
