"""Which strategy found which architectures: a CSV file with a column of each."""

from __future__ import annotations

import csv
import io
import os

from nasbench_lab.errors import DataError
from nasbench_lab.messages import first_line
from nasbench_lab.plain_files import read_plain

_MOST_BYTES = 2**28
_COLUMNS = ("strategy", "architecture")


def read_found_by(path: str | os.PathLike[str]) -> dict[str, list[str]]:
    r"""Return the architectures that each strategy found, from a CSV file with the columns strategy and architecture.

    ``Trace.records().to_csv(...)`` writes such a file. The same architecture may be found many times.

    Raises:
        DataError: the file is missing, or lacks a column.

    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "found.csv")
    ...     _ = file.write_text("strategy,architecture\ntpe,5\ntpe,5\nrandom-search,7\n")
    ...     read_found_by(file)
    {'tpe': ['5'], 'random-search': ['7']}
    """
    try:
        text = read_plain(path, _MOST_BYTES).decode("utf-8-sig")
        rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        missing = [name for name in _COLUMNS if name not in (rows.fieldnames or ())]
        if missing:
            raise DataError(f"{os.fspath(path)} must have the columns strategy and architecture; it lacks {missing[0]}")
        found: dict[str, dict[str, None]] = {}
        for row in rows:
            strategy, architecture = (row[name] for name in _COLUMNS)
            if not strategy or not architecture:
                raise DataError(f"{os.fspath(path)}, line {rows.line_num}: strategy or architecture is empty")
            found.setdefault(strategy, {})[architecture] = None
    except OSError as error:
        raise DataError(f"cannot read {os.fspath(path)}: {error.strerror or first_line(error)}") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{os.fspath(path)} is not a CSV file: {first_line(error)}") from error
    return {strategy: list(architectures) for strategy, architectures in found.items()}
