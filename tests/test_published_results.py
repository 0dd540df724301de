"""What publications report on NAS-Bench-201, in their protocol.

Search on the mean 12-epoch validation accuracy of cifar10-valid for 12,000 simulated seconds, where an evaluation costs
its training and one validation; report the 200-epoch means of the incumbent.
"""

import numpy as np
import pytest

import nasbench_lab as nl

pytestmark = pytest.mark.mirror

RUNS = 1_000


def search(name, **parameters):
    table = nl.load("nats-bench-tss/cifar10")
    budget = nl.Budget(seconds=12_000)
    return nl.simulate(table, name, runs=RUNS, budget=budget, fidelity=12, repeat="mean", **parameters)


@pytest.mark.parametrize(
    ("name", "parameters", "valid", "test"),
    [
        ("random-search", {}, 90.97, 93.75),
        ("regularized-evolution", {"population_size": 10, "sample_size": 3}, 91.18, 93.95),
        ("regularized-evolution", {"population_size": 10, "sample_size": 10}, 91.27, 94.06),
    ],
)
def test_nas_bench_201(name, parameters, valid, test):
    trace = search(name, **parameters)
    assert trace.final("valid").mean() == pytest.approx(valid, abs=0.05)
    assert trace.final("test").mean() == pytest.approx(test, abs=0.05)
    assert np.nanmax(trace.time) <= 12_000


@pytest.mark.parametrize(
    ("name", "valid", "valid_std", "test", "test_std"),
    [("random-search", 90.93, 0.36, 93.70, 0.36), ("regularized-evolution", 91.19, 0.31, 93.92, 0.30)],
)
def test_nas_bench_201_paper(name, valid, valid_std, test, test_std):
    """Dong and Yang 2020, table 5, means and deviations over 500 runs with trainings drawn at random."""
    trace = search(name)
    assert trace.final("valid").mean() == pytest.approx(valid, abs=0.06)
    assert trace.final("test").mean() == pytest.approx(test, abs=0.06)
    assert trace.final("valid").std() == pytest.approx(valid_std, abs=0.1)
    assert trace.final("test").std() == pytest.approx(test_std, abs=0.1)


def test_local_search_finds_the_optimum_of_cifar100():
    """White et al. 2021: about 127 evaluations on average, searching the mean validation accuracy."""
    table = nl.load("nats-bench-tss/cifar100")
    budget = nl.Budget(evaluations=1_000)
    trace = nl.simulate(table, "local-search", runs=RUNS, budget=budget, repeat="mean")
    found = trace.regret("valid") == 0
    assert found[:, -1].all()
    evaluations = found.argmax(axis=1) + 1
    assert evaluations.mean() == pytest.approx(127, abs=15)
