"""The results of a one-shot search on the terminal."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import typer

from nasbench_lab.cli.json_output import print_json
from nasbench_lab.cli.one_shot_published import plain_row, print_published
from nasbench_lab.cli.options import make_grid, print_grid
from nasbench_lab.cli.verbosity import note, tell
from nasbench_lab.messages import as_command

if TYPE_CHECKING:
    from nasbench_lab.train.one_shot import OneShotTrace
    from nasbench_lab.train.one_shot.protocols import PublishedProtocol, PublishedResult


def print_outcome(
    trace: OneShotTrace, protocol: PublishedProtocol | None, folder: Path | None, *, as_json: bool
) -> None:
    """Print what every run recommended, what the table says about it, and how long it took.

    Args:
        trace: of the search.
        protocol: that was followed, if any.
        folder: of the result; None if nothing is stored.
        as_json: whether to print JSON.
    """
    training, setting = trace.setting.training, trace.setting
    rows = _rows(trace)
    published = _published(protocol, str(training["dataset"]))
    for run in training["failed_runs"]:
        note(f"the training of run {run} failed: weights were not finite; its last recommendation before that counts")
    if as_json:
        print_json(
            {
                "method": setting.label,
                "table": setting.table,
                "dataset": training["dataset"],
                "protocol": None if protocol is None else protocol.name,
                "epochs": training["epochs"],
                "seed": setting.conditions.seed,
                "clock": training["calibration"],
                "folder": folder,
                "runs": rows,
                "published": [plain_row(row) for row in published],
            }
        )
        return
    typer.echo(f"{setting.label} on {setting.table}, trained on {training['dataset']} for {training['epochs']} epochs")
    grid = make_grid("run", "recommended architecture")
    for heading in ("validation", "test", "test regret", "seconds", "table's seconds"):
        grid.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        names = ("valid_accuracy", "test_accuracy", "test_regret", "seconds", "table_seconds")
        grid.add_row(str(row["run"]), row["architecture"] or "none", *(_number(row[name]) for name in names))
    if len(rows) > 1:
        grid.add_row("mean", "", *(_number(_mean(rows, name)) for name in names))
    print_grid(grid)
    typer.echo(_clock(training["calibration"]))
    if published:
        typer.echo("")
        print_published(published, [str(training["dataset"])])
    if folder is None:
        tell("\nnothing is stored; to keep the supernets and to resume, use --out FOLDER")
        return
    tell(f"\nhow well the shared weights rank    {as_command('one-shot', 'rank', folder)}")
    tell(f"a page about the result             {as_command('report', folder)}")
    tell(
        f"a figure                            {as_command('plot', folder, '--figure', 'regret', '--out', 'regret.pdf')}"
    )


def _rows(trace: OneShotTrace) -> list[dict[str, Any]]:
    """Return the outcome of every run as plain data."""
    scale = float(trace.setting.training["clock_scale"])
    found = trace.final_incumbent()
    last = np.maximum(trace.evaluations - 1, 0)
    seconds = trace.time[np.arange(trace.runs), last]
    values = {
        f"{split}_accuracy": trace.final(split) if split in trace.kinds else np.full(trace.runs, np.nan)
        for split in ("valid", "test")
    }
    regret = trace.regret("test")[np.arange(trace.runs), last] if "test" in trace.kinds else np.full(trace.runs, np.nan)
    space = trace.tasks[0].space
    return [
        {
            "run": trace.setting.first_run + row,
            "index": int(found[row]) if found[row] >= 0 else None,
            "architecture": space.format(int(found[row])) if found[row] >= 0 else None,
            **{name: float(value[row]) for name, value in values.items()},
            "test_regret": float(regret[row]),
            "seconds": float(seconds[row]) / scale,
            "table_seconds": float(seconds[row]),
        }
        for row in range(trace.runs)
    ]


def _published(protocol: PublishedProtocol | None, dataset: str) -> tuple[PublishedResult, ...]:
    """Return the published rows to stand beside the results of a protocol."""
    from nasbench_lab.train.one_shot.protocols import DATASETS, published_results

    if protocol is None or protocol.benchmark != "nats-bench-tss" or dataset not in DATASETS:
        return ()
    return published_results(dataset)


def _clock(calibration: dict[str, Any]) -> str:
    from nasbench_lab.train.one_shot import Calibration

    return str(Calibration.of_data(calibration))


def _mean(rows: list[dict[str, Any]], name: str) -> float:
    known = [row[name] for row in rows if not math.isnan(row[name])]
    return float(np.mean(known)) if known else math.nan


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4g}"
