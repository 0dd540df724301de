"""References to tables, and parameters, in baseline files: how they are written, and how they are found again."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nasbench_lab.tables import Table, list_tables, load
from nasbench_lab.tables.catalogue import is_table_file
from nasbench_lab.testing.synthetic import SPACES, synthetic_table

_SYNTHETIC = "synthetic/"


def find_table(table: str | os.PathLike[str] | Table) -> Table:
    """Return a table by its name, its path or ``synthetic/KIND``; a table is returned as it is.

    Raises:
        NasbenchLabError: see `nasbench_lab.load`.

    >>> find_table("synthetic/chain").space.size
    243
    """
    if isinstance(table, Table):
        return table
    name = os.fspath(table)
    if name.startswith(_SYNTHETIC) and name.removeprefix(_SYNTHETIC) in SPACES:
        return _synthetic(name.removeprefix(_SYNTHETIC))
    return load(name)


def name_of_table(table: str | os.PathLike[str] | Table, folder: Path) -> str:
    """Return the reference to a table in a file of a folder: its name, its path from there, or an empty text."""
    if isinstance(table, Table):
        known = table.name in list_tables() or table.name.removeprefix(_SYNTHETIC) in SPACES
        return table.name if known else ""
    name = os.fspath(table)
    if not is_table_file(name) and (name in list_tables() or name.startswith(_SYNTHETIC)):
        return name
    try:
        path = Path(os.path.relpath(name, folder)).as_posix()
    except ValueError:  # on another drive
        return Path(name).absolute().as_posix()
    return path if path.startswith(".") else f"./{path}"


def find_table_of_file(source: str, folder: Path) -> Table:
    """Return the table that a file in a folder refers to, see `name_of_table`.

    Raises:
        NasbenchLabError: see `nasbench_lab.load`.
    """
    is_path = source.startswith(".") or Path(source).is_absolute()
    return find_table(folder / source if is_path else source)


def plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as JSON returns them; values that JSON cannot hold become text.

    >>> plain({"shape": (2, 3), "kind": int, "most": float("inf")})
    {'shape': [2, 3], 'kind': "<class 'int'>", 'most': 'inf'}
    """

    def simple(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {str(name): simple(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [simple(item) for item in value]
        finite = isinstance(value, float) and math.isfinite(value)
        return value if value is None or finite or isinstance(value, str | bool | int) else repr(value)

    return {name: simple(value) for name, value in parameters.items()}


def unplain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters for a strategy from JSON: lists become tuples.

    >>> unplain({"shape": [2, [3]]})
    {'shape': (2, (3,))}
    """

    def tuples(value: Any) -> Any:
        return tuple(tuples(item) for item in value) if isinstance(value, list) else value

    return {name: tuples(value) for name, value in parameters.items()}


@functools.cache
def _synthetic(kind: str) -> Table:
    return synthetic_table(kind)  # type: ignore[arg-type] # checked by the caller
