"""Records in one SQLite file, which survive a process that is killed at any time."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self

from nasbench_lab.errors import DataError, NasbenchLabError, OutputError
from nasbench_lab.messages import first_line


class Owner(NamedTuple):
    """What the records of a file belong to.

    Attributes:
        table: name of the table that stores it.
        identity: of the owner. A new file gets it.
        refusal: message of the error if the file has another one.
    """

    table: str
    identity: str
    refusal: str


class SqliteFile:
    """An SQLite file. What a transaction has written stays, whatever happens to the process.

    Args:
        path: the file; it and its folder are created if needed.
        create: statements that make its tables unless they are there, with ``;`` between them.
        owner: what the records belong to; None if the file does not say it.

    Raises:
        DataError: the file is damaged, or belongs to something else.
        OutputError: the file cannot be written.
    """

    def __init__(self, path: Path, create: str, owner: Owner | None = None) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make {path.parent}: {error.strerror}") from error
        with self._errors():
            self._connection = sqlite3.connect(path, timeout=60)
            self._connection.execute("PRAGMA synchronous = FULL")
            known = self._identity(owner)
            if known is None:
                self._create(create, owner)
                known = self._identity(owner)
        if owner is not None and known != owner.identity:
            self.close()
            raise DataError(owner.refusal)

    def _identity(self, owner: Owner | None) -> str | None:
        """Return what the records belong to, empty without an owner; None if the file is not complete yet."""
        tables = {name for (name,) in self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if owner is None:
            return "" if tables else None
        if owner.table not in tables:
            return None
        found = self._connection.execute(f"SELECT identity FROM {owner.table}").fetchone()  # noqa: S608 - our own name
        return None if found is None else str(found[0])

    def _create(self, create: str, owner: Owner | None) -> None:
        """Make what is missing in one transaction. Of several processes, one does it and the others find it done."""
        self._connection.execute("BEGIN IMMEDIATE")
        for statement in create.split(";"):
            self._connection.execute(statement)
        if owner is not None:
            self._connection.execute(f"CREATE TABLE IF NOT EXISTS {owner.table} (identity TEXT NOT NULL)")
            if self._identity(owner) is None:
                self._connection.execute(
                    f"INSERT INTO {owner.table} VALUES (?)",  # noqa: S608 - our own name
                    (owner.identity,),
                )
        self._connection.commit()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn errors of SQLite, and of what is read, into errors that name the file."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise OutputError(f"cannot use {self.path}: {error}") from error
        except NasbenchLabError:
            raise
        except Exception as error:  # a damaged file can raise almost any exception
            raise DataError(f"{self.path} is damaged: {first_line(error)}") from error
