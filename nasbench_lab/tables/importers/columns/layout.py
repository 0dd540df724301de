"""Where in a table the rows of a file belong: fidelities, repeats, and which axes the metrics have."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import DataError, ParameterError
from nasbench_lab.tables.description import AXES, Metric
from nasbench_lab.tables.importers.columns.options import ColumnOptions, Keys
from nasbench_lab.tables.importers.columns.rows import ColumnRows, Distinct, RowBlock
from nasbench_lab.tables.importers.columns.space import labels, ordered, whole

_MOST_EPOCHS = 2**31 - 1
_MOST_REPEATS = 2**15 - 1
_FREE_PLACES = 2**22
_MOST_PLACES = 100  # for every row, among the architectures of the file
_FREE_PLACES_OF_SPACE = 2**30

Axes = tuple[str, ...]


class Place(NamedTuple):
    """Where rows belong: positions on the three axes, each of shape (rows,)."""

    architecture: IntArray
    fidelity: IntArray
    repeat: IntArray

    def flat(self, axes: Axes, shape: tuple[int, int, int]) -> IntArray:
        """Return the positions in a flat array that has only some of the axes."""
        found = np.zeros(len(self.architecture), dtype=np.int64)
        for name, position, length in zip(AXES, self, shape, strict=True):
            if name in axes:
                found = found * length + position
        return found


@dataclasses.dataclass(frozen=True)
class ColumnLayout:
    """The axes of a table, and where the rows of a file belong on them.

    Attributes:
        size: number of architectures of the space.
        fidelities: numbers of epochs, ascending.
        repeats: names of the repeats.
        architecture, fidelity, repeat: positions by the numbers of the distinct cells. ``repeat`` is a position on the
            axis, unless there are ``trainings``.
        trainings: architecture * ``seeds`` + repeat of every training, ascending, where repeats are numbered for every
            architecture on its own; else None.
        seeds: how many different seeds there are.
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

    def place(self, part: RowBlock) -> Place:
        """Return where some rows belong."""
        architecture = self.architecture[part.architecture]
        repeat = self.repeat[part.repeat]
        if self.trainings is not None:
            training = np.searchsorted(self.trainings, architecture * self.seeds + repeat)
            repeat = training - np.searchsorted(self.trainings, architecture * self.seeds)
        return Place(architecture, self.fidelity[part.epochs], repeat)


