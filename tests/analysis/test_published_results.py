"""What publications report on NAS-Bench-201 and NATS-Bench, in their protocol.

NAS-Bench-201: search on the mean 12-epoch validation accuracy of cifar10-valid for 12,000 simulated seconds, where an
evaluation costs its training and one validation; report the 200-epoch means of the incumbent. NATS-Bench (Dong et al.,
TPAMI 2021): the same on three data sets, with a budget for each.
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


BOHB = {"rungs": 4, "samples": 4, "random_share": 0, "least_bandwidth": 0.3}


@pytest.mark.parametrize(
    ("dataset", "seconds", "by"),
    [("cifar10", 20_000, 0.15), ("cifar100", 40_000, 0.5), ("ImageNet16-120", 120_000, 0.5)],
)
def test_nats_bench(dataset, seconds, by):
    """Budgets and settings are those of the published scripts (exps/NATS-algos/run-all.sh of AutoDL-Projects).

    The numbers of the paper's table 4 are not asserted (see docs/design/strategy-defaults.md). What is asserted is
    found here: evolution is the best of the four, random search the worst, by at least so many percentage points.
    """
    table = nl.load(f"nats-bench-tss/{dataset}")
    found = {}
    for name, parameters in {
        "random-search": {},
        "regularized-evolution": {"population_size": 10, "sample_size": 3},
        "reinforce": {"learning_rate": 0.01},
        "bohb": BOHB,
    }.items():
        budget = nl.Budget(seconds=seconds)
        trace = nl.simulate(table, name, runs=500, budget=budget, fidelity=12, repeat="mean", **parameters)
        assert np.nanmax(trace.time) <= seconds
        assert 140 < trace.evaluations.mean() < 200
        found[name] = {split: trace.final(split).mean() for split in ("valid", "test")}
    random, evolution = found.pop("random-search"), found.pop("regularized-evolution")
    for split in ("valid", "test"):
        assert evolution[split] > random[split] + by
        assert all(random[split] < other[split] < evolution[split] for other in found.values())


def test_local_search_finds_the_optimum_of_cifar100():
    """White et al. 2021: about 127 evaluations on average, searching the mean validation accuracy."""
    table = nl.load("nats-bench-tss/cifar100")
    options = {"budget": nl.Budget(evaluations=1_000), "repeat": "mean", "improvement": "best", "initial": 1}
    trace = nl.simulate(table, "local-search", runs=RUNS, **options)
    found = trace.regret("valid") == 0
    assert found[:, -1].all()
    evaluations = found.argmax(axis=1) + 1
    assert evaluations.mean() == pytest.approx(127, abs=15)


@pytest.mark.parametrize(
    ("name", "runs", "below"),
    [("local-search", 1_000, 0.16), ("smac", 48, 0.3)],
)
def test_test_regret_on_cifar10_is_that_of_the_original(name, runs, below):
    """Mean after 150 evaluations, as in docs/design/originals.md: naszilla 0.13, SMAC3 0.31.

    The bounds are more than three standard errors above ours. Before, our means were 0.28 and 0.5.
    """
    trace = nl.simulate("nats-bench-tss/cifar10", name, runs=runs, budget=nl.Budget(evaluations=150))
    assert trace.regret("test")[:, -1].mean() < below
