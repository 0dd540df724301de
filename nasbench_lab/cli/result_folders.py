"""``nasbench-lab results``: importing results of other programs, and showing stored results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nasbench_lab.cli.commands import Commands
from nasbench_lab.cli.import_results import import_logs
from nasbench_lab.cli.json_output import AsJson, print_json
from nasbench_lab.cli.options import make_grid, print_grid
from nasbench_lab.cli.verbosity import tell
from nasbench_lab.errors import NasbenchLabError, ParameterError
from nasbench_lab.plain_files import is_folder
from nasbench_lab.simulation import Results
from nasbench_lab.suites.stored_results import open_results

app = typer.Typer(
    cls=Commands,
    help="Import results of other programs, or show stored results.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("import")(import_logs)


@app.command()
def info(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="Folder of results, or a traces file.")],
    as_json: AsJson = False,
) -> None:
    """Show what a folder of results has: simulations, conditions, and where they come from."""
    opened = open_results(results)
    rows = [_described(opened, number) for number in range(len(opened))]
    if as_json:
        print_json({"kind": opened.provenance["kind"], "simulations": rows})
        return
    grid = make_grid("strategy", "table", "runs", "budget", "epochs", "repeat", "workers", "seed", "from")
    for row in rows:
        grid.add_row(*(str(row[name]) for name in ("strategy", "table", "runs")), *_conditions(row), _from(row))
    print_grid(grid, fold=True)
    if any(row["origin"] for row in rows):
        typer.echo("\n?: not known for imported results, but taken from the log or assumed")


@app.command("list")
def list_results(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder that has folders of results.")] = Path(
        "results"
    ),
    as_json: AsJson = False,
) -> None:
    """List the folders of results in a folder."""
    if not is_folder(folder):
        raise ParameterError(f"there is no folder {folder}")
    rows: list[dict[str, Any]] = []
    for place in sorted(path for path in (folder, *folder.iterdir()) if is_folder(path)):
        try:
            opened = open_results(place)
        except NasbenchLabError:  # no results, or damaged ones, of which `info` tells
            continue
        strategies = list(dict.fromkeys(setting.label for setting in opened.settings))
        tables = list(dict.fromkeys(setting.table for setting in opened.settings))
        rows.append({"folder": place, "simulations": len(opened), "strategies": strategies, "tables": tables})
    if as_json:
        print_json(rows)
        return
    if not rows:
        tell(f"there are no results in {folder}")
        return
    grid = make_grid("results", "simulations", "strategies", "tables")
    for row in rows:
        joined = [", ".join(row[name]) for name in ("strategies", "tables")]
        grid.add_row(str(row["folder"]), str(row["simulations"]), *joined)
    print_grid(grid, fold=True)
    tell("\nshow one    nasbench-lab results info FOLDER")


def _described(results: Results, number: int) -> dict[str, Any]:
    """Return a simulation as plain data."""
    setting = results.settings[number]
    return {
        "strategy": setting.label,
        "table": setting.table,
        "runs": sum(block.runs for block in results.blocks(number)),
        **setting.conditions.to_data(),
        "objectives": list(setting.conditions.objectives),
        "budget_text": str(setting.budget),
        "origin": dict(setting.origin),
        "training": dict(setting.training),
    }


def _conditions(row: dict[str, Any]) -> list[str]:
    """Return the conditions of a simulation, with a question mark after those that a log does not say."""
    unknown, unused = row["origin"].get("unknown", ()), ("fidelity", "repeat") if row["training"] else ()
    shown = {"budget": row["budget_text"], **{name: row[name] for name in ("fidelity", "repeat", "workers", "seed")}}
    shown |= dict.fromkeys(unused, "-")  # nothing of the table was evaluated
    return [f"{value}?" if name in unknown else str(value) for name, value in shown.items()]


def _from(row: dict[str, Any]) -> str:
    origin = row["origin"]
    if not origin:
        return "training of networks" if row["training"] else "simulation"
    names = [file["name"] for file in origin["files"]]
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{origin['format']}{f': {names[0]}{more}' if names else ''}"
