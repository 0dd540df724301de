"""Files in wide format, with separate columns per repeat: converted to one row per repeat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import unknown
from nasbench_lab.tables.importers.columns.cells import CellBatch, Cells, ColumnFile, texts

REPEAT = "number of the repeat"
"""Name of the added column with the number of the repeat; no file has it."""


def to_long_format(source: ColumnFile, repeats: Mapping[str, Sequence[str]]) -> ColumnFile:
    """Return a file with one row per repeat, numbered from 1 in column `REPEAT`.

    Args:
        source: the open file.
        repeats: metric to its columns, one per repeat, for example ``{"val_acc": ["run1", "run2"]}``.

    Raises:
        UnknownNameError: the file has no such column.
        ParameterError: a metric has no columns, a column is used twice, or a metric has the name of another column.

    >>> batch = CellBatch([2], {"arch": ["a"], "run1": ["0.5"], "run2": ["0.6"]})
    >>> source = ColumnFile(("arch", "run1", "run2"), iter([batch]), lambda: 0, 0)
    >>> next(to_long_format(source, {"acc": ["run1", "run2"]}).batches).columns
    {'arch': ['a', 'a'], 'acc': ['0.5', '0.6'], 'number of the repeat': ['1', '2']}
    """
    if not repeats:
        raise ParameterError("the repeats of a metric must be a list of columns, got none")
    used = [column for columns in repeats.values() for column in _checked(columns)]
    for column in used:
        if column not in source.names:
            raise unknown("column", column, filter(None, source.names))
        if used.count(column) > 1:
            raise ParameterError(f"column {column!r} is used for two repeats")
    others = tuple(name for name in source.names if name not in used)
    for metric in repeats:
        if metric in others:
            raise ParameterError(f"metric {metric!r} has the name of another column")
    batches = (_unfold(batch, others, repeats) for batch in source.batches)
    return source._replace(names=(*others, *repeats, REPEAT), batches=batches)


def _checked(columns: Sequence[str]) -> Sequence[str]:
    if isinstance(columns, str) or not isinstance(columns, Sequence) or not columns:
        raise ParameterError(f"the repeats of a metric must be a list of columns, got {columns!r}")
    return columns


def _unfold(batch: CellBatch, others: Sequence[str], repeats: Mapping[str, Sequence[str]]) -> CellBatch:
    """Put the rows of the first repeat before those of the second, and so on."""
    many = max(map(len, repeats.values()))
    rows = list(batch.rows)
    columns = {name: _join([batch.columns[name]] * many) for name in others}
    for metric, names in repeats.items():
        missing: list[Cells] = [[""] * len(rows)] * (many - len(names))
        columns[metric] = _join([batch.columns[name] for name in names] + missing)
    columns[REPEAT] = list(_numbers(many, len(rows)))
    return CellBatch(rows * many, columns)


def _numbers(repeats: int, rows: int) -> Iterator[str]:
    for repeat in range(1, repeats + 1):
        yield from [str(repeat)] * rows


def _join(parts: Sequence[Cells]) -> Cells:
    if all(isinstance(part, np.ndarray) for part in parts):
        return np.concatenate(parts)
    return [cell for part in parts for cell in (part if isinstance(part, list) else texts(part))]
