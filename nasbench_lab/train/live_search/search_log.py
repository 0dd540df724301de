"""The log of one live search: what was started and what ended, in order, so that it can be continued."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from nasbench_lab.errors import DataError
from nasbench_lab.train.sqlite_file import SqliteFile

FILE = "events.sqlite"
"""Name of the log in the folder of a search."""

Kind = Literal["start", "end"]

_CREATE = """
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, proposal INTEGER NOT NULL,
    architecture INTEGER NOT NULL, epochs INTEGER NOT NULL, repeat INTEGER NOT NULL, value REAL, clock REAL NOT NULL,
    fresh INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS clock (seconds REAL NOT NULL);
"""


class Event(NamedTuple):
    """An event of a search.

    Attributes:
        kind: whether an evaluation started or ended.
        proposal: number of the proposal.
        architecture: index.
        epochs: fidelity.
        repeat: number of the observed repeat, -1 for the mean, or for an event that observes nothing.
        value: the observed value; NaN for a failed training, and for a start.
        clock: seconds of the search.
        fresh: whether something was trained for it.
    """

    kind: Kind
    proposal: int
    architecture: int
    epochs: int
    repeat: int
    value: float
    clock: float
    fresh: bool


class LiveSearchLog(SqliteFile):
    """The events of a search in one SQLite file; each is one transaction.

    Args:
        folder: of the search; created if needed.

    Raises:
        DataError: the file is damaged.
        OutputError: the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / FILE, _CREATE)

    def add(self, *events: Event) -> None:
        """Store events; all or none."""
        rows = [
            (*event[:5], None if np.isnan(event.value) else event.value, event.clock, int(event.fresh))
            for event in events
        ]
        with self._errors(), self._connection:
            self._connection.executemany(
                "INSERT INTO events (kind, proposal, architecture, epochs, repeat, value, clock, fresh) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )

    def events(self) -> list[Event]:
        """Return all events in order."""
        with self._errors():
            rows = self._connection.execute(
                "SELECT kind, proposal, architecture, epochs, repeat, value, clock, fresh FROM events ORDER BY number"
            ).fetchall()
            return [_event(row) for row in rows]

    def rewind(self, proposal: int) -> int:
        """Remove everything from the end of a proposal on; the clock stays.

        Returns:
            Number of evaluations that had ended before.
        """
        clock = self.clock()
        with self._errors(), self._connection:
            (first,) = self._connection.execute(
                "SELECT number FROM events WHERE kind = 'end' AND proposal = ?", (proposal,)
            ).fetchone()
            self._connection.execute("DELETE FROM events WHERE number >= ?", (first,))
            self._connection.execute("DELETE FROM clock")
            self._connection.execute("INSERT INTO clock VALUES (?)", (clock,))
            (kept,) = self._connection.execute("SELECT COUNT(*) FROM events WHERE kind = 'end'").fetchone()
        return int(kept)

    def set_clock(self, seconds: float) -> None:
        """Store how many seconds the search has taken."""
        with self._errors(), self._connection:
            self._connection.execute("DELETE FROM clock")
            self._connection.execute("INSERT INTO clock VALUES (?)", (seconds,))

    def clock(self) -> float:
        """Return how many seconds the search has taken, as far as it is known."""
        with self._errors():
            stored = self._connection.execute("SELECT MAX(seconds) FROM clock").fetchone()[0]
            last = self._connection.execute("SELECT MAX(clock) FROM events").fetchone()[0]
            return max(float(stored or 0.0), float(last or 0.0))


def _event(row: tuple[object, ...]) -> Event:
    kind, proposal, architecture, epochs, repeat, value, clock, fresh = row
    if kind not in ("start", "end") or not all(type(each) is int for each in (proposal, architecture, epochs, repeat)):
        raise DataError("an event is not one of a search")
    number = float("nan") if value is None else float(value)  # type: ignore[arg-type]
    return Event(kind, proposal, architecture, epochs, repeat, number, float(clock), bool(fresh))  # type: ignore[arg-type]
