"""Leaving out the rows of long trainings, for example where few architectures were trained longer."""

from __future__ import annotations

from collections.abc import Iterator

from nasbench_lab.errors import DataError, ParameterError
from nasbench_lab.tables.importers.columns.cells import CellBatch, ColumnFile, texts
from nasbench_lab.tables.importers.columns.hints import option_name
from nasbench_lab.tables.importers.columns.space import whole_number


def cut(name: str, source: ColumnFile, epochs: str | None, most: int) -> ColumnFile:
    """Return a file without the rows of more than ``most`` epochs.

    Args:
        name: name of the file, for messages.
        source: the open file.
        epochs: the column of epochs; None if there is none.
        most: the largest number to keep.

    Raises:
        ParameterError: the file has no column of epochs.
        DataError: no rows are left; reading the batches raises it.

    >>> batch = CellBatch([2, 3], {"arch": ["a", "a"], "epoch": ["100", "200"]})
    >>> next(cut("mine.csv", ColumnFile(("arch", "epoch"), iter([batch]), lambda: 0, 0), "epoch", 100).batches)
    CellBatch(rows=[2], columns={'arch': ['a'], 'epoch': ['100']})
    """
    if epochs is None:
        raise ParameterError(f"{option_name('max_epochs')} needs a column of epochs, and {name} has none")
    return source._replace(batches=_kept(name, source.batches, epochs, most))


def _kept(name: str, batches: Iterator[CellBatch], epochs: str, most: int) -> Iterator[CellBatch]:
    some = any_rows = False
    for batch in batches:
        any_rows = True
        numbers = [whole_number(cell) for cell in texts(batch.columns[epochs])]
        kept = [position for position, number in enumerate(numbers) if number is None or number <= most]
        if kept:
            some = True
            columns = {
                column: [cells[position] for position in kept] if isinstance(cells, list) else cells[kept]
                for column, cells in batch.columns.items()
            }
            yield CellBatch([batch.rows[position] for position in kept], columns)
    if any_rows and not some:
        raise DataError(f"all rows of {name} have more than {most} in column {epochs!r}")
