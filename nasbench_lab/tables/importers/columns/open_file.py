"""Opening a file of columns: the first bytes decide which reader is used."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from nasbench_lab.errors import DataError
from nasbench_lab.plain_files import open_plain
from nasbench_lab.tables.importers.columns.cells import ColumnFile
from nasbench_lab.tables.importers.columns.csv_reader import open_csv
from nasbench_lab.tables.importers.columns.hints import option_name
from nasbench_lab.tables.importers.columns.json_reader import looks_like_json, open_json
from nasbench_lab.tables.importers.columns.parquet_reader import open_parquet


@contextlib.contextmanager
def open_columns(path: Path, delimiter: str | None, encoding: str) -> Iterator[ColumnFile]:
    """Open a CSV, Parquet or JSON file; its first bytes say which of them it is.

    Args:
        path: the file; CSV and JSON may be compressed with gzip.
        delimiter: the separator of the cells of a CSV file; None to take it from the header.
        encoding: of a CSV or JSON file.

    Raises:
        DataError: the file is missing, damaged, or in another format. Reading the batches can raise it, too.
    """
    try:
        with open_plain(path) as file:
            start = file.read(2**12)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise DataError(f"{path.name} is an archive or a spreadsheet; save it as CSV")
    if start.startswith(b"PAR1"):
        source = open_parquet(path)
    elif looks_like_json(start):
        source = open_json(path, encoding)
    else:
        source = open_csv(path, delimiter, encoding)
    with source as found:
        _check_names(path, found.names)
        yield found


def _check_names(path: Path, names: tuple[str, ...]) -> None:
    """Raise DataError if two columns have the same name, or fewer than two have a name."""
    named = [name for name in names if name]
    if len(set(named)) != len(named):
        twice = next(name for name in named if named.count(name) > 1)
        raise DataError(f"{path.name} has two columns {twice!r}")
    if len(named) < 2:
        raise DataError(
            f"{path.name} has only one column, {(named or [''])[0][:80]!r}; "
            f"if another character separates its cells, give it as {option_name('delimiter')}"
        )
