"""How long the built-in suite `standard` takes on the tables of this machine: searches a second.

As a program: ``python standard_suite.py FOLDER``. The strategies without a model make all of their runs, 1,000, with
one process and with two. Those with a model take hours for that, and make 32: as they go through their runs a few at a
time, their time is proportional to the runs. It takes some six minutes, so it is no part of ``make bench``.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from test_strategies_speed import WITH_MODEL

import nasbench_lab as nl
from nasbench_lab.strategies.lookup import parse_strategy
from nasbench_lab.suites import LocalProcesses, StrategyEntry, built_in, make_plan, read_suite, run_suite

FEW = 32


def measure(folder: Path, what: str, strategies: Sequence[str], runs: int, processes: int) -> None:
    """Run the part of the suite that has these strategies, and print how long it took."""
    standard = read_suite(built_in()["standard"])
    suite = dataclasses.replace(standard, strategies=tuple(map(StrategyEntry, strategies)), runs=runs)
    simulations = len(make_plan(suite).simulations)
    start = time.perf_counter()
    run_suite(suite, folder / f"{what}-{processes}", executor=LocalProcesses(processes))
    seconds, searches = time.perf_counter() - start, simulations * runs
    print(
        f"{what}, {processes} processes: {simulations} simulations of {runs:,} runs in {seconds:.0f} s:"
        f" {searches / seconds:,.1f} searches a second; 1,000 runs of all: {1000 * seconds / runs / 60:,.1f} minutes",
        flush=True,
    )


def main(folder: Path) -> None:
    """Measure both parts."""
    with_model = sorted({parse_strategy(label)[0] for label in WITH_MODEL})
    without = [name for name in nl.list_strategies() if name not in with_model]
    for processes in (1, 2):
        measure(folder, "without models", without, read_suite(built_in()["standard"]).runs, processes)
    for processes in (1, 2):
        measure(folder, "with models", with_model, FEW, processes)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
