"""A recipe: how one table of the catalogue is made from published files."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from nasbench_lab.tables.description import Description
from nasbench_lab.tables.store import FORMAT_VERSION
from nasbench_lab.tables.table import Table


class File(Protocol):
    """A file that a table is made from, pinned by its content."""

    @property
    def sha256(self) -> str:
        """Digest of the content."""

    def read(self) -> bytes:
        """Return the verified content."""


Arrays = dict[str, NDArray[Any]]
Importer = Callable[[Description, Sequence[bytes]], tuple[Arrays, Arrays]]
"""Turns the contents of the files into (values, published means), as `Table` takes them."""


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How to make a table.

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
    def digest(self) -> str:
        """Digest of everything that decides about the table's content; part of the cached file's name."""
        formats = f"{self.revision} {FORMAT_VERSION}"  # of the importer, and of the file that it is converted to
        parts = [self.description.to_json(), formats, *(file.sha256 for file in self.files)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def make(self) -> Table:
        """Read the published files and make the table.

        Raises:
            SourceError: a file can be neither found nor downloaded.
            DataError: a file is not what the recipe pins.
        """
        values, means = self.importer(self.description, [file.read() for file in self.files])
        return Table(self.description, values, means)
