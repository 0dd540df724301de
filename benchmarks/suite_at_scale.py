"""A suite of up to twenty strategies on made-up tables, from specification to page: seconds and memory.

As a program: ``python suite_at_scale.py FOLDER``, for twenty strategies on twenty tables, 1,000 runs each; other
numbers with ``--strategies``, ``--tables`` and ``--runs``. Every step runs in a process of its own, and prints the
seconds that it took and the most memory that it had in use. It takes minutes, so it is no part of ``make bench``.
"""

from __future__ import annotations

import argparse
import dataclasses
import resource
import subprocess
import sys
import time
from pathlib import Path

import nasbench_lab as nl
from nasbench_lab.analysis import study
from nasbench_lab.report.page import write_page
from nasbench_lab.suites import LocalProcesses, Suite, open_results, run_suite
from nasbench_lab.tables import write
from nasbench_lab.tables.table import Table
from nasbench_lab.testing import synthetic_table

EVALUATIONS = 200
STRATEGIES = (
    "asng",
    "differential-evolution",
    "genetic-algorithm",
    "greedy-search",
    "gumbel-softmax",
    "hill-climbing",
    "hyperband",
    "local-search",
    "mcts",
    "mu-plus-lambda",
    "pbil",
    "ppo",
    "random-search",
    "regularized-evolution",
    "regularized-evolution:population_size=50",
    "reinforce",
    "simulated-annealing",
    "successive-halving",
    "tabu-search",
    "umda",
)


def make_tables(folder: Path, number: int) -> None:
    """Write the tables: the topology space with other numbers each time."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(number):
        table = synthetic_table("topology", seed=seed)
        description = dataclasses.replace(table.description, name=f"made-up/{seed:03}")
        values = {name: table.values(name) for name in table.metrics}
        write(Table(description, values), folder / f"{seed:03}.h5")


def simulate(asked: argparse.Namespace) -> str:
    """Run the suite."""
    strategies = STRATEGIES[: asked.strategies]
    suite = Suite(strategies, ["tables/*.h5"], nl.Budget(evaluations=EVALUATIONS), runs=asked.runs, folder=asked.folder)
    start = time.perf_counter()
    run_suite(suite, asked.folder / "results", executor=LocalProcesses(asked.processes))
    searches = len(strategies) * asked.tables * asked.runs
    return f"{searches / (time.perf_counter() - start):,.0f} searches a second"


def analyse(asked: argparse.Namespace) -> str:
    """Make the study and the page from what is on disk."""
    start = time.perf_counter()
    found = study(open_results(asked.folder / "results"))
    analysed = time.perf_counter()
    page = asked.folder / "report.html"
    write_page(found, page, source="results")
    written, size = time.perf_counter() - analysed, page.stat().st_size / 1e6
    return f"study {analysed - start:.1f} s, page {written:.1f} s, {size:.1f} MB"


STEPS = {"simulate": simulate, "analyse": analyse}


def main() -> None:
    """Run all steps, each in a process of its own; or, in such a process, one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a new folder, for tables and results")
    for name, default in (("processes", 2), ("strategies", len(STRATEGIES)), ("tables", 20), ("runs", 1000)):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"default {default}")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step is None:
        make_tables(asked.folder / "tables", asked.tables)
        for step in STEPS:
            subprocess.run([sys.executable, *sys.argv, "--step", step], check=True)
        return
    begun = time.perf_counter()
    said = STEPS[asked.step](asked)
    memory = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(
        f"{asked.step}, {asked.processes} processes: {time.perf_counter() - begun:.1f} s, {memory / 1e3:.0f} MB; {said}"
    )


if __name__ == "__main__":
    main()
