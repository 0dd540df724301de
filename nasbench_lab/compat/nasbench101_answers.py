"""Objects that the API of NAS-Bench-101 returns, made from a table when they are needed."""

from __future__ import annotations

import math
import re
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
    """The table has no measurements of a module. The official API raises KeyError, or IndexError for a repeat."""

    def __str__(self) -> str:
        return Exception.__str__(self)  # that of KeyError would put the message in quotation marks


MEASURED = {
    "training_time": "train_seconds",
    "train_accuracy": "train_accuracy",
    "validation_accuracy": "valid_accuracy",
    "test_accuracy": "test_accuracy",
}
"""Names of measurements in the official API, and in our tables."""
FINAL, HALFWAY = "", "halfway_"
"""Prefixes of the names in our tables."""


@final
class ModuleMeasurements:
    """Fast access to the measurements of single trainings, as Python floats.

    The arrays are mapped into memory, and verified when one of their values is first read.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._length = len(table.fidelities) * table.repeats
        self._offsets = {epochs: place * table.repeats for place, epochs in enumerate(table.fidelities)}
        self._columns: dict[str, list[memoryview]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_columns": {}}

    def __call__(self, index: int, epochs: int, repeat: int, when: str) -> list[float]:
        """Return the measurements of `MEASURED`, NaN where they are missing.

        Raises:
            MissingModuleError: the table has no such measurements for any module.
        """
        columns = self._columns.get(when) or self._open(when)
        place = index * self._length + self._offsets[epochs] + repeat
        return [column[place] for column in columns]

    def has(self, index: int, epochs: int) -> bool:
        """Return whether a module has any training of a number of epochs; repeats are numbered from 0 without gaps."""
        columns = self._columns.get(FINAL) or self._open(FINAL)
        seconds: float = columns[0][index * self._length + self._offsets[epochs]]
        return seconds == seconds

    def existing(self, index: int, epochs: int, repeat: int, when: str) -> list[float]:
        """Return the measurements of `MEASURED`, NaN where they are missing, for this module or for all."""
        if all(when + name in self._table.metrics for name in MEASURED.values()):
            return self(index, epochs, repeat, when)
        where = (index, self._table.fidelity_position(epochs), repeat)
        names = [when + name for name in MEASURED.values()]
        return [float(self._table.values(n)[where]) if n in self._table.metrics else math.nan for n in names]

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
    """Fast access to the matrices and operations of cells.

    There are few different matrices and lists of operations, so each is made once and then copied.
    """

    def __init__(self, space: Cell101Space) -> None:
        self._space = space
        cells = kept_cells(space.vertices)
        self._graph, self._labeling = memoryview(cells["graph"].data), memoryview(cells["labeling"].data)
        self._matrices: dict[int, NDArray[np.int8]] = {}
        self._operations: dict[tuple[int, int], list[str]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return Modules, (self._space,)

    def __call__(self, index: int) -> tuple[NDArray[np.int8], list[str]]:
        """Return copies of the matrix and the operations of a cell."""
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
        space: search space of the cells.
        present: whether each cell of the space is included, shape (size,).
    """

    def __init__(self, space: Cell101Space, present: NDArray[np.bool_]) -> None:
        self._space, self._present = space, present

    def __iter__(self) -> Iterator[str]:
        return map(self._space.module_hash, np.flatnonzero(self._present).tolist())

    def __len__(self) -> int:
        return int(self._present.sum())

    def __contains__(self, module_hash: object) -> bool:
        hash(module_hash)  # as for the keys of a dictionary: TypeError for a list
        index = index_of_hash(self._space, module_hash)
        return index is not None and bool(self._present[index])


_HASH = re.compile("[0-9a-f]{32}")


def index_of_hash(space: Cell101Space, module_hash: object) -> int | None:
    """Return the index of a cell by its module hash; None for anything that is not one."""
    if not isinstance(module_hash, str) or not _HASH.fullmatch(module_hash):
        return None
    try:
        return space.parse(str(module_hash))
    except OutOfSpaceError:
        return None


@final
class Statistics(Mapping[str, Any]):
    """A mapping from module hashes to statistics of the modules, which are made at every access.

    Args:
        hashes: hashes of the modules.
        make: returns the statistics of a module by its hash, or raises KeyError.
    """

    def __init__(self, hashes: Hashes, make: Callable[[str], Any]) -> None:
        self._hashes, self._make = hashes, make

    def __getitem__(self, module_hash: str) -> Any:
        return self._make(module_hash)

    def __iter__(self) -> Iterator[str]:
        return iter(self._hashes)

    def __len__(self) -> int:
        return len(self._hashes)
