"""The axes of a table (fidelities, repeats), the axes of each metric, and the position of every row of a file."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import AtLeast, AtMost, whole
from nasbench_lab.errors import DataError
from nasbench_lab.tables.description import AXES, Metric
from nasbench_lab.tables.importers.columns.hints import option
from nasbench_lab.tables.importers.columns.options import ColumnOptions, KeyColumns
from nasbench_lab.tables.importers.columns.rows import Distinct, ParsedRows, RowBlock
from nasbench_lab.tables.importers.columns.space import labels, ordered, whole_number

_MOST_EPOCHS = 2**31 - 1
_EPOCH_BOUNDS = (AtLeast(1), AtMost(_MOST_EPOCHS))
_MOST_REPEATS = 2**15 - 1
_FREE_PLACES = 2**22
_MOST_PLACES = 100  # per row, counting only the architectures of the file
_FREE_PLACES_OF_SPACE = 2**30

Axes = tuple[str, ...]


class RowPositions(NamedTuple):
    """The positions of rows on the three axes, each of shape (rows,)."""

    architecture: IntArray
    fidelity: IntArray
    repeat: IntArray

    def flat(self, axes: Axes, shape: tuple[int, int, int]) -> IntArray:
        """Return the positions in the flattened array of a metric that has only some of the axes."""
        found = np.zeros(len(self.architecture), dtype=np.int64)
        for name, position, length in zip(AXES, self, shape, strict=True):
            if name in axes:
                found = found * length + position
        return found


@dataclasses.dataclass(frozen=True)
class TableLayout:
    """The axes of a table, and the position of every row of a file on them.

    Attributes:
        size: number of architectures of the space.
        fidelities: numbers of epochs, ascending.
        repeats: names of the repeats.
        architecture, fidelity, repeat: axis positions by the numbers of the distinct cells. If ``trainings`` is given,
            ``repeat`` has the number of the seed instead.
        trainings: ``architecture * seeds + seed`` of every training, ascending, if repeats are numbered separately for
            each architecture; else None.
        seeds: number of different seeds.
    """

    size: int
    fidelities: tuple[int, ...]
    repeats: tuple[str, ...]
    architecture: IntArray
    fidelity: IntArray
    repeat: IntArray
    trainings: IntArray | None
    seeds: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Lengths of the axes (architecture, fidelity, repeat)."""
        return self.size, len(self.fidelities), len(self.repeats)

    def positions(self, part: RowBlock) -> RowPositions:
        """Return the positions of a block of rows."""
        architecture = self.architecture[part.architecture]
        repeat = self.repeat[part.repeat]
        if self.trainings is not None:
            training = np.searchsorted(self.trainings, architecture * self.seeds + repeat)
            repeat = training - np.searchsorted(self.trainings, architecture * self.seeds)
        return RowPositions(architecture, self.fidelity[part.epochs], repeat)


