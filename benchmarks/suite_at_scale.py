"""A suite of twenty strategies on twenty tables, 1,000 runs each, from specification to page: seconds and memory.

As a program: ``python suite_at_scale.py FOLDER [PROCESSES]``. Every step runs in a process of its own, and prints the
seconds that it took and the most memory that it had in use. It takes minutes, so it is no part of ``make bench``.
"""

from __future__ import annotations

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

TABLES, RUNS, EVALUATIONS = 20, 1000, 200
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


def make_tables(folder: Path) -> None:
    """Write the tables: the topology space with other numbers each time."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(TABLES):
        table = synthetic_table("topology", seed=number)
        description = dataclasses.replace(table.description, name=f"made-up/{number:02}")
        values = {name: table.values(name) for name in table.metrics}
        write(Table(description, values), folder / f"{number:02}.h5")


def simulate(folder: Path, processes: int) -> str:
    """Run the suite."""
    budget = nl.Budget(evaluations=EVALUATIONS)
    suite = Suite(STRATEGIES, ["tables/*.h5"], budget, runs=RUNS, folder=folder)
    start = time.perf_counter()
    run_suite(suite, folder / f"results-{processes}", executor=LocalProcesses(processes))
    searches = len(STRATEGIES) * TABLES * RUNS
    return f"{searches / (time.perf_counter() - start):,.0f} searches a second"


def analyse(folder: Path, processes: int) -> str:
    """Make the study and the page from what is on disk."""
    start = time.perf_counter()
    found = study(open_results(folder / f"results-{processes}"))
    analysed = time.perf_counter()
    write_page(found, folder / "report.html", source="results")
    size = (folder / "report.html").stat().st_size / 1e6
    return f"study {analysed - start:.1f} s, page {time.perf_counter() - analysed:.1f} s, {size:.1f} MB"


STEPS = {"simulate": simulate, "analyse": analyse}


def main(folder: Path, processes: int) -> None:
    """Run all steps."""
    if not (folder / "tables").exists():
        make_tables(folder / "tables")
    for step in STEPS:
        subprocess.run([sys.executable, __file__, str(folder), str(processes), step], check=True)


if __name__ == "__main__":
    where, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2
    if len(sys.argv) < 4:
        main(where, count)
    else:
        begun = time.perf_counter()
        said = STEPS[sys.argv[3]](where, count)
        memory = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        print(f"{sys.argv[3]}, {count} processes: {time.perf_counter() - begun:.1f} s, {memory / 1e3:.0f} MB; {said}")
