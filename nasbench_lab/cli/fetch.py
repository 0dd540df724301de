"""``nasbench-lab tables fetch`` and ``tables verify``: fetching published tables, and checking any table."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from nasbench_lab.cli.json_output import AsJson, print_json
from nasbench_lab.cli.progress import reporting
from nasbench_lab.cli.verbosity import detail, tell
from nasbench_lab.errors import NasbenchLabError, ParameterError
from nasbench_lab.tables import cached_path, cite, find_recipe, load, verify
from nasbench_lab.tables import fetch as fetch_table
from nasbench_lab.tables.catalogue import is_table_file, list_tables, matching
from nasbench_lab.tables.fetching.manual_downloads import refuse_manual_download
from nasbench_lab.tables.known_answers import KNOWN_ANSWERS
from nasbench_lab.tables.tables_in_code import is_in_code, refuse_code

_STOPPED = "the downloaded part is kept; run the same command again to resume"


def fetch(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME...", help="Tables, e.g. nas-bench-graph/cora or 'nats-bench-tss/*'."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Fetch every table of the catalogue (gigabytes).")] = False,
    as_json: AsJson = False,
) -> None:
    """Download, convert and check published tables, and print their paths. Resumes interrupted downloads."""
    for name in names or ():
        refuse_manual_download(name)
        refuse_code(name, "there is nothing to fetch; use it by this name")
    if bool(names) == everything:
        raise ParameterError("name the tables to fetch, or pass --all; to list the tables: nasbench-lab tables")
    wanted = list_tables() if everything else matching(names or ())
    fetched, failed = [], []
    for name in wanted:
        try:
            fetched.append(_fetch_one(name))
            if not as_json:
                _print_fetched(fetched[-1])
        except NasbenchLabError as error:
            if len(wanted) == 1:
                raise
            failed.append(name)
            typer.echo(f"nasbench-lab: {name}: {error}", err=True)
    if as_json:
        print_json(fetched)
    elif fetched:
        tell(f"\nPlease cite (also printed by nasbench-lab cite):\n\n{cite(*(each['name'] for each in fetched))}")
    if failed:
        raise typer.Exit(2)


def _fetch_one(name: str) -> dict[str, Any]:
    """Fetch a table, and return what the command tells of it."""
    fresh = not cached_path(name).exists()
    detail(f"{name}: {find_recipe(name).description.source}")
    with reporting(_STOPPED) as report:
        path = fetch_table(name, report=report)
    table = load(name)
    return {
        "name": name,
        "fetched": fresh,
        "file": path,
        "bytes": path.stat().st_size,
        "checksum": table.checksum,
        "published_numbers": len(KNOWN_ANSWERS.get(name, ())),
        "source": table.description.source,
        "licence": table.description.licence,
    }


def _print_fetched(fetched: dict[str, Any]) -> None:
    typer.echo(f"{fetched['name']}{'' if fetched['fetched'] else ' (already fetched)'}")
    known = fetched["published_numbers"]
    rows = {
        "file": f"{fetched['file']} ({fetched['bytes'] / 1e6:,.1f} MB)",
        "checksum": fetched["checksum"],
        "checked": (f"{known} published number{'s' * (known > 1)}, " if known else "")
        + "the digest of every source file",
        "source": fetched["source"],
        "licence": fetched["licence"],
    }
    for key, value in rows.items():
        typer.echo(f"  {key:<10}{value}")


def check(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Tables of the catalogue, or table files.")],
    sources: Annotated[
        bool, typer.Option("--sources", help="Also convert the published files again and compare.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check tables: checksums, ranges, published numbers. Prints one line per check; exit code 1 if a check fails."""
    files = [name for name in names if is_table_file(name) or is_in_code(name)]
    wanted = [*files, *matching(name for name in names if name not in files)]
    verified = []
    for name in wanted:
        with reporting("nothing was changed") as report:
            checks = verify(name, sources=sources, report=report)
        verified.append({"name": name, "ok": all(each.ok for each in checks), "checks": [c._asdict() for c in checks]})
        if as_json:
            continue
        typer.echo(name)
        for each in checks:
            typer.echo(f"  {'ok' if each.ok else 'FAILED':<7} {each.what:<44} {each.found}")
    if as_json:
        print_json(verified)
    if not all(each["ok"] for each in verified):
        raise typer.Exit(1)
