"""Model-based strategies, 1,000 runs of 100 evaluations in lock step, beside the same strategy one seed at a time."""

import pytest

import nasbench_lab as nl
from nasbench_lab.suites.arguments import parse_strategy
from nasbench_lab.testing import synthetic_table

RUNS, ALONE, EVALUATIONS = 1_000, 10, 100


@pytest.fixture(scope="module")
def table():
    table = synthetic_table("topology")
    _ = table.space.neighbor_table
    return table


@pytest.mark.parametrize(
    "label",
    [
        "bananas",
        "brp-nas",
        "gp-bo",
        "gp-bo:acquisition=ucb",
        "gp-bo:acquisition=thompson",
        "gp-bo:acquisition=mes",
        "gp-bo:kernel=matern",
        "gp-bo:kernel=path",
        "npenas",
        "progressive-search",
        "smac",
        "tpe",
    ],
)
@pytest.mark.parametrize("contender", ["ours", "one seed at a time"])
def test_model_based_strategies(benchmark, per_item, table, contender, label):
    benchmark.group = f"{label}, {RUNS} runs"
    name, parameters = parse_strategy(label)
    budget = nl.Budget(evaluations=EVALUATIONS)

    def together():
        # Without --benchmark-enable this only checks that it runs.
        return nl.simulate(table, name, runs=RUNS if benchmark.enabled else 2, budget=budget, **parameters)

    def alone():
        for run in range(ALONE if benchmark.enabled else 1):
            nl.simulate(table, name, runs=1, first_run=run, budget=budget, **parameters)

    if contender == "ours":
        per_item(contender, RUNS * EVALUATIONS, together, rounds=1)
    else:
        per_item(contender, ALONE * EVALUATIONS, alone, rounds=1)
