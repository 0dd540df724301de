"""Compare all one-shot methods on digits/topology with strategies that train networks one by one: results/one-shot.

Run it in the root of the repository: ``python tools/compare_one_shot.py``. It takes about two hours of one core. It
keeps every search in build/one-shot, and resumes there when it was stopped.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import t as student

import nasbench_lab as nl
import nasbench_lab.train.one_shot as one_shot
from nasbench_lab.analysis import incumbent_trajectories, ranking_quality
from nasbench_lab.files import atomic_path
from nasbench_lab.report import final_figure, regret_figure, save_figure
from nasbench_lab.simulation import Trace, save_traces
from nasbench_lab.train.one_shot.supernet_ranking import chosen_networks

ROOT = Path(__file__).resolve().parent.parent
TABLE = "digits/topology"
SECONDS = 200.0
"""The budget on the clock of the table; every method with its default epochs ends before."""

METHODS: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("spos", {}),
    ("fairnas", {}),
    ("random-search-ws", {}),
    ("few-shot", {}),
    ("enas", {}),
    ("setn", {}),
    ("darts", {}),
    ("darts", {"order": 2}),
    ("darts-pt", {}),
    ("pc-darts", {}),
    ("drnas", {}),
    ("snas", {}),
    ("gdas", {}),
    ("proxylessnas", {}),
)
STRATEGIES = ("random-search", "regularized-evolution", "local-search", "gp-bo", "tpe")
STRATEGY_RUNS = 50
SAMPLE = 500
"""Number of different networks among which the ranking by shared weights is measured."""


@dataclasses.dataclass(frozen=True, eq=False)
class Searched:
    """The searches of one method.

    Attributes:
        trace: on the clock of the table, within the budget.
        kendall: rank correlation of the shared weights' scores, among all and in the top fifth, shape (runs, 2).
    """

    trace: Trace
    kendall: np.ndarray


def main() -> None:
    """Search, compare, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "one-shot")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "one-shot")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--only", nargs="*", help="names of methods; nothing is written to --out")
    given = parser.parse_args()
    torch.set_num_threads(1)
    table = nl.load(TABLE)
    conditions = nl.Conditions(nl.Budget(seconds=SECONDS))
    chosen = [each for each in METHODS if given.only is None or each[0] in given.only]
    searched = [search(table, *each, conditions, given) for each in chosen]
    if given.only is not None:
        return
    budget = {"runs": STRATEGY_RUNS, "budget": nl.Budget(seconds=SECONDS)}
    simulated = [nl.simulate(table, name, **budget) for name in STRATEGIES]
    write(table, searched, simulated, given.out)


def search(
    table: nl.Table,
    name: str,
    parameters: Mapping[str, Any],
    conditions: nl.Conditions,
    given: argparse.Namespace,
) -> Searched:
    """Search with a method, and measure how its shared weights rank a sample of networks."""
    folder = given.work / "-".join([name, *(f"{key}-{value}" for key, value in parameters.items())])
    # One calibration for all methods, so that their clocks have one scale.
    calibration = one_shot.calibrate(table, folder=given.work)
    trace = one_shot.search(
        table,
        name,
        parameters=parameters,
        runs=given.runs,
        conditions=conditions,
        scale=calibration,
        folder=folder,
        processes=given.processes,
    )
    sample = chosen_networks(table, SAMPLE)
    truth = table.mean_values("valid_accuracy")[sample]
    kendall = []
    for run in range(trace.runs):
        path = folder / f"scores-{run}.json"
        if not path.exists():
            scores = trace.scores(sample.tolist(), run)
            with atomic_path(path) as temporary:
                temporary.write_text(json.dumps(scores.tolist()))
        quality = ranking_quality(json.loads(path.read_text()), truth)
        kendall.append([quality.kendall[1.0], quality.kendall[0.2]])
    found = Searched(trace, np.array(kendall))
    print(trace.setting.label, trace.regret("test")[:, -1].round(2), found.kendall.round(2).tolist(), flush=True)
    return found