def find_layout(
    file: str, rows: ParsedRows, keys: KeyColumns, size: int, index: IntArray, options: ColumnOptions
) -> TableLayout:
    """Find the axes of a table.

    Args:
        file: name of the file, for messages.
        rows: the parsed rows of the file.
        keys: the columns of architecture, epochs and repeat.
        size: number of architectures of the space.
        index: index of every distinct architecture.
        options: the options of the user.

    Raises:
        DataError: a number of epochs is not a positive whole number, or the table would be nearly empty.
        ParameterError: the option ``epochs`` is not a positive whole number.
    """
    epochs = _epochs(file, rows.epochs, keys, options)
    fidelities, fidelity = np.unique(epochs, return_inverse=True)
    texts = labels([str(text) for text in rows.repeats.values])
    names = ordered(list(dict.fromkeys(texts)))
    position = {name: number for number, name in enumerate(names)}
    repeat = np.array([position[text] for text in texts], dtype=np.int64)
    trainings = None
    repeats = ("all rows",) if keys.repeat is None else tuple(names)
    if not options.match_repeats and keys.repeat is not None:
        trainings = _trainings(rows, index, repeat, len(names))
        repeats = _numbered(int(np.bincount(trainings // len(names)).max()))
    layout = TableLayout(
        size, tuple(fidelities.tolist()), repeats, index, fidelity.astype(np.int64), repeat, trainings, len(names)
    )
    _refuse_empty(file, rows, layout, len(np.unique(index)))
    return layout


def refuse_duplicates(file: str, rows: ParsedRows, layout: TableLayout, keys: KeyColumns) -> None:
    """Raise DataError if two rows have the same architecture, fidelity and repeat."""
    seen = np.zeros(np.prod(layout.shape), dtype=bool)
    for part in rows.spool:
        flat = layout.positions(part).flat(AXES, layout.shape)
        again = seen[flat]
        seen[flat] = True
        if again.any() or len(np.unique(flat)) < len(flat):
            again[np.setdiff1d(np.arange(len(flat)), np.unique(flat, return_index=True)[1])] = True
            raise _duplicate(file, rows, layout, keys, int(flat[again.argmax()]))


def find_axes(
    rows: ParsedRows, layout: TableLayout, metrics: Sequence[Metric], columns: Sequence[int], growing: Collection[str]
) -> tuple[Axes, ...]:
    """Return the axes of every metric.

    A metric of a split has all axes. Any other metric, such as a time or a number of parameters, has the axes along
    which the numbers of the file differ. If some architectures lack measurements at a fidelity, what grows with the
    training keeps the fidelity axis: the seconds of a short training say nothing about those of a long one.

    Args:
        rows: the parsed rows of the file.
        layout: the axes of the table.
        metrics: the metrics.
        columns: the column of each metric.
        growing: names of the metrics that grow with the training, such as seconds and energy.
    """
    every: tuple[Axes, ...] = ((AXES[0],), AXES[:2], (AXES[0], AXES[2]))
    complete = _complete(rows, layout)
    found = []
    for metric, column in zip(metrics, columns, strict=True):
        candidates = () if metric.split != "none" else every if complete or metric.name not in growing else every[1:2]
        found.append(next((axes for axes in candidates if _constant(rows, layout, column, axes)), AXES))
    return tuple(found)


def blocks(array: NDArray[np.floating], most: int = 2**22) -> Iterator[NDArray[np.floating]]:
    """Yield an array in blocks of architectures, so that working on it takes little memory."""
    step = max(1, most // max(1, array[:1].size))
    for first in range(0, len(array), step):
        yield array[first : first + step]


def _constant(rows: ParsedRows, layout: TableLayout, column: int, axes: Axes) -> bool:
    """Return whether all rows with the same position on these axes have the same number in a column."""
    lengths = [length for name, length in zip(AXES, layout.shape, strict=True) if name in axes]
    first: FloatArray = np.full(int(np.prod(lengths)), np.nan)
    known = np.zeros(len(first), dtype=bool)
    for part in rows.spool:
        flat, values = layout.positions(part).flat(axes, layout.shape), part.values[column]
        new = ~known[flat]
        first[flat[new]] = values[new]
        known[flat] = True
        there = first[flat]
        if ((there != values) & ~(np.isnan(there) & np.isnan(values))).any():
            return False
    return True


def _complete(rows: ParsedRows, layout: TableLayout) -> bool:
    """Return whether every architecture with rows has rows at every number of epochs."""
    size, fidelities, _ = layout.shape
    seen = np.zeros(size * fidelities, dtype=bool)
    for part in rows.spool:
        seen[layout.positions(part).flat(AXES[:2], layout.shape)] = True
    at_some = seen.reshape(size, fidelities)
    return bool(at_some[at_some.any(axis=1)].all())


def _epochs(file: str, cells: Distinct, keys: KeyColumns, options: ColumnOptions) -> IntArray:
    """Return the number of epochs of every distinct cell."""
    if keys.epochs is None:
        number = 1 if options.epochs is None else whole("epochs, if not a column,", options.epochs, *_EPOCH_BOUNDS)
        return np.array([number], dtype=np.int64)
    found = []
    for cell, row in zip(cells.values, cells.rows, strict=True):
        epochs = whole_number(str(cell))
        if epochs is None or not options.first_epoch <= epochs <= _MOST_EPOCHS - 1:
            counts = f"; if the file counts epochs from 0, pass {option('first_epoch', 0)}"
            hint = counts if epochs == 0 else ""
            raise DataError(
                f"row {row} of {file} has {cell!r} in column {keys.epochs!r}, which is not a number of epochs{hint}"
            )
        found.append(epochs + 1 - options.first_epoch)
    return np.array(found, dtype=np.int64)


def _trainings(rows: ParsedRows, index: IntArray, repeat: IntArray, seeds: int) -> IntArray:
    """Return all pairs of an architecture and a seed in the file, as ascending numbers."""
    found = np.empty(0, dtype=np.int64)
    for part in rows.spool:
        found = np.union1d(found, index[part.architecture] * seeds + repeat[part.repeat])
    return found


def _numbered(repeats: int) -> tuple[str, ...]:
    return tuple(f"training {number}" for number in range(1, repeats + 1))


def _refuse_empty(file: str, rows: ParsedRows, layout: TableLayout, architectures: int) -> None:
    """Raise DataError if nearly all values of the table would be missing."""
    size, fidelities, repeats = layout.shape
    many = f"{fidelities} numbers of epochs and {repeats} repeats"
    separate = f"; if every architecture has seeds of its own, pass {option('match_repeats', False)}"
    hint = "" if layout.trainings is not None else separate
    places = architectures * fidelities * repeats
    if repeats > _MOST_REPEATS or places > max(_FREE_PLACES, _MOST_PLACES * rows.count):
        raise DataError(f"{file} has {many}, but only {rows.count} rows for {architectures} architectures{hint}")
    if size * fidelities * repeats > max(_FREE_PLACES_OF_SPACE, _MOST_PLACES * rows.count):
        raise DataError(
            f"{file} has {rows.count} rows, but {many} for the {size} architectures of the space are "
            f"{size * fidelities * repeats} numbers per metric; pass {option('space', 'listed')} for only the "
            "file's architectures"
        )


def _duplicate(file: str, rows: ParsedRows, layout: TableLayout, keys: KeyColumns, place: int) -> DataError:
    """Return the error about the first two rows at a position of the table."""
    found: list[int] = []
    for part in rows.spool:
        found += part.row[layout.positions(part).flat(AXES, layout.shape) == place].tolist()
    same = ["architecture", *(["epoch"] if keys.epochs is not None else [])]
    if keys.repeat is not None:
        return DataError(f"rows {found[0]} and {found[1]} of {file} have the same {', '.join(same)} and repeat")
    return DataError(
        f"rows {found[0]} and {found[1]} of {file} have the same {' and '.join(same)}; "
        f"if they are different trainings, name the column of the seed: {option('repeat')}"
    )
