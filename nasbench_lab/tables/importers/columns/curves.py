"""Learning curves as lists in cells: converted to one row per epoch."""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from nasbench_lab.errors import DataError, ParameterError
from nasbench_lab.tables.importers.columns.cells import CellBatch, Cells, ColumnFile, texts
from nasbench_lab.tables.importers.columns.hints import option
from nasbench_lab.tables.importers.columns.metrics import kind
from nasbench_lab.tables.importers.columns.wide import REPEAT

ELEMENT = "number of the element"
"""Name of the added column with the number of epochs; no file has it."""

_MOST_ELEMENTS = 2**20
_ROWS = 256  # unfolded together
_MISSING = (None, "")


class Unfolded(NamedTuple):
    """A file of curves with one row per element of a list.

    Attributes:
        file: the file.
        curves: names of the columns that had lists.
        added: name of the added column with the number of the epoch or repeat; None if the file has it.
    """

    file: ColumnFile
    curves: tuple[str, ...]
    added: str | None


def unfold(
    name: str, source: ColumnFile, columns: Collection[str], epochs: str | int | None, first_epoch: int
) -> Unfolded:
    """Return a file without lists: a row with lists becomes one row per element.

    The first batch decides which columns have lists. Element 1 belongs to epoch 1, unless the column of epochs has
    lists, too. If the number of epochs is given for all rows, the elements are repeats.

    Args:
        name: name of the file, for messages.
        source: the open file.
        columns: the columns whose lists are curves; a list in another column, such as an architecture, stays as it is.
        epochs: the column of epochs, or the number of epochs of all rows; None if there is no such column.
        first_epoch: number of the first epoch.

    Raises:
        DataError: the lists of a row have different lengths. Reading the batches can raise it, too.

    >>> batch = CellBatch([2], {"arch": ["a"], "val_acc": ["[0.5, 0.6]"]})
    >>> file = ColumnFile(("arch", "val_acc"), iter([batch]), lambda: 0, 0)
    >>> next(unfold("mine.csv", file, ["val_acc"], None, 1).file.batches).columns
    {'arch': ['a', 'a'], 'val_acc': ['0.5', '0.6'], 'number of the element': ['1', '2']}
    """
    first = next(source.batches, None)
    batches = itertools.chain(() if first is None else (first,), source.batches)
    curves = () if first is None else tuple(c for c in source.names if c in columns and _has_list(first.columns[c]))
    measured = [curve for curve in curves if curve != epochs]
    if not measured:
        return Unfolded(source._replace(batches=batches), (), None)
    added = REPEAT if isinstance(epochs, int) else None if epochs in curves else ELEMENT
    if added == ELEMENT and epochs is not None:
        if not any(map(kind, measured)):  # settings of the architectures, such as numbers of channels
            return Unfolded(source._replace(batches=batches), (), None)
        raise ParameterError(
            f"column {measured[0]!r} of {name} has lists, but column {epochs!r} has one number of epochs per list; "
            f"if the elements are repeats, give the number of epochs of all rows: {option('epochs', 200)}"
        )
    names = source.names if added is None else (*source.names, added)
    rows = _Unfolding(name, curves, added, first_epoch if added == ELEMENT else 1)
    return Unfolded(source._replace(names=names, batches=rows.batches(batches)), curves, added)


def _has_list(cells: Cells) -> bool:
    return isinstance(cells, list) and any(_is_list(cell) for cell in cells)


def _is_list(cell: str) -> bool:
    return cell.lstrip().startswith("[") and _elements(cell) is not None


def _elements(cell: str) -> list[Any] | None:
    """Return the numbers of a list in a cell, None where missing; None if it is no list of numbers."""
    try:
        found = json.loads(cell)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, list) or len(found) > _MOST_ELEMENTS:
        return None
    numbers = (each is None or (isinstance(each, int | float) and not isinstance(each, bool)) for each in found)
    return found if all(numbers) else None


class _Unfolding:
    """Unfolds batches of a file."""

    def __init__(self, name: str, curves: tuple[str, ...], added: str | None, first: int) -> None:
        self._name, self._curves, self._added, self._first = name, curves, added, first

    def batches(self, source: Iterator[CellBatch]) -> Iterator[CellBatch]:
        """Yield all rows, a few hundred lists at a time."""
        for batch in source:
            for first in range(0, len(batch.rows), _ROWS):
                columns = {name: cells[first : first + _ROWS] for name, cells in batch.columns.items()}
                yield self._unfold(CellBatch(batch.rows[first : first + _ROWS], columns))

    def _unfold(self, batch: CellBatch) -> CellBatch:
        found = {name: texts(cells) for name, cells in batch.columns.items()}
        lists = {
            name: [self._curve(cell, row, name) for cell, row in zip(found[name], batch.rows, strict=True)]
            for name in self._curves
        }
        lengths = [
            self._length(row, {name: lists[name][position] for name in self._curves})
            for position, row in enumerate(batch.rows)
        ]
        columns: dict[str, Cells] = {}
        for name, cells in found.items():
            if name in lists:
                columns[name] = [
                    "" if each is None else str(each)
                    for curve, length in zip(lists[name], lengths, strict=True)
                    for each in (curve or [None] * length)
                ]
            else:
                columns[name] = [cell for cell, length in zip(cells, lengths, strict=True) for _ in range(length)]
        if self._added is not None:
            columns[self._added] = [str(self._first + position) for length in lengths for position in range(length)]
        rows = [row for row, length in zip(batch.rows, lengths, strict=True) for _ in range(length)]
        return CellBatch(rows, columns)

    def _curve(self, cell: str, row: int, column: str) -> list[Any]:
        """Return the elements of a cell; none if it is empty."""
        if cell in _MISSING:
            return []
        elements = _elements(cell)
        if elements is None:
            raise DataError(
                f"row {row} of {self._name} has {cell[:80]!r} in column {column!r}, which is not a list of numbers"
            )
        return elements

    def _length(self, row: int, curves: dict[str, list[Any]]) -> int:
        """Return the number of rows of a row with lists; 1 if all its lists are empty."""
        lengths = {name: len(curve) for name, curve in curves.items() if curve}
        if len(set(lengths.values())) > 1:
            text = ", ".join(f"{name!r} has {length}" for name, length in lengths.items())
            raise DataError(f"row {row} of {self._name} has lists of different lengths: {text}")
        return next(iter(lengths.values()), 1)
