"""``nasbench-lab tables``: the commands about tables, and the details of one table."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from nasbench_lab.analysis import Quality, quality, reported_metric
from nasbench_lab.cli.build import build, pack
from nasbench_lab.cli.fetch import check, fetch
from nasbench_lab.cli.import_tables import import_file
from nasbench_lab.cli.listing import TablesGroup, list_tables, print_overview
from nasbench_lab.files import atomic_path
from nasbench_lab.report import save_figure_as, table_figure
from nasbench_lab.tables import Description, Table, cached_path, load
from nasbench_lab.tables.coverage import coverage_note

app = typer.Typer(cls=TablesGroup, help="List, fetch, check, import and build tables.", rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def overview(context: typer.Context) -> None:
    """List all tables by publication; with a NAME, list the tables of one publication."""
    if context.invoked_subcommand is None:
        print_overview()


app.command("list")(list_tables)
app.command()(fetch)
app.command("verify")(check)
app.command("import")(import_file)
app.command()(build)
app.command()(pack)


@app.command()
def info(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a table, or path of a table file.")],
) -> None:
    """Show a table's axes, units, optima, notes, source, licence, citation and checksum."""
    table = load(name)
    description = table.description
    rows = {
        "name": description.name,
        "title": description.title,
        "space": table.space.summary,
        "fidelities": ", ".join(map(str, table.fidelities)) + " epochs" + _resume_note(description),
        "repeats": ", ".join(description.repeats),
        "objective": description.objective.name,
        "optima": "; ".join(_optima(table)),
        "cost of evaluation": " + ".join(description.cost) or "unknown: no times were published",
        "licence": description.licence,
        "source": description.source,
        "checksum": table.checksum,
        "file": name if Path(name).suffix else str(cached_path(name)),
    }
    for key, value in rows.items():
        typer.echo(f"{key:<20} {value}")
    typer.echo("\nmetrics")
    width = max(len(name) for name in table.metrics)
    for metric in description.metrics:
        direction = "" if metric.direction == "none" else metric.direction
        of_each = " and ".join(metric.axes[1:])
        typer.echo(f"  {metric.name:<{width}}  {metric.unit:<9} {direction:<9} {of_each and f'by {of_each}'}".rstrip())
        typer.echo(f"  {'':<{width}}  {metric.description}")
    typer.echo("\nnotes")
    for note in description.notes:
        typer.echo(f"  - {note}")
    typer.echo(f"\ncitation\n{description.citation}")


@app.command()
def describe(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a table, or path of a table file.")],
    out: Annotated[Path, typer.Option(help="Folder for the figure.")] = Path(),
) -> None:
    """Describe how well a table distinguishes architectures, with a figure (PDF and PNG)."""
    table = load(name)
    found = quality(table)
    stem = table.name.replace("/", "-")
    metric, whole = reported_metric(table), table.space.parent or table.space
    lines = {
        "architectures": f"{found.architectures:,} of {whole.size:,} were trained",
        metric.name: f"best {found.best:.6g}, median {found.median:.6g}, worst {found.worst:.6g} {metric.unit}",
        "ties": f"{found.ties:.3%} of the architectures share the best mean",
        "repeats": f"rank correlation of {table.objective.name} between two repeats: {_number(found.between_seeds)}",
        **_fidelity_lines(table, found),
        "valid and test": f"rank correlation of the means: {_number(found.valid_with_test)}",
        "time and quality": f"rank correlation of cost and test: {_number(found.cost_with_quality)}",
    }
    for key, value in lines.items():
        typer.echo(f"{key:<20} {value}")
    if note := coverage_note(table):
        typer.echo(f"note: {note}", err=True)
    figure = table_figure(table, found)
    for kind in ("pdf", "png"):
        with atomic_path(out / f"{stem}.{kind}") as temporary:
            save_figure_as(figure, temporary)
    typer.echo(f"{'figure':<20} {out / stem}.pdf and .png")


def _fidelity_lines(table: Table, found: Quality) -> dict[str, str]:
    """Return the rank correlation with the end, at the first fidelity from a third of the training on."""
    if len(table.fidelities) < 2:
        return {}
    position = next(p for p, epochs in enumerate(table.fidelities) if 3 * epochs >= table.fidelities[-1])
    return {
        "learning curve": f"rank correlation of epoch {table.fidelities[position]} with the last epoch: "
        f"{_number(found.with_end[position])} over means, {_number(found.with_end_single[position])} within repeats"
    }


def _number(value: float) -> str:
    return "unknown" if math.isnan(value) else f"{value:.3f}"


def _resume_note(description: Description) -> str:
    if len(description.fidelities) == 1:
        return ""
    return " (a training can be resumed)" if description.resumable else " (separate trainings)"


def _optima(table: Table) -> list[str]:
    """Return the best architecture of every split, by its mean at the highest fidelity."""
    lines = []
    for split, name in (("valid", table.description.valid), ("test", table.description.test)):
        if name is None:
            continue
        metric = table.description.metric(name)
        value = table.optimum(split)
        index = int((table.mean_values(name) == value).argmax())
        lines.append(f"{name} {value:.6g} {metric.unit} (architecture {index})")
    return lines
