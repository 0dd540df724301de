"""Published results of one-shot searches on the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import typer

from nasbench_lab.cli.options import make_grid, print_grid

if TYPE_CHECKING:
    from nasbench_lab.train.one_shot.protocols import PublishedResult


def print_published(rows: Iterable[PublishedResult], datasets: Iterable[str] = ()) -> None:
    """Print published test accuracies, with the number of their source below.

    Args:
        rows: of published tables.
        datasets: the columns; by default all.
    """
    from nasbench_lab.train.one_shot.protocols import DATASETS

    shown = list(rows)
    columns = tuple(datasets) or DATASETS
    sources = list(dict.fromkeys(row.source for row in shown))
    grid = make_grid("published", *columns, "source")
    for row in shown:
        values = [_value(row.test.get(dataset)) for dataset in columns]
        grid.add_row(row.method, *values, f"[{sources.index(row.source) + 1}]")
    typer.echo("test accuracy (percent) of the derived architectures, mean and standard deviation")
    print_grid(grid)
    for number, source in enumerate(sources, start=1):
        searched = sorted({row.searched for row in shown if row.source == source} - {""})
        typer.echo(f"[{number}] {source}{f'; searched on {searched[0]}' if searched else ''}")


def plain_row(row: PublishedResult) -> dict[str, Any]:
    """Return a published row as plain data."""
    return {
        "method": row.method,
        "searched": row.searched or None,
        "source": row.source,
        "test_accuracy": {name: {"mean": mean, "std": std} for name, (mean, std) in row.test.items()},
    }


def _value(found: tuple[float, float | None] | None) -> str:
    if found is None:
        return "-"
    mean, deviation = found
    return f"{mean:.2f}" if deviation is None else f"{mean:.2f} ± {deviation:.2f}"
