"""``nasbench-lab tables import``: making tables of official files, and of a user's own."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from nasbench_lab.cli.progress import reporting
from nasbench_lab.errors import DataError, OutputError, ParameterError
from nasbench_lab.tables import Table, open_table
from nasbench_lab.tables.catalogue import is_table_file
from nasbench_lab.tables.importers.formats import FORMATS, FileFormat, find_format, import_tables
from nasbench_lab.tables.progress_callbacks import step


def _column(what: str) -> Any:
    return typer.Option(metavar="COLUMN", help=f"CSV, Parquet: {what}")


def _of_column(what: str) -> Any:
    return typer.Option(metavar="COLUMN=...", help=f"CSV, Parquet: {what}; may be repeated.")


def import_file(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="The file, or the folder of an unpacked archive.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Table file (.h5) or, of several tables, folder to write. [default: beside SOURCE]"),
    ] = None,
    kind: Annotated[str, typer.Option("--format", help=f"What it is: auto, {', '.join(FORMATS)}.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what an earlier import wrote.")] = False,
    architecture: Annotated[
        list[str] | None, _column("the architecture, or one of its choices; may be repeated.")
    ] = None,
    space: Annotated[
        str | None, typer.Option(help="CSV, Parquet: the search space: a name, or JSON with its parameters.")
    ] = None,
    epochs: Annotated[
        str | None, typer.Option(metavar="COLUMN|NUMBER", help="CSV, Parquet: epochs of training.")
    ] = None,
    repeat: Annotated[str | None, _column("the seed.")] = None,
    valid: Annotated[str | None, _column("what a search observes.")] = None,
    test: Annotated[str | None, _column("what is reported.")] = None,
    cost: Annotated[list[str] | None, _column("seconds that an evaluation costs; may be repeated.")] = None,
    per_epoch: Annotated[list[str] | None, _column("a cost whose seconds are of one epoch; may be repeated.")] = None,
    metric: Annotated[list[str] | None, _column("another to keep; may be repeated. [default: all numbers]")] = None,
    unit: Annotated[list[str] | None, _of_column("its unit")] = None,
    direction: Annotated[list[str] | None, _of_column("maximize, minimize or none")] = None,
    split: Annotated[list[str] | None, _of_column("train, valid, test or none")] = None,
    resumable: Annotated[
        bool, typer.Option("--resumable", help="CSV, Parquet: rows of one training at several epochs.")
    ] = False,
    first_epoch: Annotated[
        int | None, typer.Option(metavar="0|1", help="CSV, Parquet: how the first epoch is called. [default: 1]")
    ] = None,
    match_repeats: Annotated[
        bool,
        typer.Option(help="CSV, Parquet: whether a seed is the same repeat everywhere, or just tells trainings apart."),
    ] = True,
    name: Annotated[str | None, typer.Option(help="CSV, Parquet: name of the table. [default: the file's]")] = None,
    title: Annotated[str | None, typer.Option(help="CSV, Parquet: one line for people.")] = None,
    origin: Annotated[str | None, typer.Option(help="CSV, Parquet: where the measurements come from.")] = None,
    note: Annotated[
        list[str] | None, typer.Option(help="CSV, Parquet: what readers must know; may be repeated.")
    ] = None,
    licence: Annotated[str | None, typer.Option(help="CSV, Parquet: SPDX name of the data's licence.")] = None,
    citation: Annotated[Path | None, typer.Option(help="CSV, Parquet: BibTeX file with what to cite.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="CSV: what separates cells. [default: by the header]")] = None,
    encoding: Annotated[str | None, typer.Option(help="CSV: encoding. [default: utf-8]")] = None,
) -> None:
    """Make tables of an official file that you downloaded, or of your own CSV or Parquet. No file can run code."""
    found = find_format(source, kind)
    target = _target(source, out, found, overwrite)
    options = {
        "architecture": _one_or_more(architecture),
        "space": _space(space),
        "epochs": int(epochs) if epochs and epochs.isascii() and epochs.isdigit() else epochs,
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
    given = {key: value for key, value in options.items() if value is not None}
    with reporting("nothing was written") as report:
        progress = step(report, f"importing {source.name}")
        written = import_tables(source, target, format=found.name, progress=progress, **given)
    for path in written:
        table = open_table(path)
        typer.echo(f"wrote {path} ({path.stat().st_size / 1e6:,.1f} MB)\n  {_quality(table)}")
        if found.options:  # what was guessed must be seen, so that it can be said otherwise
            for line in table.description.notes:
                typer.echo(f"  - {line}")
    typer.echo(f"look at it: nasbench-lab tables info {shlex.quote(str(written[0]))}")


def _target(source: Path, out: Path | None, found: FileFormat, overwrite: bool) -> Path:
    """Return where the tables go, after a check that nothing is in the way."""
    place = source.absolute()
    name = place.name if source.is_dir() else place.name.partition(".")[0] or place.name
    target = out or place.with_name(f"{name}-tables" if found.several else f"{name}.h5")
    if not found.several and not is_table_file(target):
        raise ParameterError(f"a table file ends in .h5, got {target}")
    if target.exists() and not overwrite:
        raise OutputError(f"{target} is there already; choose another with --out, or replace it with --overwrite")
    return target


def _one_or_more(names: Sequence[str] | None) -> str | Sequence[str] | None:
    """One column is the whole architecture; several are its choices."""
    return names[0] if names and len(names) == 1 else names


def _space(text: str | None) -> Any:
    """Read a space: a name, or JSON with its name and parameters."""
    if text is None or not text.lstrip().startswith("{"):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ParameterError(f'--space is a name, or JSON like {{"name": "cell101"}}: {error}') from error


def _pairs(texts: Sequence[str] | None) -> dict[str, str] | None:
    """Read ``COLUMN=...``. A column's name may have an equals sign in it, what is said of it not.

    >>> _pairs(["val_acc=percent", "a=b=s"])
    {'val_acc': 'percent', 'a=b': 's'}
    """
    if texts is None:
        return None
    found = {}
    for text in texts:
        column, equals, value = text.rpartition("=")
        if not equals or not column:
            raise ParameterError(f"say what of which column, like val_acc=percent, got {text!r}")
        found[column] = value
    return found


def _text(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise DataError(f"cannot read {path}: {error}") from error


def _quality(table: Table) -> str:
    """Say in one line how much a table has."""
    count = int(np.count_nonzero(~np.isnan(table.mean_values(table.objective.name))))
    epochs = table.fidelities
    fidelities = f"{epochs[0]}" if len(epochs) == 1 else f"{epochs[0]} to {epochs[-1]} ({len(epochs)} of them)"
    repeats = "1 repeat" if table.repeats == 1 else f"up to {table.repeats} repeats"
    return f"{table.name}: {count:,} of {table.space.size:,} architectures, epochs {fidelities}, {repeats}"
