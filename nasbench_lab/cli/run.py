"""``nasbench-lab run``: compare strategies and draw a figure."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from nasbench_lab.analysis.collected_runs import CollectedRuns, collect_runs
from nasbench_lab.cli.condition_options import GivenConditions, with_conditions
from nasbench_lab.cli.json_output import AsJson, print_json
from nasbench_lab.cli.progress import shown_progress
from nasbench_lab.cli.run_summary import print_notes, print_summaries
from nasbench_lab.cli.verbosity import detail, tell
from nasbench_lab.errors import NOTED, ParameterError
from nasbench_lab.files import atomic_folder
from nasbench_lab.report import FILES
from nasbench_lab.report.run_folder import write_overview, write_traces
from nasbench_lab.simulation import Conditions, Trace
from nasbench_lab.suites import Comparison


@with_conditions
def run(
    table: Annotated[list[str], typer.Option(help="Name of a table, or path of a table file; may be repeated.")],
    strategy: Annotated[
        list[str],
        typer.Option(
            help="Name of a strategy, file.py:Class or module:Class, with parameters as NAME:key=value,...; "
            "may be repeated."
        ),
    ],
    given: GivenConditions,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the result; must be new or empty. [default: store nothing]"),
    ] = None,
    runs: Annotated[int, typer.Option(help="Runs (seeds) of every strategy on every table.")] = 1000,
    processes: Annotated[
        int, typer.Option(min=1, help="Processes that share the runs; the results have the same bytes for any number.")
    ] = 1,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an older result in the folder.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare strategies: simulate, print a table, and write traces, summary and regret figure."""
    if overwrite and out is None:
        raise ParameterError("--overwrite can only be used with --out")
    comparison = Comparison(tuple(table), tuple(strategy), given.conditions(), runs, processes)
    with _stored(out, overwrite) as folder:
        simulated, notes, took = _simulate(comparison, folder)
        if folder is not None:
            write_overview(simulated, folder)
    summaries = [each.summary for each in simulated]
    print_notes(summaries, notes)
    for row in summaries:
        setting = f"{row.fidelity} epochs, repeat {row.repeat}, seed {row.seed}"
        detail(f"{row.strategy} on {row.table} (checksum {row.checksum[:12]}): {setting}")
    total = sum(int(each.ends.evaluations.sum()) for each in simulated)
    if as_json:
        print_json(
            {
                "runs": comparison.runs,
                "budget": str(comparison.conditions.budget),
                "evaluations": total,
                "seconds": took,
                "folder": out,
                "summaries": summaries,
            }
        )
        return
    typer.echo(
        f"{comparison.runs:,} runs each, budget {comparison.conditions.budget}{_conditions(comparison.conditions)}"
    )
    print_summaries(summaries)
    where = "nothing is stored; for traces and a figure, use --out FOLDER" if out is None else f"see {out}"
    tell(f"\n{comparison.simulated_runs:,} runs, {total:,} evaluations, simulated in {took:.2f} s; {where}")


def _stored(out: Path | None, overwrite: bool) -> AbstractContextManager[Path | None]:
    """Return a context that gives the folder to write the result into, if any."""
    return nullcontext() if out is None else atomic_folder(out, replace=FILES if overwrite else None)


def _simulate(comparison: Comparison, folder: Path | None) -> tuple[list[CollectedRuns], list[str], float]:
    """Run a comparison with a progress display, and write each trace that is finished.

    Returns:
        What the summary and the figure need of each simulation, notes for the user, and the seconds of simulation.
    """
    clock = _Stopwatch()
    done, total = 0.0, comparison.simulated_runs
    with warnings.catch_warnings(record=True) as caught, shown_progress("") as tell:

        def count(runs: float) -> None:
            nonlocal done
            done += runs
            tell("runs", done, total)

        for category in NOTED:
            warnings.simplefilter("always", category)
        tell("runs", 0, total)
        simulations = map(clock.timed, comparison.run_in_blocks(count))
        found = list(map(collect_runs, simulations) if folder is None else write_traces(simulations, folder))
    return found, sorted({str(warning.message) for warning in caught}), clock.seconds


class _Stopwatch:
    """Measures the time in which blocks are simulated, without the time in which they are written."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def timed(self, blocks: Iterator[Trace]) -> Iterator[Trace]:
        """Yield the blocks."""
        while True:
            started = time.perf_counter()
            block = next(blocks, None)
            self.seconds += time.perf_counter() - started
            if block is None:
                return
            yield block


def _conditions(conditions: Conditions) -> str:
    """Return the conditions that differ from the defaults, for the headline."""
    parts = [f"{conditions.workers} workers"] if conditions.workers > 1 else []
    parts += [f"limit {name}={number:g}" for name, number in conditions.limits.items()]
    return "".join(f", {part}" for part in parts)
