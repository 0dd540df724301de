"""Summaries of simulations as tables on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import typer
from rich.table import Table as Grid

from nasbench_lab.analysis import Summary
from nasbench_lab.cli.options import print_grid
from nasbench_lab.cli.verbosity import note


def print_summaries(summaries: Sequence[Summary]) -> None:
    """Print one row per strategy, table by table."""
    regrets = "" if all(np.isnan(row.test_regret) for row in summaries) else "; regret: median [quartiles]"
    typer.echo(f"validation and test: mean and standard deviation of the incumbents{regrets}")
    recommending = dict.fromkeys(row.strategy for row in summaries if row.incumbents == "recommended")
    if recommending:
        typer.echo(f"the incumbents are what the strategy recommends: {', '.join(recommending)}")
    for table in dict.fromkeys(row.table for row in summaries):
        kinds = {row.kind for row in summaries if row.table == table} - {"measured"}
        typer.echo(f"\n{table}" + (f" ({kinds.pop()})" if kinds else ""))
        grid = Grid(box=None, pad_edge=False)
        grid.add_column("strategy", no_wrap=True)
        for heading in ("evals", "validation", "test", "test regret"):
            grid.add_column(heading, justify="right", no_wrap=True)
        for row in (row for row in summaries if row.table == table):
            grid.add_row(
                row.strategy,
                "-" if np.isnan(row.evaluations) else f"{row.evaluations:g}",
                _spread(row.valid_mean, row.valid_std, row.valid_runs, row.runs),
                _spread(row.test_mean, row.test_std, row.test_runs, row.runs),
                _quartiles(row),
            )
        print_grid(grid)


def print_notes(summaries: Sequence[Summary], more: Sequence[str] = ()) -> None:
    """Print notes on results on standard error: runs without a value, and further notes."""
    notes = [
        f"{row.without_value} of {row.runs} runs of {row.strategy} on {row.table} observed no value; they count as "
        "infinitely bad in regrets and are left out of means"
        for row in summaries
        if row.without_value
    ]
    unknown = dict.fromkeys(
        row.table for row in summaries if row.kind != "measured" and np.isnan([row.valid_regret, row.test_regret]).all()
    )
    if unknown:
        notes.insert(0, f"the best possible value of {', '.join(unknown)} is not known, so there is no regret")
    for text in (*more, *notes):
        note(text)


def _quartiles(row: Summary) -> str:
    if np.isnan(row.test_regret):
        return "-"
    return f"{row.test_regret:.3g} [{row.test_regret_low:.3g}, {row.test_regret_high:.3g}]"


def _spread(mean: float, deviation: float, known: int, runs: int) -> str:
    """Return a mean with its deviation, and the number of runs with a value if others have none."""
    if np.isnan(mean):
        return "-"
    text = f"{mean:.4g}" if np.isnan(deviation) else f"{mean:.4g}±{deviation:.2g}"
    return text if known == runs else f"{text} ({known} of {runs})"
