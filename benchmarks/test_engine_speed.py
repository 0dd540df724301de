"""The engine beside the same strategy as a plain loop over runs, on a table of 15,625 or 26,206 architectures."""

import numpy as np
import plain
import pytest

import nasbench_lab as nl
from nasbench_lab.testing import synthetic_table

EVALUATIONS = 500
PLAIN_RUNS = 40


@pytest.fixture(scope="module")
def table():
    table = synthetic_table("topology")
    _ = table.space.neighbor_table
    return table


@pytest.fixture(scope="module")
def lists(table):
    values = table.repeat_values("valid_accuracy")
    return table.space.neighbor_table.tolist(), [[v for v in row if v == v] for row in values.tolist()]


def simulate(table, name, runs, **parameters):
    return nl.simulate(table, name, runs=runs, budget=nl.Budget(evaluations=EVALUATIONS), **parameters)


@pytest.mark.parametrize("runs", [1_000, 10_000])
@pytest.mark.parametrize(("population", "sample"), [(10, 3), (100, 25)])
@pytest.mark.parametrize("contender", ["ours", "plain loop"])
def test_regularized_evolution(benchmark, per_item, table, lists, contender, population, sample, runs):
    benchmark.group = f"regularized evolution {population}/{sample}, {runs} runs"
    if contender == "ours":
        parameters = {"population_size": population, "sample_size": sample}
        trace = per_item(
            contender,
            runs * EVALUATIONS,
            lambda: simulate(table, "regularized-evolution", runs, **parameters),
            rounds=5 if runs == 1_000 else 2,
        )
        best = np.maximum.accumulate(trace.observed, axis=1)[:, -1].mean()
    else:
        trajectories = per_item(
            contender,
            PLAIN_RUNS * EVALUATIONS,
            lambda: [
                plain.regularized_evolution(*lists, EVALUATIONS, population, sample, r) for r in range(PLAIN_RUNS)
            ],
            rounds=2,
        )
        best = np.mean([trajectory[-1] for trajectory in trajectories])
    assert best > 0.9 * np.nanmax(table.repeat_values("valid_accuracy")), "both find good architectures"


AS_IN_THE_PLAIN_LOOP = {"random-search": {}, "local-search": {"improvement": "best", "initial": 1}}


@pytest.mark.parametrize("name", AS_IN_THE_PLAIN_LOOP)
@pytest.mark.parametrize("contender", ["ours", "plain loop"])
def test_other_strategies(benchmark, per_item, table, lists, contender, name):
    benchmark.group = f"{name}, 1000 runs"
    if contender == "ours":
        per_item(contender, 1_000 * EVALUATIONS, lambda: simulate(table, name, 1_000, **AS_IN_THE_PLAIN_LOOP[name]))
        return
    neighbors, values = lists

    def one_run(run):
        if name == "random-search":
            return plain.random_search(values, EVALUATIONS, run)
        return plain.local_search(neighbors, values, EVALUATIONS, run)

    per_item(contender, PLAIN_RUNS * EVALUATIONS, lambda: list(map(one_run, range(PLAIN_RUNS))), rounds=2)
