"""Logs of NASLib: ``errors.json``, one entry per epoch of the search.

The file names no architectures. By default, an entry has the values of the best architecture so far, so that the
trace has the incumbents of the search, and not its evaluations.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import DataError, ParameterError
from nasbench_lab.messages import first_line
from nasbench_lab.simulation.logs.by_value import architectures_by_value, clues_of
from nasbench_lab.simulation.logs.log import LogSource, ReadOptions, SearchLog
from nasbench_lab.simulation.steps.columns import StepColumns
from nasbench_lab.simulation.steps.options import StepOptions
from nasbench_lab.simulation.steps.values import observed_values
from nasbench_lab.tables.importers.columns.hints import option
from nasbench_lab.tables.table import Table

FILE = "errors.json"

_MOST_BYTES = 2**28
_MOST_CONFIGURATION = 2**16
_VALUE = "valid_acc"
_ARCHITECTURES = ("arch", "architecture", "architectures")
_CLUES = {"train": "train_acc", "valid": _VALUE, "test": "test_acc"}


def is_naslib(source: LogSource) -> bool:
    """Return whether a folder or file is of NASLib."""
    path = source.file(FILE)
    if path is None:
        return False
    if source.path != path:
        return True
    # With lightweight_output, the configuration comes first.
    return source.head.lstrip().startswith((b"{", b"[")) and b'"train_acc"' in source.start(FILE, _MOST_CONFIGURATION)


def read_naslib(source: LogSource, options: ReadOptions) -> list[SearchLog]:
    """Read the trajectory of one search.

    Raises:
        DataError: the file is damaged or of another form.
    """
    path = source.file(FILE)
    if path is None:
        raise DataError(f"{source} has no {FILE}")
    configuration, trajectory = _parsed(path.name, source.content(FILE, _MOST_BYTES))
    name = options.columns.get("value", _VALUE)
    value = _numbers(path.name, trajectory, name)
    if value is None:
        raise DataError(f"{path.name} has no list {name!r}, so it is not of NASLib")
    columns = StepColumns({"value": value}, lambda position: f"epoch {position} of {path.name}")
    for key in (options.columns.get("architecture", ""), *_ARCHITECTURES):
        cells = trajectory.get(key)
        if isinstance(cells, list) and len(cells) == len(value):
            texts = [cell if isinstance(cell, str) else json.dumps(cell) for cell in cells]
            columns = StepColumns({"value": value, "architecture": texts}, columns.row)
    known = value[~np.isnan(value)]
    incumbents = "architecture" not in columns and bool((np.diff(known) >= 0).all())
    clues = {
        split: found
        for split, key in _CLUES.items()
        if (found := _numbers(path.name, trajectory, key)) is not None and len(found) == len(value)
    }
    note = (
        f"{path.name} names no architectures; they were found by their values"
        + (", which never get worse: its evaluations are incumbents" if incumbents else ""),
    )

    def locate(table: Table, steps: StepColumns, how: StepOptions) -> StepColumns:
        if incumbents and how.clock == "table":
            raise ParameterError(
                f"{path.name} has incumbents, not evaluations, so {option('clock', 'table')} would charge others"
            )
        advice = "log the architectures, too, as a list 'arch'"
        epochs = table.fidelities[-1] if how.fidelity is None else how.fidelity
        observed = observed_values(value, table, how)
        found = architectures_by_value(table, epochs, observed, list(clues_of(table, clues)), steps.row, advice)
        return StepColumns({**steps.cells, "architecture": found}, steps.row)

    named = "architecture" in columns
    return [
        SearchLog(
            columns,
            strategy=str(configuration.get("optimizer", "")),
            options={"unit": "percent"},
            locate=None if named else locate,
            file=path,
            notes=() if named else note,
            facts={} if named else {"architectures": "by value", "incumbents_only": incumbents},
        )
    ]


def _parsed(file: str, content: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the configuration, which may be empty, and the trajectory."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file} is not readable JSON: {first_line(error)}") from None
    parts = found if isinstance(found, list) else [{}, found]
    if len(parts) != 2 or not all(isinstance(part, dict) for part in parts):
        raise DataError(f"{file} is not of NASLib: it must have the lists of a search, such as {_VALUE!r}")
    return parts[0], parts[1]


def _numbers(file: str, trajectory: dict[str, Any], name: str) -> FloatArray | None:
    cells = trajectory.get(name)
    if not isinstance(cells, list):
        return None
    try:
        found = np.array([np.nan if cell is None else float(cell) for cell in cells], dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"{file}: {name!r} must be a list of numbers") from None
    if np.isinf(found).any():
        raise DataError(f"{file}: {name!r} must be a list of finite numbers")
    return found
