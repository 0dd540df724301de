"""The tables that there are: by publication, and one by one."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Annotated, Any

import typer
from rich.table import Table as Grid
from typer.core import TyperGroup

from nasbench_lab import spaces
from nasbench_lab.cli.options import make_grid, print_grid
from nasbench_lab.errors import SourceError, UnknownNameError, suggestions, unknown
from nasbench_lab.tables import find_recipe
from nasbench_lab.tables import list_tables as table_names
from nasbench_lab.tables.catalogue import ALSO_CALLED, is_present, matching, publications, to_suggest
from nasbench_lab.tables.fetching.manual_downloads import MANUAL_DOWNLOADS, refuse_manual_download

_HELP = """
tables of one publication    nasbench-lab tables nas-bench-graph
everything about one         nasbench-lab tables info nas-bench-graph/cora
download and check           nasbench-lab tables fetch 'nas-bench-graph/*'    (small ones also come on first use)

By hand: nasbench-lab tables fetch NAME says where to download the file and what to type then.
"""


class TablesGroup(TyperGroup):
    """Lets ``tables NAME`` stand for ``tables list NAME`` where NAME is that of tables."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that the arguments begin with."""
        if self.get_command(ctx, args[0]) is None:
            if _names_tables(args[0]):
                return super().resolve_command(ctx, ["list", *args])
            known = [*self.list_commands(ctx), *to_suggest(), *publications()]
            if suggestions(args[0], known, ALSO_CALLED):
                raise unknown("command or table", args[0], known, ALSO_CALLED)
        return super().resolve_command(ctx, args)


def _names_tables(word: str) -> bool:
    try:
        return bool(matching([word]))
    except UnknownNameError:
        return False
    except SourceError:  # tables that users make by hand; the list says how
        return True


def print_overview() -> None:
    """Print a line per publication, what can be done with them, and what is to be had by hand."""
    grid = make_grid("publication", "tables", "size", "epochs", "licence", "here")
    for publication, names in itertools.groupby(table_names(), lambda name: name.partition("/")[0]):
        _add_publication(grid, publication, list(names))
    print_grid(grid, fold=True)
    typer.echo(_HELP)
    grid = make_grid("by hand", "what")
    for entry in MANUAL_DOWNLOADS:
        grid.add_row(entry.name, entry.what)
    print_grid(grid, fold=True)


def _add_publication(grid: Grid, publication: str, names: list[str]) -> None:
    """Add the line of one publication, whose tables differ in their data sets mostly."""
    descriptions = [find_recipe(name).description for name in names]
    licences = [part for description in descriptions for part in description.licence.split(" AND ")]
    grid.add_row(
        publication,
        " ".join(f"/{name.partition('/')[2]}" for name in names),
        _span(spaces.make_space(description.space).size for description in descriptions),
        _span(epochs for description in descriptions for epochs in description.fidelities),
        ", ".join(dict.fromkeys(licences)),
        f"{sum(map(is_present, names))} of {len(names)}",
    )


def _span(numbers: Iterable[int]) -> str:
    """Write the least and the most of some numbers.

    >>> _span([12, 200, 12]), _span([15_625])
    ('12 to 200', '15,625')
    """
    known = sorted(set(numbers))
    return f"{known[0]:,}" if len(known) == 1 else f"{known[0]:,} to {known[-1]:,}"


def list_tables(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME...", help="Tables, a publication, or names with *; or all.")
    ] = None,
) -> None:
    """List tables one by one: space, size, metrics, epochs, licence, and whether they are here."""
    for name in names or ():
        refuse_manual_download(name)
    grid = make_grid("name", "space", "size", "metrics", "epochs", "licence", "here")
    for name in matching(names) if names else table_names():
        description = find_recipe(name).description
        grid.add_row(
            name,
            str(description.space["name"]),
            f"{spaces.make_space(description.space).size:,}",
            ", ".join(metric.name for metric in description.metrics),
            ", ".join(map(str, description.fidelities)),
            description.licence,
            "yes" if is_present(name) else "no",
        )
    print_grid(grid, fold=True)
