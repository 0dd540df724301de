"""``nasbench-lab tables``: the commands about tables, and the details of one table."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from nasbench_lab.analysis import Landscape, Quality, landscape, quality, reported_metric
from nasbench_lab.cli.build import build, pack
from nasbench_lab.cli.fetch import check, fetch
from nasbench_lab.cli.import_tables import import_file
from nasbench_lab.cli.json_output import AsJson, print_json, to_plain
from nasbench_lab.cli.landscape_lines import move_lines
from nasbench_lab.cli.listing import TablesGroup, list_tables, print_overview
from nasbench_lab.cli.merge_tables import merge_tables
from nasbench_lab.cli.score_lines import print_agreements
from nasbench_lab.cli.table_info import info
from nasbench_lab.cli.tables_fit import fit
from nasbench_lab.cli.verbosity import note, tell
from nasbench_lab.files import atomic_path
from nasbench_lab.report import save_figure_as, table_figure
from nasbench_lab.spaces import Space
from nasbench_lab.tables import Table, load
from nasbench_lab.tables.coverage import coverage_note
from nasbench_lab.tables.tabulated import stored_table

_MOST_FIDELITIES = 12

app = typer.Typer(cls=TablesGroup, help="List, fetch, check, import and build tables.", rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def overview(context: typer.Context, as_json: AsJson = False) -> None:
    """List all tables by publication; with a NAME, list the tables of one publication."""
    if context.invoked_subcommand is None:
        print_overview(as_json=as_json)


app.command("list")(list_tables)
app.command()(fetch)
app.command("verify")(check)
app.command("import")(import_file)
app.command()(build)
app.command()(pack)
app.command("merge")(merge_tables)
app.command()(fit)
app.command()(info)


@app.command()
def describe(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a table, or path of a table file.")],
    out: Annotated[Path, typer.Option(help="Folder for the figure.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Describe how well a table distinguishes architectures, and its landscape, with a figure (PDF and PNG)."""
    table = stored_table(load(name))
    found, lay = quality(table), landscape(table)
    stem = table.name.replace("/", "-")
    files = [out / f"{stem}.{kind}" for kind in ("pdf", "png")]
    if not as_json:
        _print(table, found)
        print_agreements(found.scores, reported_metric(table).name)
        _print_landscape(lay)
    if text := coverage_note(table):
        note(text)
    figure = table_figure(table, found)
    for file in files:
        with atomic_path(file) as temporary:
            save_figure_as(figure, temporary)
    if as_json:
        size = {"table": table.name, "metric": reported_metric(table).name, "space_size": _whole(table).size}
        print_json(
            {**size, "fidelities": table.fidelities, **to_plain(found), "landscape": lay.statistics(), "figures": files}
        )
    else:
        tell(f"{'figure':<20} {out / stem}.pdf and .png")


def _whole(table: Table) -> Space:
    """Return the space of which the table has all architectures or a sample."""
    return table.space.parent or table.space


def _print(table: Table, found: Quality) -> None:
    metric, whole = reported_metric(table), _whole(table)
    lines = {
        "architectures": f"{found.architectures:,} of {whole.size:,} were trained",
        metric.name: f"best {found.best:.6g}, median {found.median:.6g}, worst {found.worst:.6g} {metric.unit}",
        "ties": f"{found.ties:.3%} of the architectures share the best mean",
        "repeats": f"rank correlation of {table.objective.name} between two repeats: {_number(found.between_seeds)}",
        **fidelity_lines(table, found),
        "valid and test": f"rank correlation of the means: {_number(found.valid_with_test)}",
        "time and quality": f"rank correlation of cost and test: {_number(found.cost_with_quality)}",
    }
    for key, value in lines.items():
        typer.echo(f"{key:<20} {value}")


def _print_landscape(found: Landscape) -> None:
    lines = move_lines(found)
    if not lines:
        return
    typer.echo(f"\nlandscape of {found.metric.name}")
    for key, value in [*lines.items(), *(("note", text) for text in found.notes)]:
        typer.echo(f"{key:<20} {value}")


def fidelity_lines(table: Table, found: Quality) -> dict[str, str]:
    """Return the rank correlation with the end after about a third of the training, and that of pairs of fidelities."""
    if len(table.fidelities) < 2:
        return {}
    third = next(p for p, epochs in enumerate(table.fidelities) if 3 * epochs >= table.fidelities[-1])
    position = min(third, len(table.fidelities) - 2)  # not the last epoch itself
    lines = {
        "learning curve": f"rank correlation of epoch {table.fidelities[position]} with the last epoch: "
        f"{_number(found.with_end[position])} over means, {_number(found.with_end_single[position])} within repeats"
    }
    if len(table.fidelities) == 2:
        return lines
    shown = np.arange(len(table.fidelities))
    if len(shown) > _MOST_FIDELITIES:
        shown = np.unique(np.linspace(0, shown[-1], _MOST_FIDELITIES).round().astype(int))
    for place, one in enumerate(shown[:-1]):
        pairs = [
            f"{table.fidelities[other]}: {_number(found.between_fidelities[one, other])}"
            for other in shown[place + 1 :]
        ]
        lines[f"epoch {table.fidelities[one]}"] = f"rank correlation with epoch {', '.join(pairs)}"
    return lines


def _number(value: float) -> str:
    return "unknown" if math.isnan(value) else f"{value:.3f}"
