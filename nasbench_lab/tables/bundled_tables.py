"""The tables bundled with the package: packed files, unpacked into the cache on first use."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

from nasbench_lab.errors import SourceError
from nasbench_lab.tables import packed_tables
from nasbench_lab.tables.progress_callbacks import Report, silent
from nasbench_lab.tables.recipe import Recipe


@dataclasses.dataclass(frozen=True)
class BundledFile:
    """A packed table bundled with the package.

    Attributes:
        path: path of the file.
        sha256: checksum of the table; the content is verified when it is unpacked.
    """

    path: Path
    sha256: str

    def __str__(self) -> str:
        return f"{self.path.name} of nasbench-lab"

    def read(self, report: Report = silent) -> bytes:
        """Return the content."""
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise SourceError(f"cannot read {self.path}: {error.strerror or error}") from error


def folder() -> Path:
    """Return the folder of the bundled tables: in the installed package, or beside its source."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "data"
    return installed if installed.is_dir() else package.parent / "data" / "tables"


@functools.cache
def recipes() -> tuple[Recipe, ...]:
    """Return a recipe for every bundled table.

    >>> [recipe.description.name for recipe in recipes()]
    ['digits/cell101', 'digits/chain', 'digits/hierarchical', 'digits/topology']
    """
    return tuple(_recipe(path) for path in sorted(folder().glob("*.h5")))


def _recipe(path: Path) -> Recipe:
    description, checksum = packed_tables.read_header(path)
    return Recipe(description, (BundledFile(path, checksum),), packed_tables.unpack)
