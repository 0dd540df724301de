"""The journal of a live search: every training is on disk as soon as it is finished, whoever asked for it."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import filelock
import numpy as np
from numpy.typing import NDArray

from nasbench_lab.errors import DataError, NasbenchLabError, OutputError
from nasbench_lab.train.live_search.failures import kind_of
from nasbench_lab.train.npz_files import read_npz
from nasbench_lab.train.sqlite_file import Owner, SqliteFile

FILE = "trainings.sqlite"
"""Name of the journal in its folder."""

_LOCKS = "locks"
_CREATE = """
CREATE TABLE IF NOT EXISTS trainings (
    number INTEGER PRIMARY KEY AUTOINCREMENT, network TEXT NOT NULL, budget INTEGER NOT NULL, epochs INTEGER NOT NULL,
    architecture INTEGER NOT NULL, reason TEXT NOT NULL, wall REAL NOT NULL, arrays BLOB NOT NULL,
    parent TEXT NOT NULL, UNIQUE (network, budget, epochs));
CREATE TABLE IF NOT EXISTS numbers (
    network TEXT NOT NULL, name TEXT NOT NULL, value REAL, seconds REAL NOT NULL, PRIMARY KEY (network, name));
"""


class JournalledTraining(NamedTuple):
    """The measurements of a training up to a number of epochs.

    Attributes:
        network: name of the network, see `NamedNetwork.key`.
        budget: epochs of the whole training.
        epochs: epochs that are finished; those of the budget if the training failed.
        architecture: the architecture that was trained.
        reason: why it failed, in one line; empty if it did not.
        wall: wall-clock seconds of the training so far.
        arrays: the quantities of `nasbench_lab.train.training.QUANTITIES`, each of shape (seeds, epochs), NaN where a
            training failed; and at the end of a training ``confusion``, shape (seeds, classes, classes).
        parent: name of the training whose weights it started from; empty for random weights.
    """

    network: str
    budget: int
    epochs: int
    architecture: int
    reason: str
    wall: float
    arrays: Mapping[str, NDArray[Any]]
    parent: str = ""

    def answers(self, epochs: int) -> bool:
        """Return whether the measurement after a number of epochs is known."""
        return self.epochs >= epochs


class Number(NamedTuple):
    """A number that belongs to a network, such as its latency or a zero-cost score, and the seconds it took."""

    value: float
    seconds: float


class TrainingJournal(SqliteFile):
    """Finished trainings in one SQLite file, which several processes may read and write.

    Every training is one transaction. If a process is killed, all recorded trainings are in the file, and none is half
    written.

    Args:
        folder: of the journal; created if needed.
        identity: of the trainings, see `LiveSpec.identity`. A journal of other trainings is refused.

    Raises:
        DataError: the folder belongs to other trainings, or is damaged.
        OutputError: the folder cannot be written.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self.folder = folder
        refusal = (
            f"{folder} has trainings with another space, data set, recipe, seeds, network options, precision or "
            "version of torch; choose another folder"
        )
        super().__init__(folder / FILE, _CREATE, Owner("search", identity, refusal))
        try:
            (folder / _LOCKS).mkdir(exist_ok=True)
        except OSError as error:
            self.close()
            raise OutputError(f"cannot make {folder / _LOCKS}: {error.strerror}") from error

    def find(self, network: str, budget: int) -> JournalledTraining | None:
        """Return what is known of a training, to the last epoch that is finished; None for nothing."""
        with self._errors():
            row = self._connection.execute(
                "SELECT network, budget, epochs, architecture, reason, wall, arrays, parent FROM trainings "
                "WHERE network = ? AND budget = ? ORDER BY epochs DESC LIMIT 1",
                (network, budget),
            ).fetchone()
            return None if row is None else _trained(row)

    def record(self, trained: JournalledTraining) -> None:
        """Store a training."""
        content = io.BytesIO()
        np.savez_compressed(content, **dict(trained.arrays))  # type: ignore[arg-type] # no array is called allow_pickle
        with self._errors(), self._connection:
            self._connection.execute(
                "INSERT OR REPLACE INTO trainings "
                "(network, budget, epochs, architecture, reason, wall, arrays, parent) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*trained[:-2], content.getvalue(), trained.parent),
            )

    def items(self) -> Iterator[JournalledTraining]:
        """Yield every training from random weights once, to its last finished epoch, in the order of their starts.

        Trainings that started from the weights of a parent measure something else, and are left out.
        """
        with self._errors():
            rows = self._connection.execute(
                "SELECT network, budget, MAX(epochs), architecture, reason, wall, arrays, parent FROM trainings "
                "WHERE parent = '' GROUP BY network, budget ORDER BY MIN(number)"
            ).fetchall()
            yield from map(_trained, rows)

    def forget_failures(self, kinds: Sequence[str]) -> list[tuple[str, int, str]]:
        """Remove the records of failures, so that the trainings are done again when they are asked for.

        What a training had measured before it failed stays.

        Args:
            kinds: kinds of failures, see `nasbench_lab.train.live_search.failures.KINDS`.

        Returns:
            Network, budget and reason of each.
        """
        with self._errors(), self._connection:
            rows = self._connection.execute(
                "SELECT network, budget, reason, number FROM trainings WHERE reason != '' ORDER BY number"
            ).fetchall()
            failed = [row for row in rows if kind_of(row[2]) in kinds]
            self._connection.executemany("DELETE FROM trainings WHERE number = ?", [row[3:] for row in failed])
        return [row[:3] for row in failed]

    def parts(self) -> list[tuple[str, int, int]]:
        """Return network, budget and last epoch of every part of a training, in the order in which they ended."""
        with self._errors():
            return self._connection.execute("SELECT network, budget, epochs FROM trainings ORDER BY number").fetchall()

    def number(self, network: str, name: str) -> Number | None:
        """Return a number of a network; None if it is not known."""
        with self._errors():
            row = self._connection.execute(
                "SELECT value, seconds FROM numbers WHERE network = ? AND name = ?", (network, name)
            ).fetchone()
            return None if row is None else Number(np.nan if row[0] is None else float(row[0]), float(row[1]))

    def record_number(self, network: str, name: str, number: Number) -> None:
        """Store a number of a network, unless another process has done so; NaN is allowed."""
        with self._errors(), self._connection:
            value = None if np.isnan(number.value) else number.value
            row = (network, name, value, number.seconds)
            self._connection.execute("INSERT OR IGNORE INTO numbers VALUES (?, ?, ?, ?)", row)

    @contextlib.contextmanager
    def locked(self, network: str, budget: int) -> Iterator[None]:
        """Hold the lock of a training inside the block, so that no other process trains the same.

        The operating system releases the lock if the process is killed.
        """
        path = self.folder / _LOCKS / f"{network}-{budget}.lock"
        try:
            with filelock.FileLock(path):
                yield
                # Who waits for the lock finds the training in the journal, and so does who makes a new lock.
                with contextlib.suppress(OSError):
                    path.unlink()
        except OSError as error:
            if isinstance(error, NasbenchLabError):
                raise
            raise OutputError(f"cannot lock {path}: {error.strerror or error}") from error


def _trained(row: tuple[Any, ...]) -> JournalledTraining:
    network, budget, epochs, architecture, reason, wall, content, parent = row
    if not all(type(number) is int for number in (budget, epochs, architecture)):
        raise DataError("a training is not named by numbers")
    arrays = read_npz(io.BytesIO(content))
    return JournalledTraining(str(network), budget, epochs, architecture, str(reason), float(wall), arrays, str(parent))
