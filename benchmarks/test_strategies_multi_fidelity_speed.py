"""Multi-fidelity and zero-cost strategies in lock step, beside the same strategy one seed at a time."""

import pytest

import nasbench_lab as nl
from nasbench_lab.testing import synthetic_table

RUNS, ALONE = 1_000, 10
EVALUATIONS = {
    "successive-halving": 500,
    "hyperband": 500,
    "asha": 500,
    "dehb": 500,
    "learning-curve-stopping": 500,
    "zero-cost-warm-start": 500,
    "zero-cost-filter": 500,
    "bohb": 100,  # it has a model
}


@pytest.fixture(scope="module")
def table():
    table = synthetic_table("topology")
    _ = table.space.neighbor_table
    return table


@pytest.mark.parametrize("name", EVALUATIONS)
@pytest.mark.parametrize("contender", ["ours", "one seed at a time"])
def test_strategy(benchmark, per_item, table, contender, name):
    evaluations = EVALUATIONS[name]
    benchmark.group = f"{name}, {evaluations} evaluations"
    budget = nl.Budget(evaluations=evaluations)
    if contender == "ours":
        trace = per_item(
            contender, RUNS * evaluations, lambda: nl.simulate(table, name, runs=RUNS, budget=budget), rounds=3
        )
        assert trace.evaluations.sum() == RUNS * evaluations
    else:
        traces = per_item(
            contender,
            ALONE * evaluations,
            lambda: [nl.simulate(table, name, runs=1, first_run=run, budget=budget) for run in range(ALONE)],
            rounds=2,
        )
        assert sum(trace.evaluations.sum() for trace in traces) == ALONE * evaluations
