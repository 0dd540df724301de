"""Summaries of simulations as tables on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import typer
from rich.table import Table as Grid

from nasbench_lab.analysis import Summary
from nasbench_lab.cli.options import print_grid
from nasbench_lab.cli.verbosity import note
from nasbench_lab.displays import counted


class _Task(NamedTuple):
    """What the rows of one printed table have in common."""

    table: str
    budget: str
    fidelity: int
    repeat: str
    workers: int


def _task(row: Summary) -> _Task:
    return _Task(row.table, row.budget, row.fidelity, row.repeat, row.workers)


def _differing(task: _Task, others: Sequence[_Task]) -> list[str]:
    """Return, in words, the conditions of a task that tell it from other tasks on its table.

    >>> one, two = (_Task("digits/chain", "30 evaluations", 12, "sample", workers) for workers in (1, 4))
    >>> _differing(one, [one, two]), _differing(one, [one])
    (['1 worker'], [])
    """
    words = {
        "budget": task.budget,
        "fidelity": counted(task.fidelity, "epoch"),
        "repeat": f"repeat {task.repeat}",
        "workers": counted(task.workers, "worker"),
    }
    return [text for name, text in words.items() if len({getattr(other, name) for other in others}) > 1]


def print_summaries(summaries: Sequence[Summary]) -> None:
    """Print one row per strategy, table by table."""
    regrets = "" if all(np.isnan(row.test_regret) for row in summaries) else "; regret: median [quartiles]"
    typer.echo(f"validation and test: mean and standard deviation of the incumbents{regrets}")
    recommending = dict.fromkeys(row.strategy for row in summaries if row.incumbents == "recommended")
    if recommending:
        typer.echo(f"the incumbents are what the strategy recommends: {', '.join(recommending)}")
    tasks: dict[_Task, list[Summary]] = {}
    for row in summaries:
        tasks.setdefault(_task(row), []).append(row)
    for task, rows in tasks.items():
        others = [other for other in tasks if other.table == task.table]
        facts = sorted({row.kind for row in rows} - {"measured"}) + _differing(task, others)
        typer.echo(f"\n{task.table}" + (f" ({', '.join(facts)})" if facts else ""))
        grid = Grid(box=None, pad_edge=False)
        grid.add_column("strategy", no_wrap=True)
        for heading in ("evals", "validation", "test", "test regret"):
            grid.add_column(heading, justify="right", no_wrap=True)
        for row in rows:
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
