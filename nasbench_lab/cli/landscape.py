"""``nasbench-lab landscape``: local optima, climbing, walks, neutrality and agreement of measurements of a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nasbench_lab.analysis.landscapes import Landscape, OptimaNetwork, optima_network
from nasbench_lab.analysis.landscapes import landscape as landscape_of
from nasbench_lab.analysis.landscapes.fitness_levels import Split
from nasbench_lab.cli.json_output import AsJson, print_json
from nasbench_lab.cli.landscape_lines import landscape_lines, network_line
from nasbench_lab.cli.progress import shown_progress
from nasbench_lab.cli.verbosity import note, tell
from nasbench_lab.displays import counted
from nasbench_lab.messages import unknown
from nasbench_lab.report.figures.paper_styles import paper_style
from nasbench_lab.report.landscape_folder import write_landscape
from nasbench_lab.tables import Table, list_tables, load
from nasbench_lab.tables.catalogue import is_named, is_present

_SPLITS: tuple[Split, ...] = ("valid", "test")


def landscape(
    name: Annotated[str, typer.Argument(metavar="TABLE", help="Name of a table, or path of a table file.")],
    split: Annotated[
        str | None, typer.Option(help="Values to look at: valid or test. [default: test, if the table has it]")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option("--epochs", "--fidelity", help="Training epochs of the values. [default: the highest]")
    ] = None,
    repeat: Annotated[str, typer.Option(help="Number of a repeat, its seed, or mean.")] = "mean",
    tolerance: Annotated[
        float | None,
        typer.Option(help="Values that differ by at most this much are equal. [default: only rounding errors are]"),
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(min=2, help="Look at so many architectures, drawn at random. [default: all, up to a million]"),
    ] = None,
    walks: Annotated[int, typer.Option(min=1, help="Number of random walks.")] = 200,
    steps: Annotated[int, typer.Option(min=2, help="Values of each walk.")] = 100,
    others: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="TABLE",
            help="Table on the same space to compare the values with; may be repeated. "
            "[default: those of the same publication on this machine]",
        ),
    ] = None,
    perturbation: Annotated[
        int, typer.Option(min=1, help="Random moves from a local optimum before the next climb, for the network.")
    ] = 2,
    network_runs: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Iterated local searches that sample the local optima network; 0 for the complete network. "
            "[default: 0 up to 1,000 optima, else 1,000]",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of sample, walks and searches.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder for CSV files, the network as GraphML, and figures.")] = None,
    style: Annotated[
        str, typer.Option(help="Size of the figures: single or double column, or slide (16:9).")
    ] = "double",
    as_json: AsJson = False,
) -> None:
    """Describe the landscape of a table: what a search that moves between neighbours meets."""
    chosen = next((each for each in _SPLITS if each == split), None)
    if split is not None and chosen is None:
        raise unknown("split", split, _SPLITS)
    paper_style(style)  # an unknown style is refused before anything is computed
    table = load(name)
    policy = table.check_repeat(int(repeat) if repeat.isascii() and repeat.isdigit() and len(repeat) < 10 else repeat)
    same: dict[str, Any] = {"fidelity": epochs, "repeat": policy, "tolerance": tolerance, "seed": seed}
    with shown_progress("nothing was written") as told:
        told("landscape", 0, 0)
        compared = [load(each) for each in others] if others else _siblings(table)
        found = landscape_of(table, chosen, sample=sample, walks=walks, steps=steps, others=compared, **same)
        told("local optima network", 0, 0)
        network = None
        if found.optima is not None:
            network = optima_network(table, chosen, perturbation=perturbation, runs=network_runs, **same)
        files = [] if out is None else write_landscape(found, network, out, style=style)
    for text in found.notes:
        note(text)
    if as_json:
        print_json({**_document(found, network), "files": files})
        return
    _print(found, network)
    if out is not None:
        tell(f"\nwrote {out}: {', '.join(path.name for path in files)}")


def _siblings(table: Table) -> list[Table]:
    """Return the other tables of a publication that are on this machine and have the same space."""
    if not is_named(table.name):
        return []
    publication = table.name.partition("/")[0] + "/"
    names = [each for each in list_tables() if each.startswith(publication) and each != table.name]
    loaded = [load(each) for each in names if is_present(each)]
    return [each for each in loaded if each.space.spec() == table.space.spec()]


def _document(found: Landscape, network: OptimaNetwork | None) -> dict[str, Any]:
    return {
        "table": found.table,
        "split": found.split,
        "metric": found.metric.name,
        "unit": found.metric.unit,
        "direction": found.metric.direction,
        "fidelity": found.fidelity,
        "repeat": found.repeat,
        "tolerance": found.tolerance,
        "sample": found.sample,
        "best": found.best,
        "statistics": found.statistics(),
        "fidelities": found.fidelities,
        "tables": found.tables,
        "network": None if network is None else {"runs": network.runs, **network.statistics()},
        "notes": found.notes,
    }


def _print(found: Landscape, network: OptimaNetwork | None) -> None:
    average = "mean over repeats" if found.repeat == "mean" else f"repeat {found.repeat}"
    typer.echo(
        f"{found.table}: {found.metric.name} ({found.metric.unit}), {counted(found.fidelity, 'epoch')}, {average}\n"
    )
    lines = landscape_lines(found)
    if network is not None:
        lines["network"] = network_line(network)
    for key, value in lines.items():
        typer.echo(f"{key:<20} {value}")
