"""``nasbench-lab tables fetch`` and ``tables verify``: fetching published tables, and checking any table."""

from __future__ import annotations

from typing import Annotated

import typer

from nasbench_lab.cli.progress import reporting
from nasbench_lab.errors import NasbenchLabError, ParameterError
from nasbench_lab.tables import cached_path, cite, load, verify
from nasbench_lab.tables import fetch as fetch_table
from nasbench_lab.tables.catalogue import is_table_file, list_tables, matching
from nasbench_lab.tables.fetching.manual_downloads import refuse_manual_download
from nasbench_lab.tables.known_answers import KNOWN_ANSWERS

_STOPPED = "the downloaded part is kept; run the same command again to resume"


def fetch(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME...", help="Tables, e.g. nas-bench-graph/cora or 'nats-bench-tss/*'."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Fetch every table of the catalogue (gigabytes).")] = False,
) -> None:
    """Download, convert and check published tables, and print their paths. Resumes interrupted downloads."""
    for name in names or ():
        refuse_manual_download(name)
    if bool(names) == everything:
        raise ParameterError("name the tables to fetch, or pass --all; to list the tables: nasbench-lab tables")
    wanted = list_tables() if everything else matching(names or ())
    fetched, failed = [], []
    for name in wanted:
        try:
            _fetch_one(name)
            fetched.append(name)
        except NasbenchLabError as error:
            if len(wanted) == 1:
                raise
            failed.append(name)
            typer.echo(f"nasbench-lab: {name}: {error}", err=True)
    if fetched:
        typer.echo(f"\nPlease cite (also printed by nasbench-lab cite):\n\n{cite(*fetched)}")
    if failed:
        raise typer.Exit(2)


def _fetch_one(name: str) -> None:
    """Fetch a table and print its path, source and licence."""
    fresh = not cached_path(name).exists()
    with reporting(_STOPPED) as report:
        path = fetch_table(name, report=report)
    table = load(name)
    typer.echo(f"{name}{'' if fresh else ' (already fetched)'}")
    known = len(KNOWN_ANSWERS.get(name, ()))
    rows = {
        "file": f"{path} ({path.stat().st_size / 1e6:,.1f} MB)",
        "checksum": table.checksum,
        "checked": (f"{known} published number{'s' * (known > 1)}, " if known else "")
        + "the digest of every source file",
        "source": table.description.source,
        "licence": table.description.licence,
    }
    for key, value in rows.items():
        typer.echo(f"  {key:<10}{value}")


def check(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Tables of the catalogue, or table files.")],
    sources: Annotated[
        bool, typer.Option("--sources", help="Also convert the published files again and compare.")
    ] = False,
) -> None:
    """Check tables: checksums, ranges, published numbers. Prints one line per check; exit code 1 if a check fails."""
    files = [name for name in names if is_table_file(name)]
    wanted = [*files, *matching(name for name in names if name not in files)]
    right = True
    for name in wanted:
        with reporting("nothing was changed") as report:
            checks = verify(name, sources=sources, report=report)
        typer.echo(name)
        for each in checks:
            right &= each.ok
            typer.echo(f"  {'ok' if each.ok else 'FAILED':<7} {each.what:<44} {each.found}")
    if not right:
        raise typer.Exit(1)
