"""Recipes: how the tables of the catalogue are made from published files."""

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
from nasbench_lab.tables.progress_callbacks import Progress, Report, silent, step
from nasbench_lab.tables.table import Table


class File(Protocol):
    """A published file, pinned by the digest of its content."""

    @property
    def sha256(self) -> str:
        """Digest of the content."""

    def read(self, report: Report = ...) -> bytes:
        """Return the verified content."""


class LargeFile(Protocol):
    """A published file too large for memory, pinned by the digest of its content."""

    @property
    def sha256(self) -> str:
        """Digest of the content."""

    @property
    def size(self) -> int | None:
        """Number of bytes; None if it is not published."""

    def is_here(self) -> bool:
        """Return whether the file is available without a download."""

    def fetch(self, report: Report = ...) -> Path:
        """Return the path of the verified file, downloaded if necessary."""


Arrays = dict[str, NDArray[Any]]
Importer = Callable[[Description, Sequence[bytes]], tuple[Arrays, Arrays]]
"""Converts the contents of the files to (values, published means), the arguments of `Table`."""


class Converter(Protocol):
    """Converts a published file to a table file in pieces that fit into memory."""

    def __call__(self, source: Path, target: Path, *, progress: Progress | None = None) -> object:
        """Write the table; on an error, leave no file."""


class AbstractRecipe(abc.ABC):
    """How to make a table: `Recipe` converts in memory, `StreamedRecipe` in pieces.

    Attributes:
        description: the description of the table; known without its data.
        revision: number of the importer's version; must be raised if the same files give other numbers.
    """

    description: Description
    revision: int

    @property
    @abc.abstractmethod
    def sha256s(self) -> tuple[str, ...]:
        """Digests of the published files."""

    @property
    def digest(self) -> str:
        """Digest of everything that determines the content of the table; part of the cached file's name."""
        formats = f"{self.revision} {store.FORMAT_VERSION}"
        parts = [self.description.to_json(), formats, *self.sha256s]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @abc.abstractmethod
    def write(self, path: Path, report: Report = silent) -> None:
        """Get the published files and write the table, atomically.

        Args:
            path: the table file to write.
            report: called with the progress of downloads and the conversion.

        Raises:
            SourceError: a file can be neither found nor downloaded.
            DataError: a file does not match its checksum.
            OutputError: the table, or a download, cannot be written.
        """


@final
@dataclasses.dataclass(frozen=True)
class Recipe(AbstractRecipe):
    """How to make a table from files of some megabytes, in memory.

    Attributes:
        description: the description of the table; known without its data.
        files: the published files, in the order that the importer expects.
        importer: converts the contents of the files.
        revision: number of the importer's version; must be raised if the same files give other numbers.
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
            DataError: a file does not match its checksum.
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

    Such a table is not made on first use, as a download of gigabytes would be a surprise; it is fetched on request.

    Attributes:
        description: the description of the table; known without its data.
        file: the published file.
        convert: converts the file to a table file.
        revision: number of the converter's version; must be raised if the same file gives other numbers.
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
        """Convert the file, downloaded if necessary."""
        source = self.file.fetch(report)
        self.convert(source, path, progress=step(report, "converting"))
        found = store.open_table(path).description
        # Notes that the conversion adds about the content cannot be known in advance.
        if dataclasses.replace(found, notes=self.description.notes) != self.description:
            path.unlink()
            raise DataError(f"{self.file} contains {found.title}, not {self.description.title}")