def write(table: nl.Table, searched: Sequence[Searched], simulated: Sequence[Trace], out: Path) -> None:
    """Write summaries and figures."""
    out.mkdir(parents=True, exist_ok=True)
    save_traces([*(each.trace for each in searched), *simulated], out / "traces.h5")
    rows = [summary(each, simulated) for each in searched]
    write_csv(out / "summary.csv", rows)
    write_csv(out / "strategies.csv", [strategy_row(each) for each in simulated])
    write_csv(out / "runs.csv", [row for each in searched for row in run_rows(table, each)])
    print(markdown(rows))  # for the page
    traces = [*(each.trace for each in searched), *simulated]
    save_figure(regret_figure(traces, "test", "seconds", statistic="mean", style="double"), out, "regret")
    save_figure(final_figure(traces, "test", style="double"), out, "final")


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean, and half the width of its 95% interval by Student's t distribution."""
    array = np.asarray(values, dtype=float)
    half = student.ppf(0.975, len(array) - 1) * array.std(ddof=1) / np.sqrt(len(array))
    return float(array.mean()), float(half)


def shown(values: Sequence[float], digits: int = 2) -> str:
    """Return a mean with its interval as text."""
    mean, half = mean_interval(values)
    return f"{mean:.{digits}f} ± {half:.{digits}f}"


def final_seconds(trace: Trace) -> np.ndarray:
    """Return when each run ended, shape (runs,)."""
    return np.nanmax(trace.time, axis=1)


def regret_after(trace: Trace, seconds: float) -> float:
    """Return the mean test regret of runs after some seconds."""
    path = incumbent_trajectories(trace)
    return float(path.regret_at("test", path.at("seconds", np.array([seconds])))[0].mean())


def summary(each: Searched, simulated: Sequence[Trace]) -> dict[str, str]:
    """Return the row of a method."""
    trace, seconds = each.trace, float(final_seconds(each.trace).mean())
    return {
        "method": trace.setting.label,
        "runs": str(trace.runs),
        "epochs": str(trace.setting.training["epochs"]),
        "seconds": f"{seconds:.0f}",
        "test regret": shown(trace.regret("test")[:, -1]),
        "validation regret": shown(trace.regret("valid")[:, -1]),
        "Kendall": shown(each.kendall[:, 0]),
        "Kendall, top fifth": shown(each.kendall[:, 1]),
        **{
            f"{other.setting.label} after as many seconds": f"{regret_after(other, seconds):.2f}" for other in simulated
        },
    }


def strategy_row(trace: Trace) -> dict[str, str]:
    """Return the row of a strategy that trains architectures one by one."""
    mean, half = mean_interval(trace.reference.regret("test", trace.final("test")))
    return {
        "strategy": trace.setting.label,
        "runs": str(trace.runs),
        "evaluations": f"{trace.evaluations.mean():.0f}",
        f"test regret after {SECONDS:.0f} s": f"{mean:.2f} ± {half:.2f}",
    }


def run_rows(table: nl.Table, each: Searched) -> list[dict[str, str]]:
    """Return one row per run: what it recommended."""
    trace, rows = each.trace, []
    for run, architecture in enumerate(trace.final_incumbent().tolist()):
        names = table.space.format(architecture)
        operations = {"none": "none", "skip": "skip_connect", "1x1": "nor_conv_1x1", "3x3": "nor_conv_3x3"}
        counts = {short: str(names.count(f"|{name}~")) for short, name in operations.items()}
        rows.append(
            {
                "method": trace.setting.label,
                "run": str(run),
                "seconds": f"{final_seconds(trace)[run]:.0f}",
                "architecture": names,
                "test accuracy": f"{table.mean_values('test_accuracy')[architecture]:.2f}",
                "test regret": f"{trace.regret('test')[run, -1]:.2f}",
                "Kendall": f"{each.kendall[run, 0]:.2f}",
                **counts,
                "pool": str(names.count("|avg_pool_3x3~")),
            }
        )
    return rows


def write_csv(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Write rows with the names of their columns."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def markdown(rows: Sequence[Mapping[str, str]]) -> str:
    """Return rows as a table in Markdown."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


if __name__ == "__main__":
    main()
