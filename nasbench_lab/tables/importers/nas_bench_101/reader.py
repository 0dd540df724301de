"""Converting files in the format of NAS-Bench-101 to tables, in batches of records and bounded memory.

The module hash of a record identifies its architecture. The matrix and operations of the record must give the same
cell. The records of one architecture and number of epochs are its repeats, in the order of the file.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import DataError, NasbenchLabError, OutOfSpaceError, SourceError
from nasbench_lab.messages import first_line
from nasbench_lab.plain_files import open_plain
from nasbench_lab.spaces import Cell101Space
from nasbench_lab.spaces.cell101_enumeration import kept_cells
from nasbench_lab.tables import store
from nasbench_lab.tables.description import Description
from nasbench_lab.tables.importers.nas_bench_101.messages import MalformedError, MessageReader, WireField
from nasbench_lab.tables.importers.nas_bench_101.rows import ModelRows, codes_of, parse_rows
from nasbench_lab.tables.progress_callbacks import Progress
from nasbench_lab.tables.reading.tfrecord import RecordBatch, batches
from nasbench_lab.tables.table import Table

PARAMETERS = "parameters"
"""The metric of an architecture, independent of its trainings; in files a number, in tables in millions."""

LONGEST_RECORD = 2**16
"""Largest number of bytes of a record."""

_MOST_FIDELITIES = 64
_PER_MILLION = 1e6


class Dimensions(NamedTuple):
    """The dimensions of a table.

    Attributes:
        vertices: largest number of vertices of a cell.
        fidelities: all numbers of epochs, ascending.
    """

    vertices: int
    fidelities: tuple[int, ...]

    def including(self, batch: RecordBatch, rows: ModelRows) -> Dimensions:
        """Return the smallest dimensions that also hold the rows of a batch."""
        epochs = set(np.unique(rows.epochs).tolist()).union(self.fidelities)
        if len(epochs) > _MOST_FIDELITIES:
            raise batch.error(0, f"more than {_MOST_FIDELITIES} different numbers of epochs up to this batch")
        return Dimensions(max(self.vertices, int(rows.vertices.max())), tuple(sorted(epochs)))


Counts = NDArray[np.uint16]
"""Number of records of every architecture and fidelity in a file, shape (architectures, fidelities)."""


class _OutgrownError(Exception):
    """The file has records outside the dimensions of the table."""

    def __init__(self, dimensions: Dimensions, batch: RecordBatch) -> None:
        super().__init__(f"{batch.name} has records that need {dimensions}")
        self.dimensions = dimensions


@dataclasses.dataclass(frozen=True)
class RecordFormat:
    """A format of records, and the tables that are made from them.

    Attributes:
        fields: metric name, including `PARAMETERS`, to its location in the messages.
        describe: returns the description of a table with given dimensions.
        repeats: largest number of trainings of an architecture.
        remarks: returns additional notes on a table, from the counts of its records; empty if the table is complete.
        finish: checks or changes the arrays of a table once they are filled.
    """

    fields: Mapping[str, WireField]
    describe: Callable[[Dimensions], Description]
    repeats: int
    remarks: Callable[[Table, Counts], Sequence[str]]
    finish: Callable[[Dimensions, Mapping[str, NDArray[Any]]], None] = lambda _dimensions, _values: None


def convert(source: Path, target: Path, kind: RecordFormat, progress: Progress | None = None) -> None:
    """Convert a file to a table in bounded memory; an error leaves no file.

    Args:
        source: the file.
        target: the table file to write.
        kind: format of the records.
        progress: called with the number of bytes read, and the total.

    Raises:
        DataError: a record is damaged or inconsistent; the message names it.
        SourceError: the file cannot be read.
        OutputError: the table cannot be written.
    """
    with opened(source) as stream:
        dimensions = _first_dimensions(stream, source.name)
        while True:
            try:
                return _convert(stream, source.name, target, kind, dimensions, progress)
            except _OutgrownError as error:  # later records need larger dimensions: start again
                dimensions = error.dimensions


def fill(
    stream: BinaryIO,
    name: str,
    kind: RecordFormat,
    dimensions: Dimensions,
    values: Mapping[str, NDArray[Any]],
    progress: Callable[[int], None] | None = None,
) -> Counts:
    """Fill the arrays of a table from a file, and return the counts of its records.

    Args:
        stream: the file.
        name: name of the file, for messages.
        kind: format of the records.
        dimensions: dimensions of the table.
        values: metric to its array, filled with NaN.
        progress: called with the number of bytes read.

    Raises:
        DataError: a record is damaged or inconsistent; the message names it.
    """
    filling = _Filling(kind, dimensions, values)
    for batch in batches(stream, name, longest=LONGEST_RECORD):
        filling.add(batch)
        if progress:
            progress(batch.end)
    return filling.counts


@final
class _Filling:
    """The arrays that are being filled, and the counts of records so far."""

    def __init__(self, kind: RecordFormat, dimensions: Dimensions, values: Mapping[str, NDArray[Any]]) -> None:
        self._space = Cell101Space(dimensions.vertices)
        self._dimensions, self._values, self._most = dimensions, values, kind.repeats
        self._messages = MessageReader(kind.fields)
        self._required = {name for name, field in kind.fields.items() if field.required}
        cells = kept_cells(dimensions.vertices)
        self._high, self._low = cells["high"], cells["low"]
        self._drawn = np.full(
            self._space.size, -1, dtype=np.int64
        )  # the last drawing of every cell; -1 before its first
        self.counts: Counts = np.zeros((self._space.size, len(dimensions.fidelities)), dtype=np.uint16)

    def add(self, batch: RecordBatch) -> None:
        """Add the measurements of a batch of records."""
        rows = parse_rows(batch)
        dimensions = self._dimensions.including(batch, rows)
        if dimensions != self._dimensions:
            raise _OutgrownError(dimensions, batch)
        index = self._find(batch, rows.hashes)
        self._check_drawings(batch, index, rows.drawings)
        measured = self._measurements(batch, rows.messages)
        self._add_parameters(index, measured.pop(PARAMETERS))
        fidelity = np.searchsorted(dimensions.fidelities, rows.epochs)
        repeat = self._number(batch, index * len(dimensions.fidelities) + fidelity)
        for name, column in measured.items():
            self._values[name][index, fidelity, repeat] = column
        self._drawn[index] = rows.drawings

    def _find(self, batch: RecordBatch, hashes: NDArray[np.uint8]) -> IntArray:
        """Return the indices of the cells with these hashes."""
        high, low = hashes.view(">u8").T.astype(np.uint64)
        index = np.minimum(np.searchsorted(self._high, high), len(self._high) - 1)
        unknown = (self._high[index] != high) | (self._low[index] != low)
        if unknown.any():
            first = int(unknown.argmax())
            text = hashes[first].tobytes().hex()
            raise batch.error(
                first, f"no cell of at most {self._dimensions.vertices} vertices has the module hash {text}"
            )
        return index.astype(np.int64)

    def _check_drawings(self, batch: RecordBatch, index: IntArray, drawings: IntArray) -> None:
        """Raise DataError if the drawn cell of a record does not have the hash of the record."""
        new = np.flatnonzero(self._drawn[index] != drawings)
        distinct, which = np.unique(drawings[new], return_inverse=True)
        try:
            found = self._space.index(codes_of(distinct, self._dimensions.vertices))[which]
        except OutOfSpaceError:
            raise self._no_cell(batch, drawings) from None
        wrong = found != index[new]
        if wrong.any():
            raise batch.error(int(new[wrong.argmax()]), "the matrix and operations are not the cell of the module hash")

    def _no_cell(self, batch: RecordBatch, drawings: IntArray) -> DataError:
        """Return the error about the first drawing that is not a cell of the space."""
        for position in range(len(drawings)):
            try:
                self._space.index(codes_of(drawings[position : position + 1], self._dimensions.vertices))
            except OutOfSpaceError as error:
                return batch.error(position, first_line(error))
        raise RuntimeError("every single drawing is a cell")

    def _measurements(self, batch: RecordBatch, messages: list[bytes]) -> dict[str, FloatArray]:
        """Return metric name to its numbers, shape (n,), after checking their ranges."""
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
        """Store the numbers of parameters of new architectures. As in the official API, the first record decides."""
        new = np.flatnonzero(self._drawn[index] < 0)
        architectures, first = np.unique(index[new], return_index=True)
        self._values[PARAMETERS][architectures] = parameters[new[first]] / _PER_MILLION

    def _number(self, batch: RecordBatch, slot: IntArray) -> IntArray:
        """Return the repeat of every record: the number of earlier records with the same slot in the file."""
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
    stream: BinaryIO, name: str, target: Path, kind: RecordFormat, dimensions: Dimensions, progress: Progress | None
) -> None:
    """Convert a file to a table of given dimensions; _OutgrownError if the file needs larger ones."""
    total = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    description = kind.describe(dimensions)
    told = (lambda done: progress(done, total)) if progress else None
    with store.writing(description, target) as draft:
        counts = fill(stream, name, kind, dimensions, draft.values, told)
        kind.finish(dimensions, draft.values)
        draft.notes.extend(kind.remarks(Table(description, dict(draft.values)), counts))


def _first_dimensions(stream: BinaryIO, name: str) -> Dimensions:
    """Return the dimensions of the first few thousand records, which suffice for all published files."""
    for batch in batches(stream, name, longest=LONGEST_RECORD):
        return Dimensions(2, ()).including(batch, parse_rows(batch))
    raise DataError(f"{name} has no records")


@contextlib.contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file of records; SourceError if it cannot be read."""
    try:
        with open_plain(path) as stream:
            yield stream
    except NasbenchLabError:
        raise
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror or error}") from error
