"""The space: multilayer perceptrons that differ in the number and the widths of their hidden layers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from nasbench_lab.arrays import IntArray
from nasbench_lab.errors import OutOfSpaceError
from nasbench_lab.spaces import Space
from nasbench_lab.spaces.base import CodeArray

WIDTHS = (8, 32, 128)
MOST_LAYERS = 3
NO_LAYER = len(WIDTHS)
"""The code of a layer that a smaller network does not have."""


class PerceptronSpace(Space):
    """One to three hidden layers of 8, 32 or 128 units: 3 + 9 + 27 networks, written like ``128-32``.

    The codes are the positions in `WIDTHS` of up to three layers, and 3 for no layer, which is allowed at the end only.

    >>> space = PerceptronSpace()
    >>> space.size, space.parse("128-32"), space.format(11)
    (39, 10, '128-128')
    >>> space.codes(10).tolist()
    [2, 1, 3]
    """

    def __init__(self) -> None:
        self.name = "perceptron"
        self.cardinalities = (len(WIDTHS), *[len(WIDTHS) + 1] * (MOST_LAYERS - 1))
        grid = np.indices(self.cardinalities).reshape(MOST_LAYERS, -1).T
        missing = grid == NO_LAYER
        allowed = grid[(missing[:, :-1] <= missing[:, 1:]).all(axis=1)]
        depth = (allowed != NO_LAYER).sum(axis=1)
        self._codes = allowed[np.lexsort((*allowed.T[::-1], depth))].astype(np.int8)  # small networks first
        self.size = len(self._codes)
        self._index = np.full(self.cardinalities, -1, dtype=np.int64)
        self._index[tuple(self._codes.T)] = np.arange(self.size)

    def codes(self, index: ArrayLike) -> CodeArray:
        """Return the codes of networks, shape (...) to (..., 3)."""
        return self._codes[self.check_index(index)]

    def index(self, codes: ArrayLike) -> IntArray:
        """Return the indices of networks given by codes, shape (..., 3) to (...)."""
        index = self.find(codes)
        if (index < 0).any():
            raise OutOfSpaceError("a layer comes after a missing one")
        return index

    def find(self, codes: ArrayLike) -> IntArray:
        """Return what `index` returns, but -1 where a layer comes after a missing one."""
        return self._index[tuple(np.moveaxis(self.check_codes(codes), -1, 0))]

    def parse_one(self, text: str) -> tuple[int, ...]:
        """Return the codes of a network in notation."""
        known = {str(width): code for code, width in enumerate(WIDTHS)}
        widths = text.strip().split("-")
        if len(widths) > MOST_LAYERS or not set(widths) <= set(known):
            raise OutOfSpaceError(f"malformed network {text!r}; write 1 to 3 of {', '.join(known)}, such as 128-32")
        return (*(known[width] for width in widths), *[NO_LAYER] * (MOST_LAYERS - len(widths)))

    def format_one(self, codes: Sequence[int]) -> str:
        """Return the notation of a network."""
        return "-".join(map(str, self.widths(codes)))

    def widths(self, codes: Sequence[int]) -> list[int]:
        """Return the widths of the hidden layers of the network with these codes."""
        return [WIDTHS[code] for code in codes if code != NO_LAYER]

    def size_of(self, index: ArrayLike) -> IntArray:
        """Return the numbers of hidden layers."""
        return (self.codes(index) != NO_LAYER).sum(axis=-1)

    def labels(self, index: int) -> tuple[str, ...]:
        """Return the layers in words, for drawings."""
        return tuple(f"{width} units" for width in self.widths(self.codes(index).tolist()))
