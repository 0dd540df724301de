"""The landscape of a table, beside plain loops over architectures and their neighbours."""

import os

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab.analysis import landscape, optima_network

TABLES = {
    "NATS-Bench, 15,625 architectures": "nats-bench-tss/cifar10",
    "NAS-Bench-101, 423,624 architectures": "nas-bench-101/means",
}


def plain_landscape(table, starts):
    """Local optima, first-improvement climbs and walks of some architectures, as one writes them first."""
    space, values = table.space, table.mean_values("test_accuracy").tolist()
    random = np.random.default_rng(0)
    optima, ends, walked = 0, [], []
    for start in starts:
        optima += all(values[start] > values[near] for near in space.neighbors(start))
        at = start
        while True:
            better = [near for near in space.neighbors(at) if values[near] > values[at]]
            if not better:
                break
            at = int(random.choice(better))
        ends.append(at)
        walk = [start]
        for _ in range(10):
            walk.append(int(random.choice(space.neighbors(walk[-1]))))
        walked.append([values[each] for each in walk])
    return optima, ends, walked


@pytest.mark.skipif("NASBENCH_LAB_MIRROR" not in os.environ, reason="needs published data: set NASBENCH_LAB_MIRROR")
@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("contender", ["ours", "plain loops"])
def test_landscapes(benchmark, per_item, name, contender):
    """All statistics per architecture; the plain loops do a part of them, for some architectures."""
    benchmark.group = f"the landscape of an architecture, {name}"
    table = nl.load(TABLES[name])
    table.space.neighbors(0)  # the lists of neighbours are kept
    if contender == "ours":
        found = per_item(contender, table.space.size, lambda: landscape(table), rounds=2)
        assert found.architectures == table.space.size
    else:
        starts = np.random.default_rng(1).integers(0, table.space.size, 200).tolist()
        optima, ends, _ = per_item(contender, 200, lambda: plain_landscape(table, starts), rounds=2)
        assert optima <= len(ends)


@pytest.mark.parametrize("contender", ["complete", "100 searches"])
def test_networks_of_local_optima(benchmark, contender):
    table = nl.load("digits/topology")
    table.space.neighbors(0)
    runs = 0 if contender == "complete" else 100
    found = benchmark.pedantic(lambda: optima_network(table, runs=runs), rounds=2)
    assert len(found.optima) > 100
