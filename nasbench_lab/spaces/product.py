"""Spaces in which every combination of choices is a different architecture."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.spaces.base import CodeArray, Space
from nasbench_lab.spaces.code_changes import places_and_steps
from nasbench_lab.streams import scale

_MOST_ARCHITECTURES = 2**63 - 1  # indices are kept as int64
_MOST_CHOICES = 127  # codes are kept as int8
_MOST_CODES = 1000  # far more than 2**63 architectures need; a hostile file may ask for more, to keep the reader busy


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

    def find(self, codes: ArrayLike) -> IntArray:
        """Return the same as `index`: all codes describe an architecture."""
        return self.index(codes)

    def compute_neighbors(self, index: IntArray) -> IntArray:
        """Return all architectures that differ in exactly one code, ordered by position, then by value."""
        if not self._degree:
            return np.full((len(index), 1), -1, dtype=np.int64)
        return self._neighbor_at(index[:, None], np.arange(self._degree))

    def degree(self, index: ArrayLike) -> IntArray:
        """Return the number of neighbours of architectures, the same for all."""
        return np.full(self.check_index(index).shape, self._degree, dtype=np.int64)

    def neighbor_at(self, index: ArrayLike, place: ArrayLike) -> IntArray:
        """Return the neighbour at ``place``, 0 to degree - 1, in the order of `neighbors`; shapes broadcast."""
        if self._keeps_neighbors:
            return super().neighbor_at(index, place)
        checked, chosen = self.check_index(index), np.asarray(place)
        self._check_place(chosen, self.degree(checked))
        return self._neighbor_at(checked, chosen)

    def _mutate_by_codes(self, index: IntArray, uniform: FloatArray) -> IntArray:
        return self._neighbor_at(index, scale(uniform, self._degree)) if self._degree else index.copy()

    def _neighbor_at(self, index: IntArray, change: NDArray[np.integer]) -> IntArray:
        """Return the architectures with one code changed; ``change`` counts by position, then by value."""
        position, step = (array[change] for array in self._changes)
        number = index if self.official_order is None else self.official_order[index]
        weight = self._weights[position]
        code = number // weight % np.array(self.cardinalities)[position]
        number = number + (step + (step >= code) - code) * weight
        return number if self._rank is None else self._rank[number]

    @cached_property
    def _changes(self) -> tuple[IntArray, IntArray]:
        return places_and_steps(self.cardinalities)

    @property
    def _degree(self) -> int:
        return len(self._changes[0])
