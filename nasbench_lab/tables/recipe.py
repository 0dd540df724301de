"""A recipe: how one table of the catalogue is made from published files."""

from __future__ import annotations

import abc
import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, final

from numpy.typing import NDArray

from nasbench_lab.errors import DataError
from nasbench_lab.tables import store
from nasbench_lab.tables.description import Description
from nasbench_lab.tables.progress import Progress, Report, silent, step
from nasbench_lab.tables.table import Table


class File(Protocol):
    """A file that a table is made from, pinned by its content."""

    @property
    def sha256(self) -> str:
        """Digest of the content."""

    def read(self, report: Report = ...) -> bytes:
        """Return the verified content."""


class LargeFile(Protocol):
    """A file that is too large to be read into memory, pinned by its content."""

    @property
    def sha256(self) -> str:
        """Digest of the content."""

    @property
    def size(self) -> int | None:
        """Bytes; None where that is not published."""

    def is_here(self) -> bool:
        """Return whether the file needs no download."""

    def fetch(self, report: Report = ...) -> Path:
        """Return where the verified file is, after a download if need be."""


Arrays = dict[str, NDArray[Any]]
Importer = Callable[[Description, Sequence[bytes]], tuple[Arrays, Arrays]]
"""Turns the contents of the files into (values, published means), as `Table` takes them."""


class Converter(Protocol):
    """Turns a published file, piece by piece, into a table file."""

    def __call__(self, source: Path, target: Path, *, progress: Progress | None = None) -> object:
        """Write the table; leave no file behind on an error."""


class AbstractRecipe(abc.ABC):
    """How to make a table. `Recipe` does it in memory, `StreamedRecipe` piece by piece.

    Attributes:
        description: what the table will say of itself; known without its data.
        revision: raised whenever the importer gives other numbers from the same files.
    """

    description: Description
    revision: int

    @property
    @abc.abstractmethod
    def sha256s(self) -> tuple[str, ...]:
        """Digests of the files that the table is made from."""

    @property
    def digest(self) -> str:
        """Digest of everything that decides about the table's content; part of the cached file's name."""
        formats = f"{self.revision} {store.FORMAT_VERSION}"  # of the importer, and of the file it is converted to
        parts = [self.description.to_json(), formats, *self.sha256s]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @abc.abstractmethod
    def write(self, path: Path, report: Report = silent) -> None:
        """Get the published files and write the table, atomically.

        Args:
            path: the table file to write.
            report: told about downloads and the conversion.

        Raises:
            SourceError: a file can be neither found nor downloaded.
            DataError: a file is not what the recipe pins.
            OutputError: the table, or a download, cannot be written.
        """


@final
@dataclasses.dataclass(frozen=True)
class Recipe(AbstractRecipe):
    """How to make a table from files of some megabytes.

    Attributes:
        description: what the table will say of itself; known without its data.
        files: what it is made from, in the order that the importer expects.
        importer: reads the files.
        revision: raised whenever the importer gives other numbers from the same files.
    """

    description: Description
    files: tuple[File, ...]
    importer: Importer
    revision: int = 1

    @property
    def sha256s(self) -> tuple[str, ...]:
        """Digests of the files."""
        return tuple(file.sha256 for file in self.files)

    def make(self, report: Report = silent) -> Table:
        """Read the published files and make the table.

        Raises:
            SourceError: a file can be neither found nor downloaded.
            DataError: a file is not what the recipe pins.
        """
        values, means = self.importer(self.description, [file.read(report) for file in self.files])
        return Table(self.description, values, means)

    def write(self, path: Path, report: Report = silent) -> None:
        """Make the table and write it."""
        store.write(self.make(report), path)


@final
@dataclasses.dataclass(frozen=True)
class StreamedRecipe(AbstractRecipe):
    """How to make a table from one file that may be larger than memory.

    Such a table is not made on first use, as nobody expects a download of gigabytes then; it is fetched on request.

    Attributes:
        description: what the table will say of itself; known without its data.
        file: what it is made from.
        convert: turns the file into the table.
        revision: raised whenever the conversion gives other numbers from the same file.
    """

    description: Description
    file: LargeFile
    convert: Converter
    revision: int = 1

    @property
    def sha256s(self) -> tuple[str, ...]:
        """Digest of the file."""
        return (self.file.sha256,)

    def write(self, path: Path, report: Report = silent) -> None:
        """Convert the file, which is downloaded if need be."""
        source = self.file.fetch(report)
        self.convert(source, path, progress=step(report, "converting"))
        found = store.open_table(path).description
        # What the conversion notes about the content cannot be known before.
        if dataclasses.replace(found, notes=self.description.notes) != self.description:
            path.unlink()
            raise DataError(f"{self.file} holds {found.title}, not {self.description.title}")
