"""Lists of tables: one line per publication, or one line per table."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Annotated, Any

import typer
from rich.table import Table as Grid

from nasbench_lab import spaces
from nasbench_lab.cli.commands import Commands
from nasbench_lab.cli.json_output import AsJson, print_json
from nasbench_lab.cli.options import make_grid, print_grid
from nasbench_lab.cli.verbosity import note, tell
from nasbench_lab.errors import SourceError, UnknownNameError
from nasbench_lab.messages import unknown
from nasbench_lab.tables import find_recipe
from nasbench_lab.tables import list_tables as table_names
from nasbench_lab.tables.catalogue import (
    ALSO_CALLED,
    is_present,
    matching,
    missing_entry_points,
    publications,
    to_suggest,
)
from nasbench_lab.tables.fetching.manual_downloads import MANUAL_DOWNLOADS, refuse_manual_download

HOW_TO_LIST = "to list the tables: nasbench-lab tables"

_HELP = """
list one publication    nasbench-lab tables nas-bench-graph
show one table          nasbench-lab tables info nas-bench-graph/cora
download and check      nasbench-lab tables fetch 'nas-bench-graph/*'    (small tables are also fetched on first use)

These tables need a manual download; nasbench-lab tables fetch NAME prints the steps:
"""


class TablesGroup(Commands):
    """Runs ``tables list NAME`` for ``tables NAME`` if NAME matches tables."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that the first argument names."""
        if self.get_command(ctx, args[0]) is None:
            if _names_tables(args[0]):
                return super().resolve_command(ctx, ["list", *args])
            known = [*self.list_commands(ctx), *to_suggest(), *publications()]
            if not args[0].startswith("-"):
                raise unknown("command or table", args[0], known, ALSO_CALLED, instead=HOW_TO_LIST)
        return super().resolve_command(ctx, args)


def _names_tables(word: str) -> bool:
    try:
        return bool(matching([word]))
    except UnknownNameError:
        return False
    except SourceError:  # tables that need a manual download; the list command prints the steps
        return True


def print_overview(*, as_json: bool) -> None:
    """Print one line per publication, example commands, and the tables that need a manual download."""
    if as_json:
        manual = [{"name": each.name, "content": each.what, "steps": each.steps} for each in MANUAL_DOWNLOADS]
        print_json({"tables": list(map(_entry, table_names())), "manual_downloads": manual})
        _note_missing()
        return
    grid = make_grid("publication", "tables", "size", "licence", "local")
    for publication, names in itertools.groupby(table_names(), lambda name: name.partition("/")[0]):
        _add_publication(grid, publication, list(names))
    print_grid(grid, fold=True)
    tell(_HELP)
    grid = make_grid("manual download", "content")
    for entry in MANUAL_DOWNLOADS:
        grid.add_row(entry.name, entry.what)
    print_grid(grid, fold=True)
    _note_missing()


def _note_missing() -> None:
    for problem in missing_entry_points():
        note(problem)


def _add_publication(grid: Grid, publication: str, names: list[str]) -> None:
    """Add the line of one publication; its tables differ mostly in their data sets."""
    descriptions = [find_recipe(name).description for name in names]
    licences = [part for description in descriptions for part in description.licence.split(" AND ")]
    grid.add_row(
        publication,
        " ".join(f"/{name.partition('/')[2]}" for name in names),
        _span(spaces.make_space(description.space).size for description in descriptions),
        ", ".join(dict.fromkeys(licences)),
        f"{sum(map(is_present, names))} of {len(names)}",
    )


def _span(numbers: Iterable[int]) -> str:
    """Return the range of some numbers as text.

    >>> _span([12, 200, 12]), _span([15_625])
    ('12 to 200', '15,625')
    """
    known = sorted(set(numbers))
    return f"{known[0]:,}" if len(known) == 1 else f"{known[0]:,} to {known[-1]:,}"


def list_tables(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME...", help="Names of tables, names with *, or publications. [default: all tables]"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List tables with space, size, metrics, epochs and licence, and whether they are on this machine."""
    for name in names or ():
        refuse_manual_download(name)
    entries = list(map(_entry, matching(names) if names else table_names()))
    if as_json:
        print_json(entries)
    else:
        _print_entries(entries)
    _note_missing()


def _entry(name: str) -> dict[str, Any]:
    """Return what the list tells of one table."""
    description = find_recipe(name).description
    return {
        "name": name,
        "title": description.title,
        "kind": description.kind,
        "space": description.space["name"],
        "architectures": spaces.make_space(description.space).size,
        "metrics": [metric.name for metric in description.metrics],
        "epochs": description.fidelities,
        "licence": description.licence,
        "local": is_present(name),
    }


def _print_entries(entries: Iterable[dict[str, Any]]) -> None:
    grid = make_grid("name", "space", "size", "metrics", "epochs", "licence", "local")
    for entry in entries:
        grid.add_row(
            entry["name"],
            entry["space"],
            f"{entry['architectures']:,}",
            ", ".join(entry["metrics"]),
            ", ".join(map(str, entry["epochs"])),
            entry["licence"],
            "yes" if entry["local"] else "no",
        )
    print_grid(grid, fold=True)
