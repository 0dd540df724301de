"""Evolution and multi-objective search: a thousand runs in lock step beside the same strategies one seed at a time."""

import pytest

import nasbench_lab as nl
from nasbench_lab.analysis import relative_hypervolume
from nasbench_lab.testing import synthetic_table

RUNS, EVALUATIONS = 1_000, 500
ONE_AT_A_TIME = 5
NAMES = [
    "regularized-evolution",
    "genetic-algorithm",
    "mu-plus-lambda",
    "differential-evolution",
    "nsga-ii",
    "random-scalarisation",
]


@pytest.fixture(scope="module")
def table():
    table = synthetic_table("topology")
    _ = table.space.neighbor_table
    return table


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("contender", ["ours", "one seed at a time"])
def test_strategy(benchmark, per_item, table, contender, name):
    objectives = ["parameters"] if name in ("nsga-ii", "random-scalarisation") else []
    benchmark.group = f"{name}, {RUNS} runs" + (", two objectives" if objectives else "")

    def simulate(runs, first_run=0):
        budget = nl.Budget(evaluations=EVALUATIONS)
        return nl.simulate(table, name, runs=runs, first_run=first_run, budget=budget, objectives=objectives)

    if contender == "ours":
        trace = per_item(contender, RUNS * EVALUATIONS, lambda: simulate(RUNS), rounds=3)
        assert (trace.evaluations == EVALUATIONS).all()
    else:
        per_item(
            contender,
            ONE_AT_A_TIME * EVALUATIONS,
            lambda: [simulate(1, run) for run in range(ONE_AT_A_TIME)],
            rounds=2,
        )


@pytest.mark.parametrize("objectives", [["parameters"], ["parameters", "valid_seconds"]], ids=["two", "three"])
@pytest.mark.parametrize("contender", ["ours", "one seed at a time"])
def test_hypervolume(benchmark, per_item, table, contender, objectives):
    benchmark.group = f"relative hypervolume, {1 + len(objectives)} objectives"
    runs = RUNS if contender == "ours" else ONE_AT_A_TIME
    options = {"budget": nl.Budget(evaluations=EVALUATIONS), "objectives": objectives}
    together = runs if contender == "ours" else 1
    traces = [nl.simulate(table, "nsga-ii", runs=together, first_run=r, **options) for r in range(0, runs, together)]
    shares = per_item(contender, runs * EVALUATIONS, lambda: list(map(relative_hypervolume, traces)), rounds=2)
    assert all((share[:, -1] > 0.5).all() for share in shares)
