"""The journal of a build: every training is stored on disk as soon as it is finished."""

from __future__ import annotations

import contextlib
import io
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.errors import DataError, NasbenchLabError, OutputError
from nasbench_lab.messages import first_line
from nasbench_lab.train.npz_files import read_npz

Unit = tuple[int, int]
"""A unit of a build: the index of a representative architecture, and the number of epochs."""

Arrays = Mapping[str, NDArray[Any]]


class Journal:
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
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make {path.parent}: {error.strerror}") from error
        with self._errors():
            self._connection = sqlite3.connect(path, timeout=60)
            self._connection.execute("PRAGMA synchronous = FULL")
            with self._connection:
                self._connection.execute("CREATE TABLE IF NOT EXISTS build (identity TEXT NOT NULL)")
                self._connection.execute(
                    "CREATE TABLE IF NOT EXISTS units "
                    "(architecture INTEGER, epochs INTEGER, arrays BLOB NOT NULL, PRIMARY KEY (architecture, epochs))"
                )
                known = self._connection.execute("SELECT identity FROM build").fetchone()
                if known is None:
                    self._connection.execute("INSERT INTO build VALUES (?)", (identity,))
        if known is not None and known[0] != identity:
            self.close()
            raise DataError(
                f"{path} belongs to another build (its specification, data or versions differ); "
                "choose another folder for this build"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

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

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise OutputError(f"cannot use {self.path}: {error}") from error
        except NasbenchLabError:
            raise
        except Exception as error:  # a damaged file can raise almost any exception
            raise DataError(f"{self.path} is damaged: {first_line(error)}") from error
