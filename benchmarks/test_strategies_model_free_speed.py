"""The model-free strategies: 1,000 runs together, beside the same strategy one seed at a time."""

import pytest

import nasbench_lab as nl
from nasbench_lab.suites.arguments import parse_strategy
from nasbench_lab.testing import synthetic_table

EVALUATIONS = 500
ALONE = 4  # runs that are simulated one after the other


@pytest.fixture(scope="module")
def table():
    return synthetic_table("topology")


@pytest.mark.parametrize("contender", ["ours", "one at a time"])
@pytest.mark.parametrize(
    "label",
    [
        "random-search",
        "random-search:replacement=False",
        "exhaustive",
        "local-search",
        "local-search:improvement=first",
        "tabu-search",
        "greedy-search",
        "hill-climbing",
        "simulated-annealing",
    ],
)
def test_model_free(benchmark, per_item, table, contender, label):
    benchmark.group = f"{label}, 1000 runs"
    name, parameters = parse_strategy(label)
    budget = nl.Budget(evaluations=EVALUATIONS)

    def simulate(runs, first_run=0):
        return nl.simulate(table, name, runs=runs, first_run=first_run, budget=budget, **parameters)

    if contender == "ours":
        trace = per_item(contender, 1_000 * EVALUATIONS, lambda: simulate(1_000))
        assert trace.architecture.shape == (1_000, EVALUATIONS)
        return
    per_item(contender, ALONE * EVALUATIONS, lambda: [simulate(1, run) for run in range(ALONE)], rounds=2)
