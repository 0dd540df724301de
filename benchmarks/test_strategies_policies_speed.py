"""Strategies that learn a policy, and tree search: a thousand runs in lock step beside one seed at a time."""

import pytest

import nasbench_lab as nl
from nasbench_lab.testing import synthetic_table

ALONE = 3
EVALUATIONS = {
    "reinforce": 500,
    "pbil": 500,
    "umda": 500,
    "asng": 500,
    "gumbel-softmax": 500,
    "ppo": 500,
    "q-learning": 500,
    "mcts": 500,
    "recurrent-controller": 100,
    "adversarial-search": 100,
}


@pytest.fixture(scope="module")
def table():
    return synthetic_table("topology")


@pytest.mark.parametrize("name", EVALUATIONS)
@pytest.mark.parametrize("contender", ["ours", "one seed at a time"])
def test_strategy(benchmark, per_item, table, contender, name):
    evaluations = EVALUATIONS[name]
    benchmark.group = f"{name}, {evaluations} evaluations"
    budget = nl.Budget(evaluations=evaluations)
    if contender == "ours":
        per_item(contender, 1_000 * evaluations, lambda: nl.simulate(table, name, runs=1_000, budget=budget), rounds=1)
        return
    per_item(
        contender,
        ALONE * evaluations,
        lambda: [nl.simulate(table, name, runs=1, first_run=run, budget=budget) for run in range(ALONE)],
        rounds=1,
    )
