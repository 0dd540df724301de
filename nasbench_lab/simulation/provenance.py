"""Where results come from, as plain data; `Results.provenance` lists the keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from nasbench_lab.errors import NasbenchLabError
from nasbench_lab.simulation.setting import Setting


def provenance(settings: Sequence[Setting], **known: Any) -> dict[str, Any]:
    """Return the provenance of simulations (see `Results.provenance`), with empty entries for unknown values."""
    tables = {setting.checksum or setting.table: setting for setting in settings}
    unknown: dict[str, Any] = {
        "kind": "",
        "title": "",
        "spec": None,
        "spec_hash": "",
        "versions": {},
        "platforms": [],
        "arithmetic": [],
        "wall_seconds": None,
        "tables": [describe_table(setting.table, setting.checksum) for setting in tables.values()],
        "skipped": [],
        "missing": 0,
        "unfinished": [],
        "repeated": [],
        "inputs": [],
        "imported": imported_results(settings),
        "trained": trained_searches(settings),
    }
    return {**unknown, **known}


def imported_results(settings: Iterable[Setting]) -> list[dict[str, Any]]:
    """Return where the imported ones among simulations come from."""
    return [
        {"strategy": setting.label, "table": setting.table, **setting.origin} for setting in settings if setting.origin
    ]


def trained_searches(settings: Iterable[Setting]) -> list[dict[str, Any]]:
    """Return the facts of the trainings of the searches among simulations that trained networks themselves."""
    return [
        {**setting.training, "strategy": setting.label, "table": setting.table}
        for setting in settings
        if setting.trains_networks
    ]


def describe_table(name: str, checksum: str) -> dict[str, Any]:
    """Return a table's origin from the catalogue; empty texts if the catalogue does not have the table."""
    from nasbench_lab.tables import catalogue

    try:
        description = catalogue.find_recipe(name).description
    except NasbenchLabError:
        return {"name": name, "checksum": checksum, **dict.fromkeys(_ORIGIN, ""), "notes": []}
    return {"name": name, "checksum": checksum, **origin(description)}


_ORIGIN = ("title", "licence", "citation", "source")


def origin(description: Any) -> dict[str, Any]:
    """Return the origin in a table's description, as plain data."""
    return {**{key: getattr(description, key) for key in _ORIGIN}, "notes": list(description.notes)}
