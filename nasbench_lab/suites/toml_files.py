"""Reading suites from TOML files."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from nasbench_lab.errors import NasbenchLabError, ParameterError
from nasbench_lab.messages import unknown
from nasbench_lab.plain_files import is_plain, read_toml
from nasbench_lab.simulation import Budget, Conditions
from nasbench_lab.simulation.published import Published
from nasbench_lab.suites.spec import StrategyEntry, Suite, TableEntry
from nasbench_lab.suites.variants import Variant

BUILT_IN = Path(__file__).parent / "builtin"
"""Folder of the built-in suites."""

EXAMPLE = Path(__file__).parent / "example.toml"
"""A commented example of a suite."""


def built_in() -> dict[str, Path]:
    """Return the files of the built-in suites, by name.

    >>> sorted(built_in())
    ['everything', 'nas-bench-201-paper', 'nats-bench-paper', 'one-shot', 'quick', 'standard']
    """
    return {path.stem: path for path in sorted(BUILT_IN.glob("*.toml"))}


def read_suite(path: str | os.PathLike[str]) -> Suite:
    """Read a suite from a TOML file, or a built-in suite by its name.

    Raises:
        DataError: there is no such file, or it is not TOML.
        UnknownNameError: a key is unknown, or no suite has that name.
        ParameterError: a value is invalid.

    >>> read_suite("quick").runs
    200
    """
    where = built_in().get(os.fspath(path), Path(path))
    if not is_plain(where) and where.suffix != ".toml" and len(where.parts) == 1:
        raise unknown("suite", os.fspath(path), [*built_in(), "a file like mine.toml"])
    data = read_toml(where)
    try:
        return suite_of(data, where.parent)
    except NasbenchLabError as error:
        raise type(error)(f"{where}: {error}") from error


def suite_of(data: Mapping[str, Any], folder: Path = Path()) -> Suite:
    """Make a suite from plain data, parsed from TOML or returned by `Suite.spec`.

    Args:
        data: the keys and values.
        folder: folder to which paths of table files are relative.

    Raises:
        UnknownNameError: a key is unknown.
        ParameterError: a value is invalid, or a key is missing.
    """
    made = _known(data, (_names(Suite) | _names(Conditions)) - {"folder", "conditions"}, "")
    for key, one in (
        ("strategies", _strategy),
        ("tables", _table),
        ("published", _published),
        ("variants", _variant),
    ):
        if isinstance(made.get(key), list):
            made[key] = [one(entry) for entry in made[key]]
    if "budget" in made:
        made["budget"] = _budget(made["budget"], "budget")
    for key in ("strategies", "tables"):
        if key not in made:
            raise ParameterError(f"{key} is missing: a suite needs at least one")
    return Suite(conditions=Conditions.take(made), **made, folder=folder)


def _strategy(entry: Any) -> Any:
    if not isinstance(entry, Mapping):
        return entry
    return StrategyEntry(**_named(entry, StrategyEntry, "strategies"))


def _table(entry: Any) -> Any:
    if not isinstance(entry, Mapping):
        return entry
    made = _named(entry, TableEntry, "tables")
    if "budget" in made:
        made["budget"] = _budget(made["budget"], "tables.budget")
    return TableEntry(**made)


def _published(row: Any) -> Any:
    if not isinstance(row, Mapping):
        return row
    made = _known(row, _names(Published), "published")
    for key in ("strategy", "table", "source"):
        if key not in made:
            raise ParameterError(f"an entry of published has no {key}")
    return Published(**made)


def _variant(entry: Any) -> Any:
    if not isinstance(entry, Mapping):
        return entry
    made = _known(entry, (_names(Conditions) | {"name"}) - {"seed"}, "variants")
    if "budget" in made:
        made["budget"] = _budget(made["budget"], "variants.budget")
    if "name" not in made:
        raise ParameterError("an entry of variants has no name")
    return Variant(made.pop("name"), made)


def _budget(value: Any, where: str) -> Budget:
    if not isinstance(value, Mapping):
        raise ParameterError(f"{where} must be a table, like {{ evaluations = 300 }}, got {value!r}")
    return Budget(**_known(value, _names(Budget), where))


def _named(entry: Mapping[str, Any], kind: type[Any], where: str) -> dict[str, Any]:
    made = _known(entry, _names(kind), where)
    if "name" not in made:
        raise ParameterError(f"an entry of {where} has no name")
    return made


def _names(kind: type[Any]) -> set[str]:
    return {field.name for field in dataclasses.fields(kind)}


def _known(data: Mapping[str, Any], known: Collection[str], where: str) -> dict[str, Any]:
    """Return the entries that are not None; raise UnknownNameError for the first unknown key."""
    for key in data:
        if key not in known:
            raise unknown(f"key in {where}" if where else "key", key, known)
    return {key: value for key, value in data.items() if value is not None}
