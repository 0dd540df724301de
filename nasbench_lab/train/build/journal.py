"""The journal of a build: every training is stored on disk as soon as it is finished."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.errors import DataError
from nasbench_lab.train.npz_files import read_npz
from nasbench_lab.train.sqlite_file import Owner, SqliteFile

Unit = tuple[int, int]
"""A unit of a build: the index of a representative architecture, and the number of epochs."""

Arrays = Mapping[str, NDArray[Any]]

_CREATE = """
CREATE TABLE IF NOT EXISTS units
    (architecture INTEGER, epochs INTEGER, arrays BLOB NOT NULL, PRIMARY KEY (architecture, epochs))
"""


class Journal(SqliteFile):
    """Finished units and their measurements in one SQLite file.

    Each unit is one transaction. If the process is killed, all recorded units are in the file, and none is half
    written. Several processes may read, one may write.

    Args:
        path: the file; created if needed.
        identity: text that identifies the build. A file of another build is refused.

    Raises:
        DataError: the file belongs to another build, or is damaged.
        OutputError: the file cannot be written.
    """

    def __init__(self, path: Path, identity: str) -> None:
        refusal = (
            f"{path} belongs to another build (its specification, data or versions differ); "
            "choose another folder for this build"
        )
        super().__init__(path, _CREATE, Owner("build", identity, refusal))

    def finished(self) -> set[Unit]:
        """Return the finished units."""
        with self._errors():
            units = set(self._connection.execute("SELECT architecture, epochs FROM units"))
            if not all(type(number) is int for unit in units for number in unit):
                raise DataError(f"{self.path} is damaged: a unit is not named by numbers")
            return units

    def record(self, unit: Unit, arrays: Arrays) -> None:
        """Store the measurements of a unit."""
        content = io.BytesIO()
        np.savez_compressed(content, **dict(arrays))  # type: ignore[arg-type] # no array is called allow_pickle
        with self._errors(), self._connection:
            self._connection.execute("INSERT OR REPLACE INTO units VALUES (?, ?, ?)", (*unit, content.getvalue()))

    def items(self) -> Iterator[tuple[Unit, dict[str, NDArray[Any]]]]:
        """Yield every finished unit with its measurements, in ascending order."""
        with self._errors():
            rows = self._connection.execute("SELECT * FROM units ORDER BY architecture, epochs")
            for architecture, epochs, content in rows:
                yield (architecture, epochs), read_npz(io.BytesIO(content))
