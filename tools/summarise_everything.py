"""Summarise the suite "everything": one row per table, variant and strategy, and the figures of results/everything.

    nasbench-lab suite run everything --out FOLDER
    python tools/summarise_everything.py FOLDER --out results/everything

Simulations are read one at a time. A simulation that is not finished is left out, and counted.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from nasbench_lab.analysis import a12
from nasbench_lab.analysis.collected_runs import CollectedRuns, collect_runs
from nasbench_lab.analysis.random_baseline import random_value
from nasbench_lab.analysis.ranks import expected_ranks
from nasbench_lab.analysis.trajectories import TimeAxis
from nasbench_lab.arrays import FloatArray
from nasbench_lab.files import atomic_path
from nasbench_lab.simulation import Results
from nasbench_lab.simulation.setting import Setting
from nasbench_lab.simulation.trace import RegretKind
from nasbench_lab.suites import SuiteFolder, open_results
from nasbench_lab.suites.planned_simulations import PlannedTable

SHARES = (0.1, 0.25, 0.5, 1.0)
"""Shares of the budget at which strategies are compared."""

BASELINE = "random-search"


@dataclasses.dataclass(frozen=True)
class Row:
    """One strategy on one table under one variant, when a share of the budget is spent.

    Attributes:
        variant, table, strategy: what was simulated.
        space: name of the search space.
        kind: the regret: that of the mean validation value of the incumbent, or of the test value where the table has
            no validation.
        share: share of the budget.
        runs: number of runs.
        regret: mean regret over runs, in the unit of the metric; runs without a value are left out.
        normalised: the regret divided by that of the average architecture of the table.
        error: standard error of ``normalised``.
        rank: average rank of a run among one run of every other strategy on this table, under this variant.
        strategies: number of these strategies.
        better: probability that a run is better than one of random search; ties count half.
        no_value: number of runs without a value.
    """

    variant: str
    table: str
    space: str
    strategy: str
    kind: str
    share: float
    runs: int
    regret: float
    normalised: float
    error: float
    rank: float
    strategies: int
    better: float
    no_value: int


def main() -> None:
    """Write the rows, and a digest of the traces of every simulation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path("results/everything"))
    arguments = parser.parse_args()
    folder, results = SuiteFolder.open(arguments.folder), open_results(arguments.folder, partial=True)
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows = [row for table in folder.plan.tables for row in rows_of_table(table, results)]
    write(arguments.out / "strategies.csv", [dataclasses.asdict(row) for row in rows])
    write(arguments.out / "traces.csv", digests(folder))
    unfinished = len(folder.plan.simulations) - len(results)
    print(f"{len(results)} simulations" + (f"; {unfinished} are not finished and left out" if unfinished else ""))


def write(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows as CSV, with five significant digits."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: f"{value:.5g}" if isinstance(value, float) else value for key, value in row.items()})
    with atomic_path(path) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")


def digests(folder: SuiteFolder) -> list[dict[str, object]]:
    """Return a digest of the traces of every finished simulation: the SHA-256 of those of its shards, in order."""
    found: dict[int, list[str]] = {}
    for shard in folder.plan.shards:
        manifest = folder.finished_manifest(shard)
        found.setdefault(shard.simulation, []).append("" if manifest is None else manifest["sha256"])
    rows: list[dict[str, object]] = []
    for number, simulation in enumerate(folder.plan.simulations):
        if "" not in found[number]:
            table, digest = folder.plan.tables[simulation.table], hashlib.sha256("".join(found[number]).encode())
            place = {"variant": table.variant, "table": table.name, "strategy": simulation.label}
            rows.append(
                {**place, "version": simulation.version, "runs": folder.plan.runs, "sha256": digest.hexdigest()}
            )
    return rows


def is_of(table: PlannedTable, setting: Setting) -> bool:
    """Return whether a simulation is on a table under its variant."""
    conditions = table.conditions
    return (
        setting.table == table.name
        and setting.budget == conditions.budget
        and setting.conditions.repeat == conditions.repeat
        and setting.conditions.workers == conditions.workers
    )


def regrets(found: CollectedRuns, kind: RegretKind) -> FloatArray:
    """Return the regret of every run at the shares of its budget, shape (shares, runs); inf without a value."""
    budget = found.setting.budget
    axis: TimeAxis = "evaluations" if budget.seconds is None else "seconds"
    limit = float(getattr(budget, axis))
    entries = found.trajectories.at(axis, np.array(SHARES) * limit)
    return found.trajectories.regret_at(kind, entries)


def rows_of_table(table: PlannedTable, results: Results) -> Iterator[Row]:
    """Yield the rows of all strategies on one table under one variant."""
    numbers = [number for number, setting in enumerate(results.settings) if is_of(table, setting)]
    collected = [collect_runs(results.blocks(number)) for number in numbers]
    if not collected:
        return
    reference = collected[0].reference
    kind: RegretKind = "valid" if "valid" in collected[0].trajectories.regrets else "test"
    average = float(reference.regret(kind, np.array(random_value(reference, kind))))
    losses = [regrets(each, kind) for each in collected]
    ranks = expected_ranks(losses)  # (strategies, shares)
    labels = [each.setting.label for each in collected]
    baseline = losses[labels.index(BASELINE)] if BASELINE in labels else None
    space = str(reference.space.get("name", ""))
    for place, (label, loss) in enumerate(zip(labels, losses, strict=True)):
        for position, share in enumerate(SHARES):
            values = loss[position]
            known = values[np.isfinite(values)]
            count = len(known)
            error = float(known.std(ddof=1) / count**0.5 / average) if count > 1 else float("nan")
            mean = float(known.mean()) if count else float("nan")
            better = float("nan") if baseline is None else a12(values, baseline[position])
            yield Row(
                table.variant,
                table.name,
                space,
                label,
                kind,
                share,
                len(values),
                mean,
                mean / average,
                error,
                float(ranks[place, position]),
                len(labels),
                better,
                len(values) - count,
            )


if __name__ == "__main__":
    main()
