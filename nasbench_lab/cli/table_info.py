"""``nasbench-lab tables info``: what the catalogue or a table file tells of one table."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from nasbench_lab import spaces
from nasbench_lab.cli.json_output import AsJson, print_json
from nasbench_lab.cli.verbosity import tell
from nasbench_lab.cli.verdict_lines import print_verdict
from nasbench_lab.messages import as_command
from nasbench_lab.prediction.surrogates.verdict import Verdict
from nasbench_lab.tables import AnyTable, ComputedTable, Description, Table, cached_path, find_recipe, load
from nasbench_lab.tables.catalogue import full_name, is_named, is_present
from nasbench_lab.tables.known_sizes import KNOWN_SIZES
from nasbench_lab.tables.surrogates.surrogate import Surrogate
from nasbench_lab.tables.tables_in_code import code_file, is_in_code


def info(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a table, or path of a table file.")],
    as_json: AsJson = False,
) -> None:
    """Show a table's axes, units, optima, notes, source, licence, citation and checksum.

    A table that was not fetched yet is described from the catalogue, without a download.
    """
    name = full_name(name)
    if is_named(name) and not is_present(name):
        found = _described(name, find_recipe(name).description)
    else:
        found = _opened(name, load(name))
    if as_json:
        print_json(found)
    else:
        _print(found)


def _described(name: str, description: Description) -> dict[str, Any]:
    """Return what the catalogue tells of a table."""
    size = KNOWN_SIZES.get(name)
    return {
        "name": description.name,
        "title": description.title,
        "kind": description.kind,
        "local": False,
        "space": description.space,
        "architectures": spaces.make_space(description.space).size,
        "fidelities": description.fidelities,
        "resumable": description.resumable,
        "repeats": description.repeats,
        "objective": description.objective.name,
        "valid": description.valid,
        "test": description.test,
        "cost": description.cost,
        "optima": None,
        "verdict": None,
        "metrics": description.metrics,
        "notes": description.notes,
        "licence": description.licence,
        "source": description.source,
        "citation": description.citation,
        "checksum": None,
        "file": None,
        "bytes": size and size.table,
        "download_bytes": size and size.download,
    }


def _opened(name: str, table: AnyTable) -> dict[str, Any]:
    """Return what a table on this machine tells."""
    if is_in_code(name):
        file = Path(code_file(name) or name.rpartition(":")[0])
    else:
        file = Path(name) if Path(name).suffix else cached_path(name) if is_named(name) else Path(name)
    return {
        **_described(name, table.description),
        "local": True,
        "optima": _optima(table),
        "verdict": table.verdict if isinstance(table, Surrogate) else None,
        "checksum": table.checksum,
        "file": file,
        "bytes": file.stat().st_size if file.is_file() else None,
    }


def _print(found: dict[str, Any]) -> None:
    rows = {
        "name": found["name"],
        "title": found["title"],
        "kind": found["kind"],
        "space": spaces.make_space(found["space"]).summary,
        "fidelities": ", ".join(map(str, found["fidelities"])) + _epochs(found),
        "repeats": ", ".join(found["repeats"]),
        "objective": found["objective"],
        "optima": "; ".join(
            f"{each['metric']} {each['value']:.6g} {each['unit']}"
            + ("" if each["architecture"] is None else f" (architecture {each['architecture']})")
            for each in found["optima"] or ()
        ),
        "cost of evaluation": " + ".join(found["cost"]) or "unknown: no times were published",
        "licence": found["licence"],
        "source": found["source"],
        "checksum": found["checksum"],
        "file": found["file"],
        "size": _size(found),
    }
    if not found["local"]:
        for key in ("optima", "checksum"):
            del rows[key]
        rows["file"] = "not on this machine"
    if found["kind"] == "measured":
        del rows["kind"]
    elif not found["optima"]:
        rows["optima"] = "unknown: the table computes its answers"
    for key, value in rows.items():
        typer.echo(f"{key:<20} {value}")
    if found["verdict"]:
        typer.echo("\nwhat was found when it was checked")
        print_verdict(Verdict.from_plain(found["verdict"]))
    typer.echo("\nmetrics")
    width = max(len(metric.name) for metric in found["metrics"])
    for metric in found["metrics"]:
        direction = "" if metric.direction == "none" else metric.direction
        of_each = " and ".join(metric.axes[1:])
        typer.echo(f"  {metric.name:<{width}}  {metric.unit:<9} {direction:<9} {of_each and f'by {of_each}'}".rstrip())
        typer.echo(f"  {'':<{width}}  {metric.description}")
    typer.echo("\nnotes")
    for note in found["notes"]:
        typer.echo(f"  - {note}")
    typer.echo(f"\ncitation\n{found['citation']}")
    if not found["local"]:
        tell(f"\nto fetch it: {as_command('tables', 'fetch', found['name'])}")


def _size(found: dict[str, Any]) -> str:
    """Return the size of the table file, and of the download if that is still to come."""
    megabytes = {key: f"{found[key] / 1e6:,.1f} MB" for key in ("bytes", "download_bytes") if found[key]}
    on_disk = f"{megabytes['bytes']} on disk" if "bytes" in megabytes else ""
    if found["local"]:
        return on_disk or "unknown"
    download = f"a download of {megabytes['download_bytes']}" if "download_bytes" in megabytes else ""
    return ", ".join(filter(None, (download, on_disk and f"about {on_disk}"))) or "unknown"


def _epochs(found: dict[str, Any]) -> str:
    if len(found["fidelities"]) == 1:
        return " epoch" if list(found["fidelities"]) == [1] else " epochs"
    return " epochs (a training can be resumed)" if found["resumable"] else " epochs (separate trainings)"


def _optima(table: AnyTable) -> list[dict[str, Any]]:
    """Return the best architecture of every split, by its mean at the highest fidelity."""
    optima = []
    for split, name in (("valid", table.description.valid), ("test", table.description.test)):
        if name is None:
            continue
        if not isinstance(table, Table):  # it computes its answers
            optima += _known_optimum(table, split)
            continue
        value = table.optimum(split)
        index = int(np.argmax(table.mean_values(name) == value))
        optima.append(
            {
                "split": split,
                "metric": name,
                "value": value,
                "unit": table.description.metric(name).unit,
                "architecture": index,
                "notation": table.space.format(index),
            }
        )
    return optima


def _known_optimum(table: AnyTable, split: str) -> list[dict[str, Any]]:
    """Return the best mean of a split that a table which computes its answers knows; nothing if it does not."""
    value = table.known_optimum(split) if isinstance(table, ComputedTable) else math.nan
    if math.isnan(value):
        return []
    metric = table.description.split_metric(split)
    best = {"value": value, "unit": metric.unit, "architecture": None, "notation": None}
    return [{"split": split, "metric": metric.name, **best}]
