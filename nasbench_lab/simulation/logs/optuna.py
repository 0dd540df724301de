"""Logs of Optuna: studies as objects, in a database, or in a journal file. Reading them needs Optuna.

A trial that is complete is an evaluation; one that was pruned has its intermediate values; one that failed has none.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nasbench_lab.errors import DataError, ParameterError
from nasbench_lab.messages import first_line
from nasbench_lab.plain_files import is_plain
from nasbench_lab.simulation.logs.log import Locate, LogSource, ReadOptions, SearchLog
from nasbench_lab.simulation.steps.architectures import from_choices
from nasbench_lab.simulation.steps.columns import StepColumns
from nasbench_lab.simulation.steps.options import StepOptions
from nasbench_lab.tables.importers.columns.cells import Cells
from nasbench_lab.tables.table import Table

_ARCHITECTURE = ("architecture", "arch", "arch_str", "notation")
_SQLITE = b"SQLite format 3\x00"
_DATABASES = ("sqlite", "mysql", "postgresql")


def is_optuna(source: LogSource) -> bool:
    """Return whether a source is a study, the address of a database, a database file, or a journal of Optuna."""
    given = source.given
    if source.path is None:
        is_address = isinstance(given, str) and given.partition("://")[0].partition("+")[0] in _DATABASES
        return is_address or _is_study(given)
    return source.head.startswith(_SQLITE) or (source.head.startswith(b"{") and b'"op_code"' in source.head)


def _is_study(given: Any) -> bool:
    return all(hasattr(given, name) for name in ("get_trials", "study_name", "directions"))


def read_optuna(source: LogSource, options: ReadOptions) -> list[SearchLog]:
    """Read one or several studies.

    Raises:
        DataError: the storage cannot be read.
        ParameterError: Optuna is not installed, or a study has several objectives.
    """
    if _is_study(source.given):
        return [_log(source.given, options, None)]
    with _studies(source) as studies:
        logs = [_log(study, options, source.path) for study in studies]
    if not logs:
        raise DataError(f"{source} has no studies")
    return logs


@contextlib.contextmanager
def _studies(source: LogSource) -> Iterator[Iterator[Any]]:
    """Give the studies of a storage. A file is copied first, as Optuna may change what it opens."""
    try:
        import optuna
    except ImportError as error:
        raise ParameterError("reading studies needs Optuna: pip install 'nasbench-lab[optuna]'") from error
    with tempfile.TemporaryDirectory(prefix="nasbench-lab-") as folder:
        try:
            path = _local(source)
            if path is None:
                storage: Any = str(source.given)
            else:
                copy = Path(folder) / "studies"
                shutil.copyfile(path, copy)
                for more in ("-wal", "-journal"):  # what SQLite has not written into the database yet
                    if is_plain(f"{path}{more}"):
                        shutil.copyfile(f"{path}{more}", f"{copy}{more}")
                is_database = source.head.startswith(_SQLITE) or "://" in str(source.given)
                storage = f"sqlite:///{copy}" if is_database else _journal(optuna, copy)
            names = sorted(optuna.get_all_study_names(storage))
            yield (optuna.load_study(study_name=name, storage=storage) for name in names)
        except (DataError, ParameterError):
            raise
        except Exception as error:  # Optuna and its libraries raise anything for damaged files
            raise DataError(f"Optuna cannot read {source}: {first_line(error)}") from error


def _local(source: LogSource) -> Path | None:
    """Return the file of a storage; None for a database of a server.

    Raises:
        DataError: there is no such file, which Optuna would create.
    """
    if source.path is not None:
        return source.path
    scheme, _, place = str(source.given).partition(":///")
    if not scheme.startswith("sqlite"):
        return None
    return LogSource.of(place).path


def _journal(optuna: Any, path: Path) -> Any:
    storages = optuna.storages
    return storages.JournalStorage(storages.journal.JournalFileBackend(str(path)))


def _log(study: Any, options: ReadOptions, path: Path | None) -> SearchLog:
    if len(study.directions) > 1:
        raise ParameterError(
            f"study {study.study_name!r} has {len(study.directions)} objectives; only one is supported"
        )
    trials = study.get_trials(deepcopy=False)
    rows = sorted(_rows(trials, options), key=lambda row: (row.end, row.number))  # stable: reports stay in order
    waiting = sum(trial.state.name in ("RUNNING", "WAITING") for trial in trials)
    empty = sum(trial.state.name == "PRUNED" for trial in trials) - len({r.number for r in rows if r.pruned})
    notes = []
    if waiting:
        notes.append(f"{waiting:,} trials of study {study.study_name!r} have not ended, and are left out")
    if empty:
        notes.append(f"{empty:,} trials of study {study.study_name!r} were pruned before any value, and are left out")
    if not rows:
        raise DataError(f"study {study.study_name!r} has no trial that ended")
    cells: dict[str, Cells] = {
        "value": np.array([row.value for row in rows]),
        "training": [str(row.number) for row in rows],
    }
    how: dict[str, Any] = {"order": "rows"}
    stated = [row.attributes.get("seconds") for row in rows]
    if all(isinstance(seconds, int | float) for seconds in stated) and not any(row.partial for row in rows):
        cells["seconds"], how["durations"] = np.array(stated, dtype=np.float64), True
    elif all(row.end >= 0 for row in rows):
        cells["seconds"] = np.array([row.end for row in rows])
    name = study.user_attrs.get("strategy", "")
    columns = StepColumns(cells, lambda position: f"trial {rows[position].number} of study {study.study_name!r}")
    locate = _locate(rows)
    facts = {"studies": [study.study_name]}
    return SearchLog(columns, name if isinstance(name, str) else "", how, locate, path, tuple(notes), facts)


class _Row:
    """A value of a trial.

    Attributes:
        number: of the trial.
        value: NaN for a failed trial.
        fidelity: step at which an intermediate value was reported; 0 for the final value.
        end: seconds since the start of the study at the end; -1 if unknown.
        partial: whether the trial has several values.
        pruned: whether the trial was pruned.
        parameters, attributes: of the trial.
    """

    def __init__(self, trial: Any, value: float, fidelity: int, end: float, *, partial: bool) -> None:
        self.number, self.value, self.fidelity, self.end = trial.number, value, fidelity, end
        self.partial, self.pruned = partial, trial.state.name == "PRUNED"
        self.parameters: Mapping[str, Any] = trial.params
        self.attributes: Mapping[str, Any] = trial.user_attrs


def _rows(trials: Sequence[Any], options: ReadOptions) -> Iterator[_Row]:
    starts = [trial.datetime_start for trial in trials if trial.datetime_start is not None]
    start = min(starts, default=None)
    for trial in trials:
        ended = trial.datetime_complete
        end = (ended - start).total_seconds() if ended is not None and start is not None else -1.0
        state = trial.state.name
        reported = sorted(trial.intermediate_values.items())
        several = [(step, value) for step, value in reported if isinstance(step, int) and step >= 1]
        if state == "FAIL":
            yield _Row(trial, float("nan"), 0, end, partial=False)
        elif state in ("COMPLETE", "PRUNED") and several and options.reports == "all":
            # When they were reported is not known, only when the trial ended.
            for step, value in several:
                yield _Row(trial, _finite(value), step, end, partial=len(several) > 1)
            if state == "COMPLETE" and trial.value is not None and _finite(trial.value) != several[-1][1]:
                yield _Row(trial, _finite(trial.value), 0, end, partial=True)
        elif state == "COMPLETE":
            yield _Row(trial, _finite(trial.value), 0, end, partial=False)
        elif state == "PRUNED" and several:
            step, value = several[-1]
            yield _Row(trial, _finite(value), step, end, partial=False)


def _finite(value: Any) -> float:
    """Return a value; NaN where it is not finite, which Optuna uses for failures."""
    number = float("nan") if value is None else float(value)
    return number if abs(number) < float("inf") else float("nan")


def _locate(rows: Sequence[_Row]) -> Locate:
    """Return a function that adds the architectures and fidelities of trials. A final value has the full fidelity."""

    def locate(table: Table, columns: StepColumns, how: StepOptions) -> StepColumns:
        full = table.fidelities[-1] if how.fidelity is None else how.fidelity
        cells: dict[str, Cells] = {"architecture": _architectures(table, columns, rows)}
        if any(row.fidelity for row in rows):
            cells["fidelity"] = np.array([row.fidelity or full for row in rows], dtype=np.int64)
        return StepColumns({**columns.cells, **cells}, columns.row)

    return locate


def _architectures(table: Table, columns: StepColumns, rows: Sequence[_Row]) -> Cells:
    parameters = [row.parameters for row in rows]
    for source in ([row.attributes for row in rows], parameters):
        for name in _ARCHITECTURE:
            if all(name in one for one in source):
                return [str(one[name]) for one in source]
    names = set.intersection(*(set(one) for one in parameters))
    found = from_choices(table.space, {name: [str(one[name]) for one in parameters] for name in names}, columns.row)
    if found is None:
        raise ParameterError(
            f"the parameters of the trials ({', '.join(sorted(names)) or 'none'}) do not say the architecture: they "
            f"need its index or notation as a parameter or user attribute {', '.join(_ARCHITECTURE)}, the choices of "
            f"space {table.space.name!r}, or its codes as code_0, code_1, ..."
        )
    missing = np.flatnonzero(found < 0)
    if len(missing):
        raise ParameterError(
            f"{columns.row(int(missing[0]))}: its parameters are no architecture; prune such trials, as "
            "nasbench_lab.adapters.optuna.optuna_objective does"
        )
    return found
