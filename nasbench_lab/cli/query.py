"""``nasbench-lab query``: everything that a table knows of one architecture."""

from __future__ import annotations

from typing import Annotated

import typer

from nasbench_lab.cli.json_output import AsJson, print_json
from nasbench_lab.tables import Table, load


def query(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a table, or path of a table file.")],
    architecture: Annotated[str, typer.Argument(metavar="ARCHITECTURE", help="Official notation, or index.")],
    epochs: Annotated[
        int | None, typer.Option("--epochs", "--fidelity", help="Training epochs; by default the table's highest.")
    ] = None,
    repeat: Annotated[str, typer.Option(help="Number of a repeat, its seed, or mean.")] = "mean",
    as_json: AsJson = False,
) -> None:
    """Print all measurements of one architecture in a table."""
    table = load(name)
    policy = table.check_repeat(int(repeat) if repeat.isascii() and repeat.isdigit() and len(repeat) < 10 else repeat)
    index = table.space.resolve(architecture)
    answer = table.query(index, epochs, policy)
    if as_json:
        seed = None if isinstance(policy, str) else table.description.repeats[policy]
        print_json(
            {
                "table": table.name,
                "architecture": index,
                "notation": table.space.format(index),
                "epochs": epochs or table.fidelities[-1],
                "repeat": policy,
                "seed": seed,
                "metrics": {
                    metric.name: {"value": answer.get(metric.name), "unit": metric.unit}
                    for metric in table.description.metrics
                },
            }
        )
        return
    typer.echo(f"architecture  {index}  {table.space.format(index)}")
    typer.echo(f"epochs        {epochs or table.fidelities[-1]}")
    typer.echo(f"repeat        {_repeat_name(table, policy)}")
    width = max(18, *(len(name) + 1 for name in table.metrics))
    for metric in table.description.metrics:
        value = answer.get(metric.name)
        shown = "missing" if value is None else f"{value:.6g} {metric.unit}"
        typer.echo(f"{metric.name:<{width}}{shown}".rstrip())


def _repeat_name(table: Table, policy: int | str) -> str:
    return policy if isinstance(policy, str) else f"{policy} ({table.description.repeats[policy]})"
