"""Reading any CSV, Parquet or JSON file of measurements as a table, one row per architecture, epoch and seed."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab import spaces
from nasbench_lab.errors import ParameterError
from nasbench_lab.tables.coverage import coverage_note
from nasbench_lab.tables.description import AXES, Description
from nasbench_lab.tables.importers.columns.cells import ColumnFile
from nasbench_lab.tables.importers.columns.costs import settle_costs
from nasbench_lab.tables.importers.columns.curves import ELEMENT, unfold
from nasbench_lab.tables.importers.columns.cut import cut
from nasbench_lab.tables.importers.columns.hints import option_name
from nasbench_lab.tables.importers.columns.layout import (
    TableLayout,
    find_axes,
    find_layout,
    refuse_duplicates,
)
from nasbench_lab.tables.importers.columns.metrics import ColumnMetrics, find_metrics
from nasbench_lab.tables.importers.columns.open_file import open_columns
from nasbench_lab.tables.importers.columns.options import (
    ColumnOptions,
    KeyColumns,
    as_names,
    epochs_column,
    find_key_columns,
)
from nasbench_lab.tables.importers.columns.rows import ParsedRows, read_rows
from nasbench_lab.tables.importers.columns.space import Architectures, find_architectures
from nasbench_lab.tables.importers.columns.wide import REPEAT, to_long_format
from nasbench_lab.tables.progress_callbacks import Progress
from nasbench_lab.tables.store import open_table, writing
from nasbench_lab.tables.table import Table

_MOST_IN_MEMORY = 2**32  # bytes

_Arrays = Mapping[str, NDArray[Any]]


def read_columns(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str] | None = None,
    *,
    architecture: str | Sequence[str] | None = None,
    space: str | Mapping[str, Any] | spaces.Space | None = None,
    epochs: str | int | None = None,
    repeat: str | Mapping[str, Sequence[str]] | None = None,
    valid: str | None = None,
    test: str | None = None,
    cost: str | Sequence[str] | None = None,
    metrics: str | Sequence[str] | None = None,
    units: Mapping[str, str] | None = None,
    directions: Mapping[str, str] | None = None,
    splits: Mapping[str, str] | None = None,
    per_epoch: str | Sequence[str] = (),
    resumable: bool = False,
    first_epoch: int = 1,
    max_epochs: int | None = None,
    match_repeats: bool = True,
    name: str | None = None,
    title: str | None = None,
    licence: str = "",
    citation: str = "",
    origin: str = "",
    notes: str | Sequence[str] = (),
    delimiter: str | None = None,
    encoding: str = "utf-8",
    progress: Progress | None = None,
) -> Table:
    """Read a CSV, Parquet or JSON file as a table.

    Columns that no option names are recognised by unambiguous names (docs/import.md has the rules). The notes and
    metrics of the table's description say what was recognised. The order of the rows does not matter. Empty cells, and
    combinations of architecture, epoch and repeat without a row, are missing values. A cell can have a learning curve
    as a list of numbers, one per epoch. If ``epochs`` is a number, the numbers of a list are repeats.

    Args:
        source: the file. CSV and JSON may be compressed with gzip; Parquet needs pyarrow. JSON can be a list of
            records, a dictionary of architectures, or a dictionary of columns.
        target: the table file (``.h5``) to write; by default, the table is made in memory.
        architecture: the column with the architecture, in official notation or as an index; or several columns with
            one choice each, for example ``["kernel", "width"]``.
        space: the search space: its name, its name and parameters as for `nasbench_lab.spaces.make_space`, or a space
            object. ``"choices"`` is the space of all combinations of the values in the file; ``"listed"`` is the space
            of exactly the architectures in the file.
        epochs: the column with the number of epochs, or the number if it is the same for all rows. By default 1.
        repeat: the column that distinguishes trainings of the same architecture, such as the seed. If every repeat has
            separate columns, a mapping from metric to these: ``{"val_acc": ["val_acc_1", "val_acc_2"]}``.
        valid: the column of the metric that a search observes.
        test: the column of the metric that is reported.
        cost: the column or columns whose sum is the cost of an evaluation in seconds: of the whole training up to the
            epoch of the row, and of one validation.
        metrics: the other columns with measurements; columns not named are then ignored. By default all columns with
            numbers.
        units: column to unit, for example ``{"val_acc": "percent"}``. Costs in ``"ms"``, ``"min"`` or ``"h"`` are
            converted to seconds.
        directions: column to ``"maximize"``, ``"minimize"`` or ``"none"``.
        splits: column to ``"train"``, ``"valid"``, ``"test"`` or ``"none"``.
        per_epoch: the columns of ``cost`` that have seconds of single epochs, which are then summed.
        resumable: whether a training can be continued from a lower number of epochs, as in a learning curve.
        first_epoch: number of the first epoch in the file, 1 or 0.
        max_epochs: rows with more epochs are left out, for example where few architectures were trained longer.
        match_repeats: whether the same seed is the same repeat for all architectures. Otherwise the trainings of each
            architecture are numbered separately, in the order of their seeds.
        name: name of the table; by default the name of the file.
        title: one-line title.
        licence: SPDX name of the licence of the data.
        citation: BibTeX.
        origin: where the numbers come from. The name and SHA-256 of the file are added.
        notes: notes for readers who publish numbers from this table.
        delimiter: the separator of the cells of a CSV file; by default detected from the header.
        encoding: of a CSV or JSON file.
        progress: called regularly with the amount of the file read so far, and the total.

    Raises:
        DataError: the file is damaged, or a row is invalid; the message names the row.
        ParameterError: an option is invalid, or a required option is missing.
        UnknownNameError: the file has no such column.
        OutputError: the table cannot be written.

    Warns:
        UserWarning: the table is doubtful: trainings cost no more seconds than shorter ones, a unit hardly fits the
            values, or few architectures have the highest fidelity. The notes of the table say it, too.

    >>> import tempfile
    >>> rows = ["kernel,width,seed,val_acc", "3,16,0,0.90", "3,16,1,0.91", "3,32,0,0.93", "5,16,0,0.92"]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "mine.csv")
    ...     _ = path.write_text(chr(10).join(rows))
    ...     table = read_columns(path, architecture=["kernel", "width"], repeat="seed", valid="val_acc")
    >>> table
    <Table mine: 4 architectures x 1 fidelities x 2 repeats>
    >>> table.query("kernel=3,width=16", repeat=1)
    {'val_acc': 0.91}
    >>> table.space.format(3), bool(np.isnan(table.lookup(3)))
    ('kernel=5,width=32', True)
    """
    options = ColumnOptions(
        architecture=architecture,
        space=space.spec() if isinstance(space, spaces.Space) else space,
        epochs=epochs,
        repeat=repeat,
        valid=valid,
        test=test,
        cost=cost,
        metrics=metrics,
        units=units or {},
        directions=directions or {},
        splits=splits or {},
        per_epoch=per_epoch,
        resumable=resumable,
        first_epoch=first_epoch,
        max_epochs=max_epochs,
        match_repeats=match_repeats,
        name=name,
        title=title,
        licence=licence,
        citation=citation,
        origin=origin,
        notes=notes,
        delimiter=delimiter,
        encoding=encoding,
    )
    path = Path(source)
    if target is not None and Path(target).suffix not in (".h5", ".hdf5"):
        raise ParameterError(f"the name of a table file must end in .h5, got {os.fspath(target)!r}")
    with open_columns(path, delimiter, encoding) as file:
        rows, keys, options, remarks = _read(path, file, options, progress)
    try:
        draft = _draft(path, rows, keys, options, remarks)
        return _in_memory(draft) if target is None else _in_file(draft, Path(target))
    finally:
        rows.spool.close()


def _read(
    path: Path, file: ColumnFile, options: ColumnOptions, progress: Progress | None
) -> tuple[ParsedRows, KeyColumns, ColumnOptions, list[str]]:
    """Read all rows of an open file; return also its key columns, its options in long format, and notes."""
    if isinstance(options.repeat, Mapping):
        file = to_long_format(file, options.repeat)
    epochs = epochs_column(file.names, options)
    wanted = [*find_key_columns(file.names, options).metrics, *([epochs] if isinstance(epochs, str) else [])]
    unfolded = unfold(path.name, file, wanted, epochs, options.first_epoch)
    file, notes = unfolded.file, []
    if unfolded.curves:
        what = "repeats" if unfolded.added == REPEAT else "epochs"
        notes.append(f"The elements of the lists in {' and '.join(map(repr, unfolded.curves))} are {what}.")
    if unfolded.added == ELEMENT:
        options = dataclasses.replace(options, epochs=ELEMENT)
    elif unfolded.added == REPEAT:
        options = dataclasses.replace(options, repeat=REPEAT)
    keys = find_key_columns(file.names, options)
    if options.max_epochs is not None:
        file = cut(path.name, file, keys.epochs, options.max_epochs - 1 + options.first_epoch)
        notes.append(f"Rows of more than {options.max_epochs} epochs were left out (max_epochs).")
    return read_rows(path.name, file, keys, progress), keys, options, notes


@dataclasses.dataclass(frozen=True)
class _Draft:
    """Everything about a table except its arrays."""

    file: str
    rows: ParsedRows
    measured: ColumnMetrics
    layout: TableLayout
    description: Description


def _draft(path: Path, rows: ParsedRows, keys: KeyColumns, options: ColumnOptions, remarks: Sequence[str]) -> _Draft:
    """Find the metrics, architectures, axes and description of a table."""
    measured = find_metrics(path.name, rows, options)
    architectures = find_architectures(path.name, rows.architectures, keys, options)
    size = spaces.make_space(architectures.space).size
    layout = find_layout(path.name, rows, keys, size, architectures.index, options)
    refuse_duplicates(path.name, rows, layout, keys)
    description = _describe(path, rows, keys, options, measured, architectures, layout)
    described = dataclasses.replace(description, notes=(*description.notes, *remarks))
    return _Draft(path.name, rows, measured, layout, described)


def _describe(
    path: Path,
    rows: ParsedRows,
    keys: KeyColumns,
    options: ColumnOptions,
    measured: ColumnMetrics,
    architectures: Architectures,
    layout: TableLayout,
) -> Description:
    axes = find_axes(rows, layout, measured.metrics, measured.columns, measured.growing)
    metrics = []
    for metric, found in zip(measured.metrics, axes, strict=True):
        needed = (*found[:1], "fidelity", *found[1:]) if metric.name in measured.per_epoch else found
        metrics.append(dataclasses.replace(metric, axes=tuple(axis for axis in AXES if axis in needed)))
    stem = os.fsencode(path.name.split(".")[0]).decode("utf-8", "replace")  # a file's name may be any bytes
    name = options.name or stem
    return Description(
        name=name,
        title=options.title or name,
        space=architectures.space,
        fidelities=layout.fidelities,
        repeats=layout.repeats,
        metrics=tuple(metrics),
        valid=measured.valid,
        test=measured.test,
        cost=measured.cost,
        resumable=options.resumable,
        licence=options.licence,
        citation=options.citation,
        source="; ".join(filter(None, (options.origin, f"{path.name} with SHA-256 {_sha256(path)}"))),
        notes=(
            *as_names(options.notes),
            *_notes(rows, keys, options, architectures, layout),
            *measured.notes,
            *measured.doubts,
        ),
    )


def _notes(
    rows: ParsedRows, keys: KeyColumns, options: ColumnOptions, architectures: Architectures, layout: TableLayout
) -> list[str]:
    """Return notes about the rows and columns of the file."""
    measured = len(np.unique(architectures.index))
    columns = [f"architecture is {' and '.join(map(repr, keys.architecture))}"]
    if keys.epochs not in (None, ELEMENT):
        columns.append(f"epoch is {keys.epochs!r}")
    if isinstance(options.repeat, Mapping):
        columns += [f"repeats of {name!r} are {', '.join(map(repr, of))}" for name, of in options.repeat.items()]
    elif keys.repeat not in (None, REPEAT):
        columns.append(f"repeat is {keys.repeat!r}")
    notes = [f"{rows.count} rows, {measured} of {layout.size} architectures. Columns: {', '.join(columns)}."]
    space = spaces.make_space(architectures.space)
    if space.parent is not None:
        space = space.parent
        notes.append(f"The search space has {space.size:,} architectures; the table has those of the file only.")
    if options.space is None:
        notes.append(f"The search space was inferred: {space.spec()['name']!r}.")
    if architectures.from_naslib:
        notes.append("Architectures are tuples of operations, in the order and with the numbers of NASLib.")
    if keys.epochs is None and options.epochs is None:
        notes.append("The number of epochs is unknown and set to 1.")
    return notes


def _in_memory(draft: _Draft) -> Table:
    lengths = dict(zip(AXES, draft.layout.shape, strict=True))
    shapes = {m.name: tuple(lengths[axis] for axis in m.axes) for m in draft.description.metrics}
    if 8 * sum(int(np.prod(shape)) for shape in shapes.values()) > _MOST_IN_MEMORY:
        raise ParameterError(
            f"the table would take more than 4 GiB of memory; pass the file to write as {option_name('target')}"
        )
    arrays = {metric: np.full(shape, np.nan) for metric, shape in shapes.items()}
    doubts = _fill(draft, arrays)
    description = dataclasses.replace(draft.description, notes=(*draft.description.notes, *doubts))
    return _warned(Table(description, arrays), (*draft.measured.doubts, *doubts))


def _in_file(draft: _Draft, target: Path) -> Table:
    with writing(draft.description, target) as file:
        doubts = _fill(draft, file.values)
        file.notes.extend(doubts)
    return _warned(open_table(target), (*draft.measured.doubts, *doubts))


def _warned(table: Table, doubts: Sequence[str]) -> Table:
    """Warn of what is doubtful about a new table, and return the table."""
    for doubt in doubts:
        warnings.warn(f"table {table.name!r}: {doubt}", UserWarning, stacklevel=4)
    return table


def _fill(draft: _Draft, arrays: _Arrays) -> list[str]:
    """Write the numbers of all rows into the arrays of the metrics; return what is doubtful about them."""
    layout, measured, metrics = draft.layout, draft.measured, draft.description.metrics
    flat_arrays = [arrays[metric.name].reshape(-1) for metric in metrics]
    for part in draft.rows.spool:
        place = layout.positions(part)
        flat = {axes: place.flat(axes, layout.shape) for axes in {metric.axes for metric in metrics}}
        for metric, array, column, factor in zip(metrics, flat_arrays, measured.columns, measured.factors, strict=True):
            array[flat[metric.axes]] = part.values[column] * factor
    doubts = settle_costs(draft.file, draft.description, measured.per_epoch, arrays)
    return [*doubts, *filter(None, [coverage_note(Table(draft.description, dict(arrays)))])]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
