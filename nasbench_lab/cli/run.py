"""``nasbench-lab run``: a comparison from start to figure."""

from __future__ import annotations

import time
import warnings
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from nasbench_lab.analysis import summarize
from nasbench_lab.cli.options import parse_limits, parse_repeat
from nasbench_lab.cli.run_summary import print_notes, print_summaries
from nasbench_lab.errors import ParameterError, SearchOnTestWarning
from nasbench_lab.files import atomic_folder
from nasbench_lab.report import FILES, write_result
from nasbench_lab.simulation import Budget, Trace
from nasbench_lab.suites import Comparison


def run(
    table: Annotated[list[str], typer.Option(help="Name of a table, or path of a table file; may be repeated.")],
    strategy: Annotated[
        list[str], typer.Option(help="Name of a strategy, with parameters as name:key=value,...; may be repeated.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the result; must not exist or be empty. [default: nothing is stored]"),
    ] = None,
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
    if overwrite and out is None:
        raise ParameterError("--overwrite is for --out")
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
    with _stored(out, overwrite) as folder:
        started = time.perf_counter()
        traces, notes = _simulate(comparison)
        took = time.perf_counter() - started
        summaries = [summarize(trace) for trace in traces] if folder is None else write_result(traces, folder)
    print_notes(summaries, notes)
    typer.echo(f"{comparison.runs:,} runs each, budget {comparison.budget}{_conditions(comparison)}")
    print_summaries(summaries)
    total = sum(int(trace.evaluations.sum()) for trace in traces)
    where = "nothing is stored; for traces and a figure: --out FOLDER" if out is None else f"see {out}"
    typer.echo(f"\n{comparison.simulated_runs:,} runs, {total:,} evaluations, simulated in {took:.2f} s; {where}")


def _stored(out: Path | None, overwrite: bool) -> AbstractContextManager[Path | None]:
    """The folder that the result is written into, if any."""
    return nullcontext() if out is None else atomic_folder(out, replace=FILES if overwrite else None)


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


def _conditions(comparison: Comparison) -> str:
    """What is unusual about a comparison, for its headline."""
    parts = [f"{comparison.workers} workers"] if comparison.workers > 1 else []
    parts += [f"limit {name}={number:g}" for name, number in comparison.limits.items()]
    return "".join(f", {part}" for part in parts)
