"""Filling tables from NAS-Bench-101 files, in bounded memory: from batches of records to places in arrays.

A record finds its architecture by the module hash, and the cell that it draws must be the one that has this hash. The
records of one architecture and number of epochs are its repeats, in the order of the file.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import DataError, NasbenchLabError, OutOfSpaceError, SourceError, first_line
from nasbench_lab.files import atomic_path
from nasbench_lab.spaces import Cell101Space
from nasbench_lab.spaces.cell101_enumeration import kept_cells
from nasbench_lab.tables import store
from nasbench_lab.tables.description import Description
from nasbench_lab.tables.importers.nas_bench_101.messages import MalformedError, Messages, WireField
from nasbench_lab.tables.importers.nas_bench_101.rows import ModelRows, codes_of, rows_of
from nasbench_lab.tables.progress import Progress
from nasbench_lab.tables.reading.tfrecord import RecordBatch, batches
from nasbench_lab.tables.table import Table

PARAMETERS = "parameters"
"""The metric that is of the architecture, and not of a training; in files a number, in tables millions."""

_LONGEST_RECORD = 2**16
_MOST_FIDELITIES = 64
_PER_MILLION = 1e6


class Frame(NamedTuple):
    """How large a table must be.

    Attributes:
        vertices: most vertices of a cell.
        fidelities: all numbers of epochs, ascending.
    """

    vertices: int
    fidelities: tuple[int, ...]

    def around(self, batch: RecordBatch, rows: ModelRows) -> Frame:
        """Return the smallest frame with room for the rows of a batch, too."""
        epochs = set(np.unique(rows.epochs).tolist()).union(self.fidelities)
        if len(epochs) > _MOST_FIDELITIES:
            raise batch.error(0, f"more than {_MOST_FIDELITIES} different numbers of epochs from here on or before")
        return Frame(max(self.vertices, int(rows.vertices.max())), tuple(sorted(epochs)))


Counts = NDArray[np.uint16]
"""How many records a file has of every architecture and fidelity, shape (architectures, fidelities)."""


class _OutgrownError(Exception):
    """There are records that the table has no place for."""

    def __init__(self, frame: Frame, batch: RecordBatch) -> None:
        super().__init__(f"{batch.name} has records of {frame}")
        self.frame = frame


@dataclasses.dataclass(frozen=True)
class RecordFormat:
    """A kind of file, and the tables that are made from it.

    Attributes:
        fields: where in the messages the metrics are, by name; `PARAMETERS` among them.
        describe: the description of a table of some size.
        repeats: how many trainings an architecture has at most.
        remarks: what a reader must know of a table and the counts of its records, as notes; nothing if it is complete.
    """

    fields: Mapping[str, WireField]
    describe: Callable[[Frame], Description]
    repeats: int
    remarks: Callable[[Table, Counts], Sequence[str]]


def convert(source: Path, target: Path, kind: RecordFormat, progress: Progress | None = None) -> None:
    """Convert a file into a table; memory stays small, and an error leaves no file.

    Args:
        source: the file.
        target: the table to write.
        kind: of the file.
        progress: called with bytes that are done and bytes in total.

    Raises:
        DataError: a record is damaged or does not make sense; it is named.
        SourceError: the file cannot be read.
        OutputError: the table cannot be written.
    """
    with _opened(source) as stream:
        frame = _first_frame(stream, source.name)
        while True:
            try:
                return _convert(stream, source.name, target, kind, frame, progress)
            except _OutgrownError as error:  # the beginning of the file did not show all there is: once more
                frame = error.frame


def fill(
    stream: BinaryIO,
    name: str,
    kind: RecordFormat,
    frame: Frame,
    values: Mapping[str, NDArray[Any]],
    progress: Callable[[int], None] | None = None,
) -> Counts:
    """Fill the arrays of a table from a file, and return how many records there are of what.

    Args:
        stream: the file.
        name: what messages call it.
        kind: of the file.
        frame: of the table.
        values: the table's arrays, NaN where there is nothing yet.
        progress: called with bytes that are done.

    Raises:
        DataError: a record is damaged or does not make sense; it is named.
    """
    filling = _Filling(kind, frame, values)
    for batch in batches(stream, name, longest=_LONGEST_RECORD):
        filling.add(batch)
        if progress:
            progress(batch.end)
    return filling.counts


@final
class _Filling:
    """Arrays that are being filled, and what of them is."""

    def __init__(self, kind: RecordFormat, frame: Frame, values: Mapping[str, NDArray[Any]]) -> None:
        self._space = Cell101Space(frame.vertices)
        self._frame, self._values, self._most = frame, values, kind.repeats
        self._messages = Messages(kind.fields)
        self._required = {name for name, field in kind.fields.items() if field.required}
        cells = kept_cells(frame.vertices)
        self._high, self._low = cells["high"], cells["low"]
        self._drawn = np.full(self._space.size, -1, dtype=np.int64)  # the last drawing of every cell
        self.counts: Counts = np.zeros((self._space.size, len(frame.fidelities)), dtype=np.uint16)

    def add(self, batch: RecordBatch) -> None:
        """Add the measurements of a batch of records."""
        rows = rows_of(batch)
        frame = self._frame.around(batch, rows)
        if frame != self._frame:
            raise _OutgrownError(frame, batch)
        index = self._find(batch, rows.hashes)
        self._check_drawings(batch, index, rows.drawings)
        measured = self._measurements(batch, rows.messages)
        self._add_parameters(index, measured.pop(PARAMETERS))
        fidelity = np.searchsorted(frame.fidelities, rows.epochs)
        repeat = self._number(batch, index * len(frame.fidelities) + fidelity)
        for name, column in measured.items():
            self._values[name][index, fidelity, repeat] = column
        self._drawn[index] = rows.drawings

    def _find(self, batch: RecordBatch, hashes: NDArray[np.uint8]) -> IntArray:
        """Indices of the cells with these hashes."""
        high, low = hashes.view(">u8").T.astype(np.uint64)
        index = np.minimum(np.searchsorted(self._high, high), len(self._high) - 1)
        unknown = (self._high[index] != high) | (self._low[index] != low)
        if unknown.any():
            first = int(unknown.argmax())
            text = hashes[first].tobytes().hex()
            raise batch.error(first, f"no cell of at most {self._frame.vertices} vertices has the module hash {text}")
        return index.astype(np.int64)

    def _check_drawings(self, batch: RecordBatch, index: IntArray, drawings: IntArray) -> None:
        """Raise an error where a record draws another cell than that of its hash."""
        new = np.flatnonzero(self._drawn[index] != drawings)
        distinct, which = np.unique(drawings[new], return_inverse=True)
        try:
            found = self._space.index(codes_of(distinct, self._frame.vertices))[which]
        except OutOfSpaceError:
            raise self._no_cell(batch, drawings) from None
        wrong = found != index[new]
        if wrong.any():
            raise batch.error(int(new[wrong.argmax()]), "the matrix and operations are not the cell of the module hash")

    def _no_cell(self, batch: RecordBatch, drawings: IntArray) -> DataError:
        """The error about the first drawing that is no cell of the space."""
        for position in range(len(drawings)):
            try:
                self._space.index(codes_of(drawings[position : position + 1], self._frame.vertices))
            except OutOfSpaceError as error:
                return batch.error(position, first_line(error))
        raise RuntimeError("every single drawing is a cell")

    def _measurements(self, batch: RecordBatch, messages: list[bytes]) -> dict[str, FloatArray]:
        """Numbers of all metrics, shape (n,), after checking that they can be what they should."""
        try:
            measured = self._messages.read(messages)
        except MalformedError as error:
            raise batch.error(error.position, first_line(error)) from error
        for name, column in measured.items():
            most = 1.0 if name.endswith("accuracy") else np.finfo(np.float64).max
            possible = (column >= 0) & (column <= most)
            if name not in self._required:
                possible |= np.isnan(column)
            if not possible.all():
                first = int(possible.argmin())
                raise batch.error(first, f"{name} cannot be {column[first]!s}")
        return measured

    def _add_parameters(self, index: IntArray, parameters: FloatArray) -> None:
        """Add the numbers of parameters of new architectures. As in the official API, the first record counts."""
        new = np.flatnonzero(self._drawn[index] < 0)
        architectures, first = np.unique(index[new], return_index=True)
        self._values[PARAMETERS][architectures] = parameters[new[first]] / _PER_MILLION

    def _number(self, batch: RecordBatch, slot: IntArray) -> IntArray:
        """Numbers of the repeats: for every record, how many of the same slot came before it in the file."""
        counts = self.counts.reshape(-1)
        order = np.argsort(slot, kind="stable")
        ordered = slot[order]
        begins = np.append(True, ordered[1:] != ordered[:-1])
        starts = np.flatnonzero(begins)
        rank = np.arange(len(slot)) - starts[np.cumsum(begins) - 1]
        repeat = np.empty_like(slot)
        repeat[order] = counts[ordered] + rank
        if repeat.max() >= self._most:
            first = int((repeat >= self._most).argmax())
            raise batch.error(first, f"more than {self._most} records of one architecture and number of epochs")
        counts[ordered[starts]] += np.diff(starts, append=len(slot)).astype(np.uint16)
        return repeat


def _convert(
    stream: BinaryIO, name: str, target: Path, kind: RecordFormat, frame: Frame, progress: Progress | None
) -> None:
    """Convert a file whose size is known; _OutgrownError where it is larger than that."""
    total = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    description = kind.describe(frame)
    told = (lambda done: progress(done, total)) if progress else None
    with atomic_path(target) as finished, tempfile.TemporaryDirectory(dir=finished.parent) as folder:
        draft_path = Path(folder, target.name)
        with store.writing(description, draft_path) as draft:
            counts = fill(stream, name, kind, frame, draft.values, told)
        table = store.open_table(draft_path)
        remarks = tuple(kind.remarks(table, counts))
        if not remarks:
            draft_path.replace(finished)
            return
        # What there is to remark is known only now, and a description is written with the arrays.
        noted = dataclasses.replace(description, notes=(*description.notes, *remarks))
        store.write(Table(noted, {metric: table.values(metric) for metric in table.metrics}), finished)


def _first_frame(stream: BinaryIO, name: str) -> Frame:
    """The frame of the first few thousand records, which is that of any published file."""
    for batch in batches(stream, name, longest=_LONGEST_RECORD):
        return Frame(2, ()).around(batch, rows_of(batch))
    raise DataError(f"{name} has no records")


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as stream:
            yield stream
    except NasbenchLabError:
        raise
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror or error}") from error
