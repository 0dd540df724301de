"""``nasbench-lab run``: a comparison from start to figure."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table as Grid

from nasbench_lab.analysis import Summary
from nasbench_lab.cli.options import parse_limits, parse_repeat, print_grid
from nasbench_lab.errors import SearchOnTestWarning
from nasbench_lab.files import atomic_folder
from nasbench_lab.report import FILES, write_result
from nasbench_lab.simulate import Budget, Trace
from nasbench_lab.suites import Comparison


def run(
    table: Annotated[list[str], typer.Option(help="Name of a table, or path of a table file; may be repeated.")],
    strategy: Annotated[
        list[str], typer.Option(help="Name of a strategy, with parameters as name:key=value,...; may be repeated.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the result; must not exist or be empty.")],
    runs: Annotated[int, typer.Option(help="Runs (seeds) of every strategy on every table.")] = 1000,
    evaluations: Annotated[int | None, typer.Option(help="Budget of a run in evaluations.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Budget of a run in training epochs.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Budget of a run in simulated seconds.")] = None,
    fidelity: Annotated[int | None, typer.Option(help="Epochs of an evaluation; by default the highest.")] = None,
    repeat: Annotated[str, typer.Option(help="What an evaluation observes: sample, mean, or a number.")] = "sample",
    workers: Annotated[int, typer.Option(help="Evaluations of a run that happen at the same time.")] = 1,
    objective: Annotated[
        list[str] | None, typer.Option(help="A further metric that strategies are told; may be repeated.")
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(metavar="METRIC=NUMBER", help="The most a metric may be, or the least where more is better."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Root seed.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an older result in the folder.")] = False,
) -> None:
    """Compare strategies: simulate, print a table, and write traces, summary and regret figure."""
    comparison = Comparison(
        tables=tuple(table),
        strategies=tuple(strategy),
        budget=Budget(evaluations, epochs, seconds),
        runs=runs,
        fidelity=fidelity,
        repeat=parse_repeat(repeat),
        workers=workers,
        objectives=tuple(objective or ()),
        limits=parse_limits(limit or ()),
        seed=seed,
    )
    with atomic_folder(out, replace=FILES if overwrite else None) as folder:
        started = time.perf_counter()
        traces, notes = _simulate(comparison)
        took = time.perf_counter() - started
        summaries = write_result(traces, folder)
    notes += [
        f"{row.without_value} of {row.runs} runs of {row.strategy} on {row.table} observed no value; they count as "
        "infinitely bad in regrets, and not in means"
        for row in summaries
        if row.without_value
    ]
    for note in notes:
        typer.echo(f"note: {note}", err=True)
    _print_summary(summaries, comparison)
    total = sum(int(trace.evaluations.sum()) for trace in traces)
    typer.echo(f"\n{comparison.simulated_runs:,} runs, {total:,} evaluations, simulated in {took:.2f} s; see {out}")


def _simulate(comparison: Comparison) -> tuple[list[Trace], list[str]]:
    """Run a comparison with a progress bar (on a terminal only); return the traces and what the user must know."""
    console = Console(stderr=True)
    with (
        warnings.catch_warnings(record=True) as caught,
        Progress(console=console, disable=not console.is_terminal) as bar,
    ):
        warnings.simplefilter("always", SearchOnTestWarning)
        task = bar.add_task("runs", total=comparison.simulated_runs)
        traces = list(comparison.run(lambda runs: bar.advance(task, runs)))
    return traces, sorted({str(warning.message) for warning in caught})


def _print_summary(summaries: Sequence[Summary], comparison: Comparison) -> None:
    typer.echo(f"{comparison.runs:,} runs each, budget {comparison.budget}{_conditions(comparison)}")
    typer.echo("validation and test: the incumbents' mean and standard deviation; regret: median [quartiles]")
    for table in dict.fromkeys(row.table for row in summaries):
        typer.echo(f"\n{table}")
        grid = Grid(box=None, pad_edge=False)
        grid.add_column("strategy", no_wrap=True)
        for heading in ("evals", "validation", "test", "test regret"):
            grid.add_column(heading, justify="right", no_wrap=True)
        for row in (row for row in summaries if row.table == table):
            grid.add_row(
                row.strategy,
                f"{row.evaluations:g}",
                _spread(row.valid_mean, row.valid_std),
                _spread(row.test_mean, row.test_std),
                _quartiles(row),
            )
        print_grid(grid)


def _conditions(comparison: Comparison) -> str:
    """What is unusual about a comparison, for its headline."""
    parts = [f"{comparison.workers} workers"] if comparison.workers > 1 else []
    parts += [f"limit {name}={number:g}" for name, number in comparison.limits.items()]
    return "".join(f", {part}" for part in parts)


def _quartiles(row: Summary) -> str:
    if np.isnan(row.test_regret):
        return "-"
    return f"{row.test_regret:.3g} [{row.test_regret_low:.3g}, {row.test_regret_high:.3g}]"


def _spread(mean: float, deviation: float) -> str:
    if np.isnan(mean):
        return "-"
    return f"{mean:.4g}" if np.isnan(deviation) else f"{mean:.4g}±{deviation:.2g}"
