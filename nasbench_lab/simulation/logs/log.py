"""What a log is: steps that a file or an object of another program has."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from nasbench_lab.errors import DataError
from nasbench_lab.messages import first_line
from nasbench_lab.plain_files import is_folder, is_plain, open_plain, read_plain
from nasbench_lab.simulation.steps.columns import StepColumns
from nasbench_lab.simulation.steps.options import StepOptions
from nasbench_lab.tables.table import Table

_HEAD = 2**12  # bytes

Reports = Literal["all", "last"]

Locate = Callable[[Table, StepColumns, StepOptions], StepColumns]
"""Adds the architectures to steps, given the table."""


@dataclasses.dataclass(frozen=True)
class LogSource:
    """A log as the user gave it.

    Attributes:
        given: a path, an address, or an object.
        path: the file or folder; None for anything else.
        head: the first bytes of the file.
    """

    given: Any
    path: Path | None = None
    head: bytes = b""

    @classmethod
    def of(cls, given: Any) -> LogSource:
        """Return a source.

        Raises:
            DataError: there is no such file, or it cannot be read.
        """
        if not isinstance(given, str | os.PathLike) or "://" in str(given):
            return cls(given)
        path = Path(given)
        if is_folder(path):
            return cls(given, path)
        if not is_plain(path):
            raise DataError(f"there is no file {path}")
        try:
            with open_plain(path) as file:
                return cls(given, path, file.read(_HEAD))
        except OSError as error:
            raise DataError(f"cannot read {path}: {error.strerror or first_line(error)}") from error

    def file(self, name: str) -> Path | None:
        """Return the file if the source is one, or the file of a name if it is a folder; None where there is none."""
        if self.path is None or not is_folder(self.path):
            return self.path
        found = self.path / name
        return found if is_plain(found) else None

    def start(self, name: str, size: int) -> bytes:
        """Return the first bytes of the file, see `file`; none where there is no file."""
        path = self.file(name)
        if path is None:
            return b""
        try:
            with open_plain(path) as file:
                return file.read(size)
        except OSError as error:
            raise DataError(f"cannot read {path}: {error.strerror or first_line(error)}") from error

    def content(self, name: str, most: int) -> bytes:
        """Return the content of the file, see `file`.

        Raises:
            DataError: it cannot be read, or has more bytes.
        """
        path = self.file(name)
        if path is None:
            raise DataError(f"{self} has no {name}")
        try:
            return read_plain(path, most)
        except OSError as error:
            raise DataError(f"cannot read {path}: {error.strerror or first_line(error)}") from error

    def __str__(self) -> str:
        return (
            str(self.given) if isinstance(self.given, str | os.PathLike) else f"the given {type(self.given).__name__}"
        )


@dataclasses.dataclass(frozen=True)
class ReadOptions:
    """How the files of logs are read.

    Attributes:
        columns: for some names of columns, the name in the log.
        delimiter: of the cells of a CSV file; None to take it from the header.
        encoding: of a CSV or JSON file.
        reports: of trainings that report several times, whether ``"all"`` reports are evaluations or only the
            ``"last"`` of each training.
    """

    columns: Mapping[str, str] = dataclasses.field(default_factory=dict)
    delimiter: str | None = None
    encoding: str = "utf-8"
    reports: Reports = "all"


@dataclasses.dataclass(frozen=True)
class SearchLog:
    """The steps of a log.

    Attributes:
        columns: the steps. Without a column ``run``, they are those of one run.
        strategy: the log's own name of the strategy; empty if it has none.
        options: options that follow from the format, such as the unit of its values. The user's come first.
        locate: adds the architectures, if the columns do not have them.
        file: the file that was read; None for objects.
        notes: what a user should know.
        facts: further entries of the origin of the results, plain data.
    """

    columns: StepColumns
    strategy: str = ""
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    locate: Locate | None = None
    file: Path | None = None
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with open_plain(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or first_line(error)}") from error


def row_of(path: Path, numbers: Any) -> Callable[[int], str]:
    """Return a function that names the rows of a file in messages.

    Args:
        path: the file.
        numbers: number of each row.
    """
    return lambda position: f"row {numbers[position]} of {path.name}"