def find_layout(
    file: str, rows: ColumnRows, keys: Keys, size: int, index: IntArray, options: ColumnOptions
) -> ColumnLayout:
    """Find the axes of a table.

    Args:
        file: its name, for messages.
        rows: the file.
        keys: what its columns are.
        size: number of architectures of the space.
        index: of every distinct architecture.
        options: what the user said.

    Raises:
        DataError: a number of epochs is not whole and positive, or the table would be nearly empty.
        ParameterError: the number of epochs that the user gave makes no sense.
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
    layout = ColumnLayout(
        size, tuple(fidelities.tolist()), repeats, index, fidelity.astype(np.int64), repeat, trainings, len(names)
    )
    _refuse_empty(file, rows, layout, len(np.unique(index)))
    return layout


def refuse_duplicates(file: str, rows: ColumnRows, layout: ColumnLayout, keys: Keys) -> None:
    """Raise DataError where two rows belong to the same place."""
    seen = np.zeros(np.prod(layout.shape), dtype=bool)
    for part in rows.spool:
        flat = layout.place(part).flat(AXES, layout.shape)
        again = seen[flat]
        seen[flat] = True
        if again.any() or len(np.unique(flat)) < len(flat):
            again[np.setdiff1d(np.arange(len(flat)), np.unique(flat, return_index=True)[1])] = True
            raise _duplicate(file, rows, layout, keys, int(flat[again.argmax()]))


def settled_axes(
    rows: ColumnRows, layout: ColumnLayout, metrics: Sequence[Metric], columns: Sequence[int]
) -> tuple[Axes, ...]:
    """Return the axes of every metric.

    A metric of a split has all. Any other, such as a time or a number of parameters, has those along which the numbers
    of the file differ. Where architectures lack some number of epochs, it keeps that axis: the seconds of a short
    training say nothing of those of a long one.
    """
    fewer = ((AXES[0],), AXES[:2], (AXES[0], AXES[2])) if _complete(rows, layout) else (AXES[:2],)
    found = []
    for metric, column in zip(metrics, columns, strict=True):
        candidates = fewer if metric.split == "none" else ()
        found.append(next((axes for axes in candidates if _constant(rows, layout, column, axes)), AXES))
    return tuple(found)


def blocks(array: NDArray[np.floating], most: int = 2**22) -> Iterator[NDArray[np.floating]]:
    """Give an array in pieces of some architectures each, so that working on it takes little memory."""
    step = max(1, most // max(1, array[:1].size))
    for first in range(0, len(array), step):
        yield array[first : first + step]


def _constant(rows: ColumnRows, layout: ColumnLayout, column: int, axes: Axes) -> bool:
    """Whether a column has one number (or none) for all rows that agree on some axes."""
    lengths = [length for name, length in zip(AXES, layout.shape, strict=True) if name in axes]
    first: FloatArray = np.full(int(np.prod(lengths)), np.nan)
    known = np.zeros(len(first), dtype=bool)
    for part in rows.spool:
        flat, values = layout.place(part).flat(axes, layout.shape), part.values[column]
        new = ~known[flat]
        first[flat[new]] = values[new]
        known[flat] = True
        there = first[flat]
        if ((there != values) & ~(np.isnan(there) & np.isnan(values))).any():
            return False
    return True


def _complete(rows: ColumnRows, layout: ColumnLayout) -> bool:
    """Whether every architecture that has rows has some at every number of epochs."""
    size, fidelities, _ = layout.shape
    seen = np.zeros(size * fidelities, dtype=bool)
    for part in rows.spool:
        seen[layout.place(part).flat(AXES[:2], layout.shape)] = True
    at_some = seen.reshape(size, fidelities)
    return bool(at_some[at_some.any(axis=1)].all())


def _epochs(file: str, cells: Distinct, keys: Keys, options: ColumnOptions) -> IntArray:
    """The number of epochs of every distinct cell."""
    if keys.epochs is None:
        said = 1 if options.epochs is None else options.epochs
        if not isinstance(said, int | np.integer) or isinstance(said, bool) or not 1 <= said <= _MOST_EPOCHS:
            raise ParameterError(f"epochs is a column or a positive number, got {said!r}")
        return np.array([said], dtype=np.int64)
    found = []
    for cell, row in zip(cells.values, cells.rows, strict=True):
        epochs = whole(str(cell))
        if epochs is None or not options.first_epoch <= epochs <= _MOST_EPOCHS - 1:
            hint = "; if the first epoch is 0 in this file, write first_epoch=0" if epochs == 0 else ""
            raise DataError(
                f"row {row} of {file} has {cell!r} in its column {keys.epochs!r}, no number of epochs{hint}"
            )
        found.append(epochs + 1 - options.first_epoch)
    return np.array(found, dtype=np.int64)


def _trainings(rows: ColumnRows, index: IntArray, repeat: IntArray, seeds: int) -> IntArray:
    """All pairs of an architecture and a seed that the file has, as ascending numbers."""
    found = np.empty(0, dtype=np.int64)
    for part in rows.spool:
        found = np.union1d(found, index[part.architecture] * seeds + repeat[part.repeat])
    return found


def _numbered(repeats: int) -> tuple[str, ...]:
    return tuple(f"training {number}" for number in range(1, repeats + 1))


def _refuse_empty(file: str, rows: ColumnRows, layout: ColumnLayout, architectures: int) -> None:
    """Raise DataError where nearly every place of the table would stay empty."""
    size, fidelities, repeats = layout.shape
    many = f"{fidelities} numbers of epochs and {repeats} repeats"
    hint = (
        "" if layout.trainings is not None else "; if seeds of architectures are unrelated, write match_repeats=False"
    )
    places = architectures * fidelities * repeats
    if repeats > _MOST_REPEATS or places > max(_FREE_PLACES, _MOST_PLACES * rows.count):
        raise DataError(f"{file} has {many}, but of {architectures} architectures only {rows.count} rows{hint}")
    if size * fidelities * repeats > max(_FREE_PLACES_OF_SPACE, _MOST_PLACES * rows.count):
        raise DataError(
            f"{file} has {many}, for {size} architectures of the space {size * fidelities * repeats} numbers a metric, "
            f"but {rows.count} rows; with space='listed', the space is the architectures of the file"
        )


def _duplicate(file: str, rows: ColumnRows, layout: ColumnLayout, keys: Keys, place: int) -> DataError:
    """The error about the first two rows that belong to the same place."""
    found: list[int] = []
    for part in rows.spool:
        found += part.row[layout.place(part).flat(AXES, layout.shape) == place].tolist()
    same = ["architecture", *(["epoch"] if keys.epochs is not None else [])]
    if keys.repeat is not None:
        return DataError(f"rows {found[0]} and {found[1]} of {file} are about the same {' and '.join(same)} and repeat")
    return DataError(
        f"rows {found[0]} and {found[1]} of {file} are about the same {' and '.join(same)}; "
        "if they are different trainings, name a column that tells them apart: repeat=..."
    )
