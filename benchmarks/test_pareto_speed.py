"""Hypervolumes of many runs at once, beside one run at a time."""

import pytest

import nasbench_lab as nl
from nasbench_lab.analysis import relative_hypervolume
from nasbench_lab.testing import synthetic_table

RUNS, EVALUATIONS = 1_000, 500
ALONE = 5


@pytest.mark.parametrize("objectives", [["parameters"], ["parameters", "valid_seconds"]], ids=["two", "three"])
@pytest.mark.parametrize("contender", ["ours", "one seed at a time"])
def test_hypervolume(benchmark, per_item, contender, objectives):
    benchmark.group = f"relative hypervolume, {1 + len(objectives)} objectives"
    table = synthetic_table("topology")
    runs = RUNS if contender == "ours" else ALONE
    options = {"budget": nl.Budget(evaluations=EVALUATIONS), "objectives": objectives}
    together = runs if contender == "ours" else 1
    traces = [nl.simulate(table, "nsga-ii", runs=together, first_run=r, **options) for r in range(0, runs, together)]
    shares = per_item(contender, runs * EVALUATIONS, lambda: list(map(relative_hypervolume, traces)), rounds=2)
    assert all((share[:, -1] > 0.5).all() for share in shares)
