"""``nasbench-lab tables import``: converting official files, and CSV, Parquet or JSON files, to tables."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from nasbench_lab.cli import verbosity
from nasbench_lab.cli.progress import reporting
from nasbench_lab.errors import DataError, OutputError, ParameterError, PublishedFileWarning
from nasbench_lab.messages import as_command
from nasbench_lab.plain_files import is_folder, read_plain
from nasbench_lab.tables import Table, open_table
from nasbench_lab.tables.catalogue import is_table_file
from nasbench_lab.tables.coverage import coverage_note
from nasbench_lab.tables.importers.columns.hints import as_flags
from nasbench_lab.tables.importers.formats import FORMATS, FileFormat, find_format, import_tables
from nasbench_lab.tables.progress_callbacks import step


def _column(what: str) -> Any:
    return typer.Option(metavar="COLUMN", help=f"Your file: {what}")


def _of_column(what: str) -> Any:
    return typer.Option(metavar="COLUMN=...", help=f"Your file: {what}; may be repeated.")


def import_file(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="File, or folder of an unpacked archive.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Table file (.h5) to write, or folder for several tables. [default: beside SOURCE]"),
    ] = None,
    kind: Annotated[str, typer.Option("--format", help=f"Format of the file: auto, {', '.join(FORMATS)}.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the tables of an earlier import.")] = False,
    architecture: Annotated[list[str] | None, _column("architecture, or one of its choices; may be repeated.")] = None,
    space: Annotated[
        str | None, typer.Option(help="Your file: search space, as a name or as JSON with its parameters.")
    ] = None,
    epochs: Annotated[
        str | None, typer.Option(metavar="COLUMN|NUMBER", help="Your file: number of training epochs.")
    ] = None,
    repeat: Annotated[str | None, _column("seed of the training.")] = None,
    valid: Annotated[str | None, _column("metric that a search observes.")] = None,
    test: Annotated[str | None, _column("metric that is reported.")] = None,
    cost: Annotated[list[str] | None, _column("cost of an evaluation in seconds; may be repeated.")] = None,
    per_epoch: Annotated[list[str] | None, _column("cost with the seconds of a single epoch; may be repeated.")] = None,
    metric: Annotated[
        list[str] | None, _column("another metric to import; may be repeated. [default: all columns with numbers]")
    ] = None,
    unit: Annotated[list[str] | None, _of_column("unit of the column")] = None,
    direction: Annotated[list[str] | None, _of_column("direction: maximize, minimize or none")] = None,
    split: Annotated[list[str] | None, _of_column("split: train, valid, test or none")] = None,
    resumable: Annotated[
        bool,
        typer.Option(
            "--resumable",
            help="Your file: rows at several epochs belong to one training, which can be resumed.",
        ),
    ] = False,
    first_epoch: Annotated[
        int | None, typer.Option(metavar="0|1", help="Your file: number of the first epoch. [default: 1]")
    ] = None,
    max_epochs: Annotated[
        int | None, typer.Option(help="Your file: leave out rows with more epochs. [default: keep all rows]")
    ] = None,
    match_repeats: Annotated[
        bool,
        typer.Option(
            help="Your file: whether equal seeds are the same repeat; if not, each architecture numbers its own."
        ),
    ] = True,
    name: Annotated[str | None, typer.Option(help="Your file: name of the table. [default: name of the file]")] = None,
    title: Annotated[str | None, typer.Option(help="Your file: one-line title.")] = None,
    origin: Annotated[str | None, typer.Option(help="Your file: where the measurements come from.")] = None,
    note: Annotated[list[str] | None, typer.Option(help="Your file: note for readers; may be repeated.")] = None,
    licence: Annotated[str | None, typer.Option(help="Your file: SPDX name of the data's licence.")] = None,
    citation: Annotated[Path | None, typer.Option(help="Your file: BibTeX file with the publications to cite.")] = None,
    delimiter: Annotated[
        str | None, typer.Option(help="CSV: separator of cells. [default: detected from the header]")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="CSV, JSON: encoding of the file. [default: utf-8]")] = None,
) -> None:
    """Convert a downloaded official file, or your own CSV, Parquet or JSON file, to tables. Files cannot run code."""
    found = find_format(source, kind)
    target = _target(source, out, found, overwrite)
    options = {
        "architecture": _one_or_more(architecture),
        "space": _space(space),
        "epochs": int(epochs) if epochs and re.fullmatch("[0-9]{1,18}", epochs) else epochs,
        "repeat": repeat,
        "valid": valid,
        "test": test,
        "cost": cost,
        "per_epoch": per_epoch,
        "metrics": metric,
        "units": _pairs(unit),
        "directions": _pairs(direction),
        "splits": _pairs(split),
        "resumable": resumable or None,
        "first_epoch": first_epoch,
        "max_epochs": max_epochs,
        "match_repeats": None if match_repeats else False,
        "name": name,
        "title": title,
        "origin": origin,
        "notes": note,
        "licence": licence,
        "citation": _text(citation),
        "delimiter": delimiter,
        "encoding": encoding,
    }
    if found.disk_needed is not None:
        verbosity.note(f"the tables take about {found.disk_needed(source) / 1e9:.1f} GB of disk")
    given = {key: value for key, value in options.items() if value is not None}
    with reporting("nothing was written") as report, as_flags(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore", UserWarning)  # the notes of the table say the same
        warnings.simplefilter("always", PublishedFileWarning)
        progress = step(report, f"importing {source.name}")
        written = import_tables(source, target, format=found.name, progress=progress, **given)
    for text in dict.fromkeys(str(warning.message) for warning in caught):
        typer.echo(f"warning: {text}", err=True)
    for path in written:
        table = open_table(path)
        typer.echo(f"wrote {path} ({path.stat().st_size / 1e6:,.1f} MB)\n  {_quality(table)}")
        # Show what was inferred, so that users can correct it with options.
        notes = () if found.several else table.description.notes
        for line in dict.fromkeys([*notes, *filter(None, [coverage_note(table)])]):
            typer.echo(f"  - {line}")
    verbosity.tell(f"to show it: {as_command('tables', 'info', written[0])}")


def _target(source: Path, out: Path | None, found: FileFormat, overwrite: bool) -> Path:
    """Return the path for the tables, after checking that it does not exist or may be replaced."""
    place = source.absolute()
    name = place.name if is_folder(source) else place.name.partition(".")[0] or place.name
    target = out or place.with_name(f"{name}-tables" if found.several else f"{name}.h5")
    if not found.several and not is_table_file(target):
        raise ParameterError(f"the name of a table file must end in .h5, got {target}")
    if target.exists() and not overwrite:
        raise OutputError(f"{target} already exists; choose another path with --out, or replace it with --overwrite")
    return target


def _one_or_more(names: Sequence[str] | None) -> str | Sequence[str] | None:
    """Return a single column as a name; several columns, one per choice, as a list."""
    return names[0] if names and len(names) == 1 else names


def _space(text: str | None) -> Any:
    """Read a space: a name, or JSON with its name and parameters."""
    if text is None or not text.lstrip().startswith("{"):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ParameterError(f'--space must be a name, or JSON such as {{"name": "cell101"}}: {error}') from error


def _pairs(texts: Sequence[str] | None) -> dict[str, str] | None:
    """Parse ``COLUMN=VALUE``. The name of a column may contain an equals sign, the value may not.

    >>> _pairs(["val_acc=percent", "a=b=s"])
    {'val_acc': 'percent', 'a=b': 's'}
    """
    if texts is None:
        return None
    found = {}
    for text in texts:
        column, equals, value = text.rpartition("=")
        if not equals or not column:
            raise ParameterError(f"the option must be COLUMN=VALUE, for example val_acc=percent, got {text!r}")
        found[column] = value
    return found


def _text(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return read_plain(path).decode().strip()
    except (OSError, UnicodeError) as error:
        raise DataError(f"cannot read {path}: {error}") from error


def _quality(table: Table) -> str:
    """Return one line about the content of a table."""
    count = int(np.count_nonzero(~np.isnan(table.mean_values(table.objective.name))))
    epochs = table.fidelities
    fidelities = f"{epochs[0]}" if len(epochs) == 1 else f"{epochs[0]} to {epochs[-1]} ({len(epochs)} of them)"
    repeats = "1 repeat" if table.repeats == 1 else f"up to {table.repeats} repeats"
    return f"{table.name}: {count:,} of {table.space.size:,} architectures, epochs {fidelities}, {repeats}"
