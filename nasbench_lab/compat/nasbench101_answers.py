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
from nasbench_lab.tables.table import Table


@final
class MissingModuleError(MissingDataError, KeyError, IndexError):
    """The table has no measurements of the module; the original raises KeyError, or IndexError for a repeat."""

    def __str__(self) -> str:
        return Exception.__str__(self)  # and not that of KeyError, which puts it in quotation marks


MEASURED = {
    "training_time": "train_seconds",
    "train_accuracy": "train_accuracy",
    "validation_accuracy": "valid_accuracy",
    "test_accuracy": "test_accuracy",
}
"""Names of measurements in the official API, and ours."""
FINAL, HALFWAY = "", "halfway_"
"""How our names begin."""


@final
class ModuleMeasurements:
    """The numbers of single trainings, fast: a query takes only those that it needs, and takes them as Python's floats.

    The arrays are mapped into memory, and verified when one of their numbers is first asked for.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._length = len(table.fidelities) * table.repeats
        self._offsets = {epochs: place * table.repeats for place, epochs in enumerate(table.fidelities)}
        self._columns: dict[str, list[memoryview]] = {}

    def __call__(self, index: int, epochs: int, repeat: int, when: str) -> list[float]:
        """Return the numbers of `MEASURED`, NaN where they are missing.

        Raises:
            MissingModuleError: the table has no such measurements of any module.
        """
        columns = self._columns.get(when) or self._open(when)
        place = index * self._length + self._offsets[epochs] + repeat
        return [column[place] for column in columns]

    def _open(self, when: str) -> list[memoryview]:
        names = [when + name for name in MEASURED.values()]
        lacking = [name for name in names if name not in self._table.metrics]
        if lacking:
            raise MissingModuleError(f"table {self._table.name!r} has no {', '.join(lacking)}")
        arrays = [self._table.values(name).astype(np.float64, copy=False) for name in names]
        columns = self._columns[when] = [memoryview(np.ascontiguousarray(array).reshape(-1).data) for array in arrays]
        return columns


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
