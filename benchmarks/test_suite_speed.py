"""A suite, planned, stored and checked, beside a plain loop over ``simulate`` that keeps nothing but memory.

Searches a second; a search is a run of 300 evaluations. Two processes take a second to start, whatever the suite.
"""

import itertools

import pytest

import nasbench_lab as nl
from nasbench_lab.suites import LocalProcesses, Suite, run_suite
from nasbench_lab.tables import write
from nasbench_lab.testing import synthetic_table

STRATEGIES = ("random-search", "regularized-evolution", "local-search", "reinforce", "umda", "tpe")
BUDGET = nl.Budget(evaluations=300)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("suite")
    write(synthetic_table("topology"), place / "topology.h5")
    return place


@pytest.mark.parametrize("contender", ["plain loop", "ours", "two processes"])
def test_suite(benchmark, per_item, folder, contender):
    runs = 1024 if benchmark.enabled else 2
    benchmark.group = f"a search of six strategies, {runs} runs each"
    suite = Suite(STRATEGIES, ["topology.h5"], BUDGET, runs=runs, folder=folder)
    numbers = itertools.count()

    def plain_loop():
        table = nl.load(folder / "topology.h5")
        return [nl.simulate(table, name, runs=runs, budget=BUDGET) for name in STRATEGIES]

    def as_suite():
        executor = LocalProcesses(2) if contender == "two processes" else None
        return list(run_suite(suite, folder / f"{contender}-{next(numbers)}", executor=executor))

    function = plain_loop if contender == "plain loop" else as_suite
    traces = per_item(contender, runs * len(STRATEGIES), function, rounds=1)
    assert all(trace.runs == runs for trace in traces)
