"""What the face of NAS-Bench-101 gives its users, made from a table when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.errors import MissingDataError, OutOfSpaceError
from nasbench_lab.spaces import Cell101Space
from nasbench_lab.spaces.cell101 import INPUT, OUTPUT
from nasbench_lab.spaces.cell101_enumeration import kept_cells


@final
class MissingModuleError(MissingDataError, KeyError, IndexError):
    """The table has no measurements of the module; the original raises KeyError, or IndexError for a repeat."""

    def __str__(self) -> str:
        return Exception.__str__(self)  # and not that of KeyError, which puts it in quotation marks


@final
class Modules:
    """Matrices and operations of cells, fast.

    There are few different matrices and few lists of operations, so each is made once and then copied.
    """

    def __init__(self, space: Cell101Space) -> None:
        self._space = space
        cells = kept_cells(space.vertices)
        self._graph, self._labeling = memoryview(cells["graph"].data), memoryview(cells["labeling"].data)
        self._matrices: dict[int, NDArray[np.int8]] = {}
        self._operations: dict[tuple[int, int], list[str]] = {}

    def __call__(self, index: int) -> tuple[NDArray[np.int8], list[str]]:
        """Return matrix and operations of a cell, as copies."""
        graph = self._graph[index]
        matrix = self._matrices.get(graph)
        if matrix is None:
            matrix = self._matrices[graph] = self._space.cell(index)[0].astype(np.int8)
        key = (len(matrix), self._labeling[index])
        operations = self._operations.get(key)
        if operations is None:
            operations = self._operations[key] = [INPUT, *self._space.cell(index)[1], OUTPUT]
        return matrix.copy(), operations.copy()


@final
class Hashes(AbstractSet[str]):
    """The module hashes of some cells, in ascending order.

    Args:
        space: of the cells.
        present: whether a cell is among them, shape (size,).
    """

    def __init__(self, space: Cell101Space, present: NDArray[np.bool_]) -> None:
        self._space, self._present = space, present

    def __iter__(self) -> Iterator[str]:
        return map(self._space.module_hash, np.flatnonzero(self._present).tolist())

    def __len__(self) -> int:
        return int(self._present.sum())

    def __contains__(self, module_hash: object) -> bool:
        try:
            return bool(self._present[self._space.parse(str(module_hash))])
        except OutOfSpaceError:
            return False


@final
class Statistics(Mapping[str, Any]):
    """Module hash to what is known of the module, made anew for every access.

    Args:
        hashes: of the modules that there are.
        make: returns what is known of one, or raises KeyError.
    """

    def __init__(self, hashes: Hashes, make: Callable[[str], Any]) -> None:
        self._hashes, self._make = hashes, make

    def __getitem__(self, module_hash: str) -> Any:
        return self._make(module_hash)

    def __iter__(self) -> Iterator[str]:
        return iter(self._hashes)

    def __len__(self) -> int:
        return len(self._hashes)
