"""Opening a file of columns: the first bytes decide which reader is used."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from nasbench_lab.errors import DataError
from nasbench_lab.plain_files import open_plain
from nasbench_lab.tables.importers.columns.cells import ColumnFile
from nasbench_lab.tables.importers.columns.csv_reader import open_csv
from nasbench_lab.tables.importers.columns.parquet_reader import open_parquet


@contextlib.contextmanager
def open_columns(path: Path, delimiter: str | None, encoding: str) -> Iterator[ColumnFile]:
    """Open a CSV or Parquet file; its first bytes say which of them it is.

    Args:
        path: the file; a CSV file may be compressed with gzip.
        delimiter: the separator of the cells of a CSV file; None to take it from the header.
        encoding: of a CSV file.

    Raises:
        DataError: the file is missing, damaged, or in another format. Reading the batches can raise it, too.
    """
    try:
        with open_plain(path) as file:
            start = file.read(8)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise DataError(f"{path.name} is an archive or a spreadsheet; save it as CSV")
    source = open_parquet(path) if start.startswith(b"PAR1") else open_csv(path, delimiter, encoding)
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
            "if another character separates its cells, give it as delimiter"
        )
