"""``nasbench-lab run``: compare strategies and draw a figure."""

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
from nasbench_lab.cli.condition_options import GivenConditions, with_conditions
from nasbench_lab.cli.run_summary import print_notes, print_summaries
from nasbench_lab.errors import NOTED, ParameterError
from nasbench_lab.files import atomic_folder
from nasbench_lab.report import FILES, write_result
from nasbench_lab.simulation import Conditions, Trace
from nasbench_lab.suites import Comparison


@with_conditions
def run(
    table: Annotated[list[str], typer.Option(help="Name of a table, or path of a table file; may be repeated.")],
    strategy: Annotated[
        list[str],
        typer.Option(
            help="Name of a strategy, with parameters as name:key=value,..., or file.py:Class; may be repeated."
        ),
    ],
    given: GivenConditions,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the result; must be new or empty. [default: store nothing]"),
    ] = None,
    runs: Annotated[int, typer.Option(help="Runs (seeds) of every strategy on every table.")] = 1000,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an older result in the folder.")] = False,
) -> None:
    """Compare strategies: simulate, print a table, and write traces, summary and regret figure."""
    if overwrite and out is None:
        raise ParameterError("--overwrite can only be used with --out")
    comparison = Comparison(tuple(table), tuple(strategy), given.conditions(), runs)
    with _stored(out, overwrite) as folder:
        started = time.perf_counter()
        traces, notes = _simulate(comparison)
        took = time.perf_counter() - started
        summaries = [summarize(trace) for trace in traces] if folder is None else write_result(traces, folder)
    print_notes(summaries, notes)
    typer.echo(
        f"{comparison.runs:,} runs each, budget {comparison.conditions.budget}{_conditions(comparison.conditions)}"
    )
    print_summaries(summaries)
    total = sum(int(trace.evaluations.sum()) for trace in traces)
    where = "nothing is stored; for traces and a figure, use --out FOLDER" if out is None else f"see {out}"
    typer.echo(f"\n{comparison.simulated_runs:,} runs, {total:,} evaluations, simulated in {took:.2f} s; {where}")


def _stored(out: Path | None, overwrite: bool) -> AbstractContextManager[Path | None]:
    """Return a context that gives the folder to write the result into, if any."""
    return nullcontext() if out is None else atomic_folder(out, replace=FILES if overwrite else None)


def _simulate(comparison: Comparison) -> tuple[list[Trace], list[str]]:
    """Run a comparison with a progress bar (on a terminal only); return the traces and notes for the user."""
    console = Console(stderr=True)
    with (
        warnings.catch_warnings(record=True) as caught,
        Progress(console=console, disable=not console.is_terminal) as bar,
    ):
        for category in NOTED:
            warnings.simplefilter("always", category)
        task = bar.add_task("runs", total=comparison.simulated_runs)
        traces = list(comparison.run(lambda runs: bar.advance(task, runs)))
    return traces, sorted({str(warning.message) for warning in caught})


def _conditions(conditions: Conditions) -> str:
    """Return the conditions that differ from the defaults, for the headline."""
    parts = [f"{conditions.workers} workers"] if conditions.workers > 1 else []
    parts += [f"limit {name}={number:g}" for name, number in conditions.limits.items()]
    return "".join(f", {part}" for part in parts)
