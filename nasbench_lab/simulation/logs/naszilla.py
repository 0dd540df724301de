"""Logs of naszilla: a pickle per trial with the queries of every algorithm. Nothing in it is executed.

Unless it was written with ``--save_specs``, it names no architectures, and they are found by their values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import DataError
from nasbench_lab.messages import first_line
from nasbench_lab.simulation.logs.by_value import architectures_by_value, clues_of
from nasbench_lab.simulation.logs.log import Locate, LogSource, ReadOptions, SearchLog
from nasbench_lab.simulation.steps.columns import StepColumns
from nasbench_lab.simulation.steps.options import StepOptions
from nasbench_lab.simulation.steps.values import observed_values
from nasbench_lab.tables.reading.unpickle import load
from nasbench_lab.tables.table import Table

_MOST_BYTES = 2**28
_PARTS = (5, 6)
_QUERIES = 4
_FULL = 100.0


def is_naszilla(source: LogSource) -> bool:
    """Return whether a file is a trial of naszilla."""
    return source.path is not None and source.head.startswith(b"\x80") and b"algo_name" in source.head


def read_naszilla(source: LogSource, options: ReadOptions) -> list[SearchLog]:
    """Read one trial, with a log for each algorithm.

    Raises:
        DataError: the file is damaged, hostile, or of another form.
    """
    content = source.content("", _MOST_BYTES)
    path = source.path
    if path is None:
        raise DataError(f"{source} is not a file")
    try:
        trial = load(content, encoding="latin1")
    except DataError as error:
        raise DataError(f"{path.name}: {first_line(error)}") from error
    wrong = DataError(f"{path.name} is not of naszilla: it must be a list of parameters, results and queries")
    if not isinstance(trial, list) or len(trial) not in _PARTS:
        raise wrong
    algorithms, queries = trial[0], trial[_QUERIES]
    if not isinstance(algorithms, list) or not isinstance(queries, list) or len(algorithms) != len(queries):
        raise wrong
    names = [_name(path, parameters) for parameters in algorithms]
    value = options.columns.get("value", "val_loss")
    return [_log(path, _unlike(names, place), rows, value) for place, rows in enumerate(queries)]


def _name(path: Path, parameters: Any) -> str:
    name = parameters.get("algo_name") if isinstance(parameters, dict) else None
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise DataError(f"{path.name} has an algorithm without a name")
    own = [
        f"{key}={setting}"
        for key, setting in parameters.items()
        if key not in ("algo_name", "total_queries") and isinstance(setting, str | int | float)
    ]
    return f"{name}:{','.join(own)}"[:100] if own else name[:100]


def _unlike(names: Sequence[str], place: int) -> str:
    """Return a name, with a number if an earlier algorithm has the same."""
    before = names[:place].count(names[place])
    return f"{names[place]} ({before + 1})" if before else names[place]


def _log(path: Path, name: str, rows: Any, value: str) -> SearchLog:
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{path.name} has no queries of {name}")
    columns = StepColumns(
        {"value": _numbers(path, name, rows, value)}, lambda position: f"query {position} of {name} in {path.name}"
    )
    epochs = {row.get("epochs", 0) for row in rows if isinstance(row.get("epochs", 0), int)}
    if epochs - {0}:
        fidelity = [str(row.get("epochs", "")) for row in rows]
        columns = StepColumns({**columns.cells, "fidelity": fidelity}, columns.row)
    facts: dict[str, Any] = {}
    notes: tuple[str, ...] = ()
    locate: Locate | None = None
    if all("spec" in row for row in rows):
        cells = [_notation(path, name, row["spec"]) for row in rows]
        columns = StepColumns({**columns.cells, "architecture": cells}, columns.row)
    else:
        tests = _numbers(path, name, rows, "test_loss") if all("test_loss" in row for row in rows) else None
        locate = _by_value(columns.cells["value"], tests)
        facts["architectures"] = "by value"
        notes = (f"{path.name} names no architectures; they were found by their values",)
    return SearchLog(columns, name, {"unit": "percent", "error": True}, locate, path, notes, facts)


def _by_value(losses: Any, tests: FloatArray | None) -> Locate:
    def locate(table: Table, steps: StepColumns, how: StepOptions) -> StepColumns:
        epochs = table.fidelities[-1] if how.fidelity is None else how.fidelity
        clues = list(clues_of(table, {} if tests is None else {"test": _FULL - tests}))
        found = architectures_by_value(
            table, epochs, observed_values(losses, table, how), clues, steps.row, "run naszilla with --save_specs True"
        )
        return StepColumns({**steps.cells, "architecture": found}, steps.row)

    return locate


def _numbers(path: Path, name: str, rows: Sequence[Mapping[str, Any]], key: str) -> FloatArray:
    try:
        found = np.array([float(row[key]) for row in rows], dtype=np.float64)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise DataError(f"a query of {name} in {path.name} has no number {key!r}") from None
    if np.isinf(found).any():
        raise DataError(f"a query of {name} in {path.name} has an infinite {key!r}")
    return found


def _notation(path: Path, name: str, spec: Any) -> str:
    """Return the official notation of a cell of NAS-Bench-201 or NAS-Bench-101."""
    if isinstance(spec, dict) and isinstance(spec.get("string"), str):
        return str(spec["string"])
    if isinstance(spec, dict) and {"matrix", "ops"} <= spec.keys():
        matrix, operations = np.asarray(spec["matrix"]), spec["ops"]
        if matrix.ndim == 2 and matrix.dtype.kind in "iub" and isinstance(operations, list):
            rows = json.dumps(matrix.astype(int).tolist(), separators=(",", ":"))
            return f"{rows} [{','.join(repr(str(operation)) for operation in operations)}]"
    raise DataError(f"an architecture of {name} in {path.name} is not a cell of NAS-Bench-101 or NAS-Bench-201")
